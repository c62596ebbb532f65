import type { plot as german } from "../de/plot";

export const plot: typeof german = {
  title: "{quantity}, last 24 hours",
  none: "No hourly means: no hour of these 24 had values for three quarters of its time.",
  summary: "{hours} of {all} hours with values, from {low} to {high}; latest {last} at {time}.",
  corrected: "corrected",
  raw: "measured",
  values: "Values by hour",
  hour: "Hour",
};
