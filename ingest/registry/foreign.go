package registry

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/paulmach/orb"

	"stadtluft/geo"
	"stadtluft/ingest"
)

// SensorCommunity is the Source of stations from Sensor.Community's open data.
const SensorCommunity = "sensor-community"

// movedMeters is how far a neighbour's station must be from its last place to have moved: their
// coordinates are rounded to 0.001° and flip between neighbours.
const movedMeters = 200

// Foreign is a station of a neighbour network, as in its open data.
type Foreign struct {
	Source   string // SensorCommunity, or one of ingest.IsOfficial
	Key      string // its name there
	Name     string
	Point    orb.Point // lon, lat
	Since    time.Time // of the first reading at Point
	Kit      string
	Fitted   []Fitted
	Exposure ingest.Exposure
	Licence  string
}

// Adopt finds a neighbour's station or registers it. A place more than 200 m from the one that was valid at Since
// becomes a new place from Since on, and a sensor that replaces another an installation. Adopting the same again changes
// nothing. Nobody can log in as such a station: nobody gets its tokens.
func (r *Registry) Adopt(ctx context.Context, f Foreign) (*ingest.Station, error) {
	device := ingest.Device{Family: f.Source, Key: strings.ToLower(f.Key)}
	if st, _ := r.Device(device); st != nil {
		return r.updateForeign(ctx, st, f)
	}
	n := Registration{Name: f.Name, Point: f.Point, Kit: f.Kit, Exposure: f.Exposure, LicenceConsent: true}
	if err := r.check(&n); err != nil {
		return nil, err
	}
	rec := &record{
		Name: n.Name, Exposure: n.Exposure, Status: ingest.Active, Zone: r.options.Zone, Licence: f.Licence, Source: f.Source,
		Created: f.Since.UTC().Truncate(time.Second), Token: hashed(newToken()), Manage: hashed(newToken()), Devices: []deviceRecord{{Family: device.Family, Key: device.Key}},
	}
	rec.place(f.Since, f.Point)
	rec.install(ingest.Installation{From: f.Since, Kit: n.Kit, Sensors: n.Sensors})
	rec.fit(f.Fitted)
	rec.installFitted(n.Kit)
	for attempt := 0; ; attempt++ {
		rec.ID = foreignID(device, attempt)
		err := r.insert(ctx, rec)
		if err == nil {
			st, _ := r.Station(rec.ID)
			return st, nil
		}
		if !errors.Is(err, jetstream.ErrKeyExists) {
			return nil, err
		}
		if r.has(ctx, rec.ID, device, time.Time{}) { // another process has adopted it
			st, _ := r.Station(rec.ID)
			return r.updateForeign(ctx, st, f)
		}
	}
}

// knows reports whether sensors and their periods tell nothing new of a station.
func (r *Registry) knows(id string, sensors []Fitted) bool {
	e, ok := r.memory.entry(id)
	if !ok {
		return false
	}
	rec := record{Fitted: slices.Clone(e.record.Fitted)}
	return !rec.fit(sensors)
}

func (r *Registry) updateForeign(ctx context.Context, st *ingest.Station, f Foreign) (*ingest.Station, error) {
	moved := geo.Distance(st.PlaceAt(f.Since).Exact, f.Point) > movedMeters
	if !moved && r.knows(st.ID, f.Fitted) {
		return st, nil
	}
	if moved {
		if err := r.CheckPlace(f.Point); err != nil {
			return nil, err
		}
	}
	err := r.change(ctx, st.ID, "", func(e *edit) {
		if moved {
			e.record.place(f.Since, f.Point)
		}
		if e.record.fit(f.Fitted) {
			e.record.installFitted(st.Kit)
		}
	})
	if err != nil {
		return nil, err
	}
	st, _ = r.Station(st.ID)
	return st, nil
}
