package wire

// Explanation explains a reason to a volunteer who builds a station, in English and German.
type Explanation struct {
	English string `json:"en"`
	German  string `json:"de"`
	// What the volunteer can do about it.
	TodoEnglish string `json:"todo_en"`
	TodoGerman  string `json:"todo_de"`
}

// Explain returns the explanation of r; it is zero for a reason that is not in Reasons.
func (r Reason) Explain() Explanation { return explanations[r] }

var explanations = map[Reason]Explanation{
	Malformed: {
		"The message could not be read.", "Die Nachricht war nicht lesbar.",
		"Send a JSON object such as {\"pm2_5\":12.3}; the detail says where it breaks off.",
		"Sende ein JSON-Objekt wie {\"pm2_5\":12.3}; das Detail sagt, an welcher Stelle es abbricht.",
	},
	TooLarge: {
		"The message was too long.", "Die Nachricht war zu lang.",
		"Send at most 64 KiB at once; split what was buffered.",
		"Sende höchstens 64 KiB auf einmal; teile Gepuffertes auf.",
	},
	TooMany: {
		"There were too many readings in one message.", "In einer Nachricht waren zu viele Messungen.",
		"Send at most 1,000 readings at once.", "Sende höchstens 1.000 Messungen auf einmal.",
	},
	UnknownMember: {
		"A name in the message is not one of the quantities.", "Ein Name in der Nachricht ist keine der Messgrößen.",
		"Use the names in the specification; names of your own begin with x_.",
		"Nimm die Namen aus der Spezifikation; eigene Namen beginnen mit x_.",
	},
	RepeatedMember: {
		"A name stands twice in one reading; only the first counts.", "Ein Name steht zweimal in einer Messung; nur der erste zählt.",
		"Send each name once in a reading.", "Sende jeden Namen nur einmal je Messung.",
	},
	NotANumber: {
		"A value was not a number.", "Ein Wert war keine Zahl.",
		"Send numbers without quotes; leave out what the sensor could not measure.",
		"Sende Zahlen ohne Anführungszeichen; lass weg, was der Sensor nicht messen konnte.",
	},
	BadTime: {
		"The time of a reading was unusable.", "Die Zeit einer Messung war unbrauchbar.",
		"Send \"t\" in Unix seconds, or \"age\" in seconds, or neither.",
		"Sende „t“ in Unix-Sekunden oder „age“ in Sekunden oder keines von beiden.",
	},
	NoValues: {
		"A reading held no value.", "Eine Messung enthielt keinen Wert.",
		"Check whether the sensor answers: wiring, power, address.",
		"Prüfe, ob der Sensor antwortet: Kabel, Strom, Adresse.",
	},
	BadTopic: {
		"The message went to a topic that does not exist.", "Die Nachricht ging an ein Topic, das es nicht gibt.",
		"Publish readings to stadtluft/v1/YOUR-STATION/reading.", "Veröffentliche Messungen unter stadtluft/v1/DEINE-STATION/reading.",
	},
	Unsupported: {
		"This version cannot take this yet.", "Diese Version kann das noch nicht annehmen.",
		"Send the native JSON payload instead.", "Sende stattdessen das eigene JSON-Format.",
	},
	UnknownStation: {
		"No station with this id or device is registered.", "Eine Station mit dieser Kennung oder diesem Gerät ist nicht angemeldet.",
		"Compare the id with the one you got when you registered; the device of a kit that has topics of its own must be entered with the station.",
		"Vergleiche die Kennung mit der aus deiner Anmeldung; das Gerät eines Bausatzes mit eigenen Topics muss bei der Station eingetragen sein.",
	},
	Inactive: {
		"The station is not active.", "Die Station ist nicht aktiv.",
		"It waits for approval, is paused, was suspended by the city or was retired: see its page.",
		"Sie wartet auf Freigabe, pausiert, wurde von der Stadt gesperrt oder abgemeldet: siehe ihre Seite.",
	},
	Forbidden: {
		"A station may publish only below its own name.", "Eine Station darf nur unter ihrem eigenen Namen veröffentlichen.",
		"The topic must hold the same station id that you log in with.",
		"Im Topic muss dieselbe Kennung stehen, mit der du dich anmeldest.",
	},
	Clock: {
		"The time lay in the future or more than 30 days back.", "Die Zeit lag in der Zukunft oder mehr als 30 Tage zurück.",
		"Wait until the station has got its time over NTP, or send \"age\" instead of \"t\".",
		"Warte, bis die Station ihre Zeit über NTP hat, oder sende „age“ statt „t“.",
	},
	Retained: {
		"A retained message would repeat an old value as a new one.", "Eine gespeicherte (retained) Nachricht würde einen alten Wert als neuen wiederholen.",
		"Publish readings without the retain flag.", "Veröffentliche Messungen ohne das Retain-Kennzeichen.",
	},
	Conflict: {
		"There is another value for the same moment already; the first stays.", "Für denselben Zeitpunkt gibt es schon einen anderen Wert; der erste bleibt.",
		"Give each reading its own time.", "Gib jeder Messung ihre eigene Zeit.",
	},
	Unstorable: {
		"The database refused the value.", "Die Datenbank hat den Wert abgelehnt.",
		"This is for the operator: the detail quotes the database.", "Das ist ein Fall für den Betreiber: Das Detail zitiert die Datenbank.",
	},
	Contradictory: {
		"Parts of the message contradict each other.", "Teile der Nachricht widersprechen einander.",
		"Look at the sensor: one of its two channels may be dirty or broken.",
		"Sieh nach dem Sensor: Einer seiner beiden Kanäle ist vielleicht verschmutzt oder defekt.",
	},
	WrongToken: {
		"The station tried to log in with a wrong token.", "Die Station wollte sich mit einem falschen Token anmelden.",
		"Compare the token in its settings with the one from the registration, letter by letter and without blanks. If it is lost, make a new one with the management link.",
		"Vergleiche das Token in ihren Einstellungen mit dem aus der Anmeldung, Zeichen für Zeichen und ohne Leerzeichen. Ist es verloren, mach mit dem Verwaltungslink ein neues.",
	},
	TooFast: {
		"The station sends more often than a measuring station needs to.", "Die Station sendet öfter, als eine Messstation es braucht.",
		"Look whether its firmware repeats itself in a loop, and set an interval of a minute or more. Over MQTT nothing is lost meanwhile; over HTTP send again after the time in Retry-After.",
		"Sieh nach, ob ihre Firmware sich in einer Schleife wiederholt, und stelle einen Abstand von einer Minute oder mehr ein. Über MQTT geht derweil nichts verloren; über HTTP sende nach der Zeit in Retry-After noch einmal.",
	},
}
