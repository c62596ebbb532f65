export const plot = {
  title: "{quantity}, letzte 24 Stunden",
  none: "In diesen 24 Stunden gab es keine volle Stunde mit Werten.",
  summary: "{hours} von {all} Stunden mit Werten, von {low} bis {high}; zuletzt {last} um {time}.",
  corrected: "korrigiert",
  raw: "gemessen",
  values: "Werte der Stunden",
  hour: "Stunde",
};
