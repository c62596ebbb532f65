import type * as german from "../de/names";

export const quantity: typeof german.quantity = {
  pm1: "Particulate matter PM1",
  pm2_5: "Particulate matter PM2.5",
  pm4: "Particulate matter PM4",
  pm10: "Particulate matter PM10",
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
  none: "not available",
  no_particles: "not available",
  not_hourly: "not defined for daily means",
  too_few_stations: "too few stations for a statement",
  by: "{class}, due to {pollutant}",
};

export const lqi: typeof german.lqi = {
  class1: "very good",
  class2: "good",
  class3: "moderate",
  class4: "poor",
  class5: "very poor",
};

export const state: typeof german.state = {
  ok: "reporting",
  silent: "silent for more than 15 minutes",
  check: "please check: its values do not count",
  new: "never reported",
  official: "official station",
};

export const certainty: typeof german.certainty = {
  single: "one station",
  few: "few stations, or they disagree",
  fewCells: "few cells with values, or they disagree",
  goodCells: "good, many cells agree",
  good: "good, several stations agree",
};

// What a class of the European index means for people.
export const advice: typeof german.advice = {
  class1: "Good for everyone to be outside.",
  class2: "Fine for everyone to be outside.",
  class3: "Fine for most. People with asthma, heart or lung disease may take it easier outside when they notice symptoms.",
  class4: "Take it easier outside if you cough or your eyes sting; children, older and ill people should exert themselves less.",
  class5: "Exert yourself less outside; children, older and ill people should avoid effort there.",
  class6: "Avoid effort outside; children, older and ill people had better stay indoors.",
  source: "After the health messages of the European Environment Agency (EEA) for its index of hours, in our own words.",
};
