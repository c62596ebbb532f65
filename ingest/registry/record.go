package registry

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest"
)

// maxRecord bounds a station's entry, in bytes: NATS takes none that is larger than its payload.
const maxRecord = 200 << 10

// record is a station's entry in the bucket and a line of the snapshot.
type record struct {
	ID            string               `json:"id"`
	Name          string               `json:"name"`
	Exposure      ingest.Exposure      `json:"exposure"`
	Exposures     []exposureRecord     `json:"exposures,omitempty"` // ascending by from; none where it never changed
	Height        *float64             `json:"height"`              // metres above ground; null when not known
	Side          string               `json:"side,omitempty"`
	Status        ingest.Status        `json:"status"`
	Reason        string               `json:"reason,omitempty"` // why it is suspended
	Before        ingest.Status        `json:"before_suspension,omitempty"`
	Zone          string               `json:"zone"`
	Licence       string               `json:"licence"`         // what the owner agreed to
	Email         string               `json:"email,omitempty"` // never published
	Demo          bool                 `json:"demo,omitempty"`
	Source        string               `json:"source,omitempty"` // whose it is, empty for our own
	Created       time.Time            `json:"created"`
	Ended         time.Time            `json:"ended,omitzero"`
	Token         string               `json:"token"`  // SHA-256, hex
	Manage        string               `json:"manage"` // SHA-256, hex
	Places        []placeRecord        `json:"places"` // ascending by from, never published
	Installations []installationRecord `json:"installations"`
	Fitted        []fittedRecord       `json:"fitted,omitempty"` // of a neighbour's station; the installations follow from them
	Devices       []deviceRecord       `json:"devices,omitempty"`
	Calibrations  []calibrationRecord  `json:"calibrations,omitempty"`
	Recompute     time.Time            `json:"recompute_from,omitzero"` // averages from then on are to be made again
	Notices       *noticesRecord       `json:"notices,omitempty"`
}

type placeRecord struct {
	From time.Time `json:"from"`
	Lon  float64   `json:"lon"`
	Lat  float64   `json:"lat"`
}

func (p placeRecord) point() orb.Point { return orb.Point{p.Lon, p.Lat} }

type installationRecord struct {
	From    time.Time `json:"from"`
	Kit     string    `json:"kit"`
	Sensors []string  `json:"sensors"`
	Sources []string  `json:"sources,omitempty"` // of a neighbour's station
}

type exposureRecord struct {
	From     time.Time       `json:"from"`
	Exposure ingest.Exposure `json:"exposure"`
}

type deviceRecord struct {
	Family string      `json:"family"`
	Key    string      `json:"key"`
	State  deviceState `json:"state,omitempty"`
}

func (d deviceRecord) device() ingest.Device { return ingest.Device{Family: d.Family, Key: d.Key} }

type calibrationRecord struct {
	Quantity    string    `json:"quantity"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to,omitzero"`
	Intercept   float64   `json:"intercept"`
	Slope       float64   `json:"slope"`
	Humidity    float64   `json:"humidity,omitempty"`
	Temperature float64   `json:"temperature,omitempty"`
	Reference   string    `json:"reference"`
	R2          float64   `json:"r2"`
	RMSE        float64   `json:"rmse"`
	N           int       `json:"n"`
}

// encode returns the entry of the bucket.
func (rec *record) encode() ([]byte, error) {
	data, err := json.Marshal(rec)
	if err == nil && len(data) > maxRecord {
		err = &FieldError{Field: "place", Problem: fmt.Sprintf("the station's history is larger than %d bytes", maxRecord), German: "Die Geschichte der Station ist zu lang."}
	}
	return data, err
}

// decode reads an entry of the bucket.
func (r *Registry) decode(data []byte) (*record, *ingest.Station, error) {
	rec := &record{}
	if err := json.Unmarshal(data, rec); err != nil {
		return nil, nil, fmt.Errorf("station: %w", err)
	}
	st, err := rec.station(&r.memory)
	if err != nil {
		return nil, nil, fmt.Errorf("station %s: %w", rec.ID, err)
	}
	return rec, st, nil
}

