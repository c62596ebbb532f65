package quality

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
)

// hoursOf are the hours of a town, by number.
func hoursOf(seed uint64, count int) [][]StationHour {
	t, checker := newTown(seed), New(DefaultRules())
	result := played{map[int]*kindStats{}, map[int]int{}, 0, 0}
	for kind := clean; kind < len(faults); kind++ {
		result.kinds[kind] = &kindStats{}
	}
	list := make([][]StationHour, count)
	for n := range list {
		t.next()
		_, list[n] = t.hour(checker, n, &result)
	}
	return list
}

func startOf(n int) time.Time { return firstHour.Add(time.Duration(n) * time.Hour) }

// TestHourCheckerIsAFunctionOfItsHours checks the same hours with stations in another order, with a part of an hour first and the
// whole of it up to two days later, and through a file in the middle. Whatever came late, in the end all is checked again, as after
// a restart: the same flags.
func TestHourCheckerIsAFunctionOfItsHours(t *testing.T) {
	list, rng := hoursOf(9, 16*dayHours), rand.New(rand.NewPCG(1, 1))
	one, other := NewHourChecker(DefaultRules()), NewHourChecker(DefaultRules())
	found := map[ingest.Flags]int{}
	var late []int
	for n, hours := range list {
		one.Hour(startOf(n), hours)
		shuffled := slices.Clone(hours)
		rng.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
		if rng.IntN(5) == 0 {
			other.Hour(startOf(n), shuffled[:len(shuffled)/2])
			late = append(late, n)
		} else {
			other.Hour(startOf(n), shuffled)
		}
		if len(late) > 8 || len(late) > 0 && n-late[0] >= 47 {
			i := rng.IntN(len(late))
			other.Hour(startOf(late[i]), list[late[i]])
			other.Hour(startOf(late[0]), list[late[0]])
			late = nil
		}
		if n%100 == 50 {
			other = reloaded(t, other)
		}
	}
	for n := len(list) - 47; n < len(list); n++ {
		other.Hour(startOf(n), list[n])
	}
	for n := len(list) - 47; n < len(list); n++ {
		want, got := one.Hour(startOf(n), list[n]), other.Hour(startOf(n), list[n])
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("hour %d: %v, want %v", n, got, want)
		}
		for _, v := range want {
			found[v.Flags]++
		}
	}
	if found[ingest.Outlier] == 0 || found[ingest.SeemsIndoor] == 0 {
		t.Errorf("found only %v", found)
	}
}

