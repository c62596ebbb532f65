export const about = {
  heading: "Über die Werte",
  lead: "Woher die Zahlen kommen, wie sie geprüft werden, und was sie nicht sagen können.",
  value: "Was eine Zahl bedeutet",
  valueIs:
    "Die Stadt ist in Zellen geteilt, meist von einem Quadratkilometer. Der Wert einer Zelle ist das Mittel ihrer Stationen: Jede Station zählt gleich viel, auch wenn eine öfter sendet. Gibt es mehrere, steht dabei, wie weit sie auseinanderliegen.",
  live: "Jetzt : das Mittel der letzten 60 Minuten, ohne weitere Bedingung.",
  hour: "Stunde : eine Station zählt, wenn in drei Vierteln der Stunde gute Werte vorliegen (39. BImSchV, Anlage 11).",
  day: "Tag : eine Station zählt, wenn 18 der 24 Stunden zählen.",
  city: "Stadt und Bezirke : das Mittel über die Zellen, in denen gemessen wird. Wie viel der Fläche das ist, steht immer dabei.",
  checks: "Wie Werte geprüft werden",
  checksAre:
    "Kein Wert wird geändert oder gelöscht. Was auffällt, bekommt ein Kennzeichen; die meisten Kennzeichen halten den Wert aus den Mitteln heraus.",
  check_range:
    "Außerhalb des Messbereichs : Der Sensor kann einen solchen Wert nicht messen, oder draußen kommt er nicht vor; auch ein bekannter Sensor wird an beidem gemessen. Kann ein Chip einen seiner Werte nicht messen, zählen auch seine anderen aus derselben Nachricht nicht.",
  check_sentinel: "Kein Wert : Manche Sensoren senden eine feste Zahl wie −999 oder 0\u00a0% Feuchte, wenn sie nichts messen.",
  check_inconsistent:
    "Widersprüchlich : Feinere Teilchen können nicht mehr sein als alle zusammen. Auffällig wird es ab {share}\u00a0% und {by} µg/m³ Unterschied, ebenso eine Größe von genau 0 neben mehr als {zero} µg/m³.",
  check_stuck:
    "Eingefroren : Feinstaub ändert sich {stuck} Stunden lang gar nicht, Temperatur, Feuchte oder Druck {stuckOthers} Stunden, oder die Feuchte bleibt {saturated} Stunden bei genau 100\u00a0%.",
  check_spike:
    "Sprung : Eine Stunde liegt sehr weit von den letzten {spikeDays} Tagen der Station (Faktor {spike}), und die Nachbarn sehen nichts davon. Sehen sie es auch, wie an Silvester, bleibt der Wert.",
  check_humid: "Feuchte Luft : Ab {humid}\u00a0% Luftfeuchte zeigen einfache Sensoren zu viel. Der Wert zählt, wird aber korrigiert.",
  check_outlier:
    "Ausreißer : Die Stunde liegt sehr weit von mindestens {neighbours} Nachbarn im Umkreis von {near} bis {far} km (Faktor {outlier}).",
  check_uncorrelated: "Aus dem Takt : Über {past} Tage folgt die Station ihren Nachbarn nicht (Korrelation unter {r}).",
  check_indoor: "Drinnen : An {indoorDays} von {indoorOf} Tagen schwankt die Temperatur weniger als {indoor}\u00a0% so stark wie nebenan.",
  check_moved: "Umgezogen : Der Luftdruck passt nicht mehr zum Ort ({moved} hPa daneben).",
  check_clock:
    "Falsche Uhr : Die Zeit liegt mehr als {ahead} Minuten in der Zukunft oder {old} Tage zurück. Der Wert wird abgewiesen, und die Station erfährt es.",
  checksShared: "Die Kennzeichen stehen in jeder Datei. Wer anders prüfen will, kann das tun.",
  correction: "Korrektur um die Feuchte",
  correctionIs:
    "In feuchter Luft quellen Staubteilchen auf, und einfache Sensoren zählen das Wasser mit. Deshalb wird Feinstaub durch einen Faktor geteilt, der von der Luftfeuchte abhängt (κ‑Köhler, Crilley und andere 2018, hier mit κ = {kappa}). Der gemessene Wert steht immer daneben. Ohne Feuchte in der Nähe bleibt der Wert, wie er ist, und wird als unkorrigiert gezählt.",
  factors: "Korrektur nach Feuchte",
  factor: "Teiler",
  indices: "Die beiden Indizes",
  indicesAre:
    "Ein Index macht aus Zahlen Worte. Der schlechteste Schadstoff entscheidet. Gezeigt werden der Europäische Luftqualitätsindex (EEA, 2024) und der deutsche Luftqualitätsindex (Umweltbundesamt, 2025), beide für Stundenmittel. Angegeben ist die obere Grenze jeder Klasse in µg/m³.",
  european: "Europäischer Index",
  german: "Deutscher Index",
  indexName:
    "Woraus er gemacht ist : Vollständig ist ein Index mit Feinstaub, Stickstoffdioxid und Ozon. Fehlt etwas davon, steht es im Namen, meist „nur aus PM“.",
  indexDay:
    "Tage : Für Tagesmittel hat keiner der beiden Klassen, also steht dort keine. Die Karte zeigt dann die Konzentration selbst auf einer neutralen Skala.",
  indexFew: "Die Stadt : Eine Aussage über sie braucht mindestens drei Stationen in drei Zellen.",
  indicesNot:
    "Beide Indizes sind für amtliche Messungen gemacht. Hier sind sie eine Orientierung, keine amtliche Aussage. Gezeigt wird nur, was gemessen ist: Fehlen Gase, kann die Luft schlechter sein als der Index sagt.",
  certainty: "Wie sicher ein Wert ist",
  certaintyBeside:
    "Wo amtliche Stationen in der Nähe stehen, vergleicht die Stadt jede Nacht ihre Stundenmittel mit deren Werten. Die typische Abweichung steht an den Werten, und alles dazu auf einer eigenen Seite:",
  kappaDefault:
    "Solange nichts verglichen ist, gilt κ = 0,15, der untere Rand dessen, was die Literatur nennt (0,15 bis 0,4). Danach schlägt der Vergleich mit amtlichen Messgeräten das κ der Stadt vor.",
  certaintyIs: "Eine einzelne Station kann neben einem Grill hängen. Deshalb steht an jedem Wert, worauf er beruht.",
  single: "Eine Station : schraffiert auf der Karte; ihr Platz und ihre Fehler sind die der Zelle.",
  few: "Wenige : zwei oder drei, oder mehrere, die stark voneinander abweichen.",
  good: "Gut : vier oder mehr Stationen, die zusammenpassen.",
  limits: "Grenzwerte und Richtwerte",
  limitsAre:
    "Zum Einordnen, in µg/m³: die Grenzwerte der EU ab 2030 (Richtlinie (EU) 2024/2881, Anhang I) und die Richtwerte der Weltgesundheitsorganisation von 2021. Ob ein Grenzwert eingehalten ist, stellen allein amtliche Messungen fest.",
  limitTable: "Zum Vergleich, in µg/m³",
  euYear: "EU, Jahr",
  euDay: "EU, Tag",
  whoYear: "WHO, Jahr",
  whoDay: "WHO, Tag",
  cannot: "Was einfache Sensoren nicht können",
  cannotOfficial: "Ein Messgerät der Stadt ersetzen : Sie sind nicht geeicht und nicht zugelassen.",
  cannotGas:
    "Gase zuverlässig messen : Stickstoffdioxid und Ozon erscheinen nur, wenn ein Sensor neben einem amtlichen Gerät kalibriert wurde.",
  cannotMicrogram:
    "Auf das Mikrogramm genau sein : Zwei gleiche Sensoren können um 15\u00a0% voneinander abweichen. Unterschiede im Lauf des Tages und zwischen Orten zeigen sie gut.",
  cannotUltrafine: "Ultrafeine Teilchen sehen : Ruß aus Motoren ist für ihr Licht zu klein.",
  cannotAlarm: "Warnen : Bei Rauch oder Gasgeruch zählt der Notruf 112, nicht diese Karte.",
  privacy: "Der Ort einer Station",
  privacyIs:
    "Öffentlich ist nur die Mitte einer Zelle von 100 m, nie die genaue Stelle. Eine E-Mail-Adresse ist freiwillig und wird nie gezeigt. Nachrichten über die Station kommen erst, wenn ein Link in einer Mail bestätigt ist; jede Mail hat einen Link, der die Adresse löscht. Adresse und Webhook gehen mit der Station.",
  thresholds: "Alle Schwellen in Zahlen",
  key: "Schlüssel",
  what: "Was (englisch)",
  source: "Quelle (englisch)",
};
