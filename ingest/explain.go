package ingest

import (
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/wire"
)

// ExplainedRefusal is a refusal as answers over HTTP hold it, in words a volunteer can act on.
type ExplainedRefusal struct {
	Time         string      `json:"time"`
	Reason       wire.Reason `json:"reason"`
	Field        string      `json:"field,omitempty"`
	Detail       string      `json:"detail"`
	DetailGerman string      `json:"detail_de,omitempty"` // the detail in German; empty for one that has none, such as of the database
	wire.Explanation

	// Of an answer to a delivery only.
	Observed string   `json:"observed,omitempty"`
	Value    *float64 `json:"value,omitempty"`
}

// ExplainRefusals returns refusals in words, in their order; the list is empty and not nil when there are none.
func ExplainRefusals(refusals []Refusal) []ExplainedRefusal {
	list := make([]ExplainedRefusal, len(refusals))
	for i, f := range refusals {
		list[i] = ExplainedRefusal{Time: f.Received.Format(time.RFC3339), Reason: f.Reason, Field: f.Field, Detail: f.Detail, DetailGerman: GermanDetail(f.Detail), Explanation: f.Reason.Explain()}
		if !f.Observed.IsZero() {
			list[i].Observed = f.Observed.Format(time.RFC3339)
		}
		if f.Reason == wire.Conflict {
			list[i].Value = &f.Value
		}
	}
	return list
}

// Level is the span of data in which a flag is found.
type Level string

const (
	ReadingLevel Level = "reading" // at once, from one message
	HourLevel    Level = "hour"    // after an hour, for the values of a quantity in it
	DayLevel     Level = "day"     // from the days before, for all hours of a day
)

// Level returns the level of a single flag.
func (f Flags) Level() Level {
	switch f {
	case Stuck, Spike, Humid, Outlier:
		return HourLevel
	case Uncorrelated, SeemsIndoor, Moved:
		return DayLevel
	}
	return ReadingLevel
}

// Words returns the short name of a single flag. Feeds and answers use it, and a test compares the pages' messages
// with it.
func (f Flags) Words() bilingual.Text { return flagWords[f] }

var flagWords = map[Flags]bilingual.Text{
	Range:        bilingual.Of("outside the measuring range", "außerhalb des Messbereichs"),
	Sentinel:     bilingual.Of("the sensor reports no value", "Sensor meldet keinen Wert"),
	Inconsistent: bilingual.Of("particle values contradict each other", "Feinstaubwerte widersprechen sich"),
	Stuck:        bilingual.Of("has not changed for hours", "ändert sich seit Stunden nicht"),
	Spike:        bilingual.Of("jumps far from the last values", "springt weit von den letzten Werten weg"),
	Humid:        bilingual.Of("measured in humid air", "bei feuchter Luft gemessen"),
	Outlier:      bilingual.Of("far from the neighbours", "weit weg von den Nachbarn"),
	Uncorrelated: bilingual.Of("does not follow the neighbours", "folgt den Nachbarn nicht"),
	SeemsIndoor:  bilingual.Of("behaves as if indoors", "verhält sich wie drinnen"),
	Moved:        bilingual.Of("does not fit its place", "passt nicht zum angegebenen Ort"),
}

// Explain returns the explanation of a single flag for a volunteer. Every place that explains flags uses it.
func (f Flags) Explain() wire.Explanation { return flagExplanations[f] }

