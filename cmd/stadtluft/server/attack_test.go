package server

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/quality"
)

// attackHour is when the attack's questions begin; each is an hour.
var attackHour = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

// outdoor returns a station that stands at a place.
func outdoor(id string, at orb.Point) *ingest.Station {
	cell, err := geo.CellAt(at, geo.BaseSize)
	if err != nil {
		panic(err)
	}
	return &ingest.Station{ID: id, Exposure: ingest.Outdoor, Places: []ingest.Place{{Exact: at, Public: cell.Center()}}}
}

// cologne returns a town that computes averages and flags as a server does.
func cologne() (stationMap, *averages.Averages, townChecker) {
	known := stationMap{}
	a := &averages.Averages{Aggregate: &aggregate.Aggregate{Correction: averages.Correction(quality.Correction{Method: quality.KappaKohler, Kappa: 0.15}, known)}, Stations: known}
	return known, a, townChecker{quality.NewHourChecker(quality.DefaultRules()), known}
}

// townChecker checks the hours of a town's aggregate.
type townChecker struct {
	*quality.HourChecker
	stations stationMap
}

func (c townChecker) hour(start time.Time, hours []aggregate.StationHour) []ingest.HourFlags {
	return c.Hour(start, averages.StationHours(c.stations, start, hours))
}

// observe adds a value for every five minutes of an hour.
func observe(a *averages.Averages, station string, start time.Time, q quantity.Quantity, value float64) {
	for minute := 0; minute < 60; minute += 5 {
		at := start.Add(time.Duration(minute) * time.Minute)
		a.Observe(ingest.Reading{Station: station, Time: at, Received: at, Values: []ingest.Value{{Quantity: q, Value: value}}})
	}
}

const (
	attackers    = 64 // eight by eight
	attackRounds = 3  // of which each leaves an eighth of the square's side
)

// attack looks for a station that measures particles and no humidity, by what is public of it: of 64 stations around it
// some send humid air and some dry, and its flag, or the correction of its cell's mean, tells which of them is nearest.
// It returns the middle of the square that is left, in metres.
func attack(t *testing.T, victim orb.Point, tells func(a *averages.Averages, c townChecker, start time.Time) bool) (east, north float64) {
	known, a, c := cologne()
	known["VICTIM"] = outdoor("VICTIM", victim)
	cell, err := geo.CellAt(known["VICTIM"].Places[0].Public, geo.BaseSize)
	if err != nil {
		t.Fatal(err)
	}
	west, south, side, start := float64(cell.East), float64(cell.North), float64(geo.BaseSize), attackHour
	for range attackRounds {
		side /= 8
		for i := range attackers {
			id := fmt.Sprintf("A%02d", i)
			known[id] = outdoor(id, geo.Unproject(west+side*(float64(i%8)+0.5), south+side*(float64(i/8)+0.5)))
		}
		nearest := 0
		for bit := 1; bit < attackers; bit *= 2 {
			observe(a, "VICTIM", start, quantity.PM10, 20)
			for i := range attackers {
				humidity := 30.0
				if i&bit != 0 {
					humidity = 90
				}
				observe(a, fmt.Sprintf("A%02d", i), start, quantity.Humidity, humidity)
			}
			if tells(a, c, start) {
				nearest |= bit
			}
			start = start.Add(time.Hour)
		}
		west, south = west+side*float64(nearest%8), south+side*float64(nearest/8)
	}
	return west + side/2, south + side/2
}

// TestPlacesCannotBeFound plays an attack on the exact places of ten stations in one public cell: it ends at the same
// spot for all of them, so it tells no more than the cell.
func TestPlacesCannotBeFound(t *testing.T) {
	cell, err := geo.CellAt(orb.Point{6.9583, 50.9413}, geo.BaseSize)
	if err != nil {
		t.Fatal(err)
	}
	f := func(what string, tells func(a *averages.Averages, c townChecker, start time.Time) bool) {
		rng := rand.New(rand.NewPCG(13, 3))
		spots, best := map[[2]float64]int{}, math.Inf(1)
		for range 10 {
			east, north := float64(cell.East)+5+90*rng.Float64(), float64(cell.North)+5+90*rng.Float64()
			e, n := attack(t, geo.Unproject(east, north), tells)
			spots[[2]float64{math.Round(e), math.Round(n)}]++
			best = min(best, math.Hypot(e-east, n-north))
		}
		if len(spots) > 1 {
			t.Errorf("by %s: ten stations of one cell were looked for at %d spots, the best guess was %.2f m away", what, len(spots), best)
		}
	}
	f("flags", func(a *averages.Averages, c townChecker, start time.Time) bool {
		return slices.ContainsFunc(c.hour(start, a.Aggregate.StationHours(start)), func(h ingest.HourFlags) bool { return h.Station == "VICTIM" && h.Flags&ingest.Humid != 0 })
	})
	f("corrections", func(a *averages.Averages, _ townChecker, start time.Time) bool {
		return a.Aggregate.Hour(start, geo.BaseSize, quantity.PM10)[0].Mean < 15_000
	})
}

// TestExactPlacesDoNotShow moves every station of a town to another spot of its cell: all flags and averages stay the
// same, byte by byte.
func TestExactPlacesDoNotShow(t *testing.T) {
	const stations, hours = 120, 30
	town := func(shift uint64) string {
		known, a, c := cologne()
		places, within := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(2, shift))
		values := rand.New(rand.NewPCG(3, 3))
		ids := make([]string, stations)
		for i := range ids {
			ids[i] = fmt.Sprintf("S%03d", i)
			east, north := 4_100_000+100*places.IntN(80), 3_090_000+100*places.IntN(80)
			known[ids[i]] = outdoor(ids[i], geo.Unproject(float64(east)+1+98*within.Float64(), float64(north)+1+98*within.Float64()))
		}
		var said bytes.Buffer
		for n := range hours {
			start := attackHour.Add(time.Duration(n) * time.Hour)
			for i, id := range ids {
				observe(a, id, start, quantity.PM10, math.Exp(3+values.NormFloat64()/2))
				observe(a, id, start, quantity.Temperature, 10+3*values.NormFloat64())
				observe(a, id, start, quantity.Pressure, 1010+3*values.NormFloat64())
				if i%3 == 0 {
					observe(a, id, start, quantity.Humidity, 60+40*values.Float64())
				}
			}
			fmt.Fprintln(&said, c.hour(start, a.Aggregate.StationHours(start)), a.Aggregate.Hour(start, geo.BaseSize, quantity.PM10))
		}
		return said.String()
	}
	want := town(0)
	if !bytes.Contains([]byte(want), []byte("S0")) {
		t.Fatal("nothing was flagged")
	}
	for shift := range uint64(3) {
		if got := town(shift + 1); got != want {
			t.Errorf("flags or averages tell where in their cells the stations stand")
		}
	}
}
