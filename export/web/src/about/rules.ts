// The rules in force, as the server publishes them, and the numbers in the sentences about them.
import { get, type Answer } from "../api";

type Quality = Answer<"getQuality">;

export interface Rules {
  thresholds: Pick<Quality["thresholds"][number], "key" | "value" | "unit" | "what" | "source">[];
  correction: Pick<Quality["correction"], "kappa">;
}

// defaults are the numbers where a city sets no others. They are shown until the server has answered.
const defaults: Record<string, number> = {
  "stuck.particles": 8,
  "stuck.others": 24,
  "stuck.saturated": 12,
  "inconsistent.share": 0.1,
  "inconsistent.by": 5,
  "inconsistent.zero": 10,
  "humid.from": 75,
  "spike.z": 10,
  "spike.past": 360,
  "outlier.z": 5,
  "outlier.neighbours": 5,
  "outlier.near": 3000,
  "outlier.far": 10_000,
  "uncorrelated.r": 0.3,
  "uncorrelated.past": 30,
  "indoor.share": 0.25,
  "indoor.days": 7,
  "indoor.of": 10,
  "moved.by": 8,
  "clock.ahead": 5,
  "clock.old": 30,
};

export const defaultRules: Rules = { thresholds: [], correction: { kappa: 0.15 } };

export const rules = (): Promise<Rules> => get<Rules>("/api/v1/quality");

// threshold returns a threshold in force.
export const threshold = (r: Rules, key: string): number =>
  r.thresholds.find((x) => x.key === `quality.${key}`)?.value ?? defaults[key] ?? Number.NaN;

// factor returns how many times too many particles a sensor shows at a relative humidity in percent (κ-Köhler; Crilley et al.,
// AMT 11:709, 2018).
export const factor = (kappa: number, humidity: number): number => 1 + kappa / 1.65 / (1 / (Math.min(humidity, 95) / 100) - 1);

// limits are in µg/m³: Directive (EU) 2024/2881, annex I, from 2030 on, and the WHO's guidelines of 2021.
export const limits: readonly { quantity: string; euYear: number; euDay: number; whoYear: number; whoDay: number }[] = [
  { quantity: "pm2_5", euYear: 10, euDay: 25, whoYear: 5, whoDay: 15 },
  { quantity: "pm10", euYear: 20, euDay: 45, whoYear: 15, whoDay: 45 },
  { quantity: "no2", euYear: 20, euDay: 50, whoYear: 10, whoDay: 25 },
];
