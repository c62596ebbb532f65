package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
)

var hour10 = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)

const pm = quantity.PM2_5 // any quantity

func cellAt(t testing.TB, lon, lat float64) geo.Cell {
	t.Helper()
	c, err := geo.CellAt(orb.Point{lon, lat}, geo.BaseSize)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// full returns values every five minutes of an hour for one station.
func full(station string, cell geo.Cell, start time.Time, milli ...int64) []Sample {
	var list []Sample
	for i := range 12 {
		at := start.Add(time.Duration(i) * 5 * time.Minute)
		list = append(list, Sample{station, cell, pm, at, at.Add(time.Second), milli[i%len(milli)]})
	}
	return list
}

func addAll(a *Aggregate, samples []Sample) {
	for _, s := range samples {
		a.Add(s)
	}
}

func TestACellIsTheMeanOfItsStationsMeans(t *testing.T) {
	cell := cellAt(t, 6.9583, 50.9413)
	a := &Aggregate{}
	addAll(a, full("A", cell, hour10, 10_000, 20_000)) // mean 15.000
	addAll(a, full("B", cell, hour10, 40_000))         // mean 40.000
	for i := range 600 {                               // a station that sends often does not outvote the others
		at := hour10.Add(time.Duration(i*6) * time.Second)
		a.Add(Sample{"C", cell, pm, at, at, 11_000})
	}
	got := a.Hour(hour10, 1000, pm)
	want := []Row{{
		Cell: cell.Parent(1000), Start: hour10, Window: Hour, Quantity: pm,
		Mean:   22_000, // (15 + 40 + 11) / 3
		Median: 15_000, Min: 11_000, Max: 40_000, Stations: 3, Readings: 624, Coverage: 1000, Raw: 22_000,
		Spread: 15_716, // √((7² + 18² + 11²) / 2)
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Hour = %+v\nwant   %+v", got, want)
	}
}

func TestRoundingIsHalfAwayFromZero(t *testing.T) {
	f := func(sum, n, want int64) {
		t.Helper()
		if got := divide(sum, n); got != want {
			t.Errorf("divide(%d, %d) = %d, want %d", sum, n, got, want)
		}
	}
	f(5, 2, 3)
	f(-5, 2, -3)
	f(4, 3, 1)
	f(-4, 3, -1)
	f(0, 7, 0)
}

func TestAnHourNeedsThreeQuartersOfItsTime(t *testing.T) {
	cell := cellAt(t, 6.9583, 50.9413)
	f := func(values, wantStations int, wantCoverage int64) {
		t.Helper()
		a := &Aggregate{}
		addAll(a, full("A", cell, hour10, 1000)[:values])
		rows := a.Hour(hour10, 1000, pm)
		if len(rows) != wantStations {
			t.Errorf("%d values: %d rows, want %d", values, len(rows), wantStations)
			return
		}
		if len(rows) == 1 && rows[0].Coverage != wantCoverage {
			t.Errorf("%d values: coverage %d, want %d", values, rows[0].Coverage, wantCoverage)
		}
		live := a.Live(hour10.Add(time.Hour-time.Second), 1000, pm)
		if len(live) != 1 || live[0].Readings != values {
			t.Errorf("%d values: live is %+v, want a row of %d readings", values, live, values)
		}
	}
	f(8, 0, 0)
	f(9, 1, 750)
	f(12, 1, 1000)
}

func TestLiveIsTheLastSixtyMinutes(t *testing.T) {
	cell := cellAt(t, 6.9583, 50.9413)
	a := &Aggregate{}
	at := hour10.Add(30 * time.Minute)
	for _, s := range []struct {
		before time.Duration
		milli  int64
	}{{time.Hour, 1_000_000}, {time.Hour - time.Second, 10_000}, {0, 20_000}, {-time.Second, 1_000_000}} {
		when := at.Add(-s.before)
		a.Add(Sample{"A", cell, pm, when, when, s.milli})
	}
	got := a.Live(at, 1000, pm)
	if len(got) != 1 || got[0].Mean != 15_000 || got[0].Readings != 2 || got[0].Coverage != 334 || !got[0].Start.Equal(at.Add(-time.Hour)) {
		t.Errorf("Live = %+v, want a mean of 15.000 from 2 readings that cover a second and 20 minutes, from %v", got, at.Add(-time.Hour))
	}
}

func TestRevisionCountsWhatCameLate(t *testing.T) {
	cell := cellAt(t, 6.9583, 50.9413)
	a := &Aggregate{}
	addAll(a, full("A", cell, hour10, 1000)[:10])
	published := hour10.Add(time.Hour + GracePeriod)
	if got := a.Changed(published.Add(-time.Second)); got != nil {
		t.Errorf("Changed before the grace is over = %v, want none", got)
	}
	if got := a.Changed(published); !slices.Equal(got, []time.Time{hour10}) {
		t.Errorf("Changed = %v, want %v", got, hour10)
	}
	if got := a.Changed(published); got != nil {
		t.Errorf("Changed again = %v, want none", got)
	}
	if got := a.Hour(hour10, 1000, pm)[0].Revision; got != 0 {
		t.Errorf("revision = %d, want 0", got)
	}
	a.Add(Sample{"A", cell, pm, hour10.Add(51 * time.Minute), published, 1000})
	if got := a.Hour(hour10, 1000, pm)[0].Revision; got != 0 {
		t.Errorf("revision after a value within the grace = %d, want 0", got)
	}
	a.Add(Sample{"A", cell, pm, hour10.Add(52 * time.Minute), published.Add(time.Second), 1000})
	if got := a.Hour(hour10, 1000, pm)[0].Revision; got != 1 {
		t.Errorf("revision after a late value = %d, want 1", got)
	}
	if got := a.Changed(published); !slices.Equal(got, []time.Time{hour10}) {
		t.Errorf("Changed after a late value = %v, want %v", got, hour10)
	}
}

func TestAddRejects(t *testing.T) {
	cell := cellAt(t, 6.9583, 50.9413)
	a := &Aggregate{}
	s := Sample{"A", cell, pm, hour10, hour10, 1000}
	if !a.Add(s) {
		t.Error("the first was turned away")
	}
	s.Milli = 2000
	if a.Add(s) {
		t.Error("a second value of the same second was taken")
	}
	s.Time = hour10.Add(-Retention - time.Second)
	if a.Add(s) {
		t.Error("a value older than Keep was taken")
	}
	s.Time, s.Milli = hour10.Add(time.Second), 1<<31
	if a.Add(s) {
		t.Error("a value beyond 32 bits was taken")
	}
	s.Time, s.Milli = time.Unix(3600<<31, 0), 1000
	if s.Received = s.Time; a.Add(s) {
		t.Error("an hour beyond 32 bits was taken")
	}
	if got, want := a.Stats(), (Stats{Series: 1, Values: 1, Duplicates: 1, Old: 1, Overflow: 2}); got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
}

func TestPrune(t *testing.T) {
	cell := cellAt(t, 6.9583, 50.9413)
	a := &Aggregate{}
	addAll(a, full("A", cell, hour10, 1000))
	last := hour10.Add(time.Hour - time.Second + Retention)
	a.Prune(last)
	if got := a.Stats().Values; got != 12 {
		t.Errorf("%d values at the end of Keep, want 12", got)
	}
	a.Prune(last.Add(time.Second))
	if got := a.Stats(); got.Values != 0 || got.Series != 1 {
		t.Errorf("after Retention: %+v, want no values, and the interval", got)
	}
	if s := full("A", cell, hour10, 2000)[3]; a.Add(s) || a.Stats().Old != 1 {
		t.Errorf("a value of a pruned hour was taken: %+v", a.Stats())
	}
	a.Prune(last.Add(LookBack))
	if got := a.Stats(); got.Series != 1 {
		t.Errorf("at the end of LookBack: %+v, want the interval", got)
	}
	a.Prune(last.Add(LookBack + time.Second))
	if got := a.Stats(); got.Values != 0 || got.Series != 0 {
		t.Errorf("after LookBack: %+v, want nothing", got)
	}
}

// TestOrderDoesNotMatter adds the same values in random orders, with duplicates and queries in between, and compares
// every result with a second computation in exact fractions.
func TestOrderDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var samples []Sample
	for station := range 30 {
		cell := cellAt(t, 6.9+rng.Float64()*0.05, 50.9+rng.Float64()*0.05)
		step := 60 + rng.IntN(1100) // s
		for second := rng.IntN(step); second < 3600; second += step - 5 + rng.IntN(10) {
			if rng.IntN(10) == 0 {
				continue
			}
			at := hour10.Add(time.Duration(second) * time.Second)
			received := at.Add(time.Duration(rng.IntN(100)) * time.Minute)
			samples = append(samples, Sample{fmt.Sprint(station), cell, pm, at, received, rng.Int64N(200_000) - 20_000})
		}
	}
	for _, size := range []int32{100, 1000, 5000} {
		want := naiveHour(samples, size)
		for range 20 {
			a := &Aggregate{}
			for _, i := range rng.Perm(len(samples)) {
				a.Add(samples[i])
				if rng.IntN(10) == 0 {
					a.Add(samples[rng.IntN(len(samples)/2)])
				}
				if rng.IntN(300) == 0 {
					a.Hour(hour10, size, pm)
					a.Changed(hour10.Add(10 * time.Hour))
				}
			}
			addAll(a, samples)
			if got := a.Hour(hour10, size, pm); !reflect.DeepEqual(got, want) {
				t.Fatalf("size %d: got %+v\nwant %+v", size, got, want)
			}
		}
	}
}

// naiveHour computes rows from a plain list with rational numbers.
func naiveHour(samples []Sample, size int32) []Row {
	byStation := map[string][]Sample{}
	for _, s := range samples {
		byStation[s.Station] = append(byStation[s.Station], s)
	}
	type part struct {
		mean, covered int64
		count, late   int
	}
	parts := map[geo.Cell][]part{}
	for _, list := range byStation {
		sum, late := int64(0), 0
		var times []int64
		for _, s := range list {
			sum += s.Milli
			times = append(times, s.Time.Unix())
			if s.Received.After(hour10.Add(time.Hour + 5*time.Minute)) {
				late++
			}
		}
		covered := naiveCovered(times, hour10.Unix())
		if 100*covered < 75*3600 {
			continue
		}
		cell := list[0].Cell
		parent := geo.Cell{Size: size, North: cell.North / size * size, East: cell.East / size * size}
		parts[parent] = append(parts[parent], part{rounded(sum, len(list)), covered, len(list), late})
	}
	var rows []Row
	for cell, list := range parts {
		slices.SortFunc(list, func(a, b part) int { return int(a.mean - b.mean) })
		row := Row{Cell: cell, Start: hour10, Window: Hour, Quantity: pm, Min: list[0].mean, Max: list[len(list)-1].mean, Stations: len(list)}
		sum, covered := int64(0), int64(0)
		for _, p := range list {
			sum += p.mean
			covered += p.covered
			row.Readings += p.count
			row.Revision += p.late
		}
		row.Mean = rounded(sum, len(list))
		row.Raw = row.Mean
		squares := new(big.Float)
		for _, p := range list {
			d := big.NewFloat(float64(p.mean - row.Mean))
			squares.Add(squares, d.Mul(d, d))
		}
		if len(list) > 1 {
			deviation := new(big.Float).Sqrt(squares.Quo(squares, big.NewFloat(float64(len(list)-1))))
			row.Spread, _ = deviation.Add(deviation, big.NewFloat(0.5)).Int64()
		}
		row.Median = rounded(list[(len(list)-1)/2].mean+list[len(list)/2].mean, 2)
		row.Coverage = rounded(covered*1000, 3600*len(list))
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b Row) int { return a.Cell.Compare(b.Cell) })
	return rows
}

