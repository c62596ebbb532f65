package quality

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

var seeds = flag.Int("seeds", 2, "simulated cities of TestConfusion")

// firstHour is a midnight; New Year's Eve is the city's 39th day.
var firstHour = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

const (
	cityDays  = 41
	faultDay  = 34 // when what breaks suddenly breaks
	yearsDay  = 38
	residents = 200
)

// fault is what is wrong with a station, and the flag that should say so.
type fault struct {
	name    string
	want    ingest.Flags
	from    int           // day from which on it should be found
	within  time.Duration // so soon
	station int
}

var faults = []fault{
	{"900 µg/m³ on a calm day", ingest.Spike | ingest.Outlier, faultDay, time.Hour, 10},
	{"hangs indoors", ingest.SeemsIndoor, 10, 24 * time.Hour, 20},
	{"beside a chimney", ingest.Outlier, 0, 24 * time.Hour, 30},
	{"moved 200 km", ingest.Moved, faultDay, 48 * time.Hour, 40},
	{"noise instead of air", ingest.Uncorrelated, 15, 24 * time.Hour, 50},
}

// town is a simulated city: shared weather and traffic, stations with a bias and noise of their own.
type town struct {
	rng      *rand.Rand
	stations [residents]resident
	pm, hPa  float64 // slow parts
	warmth   float64
}

type resident struct {
	id          string
	east, north float64
	bias        float64 // of particles
	degrees     float64 // offset
	humidity    float64
	hPa         float64 // height
}

func newTown(seed uint64) *town {
	t := &town{rng: rand.New(rand.NewPCG(seed, 3)), pm: 12, hPa: 1013, warmth: 5}
	for i := range t.stations {
		t.stations[i] = resident{
			id: fmt.Sprintf("S%03d", i), east: 4_100_000 + t.rng.Float64()*16_000, north: 3_090_000 + t.rng.Float64()*16_000,
			bias: math.Exp(0.12 * t.rng.NormFloat64()), degrees: 0.6 * t.rng.NormFloat64(), humidity: 2.5 * t.rng.NormFloat64(), hPa: 3 * t.rng.NormFloat64(),
		}
	}
	return t
}

// hour is what the city measures in one hour since the first.
func (t *town) hour(n int) []StationHour {
	t.pm += 0.04*(12-t.pm) + 1.1*t.rng.NormFloat64()
	t.pm = math.Max(t.pm, 3)
	t.hPa += 0.02*(1013-t.hPa) + 0.5*t.rng.NormFloat64()
	t.warmth += 0.01*(5-t.warmth) + 0.25*t.rng.NormFloat64()
	day, clock := n/24, float64(n%24)
	sun := math.Max(0, math.Sin((clock-6)/12*math.Pi))
	rush := math.Exp(-(clock-8)*(clock-8)/4) + math.Exp(-(clock-18)*(clock-18)/4)
	humidity := math.Min(98, 82-25*sun+0.5*(1013-t.hPa))
	air := (t.pm + 5*rush) * Growth(humidity, 0.3)
	if day == yearsDay && clock >= 23 || day == yearsDay+1 && clock < 1 {
		air = 600
	}
	var list []StationHour
	for i, s := range t.stations {
		pm := air * s.bias * (1 + 0.05*t.rng.NormFloat64())
		values := map[wire.Quantity]float64{
			wire.PM2_5: pm, wire.PM10: 1.5 * pm * (1 + 0.05*t.rng.NormFloat64()), wire.Temperature: t.warmth + 6*sun + s.degrees + 0.2*t.rng.NormFloat64(),
			wire.Humidity: humidity + s.humidity + t.rng.NormFloat64(), wire.Pressure: t.hPa + s.hPa + 0.1*t.rng.NormFloat64(),
		}
		t.spoil(i, day, int(clock), values)
		for _, q := range wire.Quantities() {
			if v, ok := values[q]; ok {
				list = append(list, StationHour{s.id, s.east, s.north, q, v, v, 25})
			}
		}
	}
	return list
}

