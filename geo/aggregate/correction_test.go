package aggregate

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

const rh = 14

// halve halves pm where it is wetter than 50 %.
func halve(quantity uint8, milli, humidity int64) (int64, bool) {
	if quantity != pm {
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
		a := &Aggregate{Correction: Correction{Humidity: rh, Of: halve}}
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
	if got := a.Stations(hour10); len(got) != 2 || got[1] != (StationHour{"B", cell, pm, 90_000, 90_000, 12}) {
		t.Errorf("Stations = %+v, want both", got)
	}
	a.Exclude(hour10, b, false)
	if hour, live := means(); hour != 50_000 || live != 50_000 {
		t.Errorf("with B again the means are %d and %d, want 50000", hour, live)
	}
	a.Exclude(hour10, b, true)
	a.Prune(hour10.Add(time.Hour + Keep))
	if len(a.excluded) != 0 {
		t.Errorf("after Keep %v is remembered", a.excluded)
	}
}

// permutations of the day; run with -count to try more.
const permutations = 100

// TestPermutations replays a day of values, humidities and exclusions in random orders: one hash. Verdicts keep
// their place behind the hour's values only where they come twice, so the last word on each is the same.
func TestPermutations(t *testing.T) {
	type event struct {
		sample  Sample
		exclude bool
	}
	rng := rand.New(rand.NewPCG(7, 8))
	var events []event
	for station := range 12 {
		cell := cellAt(t, 6.9+rng.Float64()*0.1, 50.9+rng.Float64()*0.1)
		for minute := 0; minute < 24*60; minute += 5 {
			at := hour10.Add(time.Duration(minute)*time.Minute + time.Duration(station)*time.Second)
			q := uint8(pm)
			if station%3 == 0 && minute%15 == 0 {
				q = rh
			}
			events = append(events, event{sample: Sample{fmt.Sprint(station), cell, q, at, at.Add(time.Duration(rng.IntN(200)) * time.Minute), rng.Int64N(100_000)}})
		}
		for hour := range 24 {
			if rng.IntN(10) == 0 {
				at := hour10.Add(time.Duration(hour) * time.Hour)
				events = append(events, event{Sample{Station: fmt.Sprint(station), Quantity: pm, Time: at}, true})
			}
		}
	}
	var want [sha256.Size]byte
	for n := range permutations {
		a := &Aggregate{Correction: Correction{Humidity: rh, Of: halve}}
		for _, i := range rand.Perm(len(events)) {
			e := events[i]
			if e.exclude {
				a.Exclude(e.sample.Time, Excluded{e.sample.Station, e.sample.Quantity}, true)
			} else {
				a.Add(e.sample)
			}
		}
		h := sha256.New()
		for hour := range 24 {
			for _, size := range []int32{100, 1000, 10_000} {
				fmt.Fprintln(h, a.Hour(hour10.Add(time.Duration(hour)*time.Hour), size, 0))
			}
		}
		got := [sha256.Size]byte(h.Sum(nil))
		if n == 0 {
			want = got
		}
		if got != want {
			t.Fatalf("order %d gives %x, the first gave %x", n, got, want)
		}
	}
}