// rounded returns sum/n as big.Rat rounds it: to the nearest, halves away from zero.
func rounded(sum int64, n int) int64 {
	var whole int64
	fmt.Sscan(big.NewRat(sum, int64(n)).FloatString(0), &whole)
	return whole
}

func TestArea(t *testing.T) {
	if _, _, ok := Area(nil); ok {
		t.Error("an area without cells has a value")
	}
	// √((3² + 2²) / 1) = 3.6 around the rounded mean.
	if got, spread, ok := Area([]Row{{Mean: 15}, {Mean: 10}}); !ok || got != 13 || spread != 4 {
		t.Errorf("Area = %d ± %d, %v, want 13 (12.5 away from zero) ± 4", got, spread, ok)
	}
}

// BenchmarkAdd adds the values of 1,000 stations' readings, one of each station after the other.
func BenchmarkAdd(b *testing.B) {
	cell := cellAt(b, 6.9583, 50.9413)
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("STN%04d", i)
	}
	for _, values := range []int{1, 5} {
		b.Run(fmt.Sprintf("readings of %d", values), func(b *testing.B) {
			a := &Aggregate{}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				reading := i / values
				at := hour10.Add(time.Duration(reading/len(names)*2) * time.Second)
				a.Add(Sample{names[reading%len(names)], cell, quantity.Quantity(i%values + 1), at, at, 12_300})
				i++
			}
		})
	}
}

