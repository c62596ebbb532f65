package aggregate

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
)

// Quantities besides pm.
const (
	gas     = quantity.NO2
	celsius = quantity.Temperature
	rh      = quantity.Humidity
)

// halve halves pm where it is wetter than 50 %.
func halve(q quantity.Quantity, milli, humidity int64) (int64, bool) {
	if q != pm {
		return milli, false
	}
	if humidity > 50_000 {
		return divide(milli, 2), true
	}
	return milli, true
}

// TestCorrectionFindsTheNearestHumidity corrects with the station's own humidity, else with the nearest within
// 5 km, else not at all.
func TestCorrectionFindsTheNearestHumidity(t *testing.T) {
	home := cellAt(t, 6.9583, 50.9413)
	f := func(what string, wantMean int64, wantUncorrected int, others ...Sample) {
		t.Helper()
		a := &Aggregate{Correction: Correction{Correct: halve}}
		addAll(a, full("P", home, hour10, 20_000))
		addAll(a, others)
		for _, rows := range [][]Row{a.Hour(hour10, 1000, pm), a.Live(hour10.Add(time.Hour-time.Second), 1000, pm)} {
			if len(rows) != 1 || rows[0].Mean != wantMean || rows[0].Raw != 20_000 || rows[0].Uncorrected != wantUncorrected {
				t.Errorf("%s: %+v, want mean %d, %d uncorrected", what, rows, wantMean, wantUncorrected)
			}
		}
	}
	at := hour10.Add(10 * time.Minute)
	east := func(metres int32) (c Sample) {
		c = Sample{"H", home, rh, at, at, 90_000}
		c.Cell.East += metres
		return c
	}
	own := Sample{"P", home, rh, at, at, 90_000}
	dry := east(100)
	dry.Station, dry.Milli = "D", 20_000
	f("none", 20_000, 1)
	f("its own", 10_000, 0, own)
	f("its own before a nearer one's", 10_000, 0, own, dry)
	f("5 km", 10_000, 0, east(5000))
	f("more than 5 km", 20_000, 1, east(5100))
	f("the nearer", 20_000, 0, dry, east(200))
	f("the nearer, in another order", 20_000, 0, east(200), dry)
	tie := east(-100)
	tie.Station = "A"
	f("two equally near", 10_000, 0, dry, tie)
	early := east(100)
	early.Time = hour10.Add(-time.Hour)
	f("an hour before", 20_000, 1, early)
}

func TestExclude(t *testing.T) {
	cell := cellAt(t, 6.9583, 50.9413)
	a := &Aggregate{}
	addAll(a, full("A", cell, hour10, 10_000))
	addAll(a, full("B", cell, hour10, 90_000))
	a.Changed(hour10.Add(2 * time.Hour))
	b := Excluded{"B", pm}
	means := func() (hour, live int64) {
		return a.Hour(hour10, 1000, pm)[0].Mean, a.Live(hour10.Add(time.Hour-time.Second), 1000, pm)[0].Mean
	}
	a.Exclude(hour10, b, true)
	if hour, live := means(); hour != 10_000 || live != 10_000 {
		t.Errorf("without B the means are %d and %d, want 10000", hour, live)
	}
	if got := a.Changed(hour10.Add(2 * time.Hour)); len(got) != 1 || !got[0].Equal(hour10) {
		t.Errorf("changed %v, want the hour", got)
	}
	a.Exclude(hour10, b, true)
	if got := a.Changed(hour10.Add(2 * time.Hour)); len(got) != 0 {
		t.Errorf("excluded again: changed %v", got)
	}
	if got := a.StationHours(hour10); len(got) != 2 || got[1].Station != "B" || got[1].Cell != cell || got[1].Mean != 90_000 || got[1].Median != 90_000 || len(got[1].Values) != 12 {
		t.Errorf("Stations = %+v, want both", got)
	}
	a.Exclude(hour10, b, false)
	if hour, live := means(); hour != 50_000 || live != 50_000 {
		t.Errorf("with B again the means are %d and %d, want 50000", hour, live)
	}
	a.Exclude(hour10, b, true)
	a.Prune(hour10.Add(time.Hour + Retention + LookBack))
	if len(a.stations) != 0 || len(a.list) != 0 {
		t.Errorf("after Keep %v is remembered", a.list)
	}
}

