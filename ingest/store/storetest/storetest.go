// Package storetest has the test suite that every store must pass, and a store in memory for tests of packages that
// read from one. The suite computes what it expects itself from what it wrote, in a map.
package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// Run tests the stores that open returns, each empty, against the contract.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"round trip", roundTrip},
		{"idempotent writes", idempotence},
		{"quantities of one second are merged", merging},
		{"values are replaced", replacing},
		{"periods are half open", periods},
		{"filters", filters},
		{"some stations of many", someStations},
		{"ties are ordered by station", ties},
		{"quoting", strangeNames},
		{"large answers stream", streaming},
		{"error of yield", yieldEnds},
		{"cancelled", cancelled},
		{"concurrency", concurrency},
		{"the position in the journal", advancing},
		{"an installation's alone", owning},
		{"flags are revised", revising},
		{"readings are forgotten", forgetting},
		{"readings are deleted", deleting},
		{"grid rows", gridRows},
		{"grid rows are replaced", gridRowsReplaced},
		{"grid order and filters", gridOrder},
		{"empty", empty},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			defer s.Close()
			c.test(t, s)
		})
	}
	t.Run("closed", func(t *testing.T) {
		s := open(t)
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("Ping of an open store: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.WriteReadings(t.Context(), []ingest.Reading{reading("A", 0, quantity.PM10, 1)}); err == nil {
			t.Error("a closed store took a reading")
		}
	})
}

func reading(station string, second int, q quantity.Quantity, value float64) ingest.Reading {
	at := noon.Add(time.Duration(second) * time.Second)
	return ingest.Reading{
		Station: station, Time: at, Received: at.Add(1500 * time.Millisecond), Values: []ingest.Value{{Quantity: q, Value: value}},
	}
}

func write(t *testing.T, s store.Store, readings ...ingest.Reading) {
	t.Helper()
	refused, err := s.WriteReadings(t.Context(), readings)
	if err != nil || len(refused) > 0 {
		t.Fatalf("WriteReadings: refused %+v, error %v", refused, err)
	}
}

func all() store.ReadingQuery {
	return store.ReadingQuery{From: noon.Add(-24 * time.Hour), To: noon.Add(24 * time.Hour)}
}

func read(t *testing.T, s store.Store, q store.ReadingQuery) []ingest.Reading {
	t.Helper()
	var list []ingest.Reading
	if err := s.Readings(t.Context(), q, func(r ingest.Reading) error {
		list = append(list, r)
		return nil
	}); err != nil {
		t.Fatalf("Readings: %v", err)
	}
	return list
}