// BenchmarkMemory measures the memory of 500 stations that send five values every 145 s, when all hours that are kept
// are full.
func BenchmarkMemory(b *testing.B) {
	const stations = 500
	for b.Loop() {
		rng := rand.New(rand.NewPCG(11, 12))
		a, before := &Aggregate{}, heap()
		for second := 0; second < int(Retention/time.Second); second += 145 {
			for station := range stations {
				at := hour10.Add(time.Duration(second+station%145+rng.IntN(2)) * time.Second)
				for i, milli := range measured(rng, second) {
					a.Add(Sample{fmt.Sprint(station), geo.Cell{Size: 100, North: 3_096_000, East: 4_107_000}, quantity.Quantity(i + 1), at, at, milli})
				}
			}
		}
		b.ReportMetric(float64(heap()-before)/1024/stations, "KiB/station")
		runtime.KeepAlive(a)
	}
}

// measured returns what an SDS011 and a BME280 could send, with their resolution and noise: PM2.5, PM10, temperature,
// relative humidity, pressure, with a daily course.
func measured(rng *rand.Rand, second int) (milli [5]int64) {
	day := math.Sin(2 * math.Pi * float64(second) / 86_400)
	for i, s := range [5]struct{ middle, swing, noise, per float64 }{{9, 4, 0.6, 10}, {16, 6, 0.9, 10}, {12, 5, 0.15, 100}, {70, 15, 0.8, 100}, {1008, 5, 0.1, 100}} {
		value := s.middle + s.swing*day + s.noise*rng.NormFloat64()
		milli[i] = int64(math.Round(value*s.per) * 1000 / s.per)
	}
	return milli
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// crowd returns an hour of 10,000 stations in some 400 cells of 1 km: 24 values each of every quantity.
func crowd(b *testing.B, quantities ...quantity.Quantity) *Aggregate {
	rng := rand.New(rand.NewPCG(7, 8))
	a := &Aggregate{Correction: Correction{Correct: halve}}
	for station := range 10_000 {
		cell := cellAt(b, 6.85+rng.Float64()*0.25, 50.85+rng.Float64()*0.2)
		for i := range 24 {
			at := hour10.Add(time.Duration(i*145) * time.Second)
			for _, q := range quantities {
				a.Add(Sample{fmt.Sprint(station), cell, q, at, at, rng.Int64N(50_000)})
			}
		}
	}
	return a
}

func BenchmarkLive(b *testing.B) {
	for name, quantities := range map[string][]quantity.Quantity{"one quantity": {celsius}, "corrected": {pm, rh}, "five quantities": {pm, quantity.PM4, rh, celsius, quantity.Pressure}} {
		b.Run(name, func(b *testing.B) {
			a := crowd(b, quantities...)
			asked := quantities[0]
			if len(quantities) > 2 {
				asked = 0
			}
			b.ReportAllocs()
			for b.Loop() {
				a.Live(hour10.Add(time.Hour), 1000, asked)
			}
		})
	}
}

func BenchmarkHour(b *testing.B) {
	a := crowd(b, pm, rh)
	b.ReportAllocs()
	for b.Loop() {
		a.Hour(hour10, 1000, pm)
	}
}

// BenchmarkPast packs an hour, as happens when the next one begins.
func BenchmarkPast(b *testing.B) {
	a := crowd(b, pm, rh)
	next := hour10.Add(time.Hour)
	for _, st := range slices.Clone(a.list) {
		for _, s := range slices.Clone(st.series) {
			a.Add(Sample{st.name, s.cell, s.quantity, next, next, 0})
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		a.Hour(hour10, 1000, pm)
	}
}

// TestLiveKeepsNothingStale asks an aggregate again and again while values, late and early ones, and exclusions come, and compares
// its live averages with those of one that was never asked before.
func TestLiveKeepsNothingStale(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	type step func(*Aggregate)
	var done []step
	a, now := &Aggregate{}, hour10
	do := func(s step) {
		s(a)
		done = append(done, s)
	}
	cells := []geo.Cell{cellAt(t, 6.9583, 50.9413), cellAt(t, 7.0583, 50.9913)}
	for round := range 1000 {
		now = now.Add(time.Duration(rng.IntN(30)) * time.Second)
		for range rng.IntN(3) {
			station, q := rng.IntN(5), []quantity.Quantity{pm, rh, celsius}[rng.IntN(3)]
			at := now.Add(-time.Duration(rng.IntN(5)) * time.Second)
			if rng.IntN(10) == 0 {
				at = now.Add(time.Duration(rng.IntN(8000)-7000) * time.Second)
			}
			sample := Sample{fmt.Sprint(station), cells[station%2], q, at, now, int64(rng.IntN(50_000))}
			do(func(a *Aggregate) { a.Add(sample) })
		}
		if rng.IntN(50) == 0 {
			start, e, out := now.Add(-time.Duration(rng.IntN(2))*time.Hour).Truncate(time.Hour), Excluded{Station: fmt.Sprint(rng.IntN(5)), Quantity: pm}, rng.IntN(2) == 0
			do(func(a *Aggregate) { a.Exclude(start, e, out) })
		}
		if rng.IntN(200) == 0 {
			at := now
			do(func(a *Aggregate) { a.Prune(at) })
		}
		asked := now
		if rng.IntN(20) == 0 {
			asked = now.Add(-time.Duration(rng.IntN(4000)) * time.Second)
		}
		got := a.Live(asked, 1000, 0)
		if round%10 > 0 {
			continue
		}
		other := &Aggregate{}
		for _, s := range done {
			s(other)
		}
		if want := other.Live(asked, 1000, 0); !slices.Equal(got, want) {
			t.Fatalf("round %d, %v: got %+v, want %+v", round, asked, got, want)
		}
	}
}
