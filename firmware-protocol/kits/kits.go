// Package kits decodes the payloads of other firmware, so that nobody has to flash a kit again. Each file is a
// family: a pure function from a payload, the time of receipt and the station's settings to readings in our
// quantities and units.
//
// A decoder judges each value by itself: it refuses what is not a number under the name that the firmware uses,
// ignores and names what is unknown, and keeps the other values. It keeps values as they came; whether they are
// plausible is for the quality checks. The values it accepts are finite. It never panics, and never allocates more
// than ten times the message and 16 KiB.
package kits

import (
	"math"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

const (
	maxRefusals = 32 // of one message; the last one then says how many more there were
	maxIgnored  = 32 // ignored names of one message
	maxName     = 40 // bytes of a foreign name
	maxReadings = wire.MaxReadings
)

// Settings are what a decoder needs besides the payload.
type Settings struct {
	Received time.Time      // time of receipt, UTC
	Zone     *time.Location // zone of the station's clock, for firmware that sends local time; nil is UTC
	// Part is the topic's levels after the family, or what the HTTP request says of the payload, such as
	// "sensor/pm_2_5/state" or "pin/1".
	Part string
	// Names maps free names to quantities, for families whose owners choose the names: "name", or "application/name"
	// for one application alone.
	Names map[string]quantity.Quantity
	// CF1 takes a particle counter's "cf_1" series, the factory's, in place of the atmospheric one, where the firmware
	// sends both: PurpleAir, Tasmota and AirGradient do.
	CF1 bool
}

// Message is a decoded payload.
type Message struct {
	wire.Message
	// Ignored names members that were not used: those of no quantity that this version knows, and a second sensor's
	// value of a quantity that another one sent. At most 32 of at most 40 bytes.
	Ignored []string
	// Partial says that the message holds one part of a reading, and that other messages hold the rest.
	Partial bool
	// Network says that times are those at which a radio network received the message.
	Network bool
}

// decoder decodes the payloads of one family.
type decoder func(payload []byte, s Settings) Message

var families = map[string]decoder{
	"airgradient":   airgradient,
	"airrohr":       airrohr,
	"cbor":          nativeCBOR,
	"esphome":       esphome,
	"hackair":       hackair,
	"openair-noise": openairNoise,
	"purpleair":     purpleair,
	"senml":         senml,
	"smartcitizen":  smartcitizen,
	"tasmota":       tasmota,
	"ttn":           ttn,
}

// Families returns the names of the families, sorted.
func Families() []string {
	names := make([]string, 0, len(families))
	for name := range families {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Decode decodes a payload of a family; it returns false when there is no such family. It refuses a message longer
// than wire.MaxMessage as a whole.
func Decode(family string, payload []byte, s Settings) (Message, bool) {
	decode, ok := families[family]
	if !ok {
		return Message{}, false
	}
	if len(payload) > wire.MaxMessage {
		_, refusal := wire.ParseJSON(payload)
		return refused(*refusal), true
	}
	if s.Zone == nil {
		s.Zone = time.UTC
	}
	return decode(payload, s), true
}

// refused returns a message that is refused as a whole.
func refused(r wire.Refusal) Message {
	return Message{Message: wire.Message{Refusals: []wire.Refusal{r}}}
}

func malformed(detail string) Message {
	return refused(wire.Refusal{Reason: wire.Malformed, Detail: detail})
}

// object parses a payload that must be a JSON object.
func object(payload []byte) (wire.JSON, *wire.Refusal) {
	j, refusal := wire.ParseJSON(payload)
	if refusal == nil && !j.IsObject() {
		refusal = &wire.Refusal{Reason: wire.Malformed, Detail: "an object is needed, not " + j.String()}
	}
	return j, refusal
}

// tidy rounds a converted value to a millionth, so that 101001.28 Pa are 1010.0128 hPa and not 1010.0128000000001.
func tidy(v float64) float64 {
	const places = 1e6
	if r := math.Round(v*places) / places; !math.IsInf(r, 0) {
		return r
	}
	return v
}

// Conversions to our units. A nil conversion leaves a value as it is.
func fromPascal(v float64) float64     { return tidy(v / 100) }
func fromKilopascal(v float64) float64 { return tidy(v * 10) }
func fromFahrenheit(v float64) float64 { return tidy((v - 32) * 5 / 9) }
func fromKelvin(v float64) float64     { return tidy(v - 273.15) }

// fromMillimetres converts millimetres of mercury (133.322387415 Pa, BIPM).
func fromMillimetres(v float64) float64 { return tidy(v * 1.33322387415) }

// fromInches converts inches of mercury, 25.4 mm each.
func fromInches(v float64) float64 { return fromMillimetres(25.4 * v) }
