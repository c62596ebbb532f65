// Package averages keeps the aggregate fed and its results at rest: it turns readings into samples at
// the places their stations stood in, has complete hours judged, and writes hours and days to the store
// when they are complete and whenever a late reading or a verdict corrects them. Rebuild makes the same
// averages from stored readings.
//
// Everything it holds can be had again by replaying the journal; writing an hour again is idempotent.
// It leaves the arithmetic to geo/aggregate and decides only what may enter an average.
package averages

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"
)

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

// Averages feeds one aggregate. Observe and Apply are called from one goroutine; Run from another.
type Averages struct {
	Aggregate *aggregate.Aggregate
	Stations  ingest.Stations
	Store     store.Store
	Size      int32         // metres, the resolution whose averages are stored
	DayOffset time.Duration // a day begins at midnight UTC minus this
	Log       *slog.Logger

	// Judge looks at whole hours, and Append keeps what it found; both nil judges nothing. What was appended
	// comes back through Apply.
	Judge  func(start time.Time, hours []aggregate.StationHour) []ingest.Verdict
	Append func(ctx context.Context, b ingest.Batch) error

	cells    Cells // of places that stations stood in
	verdicts verdicts
}

// Observe adds a reading's good values to the averages of the place its station stood in. Values of
// indoor stations, of stations that are gone, and values with an excluding flag stay out.
func (a *Averages) Observe(r ingest.Reading) {
	station, ok := a.Stations.Station(r.Station)
	if !ok || station.Exposure != ingest.Outdoor {
		return
	}
	cell, ok := a.cells.At(station.PlaceAt(r.Time).Exact)
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