// station returns the record as others see it.
func (rec *record) station(m *memory) (*ingest.Station, error) {
	if rec.ID == "" || len(rec.Places) == 0 {
		return nil, fmt.Errorf("its entry %q has no id or no place", rec.ID)
	}
	st := &ingest.Station{
		ID: rec.ID, Name: rec.Name, Exposure: rec.Exposure, Height: rec.Height, Side: rec.Side, Status: rec.Status, Reason: rec.Reason,
		Zone: rec.Zone, Location: m.location(rec.Zone), Licence: rec.Licence, Email: rec.Email, Demo: rec.Demo, Source: rec.Source,
		Created: rec.Created, Ended: rec.Ended,
	}
	if rec.Source != "" && st.Height != nil && *st.Height == 0 {
		st.Height = nil // before it could be unknown, 0 was written for stations whose network does not tell it
	}
	for _, p := range rec.Places {
		cell, err := geo.CellAt(p.point(), geo.BaseSize)
		if err != nil {
			return nil, err
		}
		st.Places = append(st.Places, ingest.Place{From: p.From, Exact: p.point(), Public: cell.Center()})
	}
	for _, f := range rec.Installations {
		st.Installations = append(st.Installations, ingest.Installation(f))
		st.Kit, st.Sensors, st.Sources = f.Kit, f.Sensors, f.Sources
	}
	for _, x := range rec.Exposures {
		st.Exposures = append(st.Exposures, ingest.ExposedSince(x))
	}
	for _, d := range rec.Devices {
		st.Devices = append(st.Devices, d.device())
	}
	for _, c := range rec.Calibrations {
		about, known := quantity.Parse(c.Quantity)
		if !known {
			return nil, fmt.Errorf("calibration of the unknown quantity %q", c.Quantity)
		}
		st.Calibrations = append(st.Calibrations, ingest.Calibration{
			Quantity: about, From: c.From, To: c.To, Intercept: c.Intercept, Slope: c.Slope, Humidity: c.Humidity, Temperature: c.Temperature,
			Reference: c.Reference, R2: c.R2, RMSE: c.RMSE, N: c.N,
		})
	}
	return st, nil
}

// place puts a place at its moment; it replaces another of the same moment.
func (rec *record) place(from time.Time, p orb.Point) {
	place := placeRecord{from.UTC().Truncate(time.Second), p.Lon(), p.Lat()}
	rec.Places = put(rec.Places, place, func(a, b placeRecord) int { return a.From.Compare(b.From) })
}

func (rec *record) install(f ingest.Installation) {
	installed := installationRecord{f.From.UTC().Truncate(time.Second), f.Kit, f.Sensors, f.Sources}
	rec.Installations = put(rec.Installations, installed, func(a, b installationRecord) int { return a.From.Compare(b.From) })
}

// expose puts an exposure at its moment; it replaces another of the same moment. Until then the station measured as the
// record says.
func (rec *record) expose(from time.Time, to ingest.Exposure) {
	if len(rec.Exposures) == 0 {
		rec.Exposures = []exposureRecord{{rec.Places[0].From, rec.Exposure}}
	}
	rec.Exposures = put(rec.Exposures, exposureRecord{from.UTC().Truncate(time.Second), to}, func(a, b exposureRecord) int { return a.From.Compare(b.From) })
	rec.Exposure = rec.Exposures[len(rec.Exposures)-1].Exposure
}

// addDevice adds a device, or replaces the spelling and the state of one that is there.
func (rec *record) addDevice(d ingest.Device, state deviceState) {
	rec.Devices = put(rec.Devices, deviceRecord{d.Family, d.Key, state}, func(a, b deviceRecord) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(strings.ToLower(a.Key), strings.ToLower(b.Key)))
	})
}

// calibrate adds a calibration; it replaces another of the quantity and the same start.
func (rec *record) calibrate(c calibrationRecord) {
	rec.Calibrations = put(rec.Calibrations, c, func(a, b calibrationRecord) int {
		return cmp.Or(cmp.Compare(a.Quantity, b.Quantity), a.From.Compare(b.From))
	})
}

// put puts an element into a sorted list, in the place of an equal one if there is one.
func put[T any](list []T, one T, compare func(a, b T) int) []T {
	i, found := slices.BinarySearchFunc(list, one, compare)
	if found {
		list[i] = one
		return list
	}
	return slices.Insert(list, i, one)
}

// coarsen replaces exact places by the centres of their cells, which are all that averages need.
func (rec *record) coarsen() error {
	for i, p := range rec.Places {
		cell, err := geo.CellAt(p.point(), geo.BaseSize)
		if err != nil {
			return err
		}
		rec.Places[i].Lon, rec.Places[i].Lat = cell.Center().Lon(), cell.Center().Lat()
	}
	return nil
}
