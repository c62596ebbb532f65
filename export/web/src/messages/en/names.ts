import type * as german from "../de/names";

export const quantity: typeof german.quantity = {
  pm1: "Particles PM1",
  pm2_5: "Particles PM2.5",
  pm4: "Particles PM4",
  pm10: "Particles PM10",
  co2: "Carbon dioxide CO₂",
  temperature: "Temperature",
  humidity: "Humidity",
  pressure: "Pressure",
  noise_laeq: "Noise LAeq",
  no2: "Nitrogen dioxide NO₂",
  no: "Nitric oxide NO",
  o3: "Ozone O₃",
  so2: "Sulphur dioxide SO₂",
  co: "Carbon monoxide CO",
  voc_index: "VOC index",
  nox_index: "NOx index",
  battery: "Battery",
  rssi: "Radio signal",
};

export const flag: typeof german.flag = {
  range: "outside the measuring range",
  sentinel: "the sensor reports no value",
  inconsistent: "particle values contradict each other",
  stuck: "has not changed for hours",
  spike: "jumps far from the last values",
  humid: "measured in humid air",
  outlier: "far from the neighbours",
  uncorrelated: "does not follow the neighbours",
  indoor: "behaves as if indoors",
  moved: "does not fit its place",
};

export const eaqi: typeof german.eaqi = {
  class1: "good",
  class2: "fair",
  class3: "moderate",
  class4: "poor",
  class5: "very poor",
  class6: "extremely poor",
  none: "no statement",
  european: "European index",
  german: "German index (UBA)",
  by: "{class}, because of {pollutant}",
};

export const state: typeof german.state = {
  ok: "reporting",
  silent: "silent for more than 15 minutes",
  check: "please check: its values do not count",
  new: "never heard",
};

export const certainty: typeof german.certainty = {
  single: "one station",
  few: "few stations, or at odds",
  good: "good, several stations agree",
};