// spoil plants the faults.
func (t *town) spoil(station, day, clock int, values map[wire.Quantity]float64) {
	switch station {
	case 10:
		if day == faultDay && clock >= 14 && clock < 19 {
			values[wire.PM10], values[wire.PM2_5] = 900, 700
		}
	case 20:
		values[wire.Temperature] = values[wire.Temperature]*0.05 + 5
	case 30:
		if clock >= 17 && clock < 23 {
			burst := 40 + 120*t.rng.Float64()
			values[wire.PM10] += burst
			values[wire.PM2_5] += burst
		}
	case 40:
		if day >= faultDay {
			values[wire.Pressure] -= 20
		}
	case 50:
		values[wire.PM10] = 8 + 20*t.rng.Float64()
		values[wire.PM2_5] = 5 + 12*t.rng.Float64()
	}
}

func TestConfusion(t *testing.T) {
	given := map[string]map[ingest.Flags]int{} // by planted fault, hours with a flag
	hours, alarms, peaks := 0, 0, 0
	for seed := range *seeds {
		city, judge := newTown(uint64(seed)), NewJudge(DefaultRules())
		found := map[int]int{} // the hour in which a fault was found
		for n := range cityDays * 24 {
			list := city.hour(n)
			for _, v := range judge.Hour(firstHour.Add(time.Duration(n)*time.Hour), list) {
				name := "nothing"
				for i, f := range faults {
					if v.Station != fmt.Sprintf("S%03d", f.station) {
						continue
					}
					name = f.name
					if _, known := found[i]; !known && v.Flags&f.want != 0 && n >= f.from*24 {
						found[i] = n
					}
				}
				if given[name] == nil {
					given[name] = map[ingest.Flags]int{}
				}
				for _, flag := range ingest.AllFlags() {
					if v.Flags&flag != 0 {
						given[name][flag]++
					}
				}
				if name == "nothing" && !v.Flags.Good() {
					alarms++
					if n >= yearsDay*24+23 && n < yearsDay*24+25 {
						peaks++
					}
				}
			}
			hours += len(list) - 5*len(faults)
		}
		for i, f := range faults {
			start := f.from * 24
			if f.station == 10 {
				start += 14
			}
			if f.station == 30 {
				start = 17
			}
			at, ok := found[i]
			if took := time.Duration(at-start) * time.Hour; !ok || took > f.within {
				t.Errorf("seed %d: %s was found %v (%v after it began), want within %v", seed, f.name, ok, took, f.within)
			}
		}
	}
	flags := ingest.AllFlags()
	for _, name := range append([]string{"nothing"}, faultNames()...) {
		line := fmt.Sprintf("%-26s", name)
		for _, flag := range flags {
			if ingest.HourFlags&flag != 0 {
				line += fmt.Sprintf(" %s=%d", flag, given[name][flag])
			}
		}
		t.Log(line)
	}
	perTenThousand := float64(alarms) * 1e4 / float64(hours)
	t.Logf("%d false alarms in %d values of hours, %.2f of 10,000; %d of them on New Year's Eve", alarms, hours, perTenThousand, peaks)
	if perTenThousand > 0.5 {
		t.Errorf("%.2f false alarms in 10,000, want next to none", perTenThousand)
	}
	if peaks > 0 {
		t.Errorf("New Year's Eve is flagged %d times", peaks)
	}
}

func faultNames() []string {
	names := make([]string, len(faults))
	for i, f := range faults {
		names[i] = f.name
	}
	return names
}

// TestJudgeIsAFunctionOfItsHours judges the same hours with stations in another order, hours twice, and through a file in the
// middle: the same verdicts.
func TestJudgeIsAFunctionOfItsHours(t *testing.T) {
	city, rng := newTown(9), rand.New(rand.NewPCG(1, 1))
	one, other := NewJudge(DefaultRules()), NewJudge(DefaultRules())
	verdicts := 0
	for n := range 20 * 24 {
		start, list := firstHour.Add(time.Duration(n)*time.Hour), city.hour(n)
		want := one.Hour(start, slices.Clone(list))
		verdicts += len(want)
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		if n%7 == 0 {
			other.Hour(start, list[:len(list)/2]) // the rest came late
		}
		if got := other.Hour(start, list); !reflect.DeepEqual(got, want) {
			t.Fatalf("hour %d: %v, want %v", n, got, want)
		}
		if n == 10*24 {
			var file bytes.Buffer
			if err := other.Save(&file); err != nil {
				t.Fatal(err)
			}
			other = NewJudge(DefaultRules())
			if err := other.Load(&file); err != nil {
				t.Fatal(err)
			}
		}
	}
	if verdicts == 0 {
		t.Error("nothing was found")
	}
}

