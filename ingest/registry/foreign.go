package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

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
	Source   string // SensorCommunity
	Key      string // its name there
	Name     string
	Point    orb.Point // lon, lat
	Since    time.Time // of the first reading at Point
	Kit      string
	Sensors  []string
	Exposure ingest.Exposure
	Licence  string
}

// Adopt finds a neighbour's station or registers it. A place more than 200 m from the one that was valid at Since
// becomes a new place from Since on; it adds sensors that are new. Adopting the same again changes nothing. Nobody
// can log in as such a station: nobody gets its tokens.
func (r *Registry) Adopt(ctx context.Context, f Foreign) (*ingest.Station, error) {
	device := ingest.Device{Family: f.Source, Key: strings.ToLower(f.Key)}
	if st, ok := r.Device(device); ok {
		return r.updateForeign(ctx, st, f)
	}
	n := Registration{Name: f.Name, Point: f.Point, Kit: f.Kit, Sensors: f.Sensors, Exposure: f.Exposure, LicenceConsent: true}
	if err := r.check(&n); err != nil {
		return nil, err
	}
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("registry: adopt a station: %w", err)
	}
	defer tx.Rollback()
	id := ""
	for attempt := 0; ; attempt++ {
		id = foreignID(device, attempt)
		if taken, err := idTaken(ctx, tx, id); err != nil {
			return nil, err
		} else if !taken {
			break
		}
	}
	err = r.insertStation(ctx, tx, "", &ingest.Station{
		ID: id, Name: n.Name, Kit: n.Kit, Sensors: n.Sensors, Exposure: n.Exposure, Status: ingest.Active, Licence: f.Licence, Source: f.Source,
		Devices: []ingest.Device{device}, Places: []ingest.Place{{From: f.Since, Exact: f.Point}},
	}, Credentials{Token: newToken(), ManageToken: newToken()})
	if err != nil {
		return nil, err
	}
	return r.adopted(ctx, id)
}

func (r *Registry) updateForeign(ctx context.Context, st *ingest.Station, f Foreign) (*ingest.Station, error) {
	sensors := slices.Clone(st.Sensors)
	for _, s := range f.Sensors {
		if s = strings.ToLower(s); !slices.Contains(sensors, s) && plainSensor(s) && len(sensors) < maxSensors {
			sensors = append(sensors, s)
		}
	}
	moved := geo.Distance(st.PlaceAt(f.Since).Exact, f.Point) > movedMeters
	if !moved && len(sensors) == len(st.Sensors) {
		return st, nil
	}
	if moved {
		if err := r.CheckPlace(f.Point); err != nil {
			return nil, err
		}
		_, err := r.db.ExecContext(ctx, `INSERT INTO place (station, since, lon, lat) VALUES (?, ?, ?, ?)
			ON CONFLICT (station, since) DO UPDATE SET lon = excluded.lon, lat = excluded.lat`, st.ID, f.Since.Unix(), f.Point.Lon(), f.Point.Lat())
		if err != nil {
			return nil, fmt.Errorf("registry: move station %s: %w", st.ID, err)
		}
	}
	if _, err := r.db.ExecContext(ctx, "UPDATE fitting SET sensors = ? WHERE station = ?", strings.Join(sensors, ","), st.ID); err != nil {
		return nil, fmt.Errorf("registry: change station %s: %w", st.ID, err)
	}
	return r.adopted(ctx, st.ID)
}

func (r *Registry) adopted(ctx context.Context, id string) (*ingest.Station, error) {
	if err := r.reload(ctx); err != nil {
		return nil, err
	}
	st, _ := r.Station(id)
	return st, nil
}
