export const embed = {
  heading: "Auf der eigenen Seite zeigen",
  what: "Die Stadt, die Karte, jede Zelle, jeder Bezirk und jede Station lassen sich als kleine Karte in eine andere Seite setzen. Sie lädt nichts von Dritten und setzt keine Cookies.",
  offer: "Einbetten",
  city: "Mittel der Stadt einbetten",
  map: "Karte einbetten",
  title: "Stadtluft",
  see: "Ansehen",
  more: "Mehr dazu auf der Karte",
  nothing: "Hier gibt es nichts: {detail}",
  hourMean: "korrigiertes Mittel der Stunde {period}",
  single: "Letzter Einzelwert, unkorrigiert",
  noValue: "Zurzeit kein Wert.",
};
