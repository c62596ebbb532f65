export const specification = {
  title: "Spezifikation",
  english: "Was eine Station sagt, Wort für Wort. Die Spezifikation gibt es auf Englisch.",
  reason: "Was die Spezifikation dazu sagt (englisch)",
  table: "Tabelle {number}: {column}",
};
