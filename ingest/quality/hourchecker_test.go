package quality

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest"
)

// hoursOf are the hours of a town, by number.
func hoursOf(seed uint64, count int) [][]StationHour {
	t, checker := newTown(seed, residents), New(DefaultRules())
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
// whole of it up to two days later, when those after it are checked again, through files, and by one that begins LookBack before:
// the same flags of each hour.
func TestHourCheckerIsAFunctionOfItsHours(t *testing.T) {
	const days = 20
	list, rng := hoursOf(9, days*dayHours), rand.New(rand.NewPCG(1, 1))
	one, other := NewHourChecker(DefaultRules()), NewHourChecker(DefaultRules())
	found, got, want := map[ingest.Flags]int{}, make([][]ingest.HourFlags, len(list)), make([][]ingest.HourFlags, len(list))
	late := -1
	for n, hours := range list {
		want[n] = one.Hour(startOf(n), hours)
		for _, v := range want[n] {
			found[v.Flags.Found()]++
		}
		shuffled := slices.Clone(hours)
		rng.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
		if late < 0 && rng.IntN(5) == 0 {
			other.Hour(startOf(n), shuffled[:len(shuffled)/2])
			late = n
			continue
		}
		got[n] = other.Hour(startOf(n), shuffled)
		if late >= 0 && (n-late >= int(Again.Hours()) || rng.IntN(20) == 0 || n == len(list)-1) {
			for ; late <= n; late++ {
				got[late] = other.Hour(startOf(late), list[late])
			}
			late = -1
		}
		if n%100 == 50 {
			other = reloaded(t, other)
		}
	}
	for n := range list {
		if !reflect.DeepEqual(got[n], want[n]) {
			t.Fatalf("hour %d: %v, want %v", n, got[n], want[n])
		}
	}
	if found[ingest.Outlier] == 0 || found[ingest.SeemsIndoor] == 0 || found[ingest.Stuck] == 0 || found[ingest.Moved] == 0 || found[ingest.Uncorrelated] == 0 {
		t.Errorf("found only %v", found)
	}
}

// TestNothingBeforeLookBackCounts has a quiet half year behind stations that were noisy, stuck and elsewhere before it: what was
// then changes no flag of the last day. The pressure's chain is the longest.
func TestNothingBeforeLookBackCounts(t *testing.T) {
	days := int(LookBack.Hours())/dayHours + 1
	play := func(first int) (last []ingest.HourFlags) {
		rng := rand.New(rand.NewPCG(2, 9))
		c := NewHourChecker(DefaultRules())
		for n := -30 * dayHours; n < days*dayHours; n++ {
			var list []StationHour
			for i := range 8 {
				hPa, pm := 1013+float64(i)+rng.NormFloat64(), 20+5*rng.NormFloat64()
				if n < 0 {
					hPa, pm = 1013+30*rng.NormFloat64(), 300*rng.Float64()
				}
				if i == 3 && n > (days-6)*dayHours {
					hPa += 20
				}
				for q, v := range map[quantity.Quantity]float64{quantity.Pressure: hPa, quantity.PM10: pm, quantity.Temperature: pm / 2} {
					list = append(list, StationHour{Station: string(rune('A' + i)), Cell: cellAt(4_100_000+300*float64(i), 3_090_000), Quantity: q, Mean: v, Median: v, Count: 25})
				}
			}
			if n >= first {
				last = append(last, c.Hour(startOf(n), list)...)
			}
		}
		return last[len(last)-8*3*dayHours:]
	}
	all, short := play(-30*dayHours), play(0)
	if !reflect.DeepEqual(all, short) {
		t.Error("the last day's flags depend on what was before LookBack")
	}
	if !slices.ContainsFunc(all, func(v ingest.HourFlags) bool { return v.Station == "D" && v.Flags&ingest.Moved != 0 }) {
		t.Error("the station that was carried away is not found")
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
	good, stations := file.Bytes(), len(c.records)
	for what, bad := range map[string][]byte{
		"nothing": nil, "another file": []byte("stadtluft-judge-0\n12345678"), "a cut one": good[:len(good)-9],
		"a wrong byte": append(append([]byte{}, good[:40]...), append([]byte{good[40] ^ 1}, good[41:]...)...),
	} {
		if err := c.Load(bytes.NewReader(bad)); err == nil || len(c.records) != 0 {
			t.Errorf("%s: %v, %d stations remembered", what, err, len(c.records))
		}
	}
	if err := c.Load(bytes.NewReader(good)); err != nil || len(c.records) != stations {
		t.Errorf("a good one: %v, %d stations, want %d", err, len(c.records), stations)
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

// TestStuck plays hours of a value that does not change, a reading every ten minutes.
func TestStuck(t *testing.T) {
	sds := &ingest.Station{ID: "A", Sensors: []string{"sds011"}}
	f := func(what string, q quantity.Quantity, hours, first int, of func(hour int) (StationHour, bool)) {
		t.Helper()
		c := NewHourChecker(DefaultRules())
		for n := range hours {
			s, ok := of(n)
			if !ok {
				continue
			}
			s.Station, s.Cell, s.Quantity, s.Median, s.Resolution = sds.ID, cellAt(0, 0), q, s.Mean, Resolution(sds)
			got := slices.ContainsFunc(c.Hour(startOf(n), []StationHour{s}), func(v ingest.HourFlags) bool { return v.Flags&ingest.Stuck != 0 })
			if want := first >= 0 && n >= first; got != want {
				t.Errorf("%s, hour %d: stuck %v, want %v", what, n, got, want)
			}
		}
	}
	same := func(v float64, count int) func(int) (StationHour, bool) {
		return func(int) (StationHour, bool) { return StationHour{Mean: v, Count: count, Steady: true}, true }
	}
	f("7 µg/m³", quantity.PM10, 12, 7, same(7, 6))
	f("next to nothing", quantity.PM2_5, 60, -1, same(0.6, 6))
	f("just above", quantity.PM2_5, 12, 7, same(0.61, 6))
	f("a temperature", quantity.Temperature, 30, 23, same(7, 6))
	f("saturated air", quantity.Humidity, 15, 11, same(100, 6))
	f("99.99 %", quantity.Humidity, 26, 23, same(99.99, 6))
	f("two an hour", quantity.PM10, 12, 9, same(7, 2))
	f("one in two hours", quantity.PM10, 60, -1, func(n int) (StationHour, bool) { return StationHour{Mean: 9, Count: 1, Steady: true}, n%5 == 0 })
	f("a silence", quantity.PM10, 12, 7, func(n int) (StationHour, bool) { return StationHour{Mean: 9, Count: 9, Steady: true}, n < 2 || n > 4 })
	f("another value in hour 3", quantity.PM10, 14, 11, func(n int) (StationHour, bool) {
		return StationHour{Mean: 9, Count: 9, Steady: n != 3}, true
	})
	f("a thousandth more in hour 3", quantity.PM10, 14, 11, func(n int) (StationHour, bool) {
		if n == 3 {
			return StationHour{Mean: 9.001, Count: 9, Steady: true}, true
		}
		return StationHour{Mean: 9, Count: 9, Steady: true}, true
	})
	f("another sensor from hour 6 on", quantity.PM10, 15, 13, func(n int) (StationHour, bool) {
		return StationHour{Mean: 9, Count: 9, Steady: true, Installation: n / 6 & 1}, n < 12
	})
	f("noise", quantity.NoiseLAeq, 60, -1, same(40, 6))
}

// TestHumidAir flags particles by the station's humidity that is nearest in the hour, else by that of a station near.
func TestHumidAir(t *testing.T) {
	f := func(what string, values, humidity []Sample, near float64, wantAll bool, want ...ingest.Span) {
		t.Helper()
		list := []StationHour{stationHour(station(), cellAt(0, 0), quantity.PM10, values)}
		if len(humidity) > 0 {
			list = append(list, stationHour(station(), cellAt(0, 0), quantity.Humidity, humidity))
		}
		if near > 0 {
			list = append(list, StationHour{Station: "B", Cell: cellAt(4900, 0), Quantity: quantity.Humidity, Mean: near, Count: 1})
		}
		for _, v := range NewHourChecker(DefaultRules()).Hour(startOf(0), list) {
			if got := v.Flags&ingest.Humid != 0; v.Quantity == quantity.PM10 && (got != wantAll || !slices.Equal(v.Humid, want)) {
				t.Errorf("%s: humid %v, %v, want %v, %v", what, got, v.Humid, wantAll, want)
			}
		}
	}
	values := []Sample{{0, 20}, {145, 21}, {290, 22}, {3590, 23}}
	f("no humidity", values, nil, 0, false)
	f("with each", values, []Sample{{0, 74.9}, {145, 75}, {290, 80}, {3590, 60}}, 99, false, ingest.Span{From: 145, To: 290, Values: 2})
	f("always", values, []Sample{{0, 75}, {3590, 99}}, 50, true)
	f("by themselves", append(values[:3:3], Sample{2900, 24}, Sample{3590, 23}), []Sample{{70, 60}, {150, 90}, {3000, 60}, {3100, 90}}, 0, false,
		ingest.Span{From: 145, To: 290, Values: 2}, ingest.Span{From: 3590, To: 3590, Values: 1})
	f("as near to both, the earlier counts", []Sample{{100, 20}}, []Sample{{90, 80}, {110, 60}}, 0, true)
	f("a station near", values, nil, 75, true)
	f("a dry station near", values, nil, 74, false)
}

// TestIndoors has a station indoors that is stuck and in humid air: it is flagged for that, by its own humidity alone, and neither
// compared with the stations around it nor they with it.
func TestIndoors(t *testing.T) {
	c, flags := NewHourChecker(DefaultRules()), map[string]ingest.HourFlags{}
	for n := range 12 {
		var list []StationHour
		for i := range 7 {
			list = append(list, StationHour{Station: fmt.Sprint("OUT", i), Cell: cellAt(float64(100*i), 0), Quantity: quantity.PM10, Mean: 10 + float64(n%3), Median: 10 + float64(n%3), Count: 20})
		}
		list = append(list, StationHour{Station: "OUT0", Cell: cellAt(0, 0), Quantity: quantity.Humidity, Mean: 90, Count: 20, Samples: []Sample{{1, 90}}})
		inside := func(id string, q quantity.Quantity, mean float64, steady bool) {
			list = append(list, StationHour{Station: id, Indoors: true, Cell: cellAt(0, 0), Quantity: q, Mean: mean, Median: mean, Count: 20, Steady: steady, Resolution: 1, Samples: []Sample{{1, mean}}})
		}
		inside("STUCK", quantity.PM10, 300, true)
		inside("WET", quantity.PM10, 300+float64(n), false)
		inside("WET", quantity.Humidity, 80+float64(n%2), false)
		inside("DRY", quantity.PM10, 300+float64(n), false)
		inside("DRY", quantity.CO2, 900, false)
		for _, f := range c.Hour(startOf(n), list) {
			if f.Flags == 0 && len(f.Humid) == 0 {
				t.Errorf("%s of %s is said to have no flags", f.Quantity, f.Station)
			}
			flags[f.Station+" "+f.Quantity.String()] = f
		}
	}
	f := func(what string, want ingest.Flags) {
		t.Helper()
		if got := flags[what].Flags.Found(); got != want || flags[what].Flags.Result(ingest.OutlierCheck) != ingest.Unchecked {
			t.Errorf("%s: %v, want %v and no comparison", what, flags[what].Flags.Each(), want.Each())
		}
	}
	f("STUCK pm10", ingest.Stuck)
	f("WET pm10", ingest.Humid)
	f("WET humidity", 0)
	f("DRY pm10", 0)
	if got := flags["OUT1 pm10"]; got.Flags&ingest.Outlier != 0 || got.Flags.Result(ingest.OutlierCheck) != ingest.Checked {
		t.Errorf("a station outdoors: %v", got.Flags.Each())
	}
}

// TestAPlaceThatChanges gives a station that was found to have moved its new place: it begins again there. When it comes back to
// the old one its past there counts.
func TestAPlaceThatChanges(t *testing.T) {
	c := NewHourChecker(DefaultRules())
	at := func(n int, hPa, north float64) (flags ingest.Flags) {
		list := []StationHour{{Station: "M", Cell: cellAt(4_100_000, north), Quantity: quantity.Pressure, Mean: hPa, Median: hPa, Count: 25}}
		for i := range 6 {
			list = append(list, StationHour{Station: string(rune('A' + i)), Cell: cellAt(4_100_000+100*float64(i), 3_090_000), Quantity: quantity.Pressure, Mean: 1013, Median: 1013, Count: 25})
		}
		for _, v := range c.Hour(startOf(n), list) {
			if v.Station == "M" {
				flags = v.Flags
			} else if v.Flags.Found() != 0 {
				t.Fatalf("hour %d: %s is %v", n, v.Station, v.Flags)
			}
		}
		return flags
	}
	const days = 12
	n := 0
	for ; n < days*dayHours; n++ {
		if v := at(n, 1013, 3_090_500); v.Found() != 0 {
			t.Fatalf("hour %d: %v, want nothing", n, v)
		}
	}
	for ; n < (days+70)*dayHours; n++ {
		switch v := at(n, 990, 3_090_500); {
		case n < (days+1)*dayHours && v.Found() != ingest.Outlier:
			t.Fatalf("hour %d: %v, want an outlier on the first day", n, v)
		case n >= (days+1)*dayHours && v.Found() != ingest.Moved:
			t.Fatalf("hour %d: %v, want moved", n, v)
		}
	}
	for end := n + 2*dayHours; n < end; n++ {
		if v := at(n, 990, 3_095_000); v.Found() != 0 || v.Result(ingest.MovedCheck) != ingest.NoHistory {
			t.Fatalf("hour %d: %v %s at the new place", n, v, v.Checks())
		}
	}
	if v := at(n, 990, 3_090_500); v.Found() != ingest.Moved {
		t.Errorf("back at the old place: %v", v)
	}
}

// TestWhichChecksRan has stations with and without neighbours, on the first day and after a month.
func TestWhichChecksRan(t *testing.T) {
	c, rng := NewHourChecker(DefaultRules()), rand.New(rand.NewPCG(6, 6))
	want := map[int]map[string]string{
		0: {
			"A pm10":        "stuck|spike:history|outlier|moved:history|indoor:history|uncorrelated:history",
			"A temperature": "stuck|outlier|moved:history|indoor:history|uncorrelated:history",
			"A pressure":    "stuck|outlier:history|moved:history|indoor:history",
			"FAR pm10":      "stuck|spike:history|outlier:neighbours|moved:history|indoor:history|uncorrelated:history",
			"A noise_laeq":  "moved:history|indoor:history",
			"DUST pm10":     "stuck:history|spike:history|outlier|uncorrelated:history",
		},
		31 * dayHours: {
			"A pm10":       "stuck|spike|outlier|moved|indoor|uncorrelated",
			"A pressure":   "stuck|outlier|moved|indoor",
			"FAR pm10":     "stuck|spike:neighbours|outlier:neighbours|moved:neighbours|indoor:neighbours|uncorrelated:neighbours",
			"FAR pressure": "stuck|outlier:neighbours|moved:neighbours|indoor:neighbours",
			"DUST pm10":    "stuck|spike|outlier|uncorrelated",
		},
	}
	for n := range 31*dayHours + 1 {
		var list []StationHour
		for _, id := range []string{"A", "B", "C", "D", "E", "F", "FAR"} {
			cell := cellAt(4_100_000+100*float64(id[0]), 3_090_000)
			if id == "FAR" {
				cell = cellAt(4_200_000, 3_090_000)
			}
			for _, q := range []quantity.Quantity{quantity.PM10, quantity.Temperature, quantity.Pressure, quantity.NoiseLAeq} {
				v := 20 + rng.NormFloat64()
				list = append(list, StationHour{Station: id, Cell: cell, Quantity: q, Mean: v, Median: v, Count: 25})
			}
		}
		steady := StationHour{Station: "DUST", Cell: cellAt(4_100_000, 3_090_000), Quantity: quantity.PM10, Mean: 20 + float64(n%2), Count: 25, Steady: true}
		steady.Median = steady.Mean
		got := map[string]string{}
		for _, v := range c.Hour(startOf(n), append(list, steady)) {
			got[v.Station+" "+v.Quantity.String()] = v.Flags.Checks()
		}
		for key, checks := range want[n] {
			if got[key] != checks {
				t.Errorf("hour %d, %s: %q, want %q", n, key, got[key], checks)
			}
		}
	}
}