func reloaded(t *testing.T, c *HourChecker) *HourChecker {
	t.Helper()
	var file bytes.Buffer
	if err := c.Save(&file); err != nil {
		t.Fatal(err)
	}
	loaded := NewHourChecker(c.rules)
	if err := loaded.Load(&file); err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestLoadRefuses(t *testing.T) {
	c := NewHourChecker(DefaultRules())
	list := hoursOf(1, 1)[0]
	c.Hour(firstHour, list)
	var file bytes.Buffer
	if err := c.Save(&file); err != nil {
		t.Fatal(err)
	}
	good, stations := file.Bytes(), len(c.stations)
	for what, bad := range map[string][]byte{
		"nothing": nil, "another file": []byte("stadtluft-judge-0\n12345678"), "a cut one": good[:len(good)-9],
		"a wrong byte": append(append([]byte{}, good[:40]...), append([]byte{good[40] ^ 1}, good[41:]...)...),
	} {
		if err := c.Load(bytes.NewReader(bad)); err == nil || len(c.stations) != 0 {
			t.Errorf("%s: %v, %d stations remembered", what, err, len(c.stations))
		}
	}
	if err := c.Load(bytes.NewReader(good)); err != nil || len(c.stations) != stations {
		t.Errorf("a good one: %v, %d stations, want %d", err, len(c.stations), stations)
	}
}

func TestRing(t *testing.T) {
	const length = 100
	r := newRing[tenths](length)
	f := func(hour int64, want float64, wantOK bool) {
		t.Helper()
		got, ok := r.at(hour).number()
		if ok != wantOK || ok && float64(got)/10 != want {
			t.Errorf("at(%d) = %v tenths, %v, want %v, %v", hour, got, ok, want, wantOK)
		}
	}
	put := func(hour int64, v float64) { r.put(hour, inTenths(v)) }
	f(500_000, 0, false)
	put(500_000, 12.34)
	put(500_002, -1)
	put(500_001, 1e6)
	f(499_999, 0, false)
	f(500_000, 12.3, true)
	f(500_001, 3276.6, true)
	f(500_002, -1, true)
	f(500_003, 0, false)
	put(500_003, 0)
	f(500_003, 0, true)
	put(500_002, math.NaN())
	f(500_002, 0, false)
	put(500_000+length, 5)
	f(500_000, 0, false)
	f(500_001, 3276.6, true)
	put(500_000, 7) // too old
	f(500_000+length, 5, true)
	put(600_000, 8) // after a long silence
	f(500_000+length, 0, false)
	f(600_000, 8, true)
	f(599_999, 0, false)
	g := func(from, to int64, want ...tenths) {
		t.Helper()
		older, newer := r.between(from, to)
		if got := slices.Concat(older, newer); !slices.Equal(got, want) {
			t.Errorf("between %d and %d: %v, want %v", from, to, got, want)
		}
	}
	put(600_001, 9) // 600,000 is the first place of the ring
	put(599_999, 7)
	g(599_999, 600_001, 71, 81)
	g(599_999, 700_000, 71, 81, 91)
	g(600_001, 600_002, 91)
	g(600_002, 600_009)
	g(0, 600_001-length)
	if older, newer := r.between(0, 600_002); len(older)+len(newer) != length {
		t.Errorf("%d and %d entries in all", len(older), len(newer))
	}
}

// cellAt returns the base cell of a place in metres, EPSG:3035.
func cellAt(east, north float64) geo.Cell {
	return geo.Cell{Size: geo.BaseSize, North: int32(math.Floor(north/geo.BaseSize)) * geo.BaseSize, East: int32(math.Floor(east/geo.BaseSize)) * geo.BaseSize}
}

// TestNeighboursAreTheNearest holds the grid against looking at everyone.
func TestNeighboursAreTheNearest(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, n := range []int{1, 2, 6, 30, 400} {
		list := make([]StationHour, n)
		for i := range list {
			radius := math.Pow(10, 2+3*rng.Float64()) // crowded and lonely
			list[i] = StationHour{Station: string(rune('A' + i)), Cell: cellAt(4_100_000+radius*rng.NormFloat64(), 3_090_000+radius*rng.NormFloat64())}
			if i > 0 && i%10 == 0 {
				list[i].Cell = list[i-1].Cell
			}
		}
		a := newArea(list, 10_000)
		for i := range list {
			var want []neighbour
			for k := range list {
				dx, dy := float64(list[k].Cell.East-list[i].Cell.East), float64(list[k].Cell.North-list[i].Cell.North)
				if square := dx*dx + dy*dy; k != i && square <= 1e8 {
					want = append(want, neighbour{int32(k), square})
				}
			}
			slices.SortStableFunc(want, func(x, y neighbour) int {
				switch {
				case x.square < y.square:
					return -1
				case x.square > y.square:
					return 1
				}
				return 0
			})
			want = want[:min(len(want), mostNeighbours)]
			if got := a.around(i); !slices.Equal(got, want) {
				t.Fatalf("%d stations, around %d: %v, want %v", n, i, got, want)
			}
		}
	}
}

// TestRobustStatistics has values worked out by hand, and the correlation held against its definition.
func TestRobustStatistics(t *testing.T) {
	values := []float64{9, 1, 5, 3, 100}
	if middle := median(values); middle != 5 || deviation(values, middle) != 4 { // 4 2 0 4 95
		t.Errorf("median %v, then %v", middle, values)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median of 1 to 4 = %v", got)
	}
	if got := score(5+4*1.4826*3, 5, 4); math.Abs(got-3) > 1e-12 {
		t.Errorf("score of three deviations = %v", got)
	}
	rng, past := rand.New(rand.NewPCG(8, 8)), newHistory(quantity.PM10)
	var xs, ys []float64
	for n := range int64(60) {
		y := math.Round(200*rng.Float64()) / 10
		x := math.Round(5*y+300*rng.Float64()) / 10
		past.remember(n, x, y, 0)
		xs, ys = append(xs, x), append(ys, y)
	}
	mx, my := average(xs), average(ys)
	var xx, yy, xy float64
	for i := range xs {
		xx, yy, xy = xx+(xs[i]-mx)*(xs[i]-mx), yy+(ys[i]-my)*(ys[i]-my), xy+(xs[i]-mx)*(ys[i]-my)
	}
	if got, want := pearson([]sums{past.Days.at(0), past.Days.at(1), {}, past.Days.at(2)}), xy/math.Sqrt(xx*yy); math.Abs(got-want) > 1e-6 {
		t.Errorf("r = %v, want %v", got, want)
	}
}

func TestStuck(t *testing.T) {
	c := New(DefaultRules())
	sds := &ingest.Station{ID: "A", Sensors: []string{"sds011"}}
	start := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	flagged := func(station *ingest.Station, after time.Duration, q quantity.Quantity, v float64) bool {
		t.Helper()
		at := start.Add(after)
		keep, refused, _ := c.Check(station, ingest.Arrival{Received: at}, wire.Reading{Time: at, Values: []wire.Value{{Quantity: q, Value: v}}})
		if len(refused) > 0 || len(keep.Values) != 1 {
			t.Fatalf("refused %+v", refused)
		}
		return keep.Values[0].Flags&ingest.Stuck != 0
	}
	for minute := 0; minute <= 8*60; minute += 10 {
		after := time.Duration(minute) * time.Minute
		if got, want := flagged(sds, after, quantity.PM10, 7), minute == 8*60; got != want {
			t.Errorf("7 µg/m³ for %v: stuck %v, want %v", after, got, want)
		}
		if flagged(sds, after, quantity.PM2_5, 0.6) {
			t.Errorf("next to nothing for %v is stuck", after)
		}
		if flagged(sds, after, quantity.Temperature, 7) {
			t.Errorf("a temperature is stuck after %v", after)
		}
	}
	for minute := 0; minute <= 13*60; minute += 10 {
		after := time.Duration(minute) * time.Minute
		if got, want := flagged(sds, after, quantity.Humidity, 100), minute >= 12*60; got != want {
			t.Errorf("100 %% for %v: stuck %v, want %v", after, got, want)
		}
		if flagged(&ingest.Station{ID: "D"}, after, quantity.Humidity, 99.99) {
			t.Errorf("99.99 %% for %v is stuck", after)
		}
	}
	if flagged(sds, 9*time.Hour, quantity.PM10, 7.1) {
		t.Error("stuck although it changed")
	}
	few := &ingest.Station{ID: "B"}
	for hour := range 12 {
		if flagged(few, time.Duration(hour)*time.Hour, quantity.PM10, 9) {
			t.Errorf("stuck by %d readings", hour+1)
		}
	}
	replaced := &ingest.Station{ID: "C", Installations: []ingest.Installation{{From: start}, {From: start.Add(6 * time.Hour)}}}
	for minute := 0; minute <= 14*60; minute += 10 {
		if got, want := flagged(replaced, time.Duration(minute)*time.Minute, quantity.PM10, 7), minute == 14*60; got != want {
			t.Errorf("7 µg/m³ at minute %d, by another sensor from minute 360 on: stuck %v, want %v", minute, got, want)
		}
	}
}

// TestAPlaceThatChanges gives a station that was found to have moved its new place: it begins anew there. Hours before that, checked
// again, neither bring the old place back nor are remembered.
func TestAPlaceThatChanges(t *testing.T) {
	c := NewHourChecker(DefaultRules())
	at := func(n int, hPa, north float64) []ingest.HourFlags {
		list := []StationHour{{"M", cellAt(4_100_000, north), quantity.Pressure, hPa, hPa, 25}}
		for i := range 6 {
			list = append(list, StationHour{string(rune('A' + i)), cellAt(4_100_000+100*float64(i), 3_090_000), quantity.Pressure, 1013, 1013, 25})
		}
		return c.Hour(startOf(n), list)
	}
	const days = 12
	for n := range days * dayHours {
		if v := at(n, 1013, 3_090_500); len(v) > 0 {
			t.Fatalf("hour %d: %v, want nothing", n, v)
		}
	}
	n := days * dayHours
	for ; n < (days+40)*dayHours; n++ {
		v := at(n, 990, 3_090_500)
		switch moved := len(v) == 1 && v[0].Station == "M" && v[0].Flags == ingest.Moved; {
		case n < (days+1)*dayHours && (len(v) != 1 || v[0].Flags != ingest.Outlier):
			t.Fatalf("hour %d: %v, want an outlier on the first day", n, v)
		case n >= (days+1)*dayHours && !moved:
			t.Fatalf("hour %d: %v, want moved for as long as it takes", n, v)
		}
	}
	for end := n + 2*dayHours; n < end; n++ {
		if v := at(n, 990, 3_095_000); len(v) > 0 {
			t.Fatalf("hour %d: %v at the new place", n, v)
		}
		at(n-40, 990, 3_090_500)
	}
}
