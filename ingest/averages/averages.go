// Package averages keeps the aggregate fed and its results at rest: it turns readings into samples at
// the places their stations stood in, and writes hours to the store when they are complete and
// whenever a late reading corrects them.
//
// Everything it holds can be had again by replaying the journal; writing an hour again is idempotent.
// It leaves the arithmetic to geo/aggregate and decides only what may enter an average.
package averages

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
)

// writeEvery is how often finished hours are looked for, and how long a failed write waits.
const writeEvery = 10 * time.Second

// Averaged are the quantities that enter averages. Gases are missing until their sensors have a
// calibration on record; battery and rssi say something about the kit, not about the air; an index of
// volatile compounds compares a sensor only with its own past.
var Averaged = []wire.Quantity{
	wire.PM1, wire.PM2_5, wire.PM4, wire.PM10, wire.CO2,
	wire.Temperature, wire.Humidity, wire.Pressure, wire.NoiseLAeq,
}

var averaged = func() (set [256]bool) {
	for _, q := range Averaged {
		set[q] = true
	}
	return set
}()

// Store is where finished hours rest.
type Store interface {
	WriteGrid(ctx context.Context, rows []aggregate.Row) error
}

// Averages feeds one aggregate. Observe is called from one goroutine; Run from another.
type Averages struct {
	Aggregate *aggregate.Aggregate
	Stations  ingest.Stations
	Store     Store
	Size      int32 // metres, the resolution whose hours are stored
	Log       *slog.Logger

	cells map[orb.Point]geo.Cell // base cells of places that stations stood in
}

// Observe adds a reading's good values to the averages of the place its station stood in. Values of
// indoor stations, of stations that are gone, and values with an excluding flag stay out.
func (a *Averages) Observe(r ingest.Reading) {
	station, ok := a.Stations.Station(r.Station)
	if !ok || station.Exposure != ingest.Outdoor {
		return
	}
	cell, ok := a.cell(station.PlaceAt(r.Time).Exact)
	if !ok {
		return // the registry lets no such place in
	}
	for _, v := range r.Values {
		if !averaged[v.Quantity] || !v.Flags.Good() {
			continue
		}
		a.Aggregate.Add(aggregate.Sample{
			Station: r.Station, Cell: cell, Quantity: uint8(v.Quantity),
			Time: r.Time, Received: r.Received, Milli: Milli(v.Value),
		})
	}
}

// cell finds a place's base cell; projecting it anew for each reading would take most of the time.
func (a *Averages) cell(place orb.Point) (geo.Cell, bool) {
	cell, known := a.cells[place]
	if known {
		return cell, true
	}
	cell, err := geo.CellAt(place, geo.BaseSize)
	if err != nil {
		return geo.Cell{}, false
	}
	if a.cells == nil {
		a.cells = map[orb.Point]geo.Cell{}
	}
	a.cells[place] = cell
	return cell, true
}

// ForHumidity is the correction of particle means in an aggregate.
func ForHumidity(c quality.Correction) aggregate.Correction {
	return aggregate.Correction{Humidity: uint8(wire.Humidity), Of: func(quantity uint8, milli, humidity int64) (int64, bool) {
		switch wire.Quantity(quantity) {
		case wire.PM1, wire.PM2_5, wire.PM4, wire.PM10:
			return Milli(c.Apply(float64(milli)/1000, float64(humidity)/1000)), true
		}
		return milli, false
	}}
}

// Milli is a value in thousandths of its unit, rounded half away from zero.
func Milli(value float64) int64 { return int64(math.Round(value * 1000)) }

// Run writes finished hours to the store until ctx ends. Hours that could not be written are kept
// and tried again.
func (a *Averages) Run(ctx context.Context) error {
	ticker := time.NewTicker(writeEvery)
	defer ticker.Stop()
	var pending []time.Time
	for {
		now := time.Now()
		pending = a.write(ctx, whole(append(pending, a.Aggregate.Changed(now)...), now))
		a.Aggregate.Prune(now)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// whole leaves out hours of which the aggregate, or the replay that filled it, may hold only a part: what
// is stored of them stays as it is.
func whole(hours []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(hours, func(hour time.Time) bool { return !aggregate.Kept(hour, now) })
}

// write stores the hours and returns those that are still to be written.
func (a *Averages) write(ctx context.Context, hours []time.Time) []time.Time {
	for i, hour := range hours {
		rows := a.Aggregate.Hour(hour, a.Size, 0)
		if len(rows) == 0 {
			continue
		}
		if err := a.Store.WriteGrid(ctx, rows); err != nil {
			if ctx.Err() == nil {
				a.Log.Warn("grid hours wait for the store", "hours", len(hours)-i, "err", err)
			}
			return hours[i:]
		}
	}
	return nil
}
