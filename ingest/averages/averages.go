// Package averages feeds the aggregate and stores its results: it turns readings into samples at the places where
// their stations stood, has complete hours checked, and writes hours and days to the store when they are complete and
// whenever a late reading or an hour's flags correct them. Rebuild computes the same flags and averages from stored
// readings; Recheck does so for what came too late for memory.
//
// What the store has, and then the journal, restores everything it holds after a start; writing an hour again is
// idempotent. A stored average is replaced only by one made of at least as many values, unless the checks excluded some
// of them, a station's history changed, or Rebuild is asked for. It leaves the arithmetic
// to geo/aggregate and only decides what enters an average.
package averages

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"
)

// Averaged lists the quantities that enter averages, gases only if they are calibrated (see ingest.IsSignal). Battery
// and rssi describe the kit, not the air; an index of volatile compounds compares a sensor only with its own past.
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

	// ReadOnly reports whether checking and writing are left to another process now; nil is never. The averages in memory
	// are the same. When it ends, all hours in memory that changed meanwhile are checked and written.
	ReadOnly func() bool
	// NewChecker returns a Checker without a past; nil checks nothing. Checker is one that was saved; nil is none. Append
	// writes the flags of hours in memory to the journal, which passes them to Apply. Saved, which may be nil, is called
	// with the Checker after it checked hours, and with nil when what was saved is out of date.
	NewChecker func() Checker
	Checker    Checker
	Append     func(ctx context.Context, b ingest.Batch) error
	Saved      func(c Checker)

	indoors   aggregate.Aggregate        // values of stations indoors, which are checked and enter no average
	mu        sync.Mutex                 // guards known, cells and samples
	known     map[string]*ingest.Station // the stations as they were when the aggregate was last updated
	cells     Cells                      // of the places of stations
	samples   []aggregate.Sample         // of one reading, buffer
	hourFlags hourFlags
	checking  checking
	past      past
	shrinking shrinking
	kept      atomic.Uint64
}

// Observe adds the good values of readings to the averages of the places where their stations stood, those of indoor stations only to
// what is checked. It leaves out values with an excluding flag, values of official stations, and values of stations that are retired or
// whose readings are to be deleted.
func (a *Averages) Observe(readings ...ingest.Reading) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var station *ingest.Station
	var known bool
	for i := range readings {
		r := &readings[i]
		if i == 0 || r.Station != readings[i-1].Station {
			station, known = a.refresh(r.Station)
		}
		if !known {
			continue
		}
		switch cell, indoors, ok := a.cellAt(station, r.Time); {
		case ok && indoors:
			a.samples = appendSamples(a.samples[:0], r, cell)
			a.indoors.Add(a.samples...)
		case ok:
			a.samples = appendSamples(a.samples[:0], r, cell)
			a.Aggregate.Add(a.samples...)
		}
	}
}

// appendSamples appends the good values of a reading that enter averages.
func appendSamples(to []aggregate.Sample, r *ingest.Reading, cell geo.Cell) []aggregate.Sample {
	for i := range r.Values {
		if v := &r.Values[i]; averaged[v.Quantity] && v.Flags.Good() {
			to = append(to, aggregate.Sample{Station: r.Station, Cell: cell, Quantity: v.Quantity, Time: r.Time, Received: r.Received, Milli: Milli(v.Value)})
		}
	}
	return to
}

// refreshAll refreshes all known stations.
func (a *Averages) refreshAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.known {
		a.refresh(id)
	}
}

