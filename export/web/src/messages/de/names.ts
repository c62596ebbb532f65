export const quantity = {
  pm1: "Feinstaub PM1",
  pm2_5: "Feinstaub PM2,5",
  pm4: "Feinstaub PM4",
  pm10: "Feinstaub PM10",
  co2: "Kohlendioxid CO₂",
  temperature: "Temperatur",
  humidity: "Luftfeuchte",
  pressure: "Luftdruck",
  noise_laeq: "Lärm LAeq",
  no2: "Stickstoffdioxid NO₂",
  no: "Stickstoffmonoxid NO",
  o3: "Ozon O₃",
  so2: "Schwefeldioxid SO₂",
  co: "Kohlenmonoxid CO",
  voc_index: "VOC-Index",
  nox_index: "NOx-Index",
  battery: "Batterie",
  rssi: "Funksignal",
};

export const flag = {
  range: "außerhalb des Messbereichs",
  sentinel: "Sensor meldet keinen Wert",
  inconsistent: "Feinstaubwerte widersprechen sich",
  stuck: "ändert sich seit Stunden nicht",
  spike: "springt weit von den letzten Werten weg",
  humid: "bei feuchter Luft gemessen",
  outlier: "weit weg von den Nachbarn",
  uncorrelated: "folgt den Nachbarn nicht",
  indoor: "verhält sich wie drinnen",
  moved: "passt nicht zum angegebenen Ort",
};

export const eaqi = {
  class1: "gut",
  class2: "ordentlich",
  class3: "mäßig",
  class4: "schlecht",
  class5: "sehr schlecht",
  class6: "extrem schlecht",
  none: "nicht verfügbar",
  no_particles: "nicht verfügbar",
  not_hourly: "für Tagesmittel nicht festgelegt",
  too_few_stations: "zu wenige Stationen für eine Aussage",
  by: "{class}, wegen {pollutant}",
};

export const lqi = {
  class1: "sehr gut",
  class2: "gut",
  class3: "mäßig",
  class4: "schlecht",
  class5: "sehr schlecht",
};

export const state = {
  ok: "meldet sich",
  silent: "seit über 15 Minuten still",
  check: "bitte prüfen: Werte zählen nicht",
  new: "noch nie gemeldet",
  official: "amtliche Station",
};

export const certainty = {
  single: "eine Station",
  few: "wenige Stationen, oder sie weichen stark voneinander ab",
  fewCells: "wenige Zellen mit Werten, oder sie weichen stark voneinander ab",
  goodCells: "gut, viele Zellen stimmen überein",
  good: "gut, mehrere Stationen stimmen überein",
};

// What a class of the European index means for people.
export const advice = {
  class1: "Gute Luft, für alle.",
  class2: "Draußen sein ist für alle unbedenklich.",
  class3:
    "Für die meisten unbedenklich. Wer Asthma, ein Herz- oder Lungenleiden hat und Beschwerden spürt, lässt es draußen ruhiger angehen.",
  class4: "Wer hustet oder brennende Augen hat, lässt es draußen ruhiger angehen; Kinder, Ältere und Kranke strengen sich weniger an.",
  class5: "Draußen weniger anstrengen; Kinder, Ältere und Kranke meiden Anstrengung im Freien.",
  class6: "Anstrengung im Freien meiden; Kinder, Ältere und Kranke bleiben besser drinnen.",
  source: "Nach den Hinweisen der Europäischen Umweltagentur (EEA) zu ihrem Stundenindex, in eigenen Worten.",
};