func same(t *testing.T, got, want []ingest.Reading) {
	t.Helper()
	slices.SortFunc(want, func(a, b ingest.Reading) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Station, b.Station))
	})
	for i := range want {
		slices.SortFunc(want[i].Values, func(a, b ingest.Value) int { return cmp.Compare(a.Quantity, b.Quantity) })
	}
	if len(got) != len(want) {
		t.Fatalf("%d readings, want %d:\n%+v\nwant\n%+v", len(got), len(want), head(got), head(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("reading %d is %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

func head(list []ingest.Reading) []ingest.Reading { return list[:min(len(list), 5)] }

func roundTrip(t *testing.T, s store.Store) {
	var want []ingest.Reading
	for i, value := range []float64{0, 0.1, -0.1, 12.3, 999.9, -127, 101325.123456789, 1e-300, 1e300, math.MaxFloat64, math.SmallestNonzeroFloat64, 1.0 / 3} {
		r := reading("A", i, quantity.PM10, value)
		r.TimeSource = ingest.TimeSource(i % 4)
		r.Values[0].Flags = ingest.Flags(i % 8)
		r.Values = append(r.Values, ingest.Value{Quantity: quantity.Temperature, Value: -value})
		want = append(want, r)
	}
	everything := reading("B", 0, quantity.PM1, 1)
	everything.Values = nil
	for i, q := range quantity.All() {
		everything.Values = append(everything.Values, ingest.Value{Quantity: q, Value: float64(i) + 0.5})
	}
	want = append(want, everything)
	write(t, s, want...)
	same(t, read(t, s, all()), want)
}

func idempotence(t *testing.T, s store.Store) {
	rng := rand.New(rand.NewPCG(1, 1))
	var want []ingest.Reading
	for i := range 300 {
		want = append(want, reading(fmt.Sprint("S", i%7), i, quantity.PM2_5, float64(i)/10))
	}
	for range 3 {
		shuffled := slices.Clone(want)
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for chunk := range slices.Chunk(shuffled, 1+rng.IntN(100)) {
			write(t, s, chunk...)
		}
	}
	same(t, read(t, s, all()), want)
}

func merging(t *testing.T, s store.Store) {
	a, b := reading("A", 0, quantity.PM10, 20), reading("A", 0, quantity.Humidity, 60)
	a.Values[0].Flags = ingest.Range
	write(t, s, a)
	write(t, s, b)
	both := a
	both.Values = []ingest.Value{a.Values[0], b.Values[0]}
	same(t, read(t, s, all()), []ingest.Reading{both})
}

func replacing(t *testing.T, s store.Store) {
	first, second := reading("A", 0, quantity.PM10, 20), reading("A", 0, quantity.PM10, 21)
	first.Values[0].Flags = ingest.Range | ingest.Inconsistent
	write(t, s, first)
	write(t, s, second)
	same(t, read(t, s, all()), []ingest.Reading{second})
	second.Values[0].Flags = ingest.Sentinel
	write(t, s, second)
	same(t, read(t, s, all()), []ingest.Reading{second})
}

func periods(t *testing.T, s store.Store) {
	list := []ingest.Reading{reading("A", 0, quantity.PM10, 1), reading("A", 1, quantity.PM10, 2), reading("A", 2, quantity.PM10, 3)}
	write(t, s, list...)
	f := func(from, to time.Duration, want ...ingest.Reading) {
		t.Helper()
		same(t, read(t, s, store.ReadingQuery{From: noon.Add(from), To: noon.Add(to)}), want)
	}
	f(0, 2*time.Second, list[0], list[1])
	f(time.Second, 3*time.Second, list[1], list[2])
	f(time.Millisecond, 2*time.Second+time.Millisecond, list[1], list[2])
	f(time.Second, time.Second)
	f(time.Hour, 2*time.Hour)
}

func filters(t *testing.T, s store.Store) {
	a, b, c := reading("A", 0, quantity.PM10, 1), reading("B", 1, quantity.PM10, 2), reading("C", 2, quantity.Humidity, 3)
	b.Values = append(b.Values, ingest.Value{Quantity: quantity.Humidity, Value: 50})
	write(t, s, a, b, c)
	f := func(stations []string, quantities []quantity.Quantity, want ...ingest.Reading) {
		t.Helper()
		q := all()
		q.Stations, q.Quantities = stations, quantities
		same(t, read(t, s, q), want)
	}
	f([]string{"A", "C"}, nil, a, c)
	f([]string{"D"}, nil)
	f(nil, []quantity.Quantity{quantity.PM10, quantity.Humidity}, a, b, c)
	onlyPM := b
	onlyPM.Values = b.Values[:1]
	f(nil, []quantity.Quantity{quantity.PM10}, a, onlyPM)
	f([]string{"A"}, []quantity.Quantity{quantity.Humidity})
	f(nil, []quantity.Quantity{quantity.NO2})
}

// someStations has pages of one second and years without a reading.
func someStations(t *testing.T, s store.Store) {
	const year = 366 * 86400
	var written, want []ingest.Reading
	for i := range 6000 {
		written = append(written, reading(fmt.Sprintf("S%04d", i%1500), i/1500, quantity.PM10, float64(i)))
	}
	written = append(written, reading("S0007", -3*year, quantity.PM10, 1), reading("S0008", 2*year, quantity.Humidity, 2), reading("S1499", 2*year+1, quantity.PM10, 3))
	q := store.ReadingQuery{From: noon.Add(-5 * year * time.Second), To: noon.Add(3 * year * time.Second)}
	for i := range 1400 {
		q.Stations = append(q.Stations, fmt.Sprintf("S%04d", i))
	}
	for _, r := range written {
		if r.Station < "S1400" {
			want = append(want, r)
		}
	}
	write(t, s, written...)
	same(t, read(t, s, q), want)
}

func ties(t *testing.T, s store.Store) {
	var want []ingest.Reading
	for i := range 3000 {
		want = append(want, reading(fmt.Sprintf("S%04d", (i*7)%1000), i/1000, quantity.PM10, float64(i)))
	}
	write(t, s, want...)
	same(t, read(t, s, all()), want)
}

func strangeNames(t *testing.T, s store.Store) {
	names := []string{`A' OR '1'='1`, `A"; DROP MEASUREMENT reading; --`, "A,B=C D", "ü"}
	var want []ingest.Reading
	for i, name := range names {
		want = append(want, reading(name, i, quantity.PM10, float64(i)))
	}
	write(t, s, want...)
	same(t, read(t, s, all()), slices.Clone(want))
	for i, name := range names {
		q := all()
		q.Stations = []string{name}
		same(t, read(t, s, q), want[i:i+1])
	}
}

func streaming(t *testing.T, s store.Store) {
	const total = 50_000
	for start := 0; start < total; start += 5000 {
		var batch []ingest.Reading
		for i := start; i < start+5000; i++ {
			batch = append(batch, reading(fmt.Sprint("S", i%50), i, quantity.PM10, float64(i)))
		}
		write(t, s, batch...)
	}
	n, last := 0, time.Time{}
	if err := s.Readings(t.Context(), all(), func(r ingest.Reading) error {
		if r.Time.Before(last) || r.Values[0].Value != float64(n) {
			return fmt.Errorf("reading %d is %+v after %v", n, r, last)
		}
		n, last = n+1, r.Time
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n != total {
		t.Errorf("%d readings, want %d", n, total)
	}
}

func yieldEnds(t *testing.T, s store.Store) {
	write(t, s, reading("A", 0, quantity.PM10, 1), reading("A", 1, quantity.PM10, 2))
	enough, n := errors.New("enough"), 0
	err := s.Readings(t.Context(), all(), func(ingest.Reading) error { n++; return enough })
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("after %d readings: %v, want 1 and %v", n, err, enough)
	}
	write(t, s, reading("A", 2, quantity.PM10, 3)) // the store still works
}

func cancelled(t *testing.T, s store.Store) {
	write(t, s, reading("A", 0, quantity.PM10, 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Readings(ctx, all(), func(ingest.Reading) error { return nil }); err == nil {
		t.Error("a cancelled read has no error")
	}
	if _, err := s.WriteReadings(ctx, []ingest.Reading{reading("A", 1, quantity.PM10, 1)}); err == nil {
		t.Error("a cancelled write has no error")
	}
}

func concurrency(t *testing.T, s store.Store) {
	var want []ingest.Reading
	var wg sync.WaitGroup
	for w := range 4 {
		var mine []ingest.Reading
		for i := range 500 {
			mine = append(mine, reading(fmt.Sprint("S", w), i, quantity.PM10, float64(i)))
		}
		want = append(want, mine...)
		wg.Go(func() {
			for chunk := range slices.Chunk(mine, 50) {
				if _, err := s.WriteReadings(t.Context(), chunk); err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
		wg.Go(func() {
			for range 5 {
				if err := s.Readings(t.Context(), all(), func(ingest.Reading) error { return nil }); err != nil {
					t.Errorf("read: %v", err)
				}
			}
		})
	}
	wg.Wait()
	same(t, read(t, s, all()), want)
}

func row(start time.Time, q quantity.Quantity, size, north, east int32, mean int64) aggregate.Row {
	return aggregate.Row{
		Cell: geo.Cell{Size: size, North: north, East: east}, Start: start, Window: aggregate.Hour, Quantity: q,
		Mean: mean, Median: mean + 1, Min: mean - 2, Max: mean + 3, Stations: 4, Readings: 97, Coverage: 917, Revision: 5, Raw: mean - 7, Uncorrected: 1, Spread: 1234,
	}
}

func readGrid(t *testing.T, s store.Store, q store.GridQuery) []aggregate.Row {
	t.Helper()
	var list []aggregate.Row
	if err := s.Grid(t.Context(), q, func(r aggregate.Row) error {
		list = append(list, r)
		return nil
	}); err != nil {
		t.Fatalf("Grid: %v", err)
	}
	return list
}

func allHours() store.GridQuery {
	return store.GridQuery{From: noon.Add(-24 * time.Hour), To: noon.Add(24 * time.Hour), Window: aggregate.Hour}
}

func revising(t *testing.T, s store.Store) {
	reading := func(station string, minute int, flags ingest.Flags) ingest.Reading {
		at := noon.Add(time.Duration(minute) * time.Minute)
		return ingest.Reading{Station: station, Time: at, Received: at, Values: []ingest.Value{
			{Quantity: quantity.PM2_5, Value: 1, Flags: flags}, {Quantity: quantity.PM10, Value: 2},
		}}
	}
	readings := []ingest.Reading{reading("A", -1, 0), reading("A", 0, ingest.Range), reading("A", 59, 0), reading("A", 60, 0), reading("B", 5, 0)}
	if _, err := s.WriteReadings(t.Context(), readings); err != nil {
		t.Fatal(err)
	}
	var humid []ingest.Span
	f := func(flags ingest.Flags, want ...ingest.Flags) {
		t.Helper()
		hourFlags := []ingest.HourFlags{{Station: "A", Hour: noon, Quantity: quantity.PM2_5, Flags: flags, Humid: humid}, {Station: "C", Hour: noon, Quantity: quantity.PM10, Flags: ingest.Spike}}
		for range 2 { // the second time changes nothing
			if refused, err := store.Revise(t.Context(), s, hourFlags); err != nil || len(refused) > 0 {
				t.Fatalf("Revise: %v, %v", refused, err)
			}
			var got []ingest.Flags
			err := s.Readings(t.Context(), store.ReadingQuery{From: noon.Add(-time.Hour), To: noon.Add(2 * time.Hour)}, func(r ingest.Reading) error {
				for _, v := range r.Values {
					if v.Quantity == quantity.PM2_5 {
						got = append(got, v.Flags)
					} else if v.Flags != 0 {
						t.Errorf("%s at %v: another quantity has the flags %d", r.Station, r.Time, v.Flags)
					}
				}
				return nil
			})
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("flags %v, %v, want %v", got, err, want)
			}
		}
	}
	f(ingest.Spike, 0, ingest.Range, 0, ingest.Spike, 0) // A 11:59, A 12:00, B 12:05, A 12:59, A 13:00
	f(ingest.Outlier, 0, ingest.Range, 0, ingest.Outlier, 0)
	checked := ingest.Stuck.With(ingest.StuckCheck, ingest.Checked).With(ingest.UncorrelatedCheck, ingest.NoHistory)
	f(checked, 0, ingest.Range, 0, checked, 0)
	f(0, 0, ingest.Range, 0, 0, 0)
	humid = []ingest.Span{{From: 0, To: 10}, {From: 3500, To: 3540}}
	f(ingest.Spike, 0, ingest.Range, 0, ingest.Spike|ingest.Humid, 0)
	humid = []ingest.Span{{From: 1, To: 3539}}
	f(0, 0, ingest.Range, 0, 0, 0)
}

// forgetting deletes a period with its start and without its end, and keeps averages.
func forgetting(t *testing.T, s store.Store) {
	var list []ingest.Reading
	for second := range 10 {
		list = append(list, reading("A", second, quantity.PM10, 1), reading("B", second, quantity.PM10, 2))
	}
	write(t, s, list...)
	grid := []aggregate.Row{row(noon, quantity.PM10, 1000, 3_096_000, 4_107_000, 1000)}
	if err := s.WriteGrid(t.Context(), grid); err != nil {
		t.Fatal(err)
	}
	kept := slices.Concat(list[:6], list[14:])
	for range 2 { // the second time changes nothing
		if err := s.Forget(t.Context(), noon.Add(3*time.Second), noon.Add(7*time.Second)); err != nil {
			t.Fatal(err)
		}
		same(t, read(t, s, all()), kept)
	}
	if err := s.Forget(t.Context(), noon.Add(2500*time.Millisecond), noon.Add(2500*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	same(t, read(t, s, all()), kept)
	write(t, s, list[8]) // forgotten readings can be written again
	same(t, read(t, s, all()), slices.Concat(kept, list[8:9]))
	if got := readGrid(t, s, allHours()); !reflect.DeepEqual(got, grid) {
		t.Errorf("the grid is %+v, want %+v", got, grid)
	}
}

func deleting(t *testing.T, s store.Store) {
	other := reading("B", 0, quantity.PM10, 3)
	write(t, s, reading("A", 0, quantity.PM10, 1), other, reading("A", 86400*400, quantity.PM2_5, 2), reading(`A' OR '1'='1`, 5, quantity.PM10, 4))
	rows := []aggregate.Row{row(noon, quantity.PM10, 1000, 3096000, 4107000, 5000)}
	if err := s.WriteGrid(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	for range 2 { // deleting again is not an error
		for _, station := range []string{"A", `A' OR '1'='1`, "nobody"} {
			if err := s.DeleteReadings(t.Context(), station); err != nil {
				t.Fatal(err)
			}
		}
		same(t, read(t, s, store.ReadingQuery{From: noon.Add(-time.Hour), To: noon.AddDate(2, 0, 0)}), []ingest.Reading{other})
	}
	if got := readGrid(t, s, allHours()); len(got) != 1 {
		t.Errorf("%d grid rows after readings were deleted, want 1", len(got))
	}
	write(t, s, reading("A", 7, quantity.PM10, 1))
	same(t, read(t, s, store.ReadingQuery{From: noon, To: noon.Add(time.Hour)}), []ingest.Reading{other, reading("A", 7, quantity.PM10, 1)})
}

func gridRows(t *testing.T, s store.Store) {
	var want []aggregate.Row
	for i, mean := range []int64{0, 1, -1, 12_345, 999_999, 1_013_250, -40_001, 333} {
		want = append(want, row(noon, quantity.PM10, 1000, 3_096_000, 4_107_000+int32(i)*1000, mean))
	}
	for range 2 {
		if err := s.WriteGrid(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	}
	if got := readGrid(t, s, allHours()); !reflect.DeepEqual(got, want) {
		t.Fatalf("grid is\n%+v\nwant\n%+v", got, want)
	}
	want[3].Mean, want[3].Revision = 12_346, 6
	if err := s.WriteGrid(t.Context(), want[3:4]); err != nil {
		t.Fatal(err)
	}
	if got := readGrid(t, s, allHours()); !reflect.DeepEqual(got, want) {
		t.Errorf("corrected grid is\n%+v\nwant\n%+v", got, want)
	}
}

// gridRowsReplaced replaces an hour with other cells: its old cells are deleted.
func gridRowsReplaced(t *testing.T, s store.Store) {
	kept, gone, elsewhere := row(noon, quantity.PM10, 1000, 3_096_000, 4_107_000, 1000), row(noon, quantity.PM10, 1000, 3_097_000, 4_107_000, 2000), row(noon.Add(time.Hour), quantity.PM10, 1000, 3_097_000, 4_107_000, 3000)
	if err := s.WriteGrid(t.Context(), []aggregate.Row{kept, gone, elsewhere}); err != nil {
		t.Fatal(err)
	}
	kept.Mean = 1500
	for range 2 {
		if err := store.ReplaceGrid(t.Context(), s, noon, aggregate.Hour, 1000, []aggregate.Row{kept}, nil); err != nil {
			t.Fatal(err)
		}
		if got := readGrid(t, s, allHours()); !reflect.DeepEqual(got, []aggregate.Row{kept, elsewhere}) {
			t.Errorf("rows %+v, want %+v", got, []aggregate.Row{kept, elsewhere})
		}
	}
	if err := s.WriteGrid(t.Context(), []aggregate.Row{gone}); err != nil {
		t.Fatal(err)
	}
	if got := readGrid(t, s, allHours()); !reflect.DeepEqual(got, []aggregate.Row{kept, gone, elsewhere}) {
		t.Errorf("a row that comes back: %+v", got)
	}
}

func gridOrder(t *testing.T, s store.Store) {
	var want []aggregate.Row
	for _, start := range []time.Time{noon, noon.Add(time.Hour), noon.Add(2 * time.Hour)} {
		for _, q := range []quantity.Quantity{quantity.PM2_5, quantity.PM10, quantity.Temperature} {
			for _, size := range []int32{500, 1000} {
				for _, north := range []int32{990_000, 3_096_000} {
					want = append(want, row(start, q, size, north, 4_107_000, 7), row(start, q, size, north, 4_108_000, 8))
				}
			}
		}
	}
	shuffled := slices.Clone(want)
	rand.New(rand.NewPCG(2, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if err := s.WriteGrid(t.Context(), shuffled); err != nil {
		t.Fatal(err)
	}
	if got := readGrid(t, s, allHours()); !reflect.DeepEqual(got, want) {
		t.Errorf("grid is\n%+v\nwant\n%+v", got, want)
	}
	f := func(q store.GridQuery, keep func(aggregate.Row) bool) {
		t.Helper()
		var some []aggregate.Row
		for _, r := range want {
			if keep(r) {
				some = append(some, r)
			}
		}
		if got := readGrid(t, s, q); !reflect.DeepEqual(got, some) {
			t.Errorf("%+v: %d rows, want %d", q, len(got), len(some))
		}
	}
	q := allHours()
	q.From, q.To = noon.Add(time.Hour), noon.Add(2*time.Hour)
	f(q, func(r aggregate.Row) bool { return r.Start.Equal(noon.Add(time.Hour)) })
	q = allHours()
	q.Size = 500
	f(q, func(r aggregate.Row) bool { return r.Cell.Size == 500 })
	q = allHours()
	q.Quantities = []quantity.Quantity{quantity.PM10, quantity.Temperature}
	f(q, func(r aggregate.Row) bool { return r.Quantity != quantity.PM2_5 })
	q = allHours()
	q.Window = aggregate.Live
	f(q, func(aggregate.Row) bool { return false })
}

func empty(t *testing.T, s store.Store) {
	same(t, read(t, s, all()), nil)
	if rows := readGrid(t, s, allHours()); len(rows) != 0 {
		t.Errorf("an empty store has grid rows: %+v", rows)
	}
	write(t, s)
	if err := s.WriteGrid(t.Context(), nil); err != nil {
		t.Errorf("WriteGrid of nothing: %v", err)
	}
}
