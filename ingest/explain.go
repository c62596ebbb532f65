package ingest

import "stadtluft/firmware-protocol/wire"

// Level is how much of what a station sent a flag is found in.
type Level string

const (
	OfReading Level = "reading" // at once, in a value and what the station sent before
	OfHour    Level = "hour"    // when an hour is over, for all values of a quantity in it
	OfDay     Level = "day"     // by the days before, for all hours of a day
)

// Level is that of a single flag.
func (f Flags) Level() Level {
	switch f {
	case Spike, Outlier:
		return OfHour
	case Uncorrelated, SeemsIndoor, Moved:
		return OfDay
	}
	return OfReading
}

// Explain puts a single flag into words for a volunteer. Every place that shows flags shows these.
func (f Flags) Explain() wire.Explanation { return flagExplanations[f] }

var flagExplanations = map[Flags]wire.Explanation{
	Range: {
		"The value is outside what the sensor can measure.", "Der Wert liegt außerhalb dessen, was der Sensor messen kann.",
		"If it stays so, check the cable and the supply voltage (5 V for particle sensors), then replace the sensor.",
		"Wenn es so bleibt, prüfe Kabel und Versorgung (5 V beim Feinstaubsensor), dann tausche den Sensor.",
	},
	Sentinel: {
		"The number means that the sensor had no value.", "Die Zahl bedeutet, dass der Sensor keinen Wert hatte.",
		"Check the sensor's plug and cable; switch the station off and on again.",
		"Prüfe Stecker und Kabel des Sensors; schalte die Station aus und wieder ein.",
	},
	Inconsistent: {
		"Fine particles exceed the coarser ones that include them.", "Feinere Partikel sind mehr als die gröberen, in denen sie enthalten sind.",
		"Check that PM2.5 and PM10 are not swapped in the firmware's settings; else clean the sensor with dry air.",
		"Prüfe, ob PM2,5 und PM10 in den Einstellungen der Firmware vertauscht sind; sonst reinige den Sensor mit trockener Luft.",
	},
	Stuck: {
		"The value has not changed for hours.", "Der Wert hat sich seit Stunden nicht geändert.",
		"Switch the station off and on; if it happens again, check the sensor's fan and inlet for dust and insects.",
		"Schalte die Station aus und wieder ein; wiederholt es sich, prüfe Lüfter und Einlass auf Staub und Insekten.",
	},
	Spike: {
		"The hour is far from what this station usually measures, and its neighbours saw nothing of it.",
		"Die Stunde ist weit weg von dem, was diese Station sonst misst, und die Nachbarn sahen nichts davon.",
		"Look for smoke, dust, a grill or a chimney nearby. If there was none, check the sensor. One such hour is no reason to worry.",
		"Sieh nach Rauch, Staub, Grill oder Schornstein in der Nähe. War da nichts, prüfe den Sensor. Eine solche Stunde ist kein Grund zur Sorge.",
	},
	Humid: {
		"The air was humid: particles swell, and the sensor shows too much. The value counts, corrected for humidity.",
		"Die Luft war feucht: Partikel quellen, und der Sensor zeigt zu viel. Der Wert zählt, um die Feuchte korrigiert.",
		"Nothing is broken. A humidity sensor at the station makes the correction better.",
		"Nichts ist kaputt. Ein Feuchtesensor an der Station macht die Korrektur besser.",
	},
	Outlier: {
		"The hour is far from what the stations around measured.", "Die Stunde ist weit weg von dem, was die Stationen ringsum maßen.",
		"Look for something that only this station breathes: a chimney, a kitchen, a smoker, a warm wall, sun on the case.",
		"Suche, was nur diese Station abbekommt: Schornstein, Küche, Raucher, eine warme Wand, Sonne auf dem Gehäuse.",
	},
	Uncorrelated: {
		"For weeks the values have not risen and fallen with those around.", "Seit Wochen steigen und fallen die Werte nicht mit denen ringsum.",
		"Check that the inlet is free and outdoors; clean the sensor, and replace it if that does not help.",
		"Prüfe, ob der Einlass frei ist und draußen liegt; reinige den Sensor und tausche ihn, wenn das nicht hilft.",
	},
	SeemsIndoor: {
		"The temperature hardly changes between day and night: the station seems to hang indoors.",
		"Die Temperatur ändert sich kaum zwischen Tag und Nacht: Die Station hängt anscheinend drinnen.",
		"Hang it outdoors, in the shade, where air moves. If it is meant to be indoors, register it as an indoor station.",
		"Hänge sie nach draußen, in den Schatten, wo Luft sich bewegt. Soll sie drinnen sein, melde sie als Innenstation an.",
	},
	Moved: {
		"The air pressure does not fit the place any more: the station seems to stand elsewhere.",
		"Der Luftdruck passt nicht mehr zum Ort: Die Station steht anscheinend woanders.",
		"If it moved, give its new place. If not, the pressure sensor is broken: replace it.",
		"Ist sie umgezogen, gib den neuen Ort an. Wenn nicht, ist der Drucksensor kaputt: Tausche ihn.",
	},
}