func TestLoadRefuses(t *testing.T) {
	j := NewJudge(DefaultRules())
	j.Hour(firstHour, newTown(1).hour(0))
	var file bytes.Buffer
	if err := j.Save(&file); err != nil {
		t.Fatal(err)
	}
	good := file.Bytes()
	for what, bad := range map[string][]byte{
		"nothing": nil, "another file": []byte("stadtluft-judge-0\n12345678"), "a cut one": good[:len(good)-9],
		"a wrong byte": append(append([]byte{}, good[:40]...), append([]byte{good[40] ^ 1}, good[41:]...)...),
	} {
		if err := j.Load(bytes.NewReader(bad)); err == nil || len(j.stations) != 0 {
			t.Errorf("%s: %v, %d stations remembered", what, err, len(j.stations))
		}
	}
	if err := j.Load(bytes.NewReader(good)); err != nil || len(j.stations) != residents {
		t.Errorf("a good one: %v, %d stations", err, len(j.stations))
	}
}

func TestRing(t *testing.T) {
	var r ring
	f := func(hour int64, want float64, wantOK bool) {
		t.Helper()
		if got, ok := r.at(hour); ok != wantOK || ok && got != want {
			t.Errorf("at(%d) = %v, %v, want %v, %v", hour, got, ok, want, wantOK)
		}
	}
	f(500_000, 0, false)
	r.put(500_000, 12.34)
	r.put(500_002, -1)
	r.put(500_001, 1e6)
	f(499_999, 0, false)
	f(500_000, 12.3, true)
	f(500_001, 3276.7, true)
	f(500_002, -1, true)
	f(500_003, 0, false)
	r.put(500_002, math.NaN())
	f(500_002, 0, false)
	r.put(500_000+historyHours, 5)
	f(500_000, 0, false)
	f(500_001, 3276.7, true)
	r.put(500_000, 7) // too old
	f(500_000+historyHours, 5, true)
	r.put(600_000, 8) // after a long silence
	f(500_000+historyHours, 0, false)
	f(600_000, 8, true)
	f(599_999, 0, false)
}

func TestStuck(t *testing.T) {
	c := New(DefaultRules())
	sds := &ingest.Station{ID: "A", Sensors: []string{"sds011"}}
	start := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	flagged := func(station *ingest.Station, after time.Duration, q wire.Quantity, v float64) bool {
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
		if got, want := flagged(sds, after, wire.PM10, 7), minute == 8*60; got != want {
			t.Errorf("7 µg/m³ for %v: stuck %v, want %v", after, got, want)
		}
		if flagged(sds, after, wire.PM2_5, 0.6) {
			t.Errorf("next to nothing for %v is stuck", after)
		}
		if flagged(sds, after, wire.Temperature, 7) {
			t.Errorf("a temperature is stuck after %v", after)
		}
	}
	if flagged(sds, 9*time.Hour, wire.PM10, 7.1) {
		t.Error("stuck although it changed")
	}
	few := &ingest.Station{ID: "B"}
	for hour := range 12 {
		if flagged(few, time.Duration(hour)*time.Hour, wire.PM10, 9) {
			t.Errorf("stuck by %d readings", hour+1)
		}
	}
}

func BenchmarkJudgeHour(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var list []StationHour
	for i := range 10_000 {
		east, north := 4_100_000+rng.Float64()*30_000, 3_090_000+rng.Float64()*30_000
		for _, q := range []wire.Quantity{wire.PM2_5, wire.PM10, wire.Temperature, wire.Humidity} {
			v := 10 + rng.NormFloat64()
			list = append(list, StationHour{fmt.Sprintf("S%05d", i), east, north, q, v, v, 25})
		}
	}
	j, n := NewJudge(DefaultRules()), 0
	for ; n < 72; n++ { // spikes need a past
		j.Hour(firstHour.Add(time.Duration(n)*time.Hour), list)
	}
	b.ReportAllocs()
	for b.Loop() {
		j.Hour(firstHour.Add(time.Duration(n)*time.Hour), list)
		n++
	}
}
