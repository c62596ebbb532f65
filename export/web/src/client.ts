// How pages speak with the API when more than reading is asked: with a body, with a key, and with errors that name a field.

// Refused is what the API says of a request that it does not take.
export class Refused extends Error {
  constructor(
    detail: string,
    readonly status: number,
    readonly field = "",
    readonly suggestion = "",
  ) {
    super(detail);
  }
}

// ask sends a request and returns the answer. The key goes in a header, never in an address.
export async function ask<T>(method: string, route: string, body?: unknown, key?: string): Promise<T> {
  const response = await request(method, route, body, key);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export async function request(method: string, route: string, body?: unknown, key?: string): Promise<Response> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers.Authorization = `Bearer ${key}`;
  const response = await fetch(route, { method, headers, body: body === undefined ? null : JSON.stringify(body), cache: "no-store" });
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string; field?: string; suggestion?: string };
  throw new Refused(problem.detail ?? `${response.status}`, response.status, problem.field, problem.suggestion);
}

// words are an error's, for people.
export function words(e: unknown): string {
  if (e instanceof Refused && e.suggestion) return `${e.message}; ${e.suggestion}`;
  return e instanceof Error ? e.message : String(e);
}
