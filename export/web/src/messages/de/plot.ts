export const plot = {
  title: "{quantity}, letzte 24 Stunden",
  none: "Keine Stundenmittel: In diesen 24 Stunden war keine Stunde zu drei Vierteln von Werten abgedeckt.",
  summary: "{hours} von {all} Stunden mit Werten, von {low} bis {high}; zuletzt {last} um {time}.",
  corrected: "korrigiert",
  raw: "gemessen",
  values: "Werte der Stunden",
  hour: "Stunde",
};