var flagExplanations = map[Flags]wire.Explanation{
	Range: {
		English:     "The value, or another one of the same chip, is outside what the sensor can measure, or it does not occur outdoors.",
		German:      "Der Wert oder ein anderer desselben Chips liegt außerhalb dessen, was der Sensor messen kann, oder draußen kommt er nicht vor.",
		TodoEnglish: "If it stays so, check the cable and the supply voltage (5 V for particle sensors), then replace the sensor.",
		TodoGerman:  "Wenn es so bleibt, prüfe Kabel und Versorgung (5 V beim Feinstaubsensor), dann tausche den Sensor.",
	},
	Sentinel: {
		English:     "The number means that the sensor had no value.",
		German:      "Die Zahl bedeutet, dass der Sensor keinen Wert hatte.",
		TodoEnglish: "Check the sensor's plug and cable; switch the station off and on again.",
		TodoGerman:  "Prüfe Stecker und Kabel des Sensors; schalte die Station aus und wieder ein.",
	},
	Inconsistent: {
		English:     "Fine particles exceed the coarser ones that include them, or are 0 beside many of those.",
		German:      "Feinere Partikel sind mehr als die gröberen, in denen sie enthalten sind, oder 0 neben vielen davon.",
		TodoEnglish: "Check that PM2.5 and PM10 are not swapped in the firmware's settings; else clean the sensor with dry air.",
		TodoGerman:  "Prüfe, ob PM2,5 und PM10 in den Einstellungen der Firmware vertauscht sind; sonst reinige den Sensor mit trockener Luft.",
	},
	Stuck: {
		English:     "The value has not changed for hours.",
		German:      "Der Wert hat sich seit Stunden nicht geändert.",
		TodoEnglish: "Switch the station off and on; if it happens again, check the sensor's fan and inlet for dust and insects.",
		TodoGerman:  "Schalte die Station aus und wieder ein; wiederholt es sich, prüfe Lüfter und Einlass auf Staub und Insekten.",
	},
	Spike: {
		English:     "The hour is far from what this station usually measures, and its neighbours saw nothing of it.",
		German:      "Die Stunde ist weit weg von dem, was diese Station sonst misst, und die Nachbarn sahen nichts davon.",
		TodoEnglish: "Look for smoke, dust, a grill or a chimney nearby. If there was none, check the sensor. One such hour is no reason to worry.",
		TodoGerman:  "Sieh nach Rauch, Staub, Grill oder Schornstein in der Nähe. War da nichts, prüfe den Sensor. Eine solche Stunde ist kein Grund zur Sorge.",
	},
	Humid: {
		English:     "The air was humid: particles swell, and the sensor shows too much. The value counts, corrected for humidity.",
		German:      "Die Luft war feucht: Partikel quellen, und der Sensor zeigt zu viel. Der Wert zählt, um die Feuchte korrigiert.",
		TodoEnglish: "Nothing is broken. A humidity sensor at the station makes the correction better.",
		TodoGerman:  "Nichts ist kaputt. Ein Feuchtesensor an der Station macht die Korrektur besser.",
	},
	Outlier: {
		English:     "The hour is far from what the stations around measured.",
		German:      "Die Stunde ist weit weg von dem, was die Stationen ringsum maßen.",
		TodoEnglish: "Look for something that only this station breathes: a chimney, a kitchen, a smoker, a warm wall, sun on the case.",
		TodoGerman:  "Suche, was nur diese Station abbekommt: Schornstein, Küche, Raucher, eine warme Wand, Sonne auf dem Gehäuse.",
	},
	Uncorrelated: {
		English:     "For weeks the values have not risen and fallen with those around.",
		German:      "Seit Wochen steigen und fallen die Werte nicht mit denen ringsum.",
		TodoEnglish: "Check that the inlet is free and outdoors; clean the sensor, and replace it if that does not help.",
		TodoGerman:  "Prüfe, ob der Einlass frei ist und draußen liegt; reinige den Sensor und tausche ihn, wenn das nicht hilft.",
	},
	SeemsIndoor: {
		English:     "The temperature hardly changes between day and night: the station seems to hang indoors.",
		German:      "Die Temperatur ändert sich kaum zwischen Tag und Nacht: Die Station hängt anscheinend drinnen.",
		TodoEnglish: "Hang it outdoors, in the shade, where air moves. If it is meant to be indoors, register it as an indoor station.",
		TodoGerman:  "Hänge sie nach draußen, in den Schatten, wo Luft sich bewegt. Soll sie drinnen sein, melde sie als Innenstation an.",
	},
	Moved: {
		English:     "The air pressure does not fit the place any more: the station seems to stand elsewhere.",
		German:      "Der Luftdruck passt nicht mehr zum Ort: Die Station steht anscheinend woanders.",
		TodoEnglish: "If it moved, give its new place. If not, the pressure sensor is broken: replace it.",
		TodoGerman:  "Ist sie umgezogen, gib den neuen Ort an. Wenn nicht, ist der Drucksensor kaputt: Tausche ihn.",
	},
}
