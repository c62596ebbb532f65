package ingest

import (
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
)

// Status is the status of a registration. Only an active station's messages are accepted.
type Status string

const (
	Pending   Status = "pending" // registered, waits for the administrator's approval
	Active    Status = "active"
	Paused    Status = "paused"    // by its owner
	Suspended Status = "suspended" // by the administrator, who gives the reason and is the only one who can lift it
	Retired   Status = "retired"
	Erased    Status = "erased" // its owner wants its readings deleted; then it is deleted as well
)

// Exposure is where a station measures. Only outdoor stations enter averages.
type Exposure string

const (
	Outdoor Exposure = "outdoor"
	Indoor  Exposure = "indoor"
)

// Station is a registered station. Its credentials stay in the registry.
type Station struct {
	ID       string
	Name     string
	Kit      string   // "sds011-bme280" or free text
	Sensors  []string // lower-case names such as "sds011", "bme280"; decide measuring ranges
	Sources  []string // see Installation
	Exposure Exposure // the last of Exposures
	Height   *float64 // metres above ground; nil when not known
	Side     string   // of the house, by the direction it faces, such as "n" or "sw"; empty when not known
	Status   Status
	Reason   string         // why it is suspended, as the administrator tells its owner; else empty
	Zone     string         // IANA zone, for kits that send local time
	Location *time.Location // of Zone; nil is UTC
	Licence  string         // SPDX-like id the owner agreed to
	Email    string         // optional, never published
	Demo     bool           // a simulated station
	Source   string         // empty for the city's own stations, else the name of the neighbour network such as "sensor-community"
	Devices  []Device
	Created  time.Time
	Ended    time.Time // when it was retired; zero if it is not
	Places   []Place   // ascending by From, at least one
	// Calibrations are ascending by quantity's name and From.
	Calibrations  []Calibration
	Installations []Installation // ascending by From; Kit, Sensors and Sources are the last one's
	Exposures     []ExposedSince // ascending by From; none is Exposure from the first place on
}

// ExposedSince is where a station measures from a moment on.
type ExposedSince struct {
	From     time.Time
	Exposure Exposure
}

// ExposureHistory returns where the station measured, from its first place on, ascending.
func (s *Station) ExposureHistory() []ExposedSince {
	if len(s.Exposures) == 0 {
		return []ExposedSince{{s.Places[0].From, s.Exposure}}
	}
	return s.Exposures
}

// ExposureAt returns where the station measured at t; before the first entry, as the first.
func (s *Station) ExposureAt(t time.Time) Exposure {
	at := s.Exposure
	for i := len(s.Exposures) - 1; i >= 0; i-- {
		if at = s.Exposures[i].Exposure; !t.Before(s.Exposures[i].From) {
			break
		}
	}
	return at
}

// Place is where a station stands from a moment on. Public is the centre of its 100 m cell. Exact is never published and
// decides nothing that is: only the registry and its owner's page use it.
type Place struct {
	From   time.Time
	Exact  orb.Point // lon, lat
	Public orb.Point // lon, lat
}

// Device is a station's name in its own firmware: a chip id, a serial number, a DevEUI. It identifies the station of
// a message on another firmware's topic and is never published.
type Device struct {
	Family string // of package kits, or a neighbour's Source
	Key    string // as in topics; two that differ only in case are the same
}

// Folded returns the device in lower case, for comparison.
func (d Device) Folded() Device { return Device{d.Family, strings.ToLower(d.Key)} }

// Device returns the key of the station's device of a family; empty when it has none.
func (s *Station) Device(family string) string {
	for _, d := range s.Devices {
		if d.Family == family {
			return d.Key
		}
	}
	return ""
}

// names reports whether the station has a device, or says so.
func (s *Station) names(d Device) bool {
	return slices.ContainsFunc(s.Devices, func(one Device) bool { return one.Folded() == d.Folded() })
}

// PlaceAt returns the place that was valid at t; before the first one, the first.
func (s *Station) PlaceAt(t time.Time) Place {
	for i := len(s.Places) - 1; i > 0; i-- {
		if !t.Before(s.Places[i].From) {
			return s.Places[i]
		}
	}
	return s.Places[0]
}

// Installation is the kit and the sensors with which a station measures from a moment on. Earlier values are those of
// other sensors.
type Installation struct {
	From    time.Time
	Kit     string
	Sensors []string
	Sources []string // of a neighbour's station: type and id of each sensor in the network's own data, such as "sds011:15092"
}

// InstallationAt returns the number of the installation at t; before the first one, the first's.
func (s *Station) InstallationAt(t time.Time) int {
	i := max(len(s.Installations)-1, 0)
	for i > 0 && t.Before(s.Installations[i].From) {
		i--
	}
	return i
}

// At returns the station with the kit and sensors it had at t; before the first installation, with those of the
// first.
func (s *Station) At(t time.Time) *Station {
	i := s.InstallationAt(t)
	if i >= len(s.Installations)-1 {
		return s
	}
	then := *s
	then.Kit, then.Sensors, then.Sources = s.Installations[i].Kit, s.Installations[i].Sensors, s.Installations[i].Sources
	return &then
}

// SourceID returns what the station is at the network it is imported from: its Sources, or without them the key of its device
// there; empty for the city's own.
func (s *Station) SourceID() string {
	if s.Source == "" || len(s.Sources) > 0 {
		return strings.Join(s.Sources, " ")
	}
	return s.Device(s.Source)
}

// Hidden reports whether the station and its readings are there for its owner and the administrator alone: it waits for
// approval or is suspended.
func (s *Station) Hidden() bool { return s.Status == Pending || s.Status == Suspended }

// Shown reports whether the station is public: it is active or paused.
func (s *Station) Shown() bool { return s.Status == Active || s.Status == Paused }

// CF1Sensor is the sensor of a station whose PMS5003 gives its "cf_1" series, which has a correction of its own.
const CF1Sensor = "pms5003-cf1"

// CF1 reports whether the station's PM2.5 at a time is a PMS5003's "cf_1" series.
func (s *Station) CF1(at time.Time) bool { return slices.Contains(s.At(at).Sensors, CF1Sensor) }
