import type { plot as german } from "../de/plot";

export const plot: typeof german = {
  title: "{quantity}, last 24 hours",
  none: "No hourly means: values covered three quarters of none of these 24 hours.",
  summary: "{hours} of {all} hours with values, from {low} to {high}; latest {last} at {time}.",
  corrected: "corrected",
  raw: "measured",
  values: "Values by hour",
  hour: "Hour",
};