// refresh returns a station. If the station has changed since the aggregate was last updated, refresh relocates and
// calibrates its values: averages always follow the registry's current state, as a rebuild would. It needs mu.
func (a *Averages) refresh(id string) (*ingest.Station, bool) {
	station, ok := a.Stations.Station(id)
	old, seen := a.known[id]
	switch {
	case ok && station == old:
		return station, true
	case !ok:
		if seen {
			a.relocate(id, func(time.Time) (geo.Cell, bool, bool) { return geo.Cell{}, false, false })
			a.shrinking.from(time.Time{}, a.DayOffset)
			delete(a.known, id)
		}
		return nil, false
	case seen && !sameHistory(station, old):
		a.relocate(id, func(at time.Time) (geo.Cell, bool, bool) { return a.cellAt(station, at) })
		a.shrinking.from(time.Time{}, a.DayOffset)
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

// relocate moves a station's values to the places where it stood, and those of a time that is indoors now and was not before, or the
// other way round, to where they belong.
func (a *Averages) relocate(id string, place func(at time.Time) (cell geo.Cell, indoors, ok bool)) {
	for _, to := range []*aggregate.Aggregate{a.Aggregate, &a.indoors} {
		other := &a.indoors
		if to == other {
			other = a.Aggregate
		}
		samples := to.Samples(id)
		here := func(at time.Time) (geo.Cell, bool) {
			cell, indoors, ok := place(at)
			return cell, ok && indoors == (to == &a.indoors)
		}
		to.Relocate(id, here)
		for _, s := range samples {
			cell, _, ok := place(s.Time)
			if _, stays := here(s.Time); ok && !stays {
				s.Cell = cell
				other.Add(s)
			}
		}
	}
}

// sameHistory reports whether two states of a station agree on where it stood.
func sameHistory(a, b *ingest.Station) bool {
	return a.Exposure == b.Exposure && slices.Equal(a.Exposures, b.Exposures) && a.Ended.Equal(b.Ended) && slices.Equal(a.Places, b.Places) && (a.Status == ingest.Erased) == (b.Status == ingest.Erased)
}

// Calibrations returns a station's calibrations for an aggregate.
func Calibrations(st *ingest.Station) []aggregate.Calibration {
	var list []aggregate.Calibration
	for _, c := range st.Calibrations {
		list = append(list, aggregate.Calibration{
			Quantity: c.Quantity, From: c.From, To: c.To, Intercept: c.Intercept, Slope: c.Slope, Humidity: c.Humidity, Temperature: c.Temperature,
		})
	}
	return list
}

// cellAt returns the base cell where a station stood at a time, and whether that was indoors; ok is false when it was not a station
// of the citizens then. It needs mu.
func (a *Averages) cellAt(st *ingest.Station, at time.Time) (cell geo.Cell, indoors, ok bool) {
	if st.Official() || st.Status == ingest.Erased || !st.Ended.IsZero() && !at.Before(st.Ended) {
		return geo.Cell{}, false, false
	}
	cell, ok = a.cells.At(st.PlaceAt(at).Public)
	return cell, st.ExposureAt(at) != ingest.Outdoor, ok
}

// Cells caches the base cells of places; projecting a place again for each reading would take most of the time. The
// zero value is ready.
type Cells struct {
	at   map[orb.Point]geo.Cell
	last orb.Point // the place that was asked for last: the next one is often the same
	cell geo.Cell  // of last; zero before the first
}

// At returns a place's base cell; false outside the grid.
func (c *Cells) At(place orb.Point) (geo.Cell, bool) {
	if place == c.last && c.cell.Size > 0 {
		return c.cell, true
	}
	cell, known := c.at[place]
	if !known {
		var err error
		if cell, err = geo.CellAt(place, geo.BaseSize); err != nil {
			return geo.Cell{}, false
		}
		if c.at == nil {
			c.at = map[orb.Point]geo.Cell{}
		}
		c.at[place] = cell
	}
	c.last, c.cell = place, cell
	return cell, true
}

// Correction returns the correction of an aggregate: particles are corrected for humidity, PM2.5 of stations with a PMS5003's
// "cf_1" series by the US EPA's formula for it, and gases only count if calibrated. Nil stations have no such series.
func Correction(c quality.Correction, stations ingest.Stations) aggregate.Correction {
	corrected := aggregate.Correction{IsSignal: ingest.IsSignal}
	corrected.Correct = func(q quantity.Quantity, milli, humidity int64) (int64, bool) {
		switch q {
		case quantity.PM1, quantity.PM2_5, quantity.PM4, quantity.PM10:
			return Milli(c.Apply(float64(milli)/1000, float64(humidity)/1000)), true
		}
		return milli, false
	}
	if stations == nil || c.Method != quality.KappaKohler {
		return corrected
	}
	cf1 := quality.Correction{Method: quality.EPACF1}
	corrected.Special = func(station string, q quantity.Quantity, at time.Time) func(milli, humidity int64) int64 {
		if st, known := stations.Station(station); q != quantity.PM2_5 || !known || !st.CF1(at) {
			return nil
		}
		return func(milli, humidity int64) int64 {
			return Milli(cf1.Apply(float64(milli)/1000, float64(humidity)/1000))
		}
	}
	return corrected
}

// Milli returns a value in thousandths of its unit, rounded half away from zero.
func Milli(value float64) int64 { return int64(math.Round(value * 1000)) }