// TestPermutations replays a day of values, humidities, exclusions and a calibration in random orders and compares
// the hashes of all rows. The day is small so that there can be many orders, up to ten values an hour of three stations:
// one has no humidity of its own, one sends a signal that a calibration turns into a quantity, and one moves at noon.
func TestPermutations(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	apply := func(a *Aggregate, event any) {
		switch e := event.(type) {
		case Sample:
			a.Add(e)
		case exclusionOf:
			a.Exclude(e.start, e.Excluded, true)
		case []Calibration:
			a.Calibrate("1", e)
		}
	}
	events := day(t, rng)
	var want [sha256.Size]byte
	orders := permutations
	if testing.Short() {
		orders = 200
	}
	for n := range orders {
		a := &Aggregate{Correction: Correction{Correct: halve, IsSignal: func(q quantity.Quantity) bool { return q == gas }}}
		for _, i := range rng.Perm(len(events)) {
			apply(a, events[i])
		}
		got := hash(a)
		if n == 0 {
			want = got
		}
		if got != want {
			t.Fatalf("order %d gives %x, the first gave %x", n, got, want)
		}
	}
}

type exclusionOf struct {
	start time.Time
	Excluded
}

// day returns the events of a day from hour10.
func day(t *testing.T, rng *rand.Rand) (events []any) {
	for station := range 3 {
		name, cell := fmt.Sprint(station), cellAt(t, 6.9+rng.Float64()*0.1, 50.9+rng.Float64()*0.1)
		for i := range 24 * 10 {
			if rng.IntN(12) == 0 {
				continue
			}
			at := hour10.Add(time.Duration(i)*6*time.Minute + time.Duration(station+rng.IntN(30))*time.Second)
			if station == 2 && i == 120 {
				cell.East += 1000
			}
			received := at.Add(time.Duration(rng.IntN(200)) * time.Minute)
			q := pm
			if station == 1 {
				q = gas
			}
			events = append(events, Sample{name, cell, q, at, received, rng.Int64N(100_000)})
			if station > 0 && i%20 == 0 {
				events = append(events, Sample{name, cell, rh, at, received, rng.Int64N(100_000)})
			}
		}
		for range 3 {
			start := hour10.Add(time.Duration(rng.IntN(24)) * time.Hour)
			events = append(events, exclusionOf{start, Excluded{name, pm}})
		}
	}
	for range 40 {
		events = append(events, events[rng.IntN(len(events))]) // again
	}
	return append(events, []Calibration{{Quantity: gas, From: hour10.Add(5 * time.Hour), Intercept: 3, Slope: 0.7}})
}

// hash returns the hash of every row of the day.
func hash(a *Aggregate) [sha256.Size]byte {
	var b []byte
	write := func(rows []Row) {
		for _, r := range rows {
			for _, v := range [...]int64{
				int64(r.Cell.Size), int64(r.Cell.North), int64(r.Cell.East), r.Start.Unix(), int64(r.Window), int64(r.Quantity), r.Mean, r.Median, r.Min, r.Max,
				int64(r.Stations), int64(r.Readings), r.Coverage, r.Raw, int64(r.Uncorrected), r.Spread, int64(r.Revision),
			} {
				b = binary.AppendVarint(b, v)
			}
		}
	}
	for i := range 24 {
		write(a.Hour(hour10.Add(time.Duration(i)*time.Hour), 1000, 0))
	}
	write(a.Day(hour10, 1000, 0))
	write(a.Live(hour10.Add(90*time.Minute), 100, 0))
	return sha256.Sum256(b)
}

// TestCalibrate compares calibrated means with the formula computed by hand.
func TestCalibrate(t *testing.T) {
	home := cellAt(t, 6.9583, 50.9413)
	gases := Correction{Correct: halve, IsSignal: func(q quantity.Quantity) bool { return q == gas }}
	f := func(what string, q quantity.Quantity, want int64, others ...any) {
		t.Helper()
		a := &Aggregate{Correction: gases}
		for _, s := range full("P", home, hour10, 20_000) {
			s.Quantity = q
			a.Add(s)
		}
		for _, o := range others {
			switch o := o.(type) {
			case Sample:
				a.Add(o)
			case Calibration:
				a.Calibrate("P", append(slices.Clone(a.stations["P"].calibrations), o))
			}
		}
		for _, rows := range [][]Row{a.Hour(hour10, 1000, q), a.Live(hour10.Add(time.Hour-time.Second), 1000, q)} {
			if want == 0 && len(rows) == 0 {
				continue
			}
			if len(rows) != 1 || rows[0].Mean != want || rows[0].Raw != 20_000 || rows[0].Uncorrected != 0 {
				t.Errorf("%s: %+v, want mean %d of the raw mean 20000", what, rows, want)
			}
		}
	}
	at := hour10.Add(10 * time.Minute)
	wet, warm := Sample{"P", home, rh, at, at, 80_000}, Sample{"P", home, celsius, at, at, 15_000}
	another := Sample{"Q", home, rh, at, at, 80_000}
	of := func(q quantity.Quantity) Calibration {
		return Calibration{Quantity: q, From: hour10.Add(-time.Hour), Intercept: -2.5, Slope: 1.25}
	}
	f("a signal alone", gas, 0)
	f("a signal, humid", gas, 0, wet)
	f("calibrated", gas, 22_500, of(gas)) // -2.5 + 1.25·20
	f("calibrated as something else", gas, 0, of(pm))
	terms := of(gas)
	terms.Humidity, terms.Temperature = -0.1, 0.5
	f("with terms", gas, 22_000, terms, wet, warm) // -2.5 + 25 - 8 + 7.5
	f("without its temperature", gas, 0, terms, wet)
	f("with another's humidity", gas, 0, terms, another, warm)
	early, late := of(gas), of(gas)
	early.To = hour10
	late.From = hour10.Add(time.Hour)
	f("one that is over", gas, 0, early)
	f("one that is yet to come", gas, 0, late)
	newer := of(gas)
	newer.From, newer.Slope = hour10, 1
	f("the one that begins last", gas, 17_500, newer, of(gas))
	low := of(gas)
	low.Intercept = -30
	f("noise around nothing", gas, -5_000, low)
	low.Quantity = pm
	low.Intercept = -30
	f("particles end at nothing", pm, 0, low)
	f("particles are not corrected twice", pm, 22_500, of(pm), wet)
	f("particles without a calibration", pm, 10_000, wet)
}

