export const series = {
  waiting: "{period} werden geladen …",
  dayNote:
    "Lücken sind Lücken: Ein Tagesmittel gibt es, wenn mindestens 18 der 24 Stunden ein Stundenmittel haben. Die Nachbarschaft ist der Median der Rasterzellen im Umkreis von 3 km (von 10 km, wo es weniger als drei sind) ohne die eigene. Grenzwerte gelten für amtliche Messungen und stehen hier nur zum Vergleich.",
  read: "Werte im Diagramm: Pfeiltasten gehen von einem zum nächsten, oder zeige darauf.",
  at: "{time}: {values}",
  own: "{value} (gemessen {raw})",
  around: "Nachbarschaft {value}",
  official: "{name} {value}",
  reading: "einzelne Messung {value}",
  flagged: "einzelne Messung {value}, zählt nicht",
  nothing: "kein Mittel",
  only: "{format} (nur {period})",
  allCells: "Alle Zellen von {size} herunterladen",
  allDistricts: "Alle Stadtbezirke herunterladen",
  lastHour: "Die letzte Stunde der Station herunterladen",
};
