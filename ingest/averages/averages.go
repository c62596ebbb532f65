// Package averages keeps the aggregate fed and its results at rest: it turns readings into samples at
// the places their stations stood in, has complete hours checked, and writes hours and days to the store
// when they are complete and whenever a late reading or an hour's flags correct them. Rebuild makes the same
// averages from stored readings.
//
// Everything it holds can be had again by replaying the journal; writing an hour again is idempotent.
// It leaves the arithmetic to geo/aggregate and decides only what may enter an average.
package averages

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"
)

// Averaged are the quantities that enter averages, gases when they are calibrated (see ingest.IsSignal). Battery and
// rssi say something about the kit, not about the air; an index of volatile compounds compares a sensor only with
// its own past.
var Averaged = []quantity.Quantity{
	quantity.PM1, quantity.PM2_5, quantity.PM4, quantity.PM10, quantity.NO2, quantity.NO, quantity.O3, quantity.SO2, quantity.CO, quantity.CO2,
	quantity.Temperature, quantity.Humidity, quantity.Pressure, quantity.NoiseLAeq,
}

var averaged = func() (set [256]bool) {
	for _, q := range Averaged {
		set[q] = true
	}
	return set
}()

// Averages feeds one aggregate. Observe and Apply are called from one goroutine; Run from another.
type Averages struct {
	Aggregate *aggregate.Aggregate
	Stations  ingest.Stations
	Store     store.Store
	Size      int32         // metres, the resolution whose averages are stored
	DayOffset time.Duration // a day begins at midnight UTC minus this
	Log       *slog.Logger

	// ReadOnly leaves checking and writing to another process; what is in memory is the same.
	ReadOnly bool
	// HourChecker looks at whole hours, and Append keeps what it found; both nil checks nothing. What was appended
	// comes back through Apply.
	HourChecker func(start time.Time, hours []aggregate.StationHour) []ingest.HourFlags
	Append      func(ctx context.Context, b ingest.Batch) error

	mu        sync.Mutex                 // guards known and cells
	known     map[string]*ingest.Station // as the aggregate knows them
	cells     Cells                      // of places that stations stood in
	hourFlags hourFlags
}

// Observe adds a reading's good values to the averages of the place its station stood in. Values of
// indoor stations, of stations that are gone or whose readings are to go, and values with an excluding flag stay out.
func (a *Averages) Observe(r ingest.Reading) {
	a.mu.Lock()
	defer a.mu.Unlock()
	station, ok := a.refresh(r.Station)
	if !ok {
		return
	}
	cell, ok := a.cellAt(station, r.Time)
	if !ok {
		return
	}
	for _, v := range r.Values {
		if !averaged[v.Quantity] || !v.Flags.Good() {
			continue
		}
		a.Aggregate.Add(aggregate.Sample{
			Station: r.Station, Cell: cell, Quantity: v.Quantity,
			Time: r.Time, Received: r.Received, Milli: Milli(v.Value),
		})
	}
}

// review takes in what the registry knows of stations by now.
func (a *Averages) review() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.known {
		a.refresh(id)
	}
}

// refresh finds a station, and where it is not as the aggregate knows it, moves what is held of it to where it stood
// and calibrates it: averages are always those of the registry as it is, as a rebuild would make them. It needs mu.
func (a *Averages) refresh(id string) (*ingest.Station, bool) {
	station, ok := a.Stations.Station(id)
	old, seen := a.known[id]
	switch {
	case ok && station == old:
		return station, true
	case !ok:
		if seen {
			a.Aggregate.Relocate(id, func(time.Time) (geo.Cell, bool) { return geo.Cell{}, false })
			delete(a.known, id)
		}
		return nil, false
	case seen && !sameHistory(station, old):
		a.Aggregate.Relocate(id, func(at time.Time) (geo.Cell, bool) { return a.cellAt(station, at) })
	}
	if !seen || !slices.Equal(station.Calibrations, old.Calibrations) {
		a.Aggregate.Calibrate(id, Calibrations(station))
	}
	if a.known == nil {
		a.known = map[string]*ingest.Station{}
	}
	a.known[id] = station
	return station, true
}

// sameHistory reports whether two states of a station agree on where it stood.
func sameHistory(a, b *ingest.Station) bool {
	return a.Exposure == b.Exposure && a.Ended.Equal(b.Ended) && slices.Equal(a.Places, b.Places) && (a.Status == ingest.Erased) == (b.Status == ingest.Erased)
}

// Calibrations are those on a station's record.
func Calibrations(st *ingest.Station) []aggregate.Calibration {
	var list []aggregate.Calibration
	for _, c := range st.Calibrations {
		list = append(list, aggregate.Calibration{
			Quantity: c.Quantity, From: c.From, To: c.To, Intercept: c.Intercept, Slope: c.Slope, Humidity: c.Humidity, Temperature: c.Temperature,
		})
	}
	return list
}

// cellAt is the base cell that a station stood in at a time; false when it was no outdoor station of the city then.
// It needs mu.
func (a *Averages) cellAt(st *ingest.Station, at time.Time) (geo.Cell, bool) {
	if st.Exposure != ingest.Outdoor || st.Status == ingest.Erased || !st.Ended.IsZero() && !at.Before(st.Ended) {
		return geo.Cell{}, false
	}
	return a.cells.At(st.PlaceAt(at).Exact) // the registry lets no place in that has none
}

// Cells remembers the base cells of places; projecting a place anew for each reading would take most of the time.
// The zero value is ready.
type Cells struct{ at map[orb.Point]geo.Cell }

// At is a place's base cell; false outside the grid.
func (c *Cells) At(place orb.Point) (geo.Cell, bool) {
	cell, known := c.at[place]
	if known {
		return cell, true
	}
	cell, err := geo.CellAt(place, geo.BaseSize)
	if err != nil {
		return geo.Cell{}, false
	}
	if c.at == nil {
		c.at = map[orb.Point]geo.Cell{}
	}
	c.at[place] = cell
	return cell, true
}

// Correction is how an aggregate corrects means: particles for humidity, and gases only count calibrated.
func Correction(c quality.Correction) aggregate.Correction {
	corrected := aggregate.Correction{Signal: ingest.IsSignal}
	corrected.Of = func(q quantity.Quantity, milli, humidity int64) (int64, bool) {
		switch q {
		case quantity.PM1, quantity.PM2_5, quantity.PM4, quantity.PM10:
			return Milli(c.Apply(float64(milli)/1000, float64(humidity)/1000)), true
		}
		return milli, false
	}
	return corrected
}

// Milli is a value in thousandths of its unit, rounded half away from zero.
func Milli(value float64) int64 { return int64(math.Round(value * 1000)) }