// TestCalibrateNamesTheHoursThatDiffer expects the hours in memory to be recomputed, once.
func TestCalibrateNamesTheHoursThatDiffer(t *testing.T) {
	a := &Aggregate{}
	addAll(a, full("P", cellAt(t, 6.9583, 50.9413), hour10, 20_000))
	until := hour10.Add(2 * time.Hour)
	a.Changed(until)
	for n, want := range []int{1, 0} {
		a.Calibrate("P", []Calibration{{Quantity: pm, Slope: 2}})
		if got := a.Changed(until); len(got) != want {
			t.Errorf("time %d: changed %v, want %d hours", n+1, got, want)
		}
	}
	a.Calibrate("P", nil)
	if got := a.Hour(hour10, 1000, pm); got[0].Mean != 20_000 || len(a.Changed(until)) != 1 {
		t.Errorf("without a calibration again: %+v", got)
	}
}

// TestRelocate moves values of a station: the second half of the hour to another cell, then forgets all of them.
func TestRelocate(t *testing.T) {
	home := cellAt(t, 6.9583, 50.9413)
	there := home
	there.North += 5000
	a := &Aggregate{}
	addAll(a, full("P", home, hour10, 10_000, 20_000))
	addAll(a, full("Q", home, hour10, 30_000))
	until := hour10.Add(2 * time.Hour)
	a.Changed(until)
	stay := func(time.Time) (geo.Cell, bool) { return home, true }
	a.Relocate("P", stay)
	if got := a.Changed(until); len(got) != 0 {
		t.Errorf("nothing moved: changed %v", got)
	}
	noon := hour10.Add(30 * time.Minute)
	a.Relocate("P", func(at time.Time) (geo.Cell, bool) {
		if at.Before(noon) {
			return home, true
		}
		return there, true
	})
	live := a.Live(hour10.Add(time.Hour-time.Second), 1000, pm)
	if len(live) != 2 || live[0].Readings != 18 || live[1].Readings != 6 || live[1].Cell != there.Parent(1000) || len(a.Changed(until)) != 1 {
		t.Errorf("moved: %+v", live)
	}
	a.Relocate("P", func(at time.Time) (geo.Cell, bool) { return home, at.Before(noon) })
	if got := a.StationHours(hour10); len(got) != 2 || len(got[0].Values) != 6 || a.Stats().Values != 18 || len(a.Changed(until)) != 1 {
		t.Errorf("gone at noon: %+v, %+v", got, a.Stats())
	}
	a.Relocate("NOBODY", stay)
}

// TestStationMeans expects only the station with enough values, corrected.
func TestStationMeans(t *testing.T) {
	home := cellAt(t, 6.9583, 50.9413)
	a := &Aggregate{Correction: Correction{Correct: halve}}
	addAll(a, full("B", home, hour10, 20_000))
	addAll(a, full("A", home, hour10, 20_000)[:8])
	at := hour10.Add(10 * time.Minute)
	a.Add(Sample{"A", home, rh, at, at, 90_000})
	want := []StationMean{{"B", home, pm, 10_000, 20_000, false, 12, 1000}}
	for _, got := range [][]StationMean{a.HourStationMeans(hour10), a.LiveStationMeans(hour10.Add(time.Hour - time.Second))} {
		if !slices.Equal(got, want) {
			t.Errorf("stations = %+v, want %+v", got, want)
		}
	}
}
