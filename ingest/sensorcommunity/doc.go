// Package sensorcommunity imports Sensor.Community's open data: the daily and monthly archive in CSV, also
// compressed, and the live data.json. It reads them into rows that know their file and line, and into refusals that
// name file and line. Sensors that hang indoors are told by the name of their file, or in data.json. An Importer adopts a station for each place in or near the city and delivers the rows to a
// running server, which checks them like all others.
//
// Each line or record becomes a row or a refusal. Memory does not grow with a file.
package sensorcommunity

import (
	"fmt"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/wire"
)

const (
	maxLine   = 8 << 10 // bytes of a line of CSV
	maxRecord = 64 << 10
	maxName   = 64 // bytes of a sensor's or location's name
)

// Row is one measurement of one sensor.
type Row struct {
	File     string
	Line     int    // of CSV; the number of the record in JSON; from 1
	Location string // Sensor.Community's id of the place: sensors that share it are one station
	Sensor   string // id
	Type     string // such as SDS011
	Point    orb.Point
	Indoor   bool
	Reading  wire.Reading // with its time; values may be missing when each was refused
	Refused  []wire.Refusal
}

// station returns the key of the row's station: a location's indoor sensors are a station of their own.
func (r *Row) station() string {
	if r.Indoor {
		return r.Location + "-indoor"
	}
	return r.Location
}

// Broken is a line or record that is not a row.
type Broken struct {
	File   string
	Line   int
	Reason wire.Reason
	Detail string
}

// sensorOf returns the kind of a sensor type.
func sensorOf(name string) kits.Sensor {
	name = strings.ToUpper(name)
	for _, known := range []struct {
		prefix string
		sensor kits.Sensor
	}{
		{"SDS", kits.ParticleSensor}, {"PMS", kits.ParticleSensor}, {"HPM", kits.ParticleSensor}, {"SPS30", kits.ParticleSensor},
		{"NPM", kits.ParticleSensor}, {"NEXTPM", kits.ParticleSensor}, {"IPS", kits.ParticleSensor}, {"PPD42", kits.PPD42NS},
		{"DHT", kits.ClimateSensor}, {"BME", kits.ClimateSensor}, {"BMP", kits.ClimateSensor}, {"HTU", kits.ClimateSensor},
		{"SHT", kits.ClimateSensor}, {"DS18", kits.ClimateSensor}, {"SCD30", kits.CO2Sensor}, {"DNMS", kits.NoiseSensor},
		{"LAERM", kits.NoiseSensor}, {"GPS", kits.Positioning},
	} {
		if strings.HasPrefix(name, known.prefix) {
			return known.sensor
		}
	}
	return kits.UnknownSensor
}

// kinds names what sensors measure in the registry: one is replaced by a later one of its kind.
var kinds = map[kits.Sensor]string{
	kits.ParticleSensor: "particles", kits.PPD42NS: "particles", kits.ClimateSensor: "climate", kits.CO2Sensor: "co2", kits.NoiseSensor: "noise", kits.Positioning: "position",
}

// value adds one named value to a row; it ignores an empty one.
func (r *Row) value(name, text string) {
	q, convert, unsupported := kits.CommunityName(sensorOf(r.Type), name)
	text = strings.TrimSpace(text)
	switch {
	case text == "":
	case unsupported:
		r.Refused = append(r.Refused, wire.Refusal{Reason: wire.Unsupported, Field: name, Detail: r.Type + " counts particles and does not weigh them"})
	case q == 0: // durP1, altitude and the like
	default:
		v, ok := kits.ParseNumber(text)
		if !ok {
			r.Refused = append(r.Refused, wire.Refusal{Reason: wire.NotANumber, Field: name, Detail: fmt.Sprintf("%s is a number, not %.*q", name, maxName, text)})
			return
		}
		if convert != nil {
			v = convert(v)
		}
		for _, known := range r.Reading.Values {
			if known.Quantity == q {
				r.Refused = append(r.Refused, wire.Refusal{Reason: wire.RepeatedMember, Field: name, Detail: "the first counts"})
				return
			}
		}
		r.Reading.Values = append(r.Reading.Values, wire.Value{Quantity: q, Value: v})
	}
}

// parseTime parses the times of the archive and the live data, which are UTC without an offset.
func parseTime(text string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil && at.Unix() > 0 {
			return at.UTC().Truncate(time.Second), true
		}
	}
	return time.Time{}, false
}

// parsePlace parses degrees.
func parsePlace(lon, lat string) (orb.Point, bool) {
	x, okX := kits.ParseNumber(lon)
	y, okY := kits.ParseNumber(lat)
	return orb.Point{x, y}, okX && okY && x >= -180 && x <= 180 && y >= -90 && y <= 90
}
