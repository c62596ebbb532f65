// Limits as lines in plots: daily means in µg/m³, for comparison only. A daily mean of one station above one is not an exceedance.

export interface Limit {
  who: "eu" | "who";
  value: number;
}

// EU: Directive (EU) 2024/2881, annex I, from 2030 (each may be exceeded on 18 days a year). WHO: Air quality guidelines 2021.
export const limits: Record<string, readonly Limit[]> = {
  pm2_5: [
    { who: "who", value: 15 },
    { who: "eu", value: 25 },
  ],
  pm10: [{ who: "eu", value: 45 }], // as the WHO's
  no2: [
    { who: "who", value: 25 },
    { who: "eu", value: 50 },
  ],
};
