// Requests to the API, in the language of the page.
import type { components } from "../types/openapi";
import { answered } from "./install";
import { language, t } from "./language";

// ApiError is the problem document of a request that failed, in the language of the page.
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<components["schemas"]["Problem"]>, // RFC 9457; empty when a proxy answered
  ) {
    super(problem.detail ?? t("frame.answered", { status: String(status) }));
  }
}

// send sends a request and returns the answer; undefined for status 204. The key goes in a header, never in the address.
export async function send<T>(method: string, route: string, body?: unknown, key?: string): Promise<T> {
  const response = await request(method, route, { body, key, cache: "no-store" });
  return (response.status === 204 ? undefined : await response.json()) as T;
}

interface RequestOptions {
  body?: unknown;
  key?: string | undefined;
  accept?: string;
  cache?: RequestCache;
  signal?: AbortSignal | undefined;
}

export async function request(
  method: string,
  route: string,
  { body, key, accept, cache = "default", signal }: RequestOptions = {},
): Promise<Response> {
  const headers: Record<string, string> = { "Accept-Language": language() };
  if (accept) headers.Accept = accept;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers.Authorization = `Bearer ${key}`;
  const response = await fetch(route, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    cache,
    signal: signal ?? null,
  });
  if (response.ok) {
    answered();
    return response;
  }
  throw new ApiError(response.status, (await response.json().catch(() => ({}))) as object);
}

// errorText returns an error as text for people. Browsers' own messages about failed requests are in English and say little.
export function errorText(e: unknown): string {
  if (e instanceof TypeError || e instanceof SyntaxError || e instanceof DOMException) return t("frame.silent");
  return e instanceof Error ? e.message : String(e);
}
