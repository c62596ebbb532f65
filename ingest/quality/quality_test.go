package quality

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

var (
	received = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	arrival  = ingest.Arrival{Received: received}
)

func station(sensors ...string) *ingest.Station { return &ingest.Station{ID: "AAA", Sensors: sensors} }

func at(t time.Time, values ...wire.Value) wire.Reading { return wire.Reading{Time: t, Values: values} }

func pm(q quantity.Quantity, v float64) wire.Value { return wire.Value{Quantity: q, Value: v} }

func TestFlagsOfOneValue(t *testing.T) {
	f := func(sensor string, q quantity.Quantity, value float64, want ingest.Flags) {
		t.Helper()
		keep, refused, _ := New(DefaultRules()).Check(station(sensor), arrival, at(received, pm(q, value)))
		if len(refused) > 0 || len(keep.Values) != 1 {
			t.Errorf("%s %s %v: kept %+v, refused %+v", sensor, q, value, keep.Values, refused)
			return
		}
		if got := keep.Values[0]; got.Flags != want || got.Value != value {
			t.Errorf("%s %s %v: %v %q, want %q and the value as it came", sensor, q, value, got.Value, got.Flags, want)
		}
	}
	// Measuring ranges, both sides of each end, from the data sheets.
	f("sds011", quantity.PM2_5, 0, 0)
	f("sds011", quantity.PM2_5, -0.1, ingest.Range)
	f("sds011", quantity.PM2_5, 999.8, 0)
	f("sds011", quantity.PM10, 1000, ingest.Range)
	f("pms5003", quantity.PM10, 1000, 0)
	f("pms5003", quantity.PM10, 1001, ingest.Range)
	f("sps30", quantity.PM4, 1000.1, ingest.Range)
	f("bme280", quantity.Temperature, -40, 0)
	f("bme280", quantity.Temperature, -40.01, ingest.Range)
	f("bme280", quantity.Temperature, 60, 0)
	f("bme280", quantity.Temperature, 60.01, ingest.Range) // the chip measures it, the air has it not
	f("bme280", quantity.Temperature, 85.01, ingest.Range)
	f("bme280", quantity.Humidity, 100, 0)
	f("bme280", quantity.Humidity, 100.1, ingest.Range)
	f("bme280", quantity.Pressure, 850, 0)
	f("bme280", quantity.Pressure, 849.9, ingest.Range)
	f("bme280", quantity.Pressure, 299.9, ingest.Range)
	f("dht22", quantity.Temperature, 80.1, ingest.Range)
	f("scd41", quantity.CO2, 399, ingest.Range)
	f("scd41", quantity.CO2, 400, 0)
	f("", quantity.Temperature, 60, 0)
	f("", quantity.Temperature, 60.1, ingest.Range)
	f("", quantity.Pressure, 849.9, ingest.Range)
	f("", quantity.Pressure, 1100.1, ingest.Range)
	f("", quantity.CO2, 249, ingest.Range)
	f("", quantity.NoiseLAeq, 19.9, ingest.Range)
	f("", quantity.NoiseLAeq, 140.1, ingest.Range)
	f("", quantity.NO2, -5, 0) // noise of an electrochemical cell
	f("", quantity.NO2, -5.1, ingest.Range)
	f("", quantity.NO2, 2000.1, ingest.Range)
	f("", quantity.Battery, 999, 0) // has no range
	// Marks for "no value"; a mark is not out of range as well.
	f("sds011", quantity.PM2_5, 999.9, ingest.Sentinel)
	f("sds011", quantity.PM10, 1999.9, ingest.Sentinel)
	f("pms5003", quantity.PM10, 999.9, 0)
	f("", quantity.PM10, -1, ingest.Sentinel)
	f("", quantity.PM10, -999, ingest.Sentinel)
	f("", quantity.PM10, -1.01, ingest.Range)
	f("", quantity.Humidity, -1, ingest.Sentinel)
	f("", quantity.Humidity, 0, ingest.Sentinel) // outdoors there is no such air
	f("bme280", quantity.Humidity, 0, ingest.Sentinel)
	f("bme280", quantity.Humidity, 0.1, 0)
	f("bme280", quantity.Humidity, 100, 0) // there is fog
	f("dht22", quantity.Humidity, 99.9, ingest.Sentinel)
	f("bme280", quantity.Humidity, 99.9, 0)
	f("", quantity.Temperature, -1000.99, ingest.Sentinel)
	f("", quantity.Temperature, -127, ingest.Sentinel)
	f("", quantity.Temperature, -1, 0) // it may be cold
	f("ds18b20", quantity.Temperature, 85, ingest.Sentinel)
	f("", quantity.Pressure, 0, ingest.Sentinel)
}

// TestBrokenSensor flags all that a sensor sent beside a value that it cannot measure.
func TestBrokenSensor(t *testing.T) {
	f := func(temperature, humidity, pressure float64, want ...ingest.Flags) {
		t.Helper()
		keep, _, _ := New(DefaultRules()).Check(station("sds011", "bme280"), arrival, at(received, pm(quantity.PM10, 30.2), pm(quantity.PM2_5, 20.2),
			pm(quantity.Humidity, humidity), pm(quantity.Pressure, pressure), pm(quantity.Temperature, temperature)))
		for i, v := range keep.Values {
			if w := append([]ingest.Flags{0, 0}, want...)[i]; v.Flags != w {
				t.Errorf("%v °C, %v %%, %v hPa: %v is %q, want %q", temperature, humidity, pressure, v.Quantity, v.Flags, w)
			}
		}
	}
	f(18.2, 51, 1008.1, 0, 0, 0)
	f(-144.7, 100, 652.26, ingest.Range, ingest.Range, ingest.Range) // and the particles are not humid
	f(-144.7, 51, 1008.1, ingest.Range, ingest.Range, ingest.Range)
	f(18.2, 51, 1100.1, ingest.Range, ingest.Range, ingest.Range)
	f(-144.7, -1, 1008.1, ingest.Sentinel, ingest.Range, ingest.Range)
	f(60.1, 20, 1008.1, 0, 0, ingest.Range)    // hot in the sun, not broken
	f(-127, 51, 1008.1, 0, 0, ingest.Sentinel) // no value is not a wrong one
	keep, _, _ := New(DefaultRules()).Check(station(), arrival, at(received, pm(quantity.Humidity, 51), pm(quantity.Temperature, -144.7)))
	if keep.Values[0].Flags != 0 || keep.Values[1].Flags != ingest.Range {
		t.Errorf("sensors that are not known: %+v, want the humidity good", keep.Values)
	}
}

func TestMinusZeroIsZero(t *testing.T) {
	minus := math.Copysign(0, -1)
	keep, _, _ := New(DefaultRules()).Check(station(), arrival, at(received, pm(quantity.Temperature, minus)))
	if got := keep.Values[0].Value; got != 0 || math.Signbit(got) {
		t.Errorf("-0.0 °C is kept as %v, want 0", got)
	}
}

func TestParticleFractionsAreNested(t *testing.T) {
	f := func(pm1, pm25, pm10 float64, want [3]bool) {
		t.Helper()
		keep, _, _ := New(DefaultRules()).Check(station("sps30"), arrival, at(received, pm(quantity.PM1, pm1), pm(quantity.PM2_5, pm25), pm(quantity.PM10, pm10), pm(quantity.Temperature, 20)))
		for i, w := range want {
			if got := keep.Values[i].Flags == ingest.Inconsistent; got != w {
				t.Errorf("%v %v %v: value %d inconsistent = %v, want %v", pm1, pm25, pm10, i, got, w)
			}
		}
		if keep.Values[3].Flags != 0 {
			t.Errorf("%v %v %v: the temperature is flagged %q", pm1, pm25, pm10, keep.Values[3].Flags)
		}
	}
	f(5, 10, 20, [3]bool{})
	f(5, 25, 20, [3]bool{})                         // 5 above is not more than 5
	f(5, 25.1, 20, [3]bool{false, true, true})      // 5.1 and 25 % above
	f(5, 110, 100, [3]bool{})                       // 10 above, but not more than 10 %
	f(5, 110.1, 100, [3]bool{false, true, true})    // 10.1 and 10.1 %
	f(30, 20, 40, [3]bool{true, true, false})       // PM1 above PM2.5
	f(20, 16, 14, [3]bool{true, false, true})       // PM1 above PM10, each of them near PM2.5
	f(500, 4.1, 5, [3]bool{true, true, true})       // PM1 above both
	f(500, 0, 0, [3]bool{true, true, true})         // PM2.5 and PM10 of a counter that has lost them
	f(100, 60, 20, [3]bool{true, true, true})       // both
	f(-1, 20, 1, [3]bool{false, true, true})        // PM1 is a mark, not compared
	f(0, 999.9, 999.9, [3]bool{true, false, false}) // no SDS011: values like others
	f(0, 10, 10, [3]bool{})                         // 10 is not above 10
	f(0, 5, 10.1, [3]bool{true, false, false})      // none of so many
	f(0, 0, 10.1, [3]bool{true, true, false})       //
	f(4, 0, 20, [3]bool{false, true, false})        // 4 above is not more than 5, but 0 beside 20
	f(0.1, 12, 20, [3]bool{})                       //
	f(0, 12, 0, [3]bool{true, true, true})          //
	f(-999, 12, 20, [3]bool{})                      // a mark, not compared
}

func TestTime(t *testing.T) {
	f := func(a ingest.Arrival, r wire.Reading, wantTime time.Time, wantSource ingest.TimeSource, wantReason wire.Reason) {
		t.Helper()
		r.Values = []wire.Value{pm(quantity.PM10, 20)}
		keep, refused, _ := New(DefaultRules()).Check(station(), a, r)
		if wantReason != "" {
			if len(keep.Values) > 0 || len(refused) != 1 || refused[0].Reason != wantReason || refused[0].Detail == "" {
				t.Errorf("%+v %+v: kept %v, refused %+v, want %s", a, r, keep.Values, refused, wantReason)
			}
			return
		}
		if len(refused) > 0 || !keep.Time.Equal(wantTime) || keep.TimeSource != wantSource {
			t.Errorf("%+v %+v: time %v from %v, refused %+v, want %v from %v", a, r, keep.Time, keep.TimeSource, refused, wantTime, wantSource)
		}
	}
	later := ingest.Arrival{Received: received.Add(700 * time.Millisecond)}
	retained := ingest.Arrival{Received: received, Retained: true}
	f(later, wire.Reading{}, received, ingest.Receipt, "")
	f(later, wire.Reading{HasAge: true, Age: time.Minute}, received.Add(-time.Minute), ingest.StationAge, "")
	f(later, wire.Reading{Time: received.Add(-time.Hour)}, received.Add(-time.Hour), ingest.StationClock, "")
	f(arrival, wire.Reading{Time: received.Add(5 * time.Minute)}, received.Add(5*time.Minute), ingest.StationClock, "")
	f(arrival, wire.Reading{Time: received.Add(5*time.Minute + time.Second)}, time.Time{}, 0, wire.Clock)
	f(arrival, wire.Reading{Time: received.Add(-30 * 24 * time.Hour)}, received.Add(-30*24*time.Hour), ingest.StationClock, "")
	f(arrival, wire.Reading{Time: received.Add(-30*24*time.Hour - time.Second)}, time.Time{}, 0, wire.Clock)
	f(arrival, wire.Reading{Time: time.Unix(0, 0)}, time.Time{}, 0, wire.Clock)
	f(arrival, wire.Reading{Time: time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC)}, time.Time{}, 0, wire.Clock)
	f(arrival, wire.Reading{HasAge: true, Age: 31 * 24 * time.Hour}, time.Time{}, 0, wire.Clock)
	f(retained, wire.Reading{}, time.Time{}, 0, wire.Retained)
	f(retained, wire.Reading{Time: received.Add(-time.Hour)}, received.Add(-time.Hour), ingest.StationClock, "")
}

func TestAClockThatWasNeverSetIsToldSo(t *testing.T) {
	for _, when := range []time.Time{time.Unix(1234, 0), time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC)} {
		_, refused, _ := New(DefaultRules()).Check(station(), arrival, at(when, pm(quantity.PM10, 1)))
		if len(refused) != 1 || !strings.Contains(refused[0].Detail, "NTP") || refused[0].Field != "t" {
			t.Errorf("%v: %+v, want a word about NTP and the field t", when, refused)
		}
	}
}

func TestWhatIsKnownAlready(t *testing.T) {
	c := New(DefaultRules())
	st := station()
	f := func(what string, a ingest.Arrival, r wire.Reading, wantKept, wantDuplicates int, wantRefused ...string) {
		t.Helper()
		keep, refused, duplicates := c.Check(st, a, r)
		var fields []string
		for _, r := range refused {
			if r.Reason != wire.Conflict {
				t.Errorf("%s: refused as %s", what, r.Reason)
			}
			fields = append(fields, r.Field)
		}
		if len(keep.Values) != wantKept || duplicates != wantDuplicates || !reflect.DeepEqual(fields, wantRefused) {
			t.Errorf("%s: kept %+v, duplicates %d, refused %v, want %d, %d, %v", what, keep.Values, duplicates, fields, wantKept, wantDuplicates, wantRefused)
		}
	}
	f("the first", arrival, at(received, pm(quantity.PM10, 20), pm(quantity.PM2_5, 10)), 2, 0)
	f("the same again", arrival, at(received, pm(quantity.PM10, 20), pm(quantity.PM2_5, 10)), 0, 2)
	f("another value of the same second", arrival, at(received, pm(quantity.PM10, 21), pm(quantity.PM2_5, 10)), 0, 1, "pm10")
	f("the other half of a split reading", arrival, at(received, pm(quantity.Humidity, 60)), 1, 0)
	f("the next second", arrival, at(received.Add(time.Second), pm(quantity.PM10, 21)), 1, 0)
	c.Remember(ingest.Reading{Station: "AAA", Time: received.Add(-time.Hour), Received: received, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 5}}})
	f("one the journal had", arrival, at(received.Add(-time.Hour), pm(quantity.PM10, 5)), 0, 1)

	st = &ingest.Station{ID: "BBB"}
	f("without a time", arrival, at(time.Time{}, pm(quantity.PM10, 7), pm(quantity.PM2_5, 3)), 2, 0)
	again := ingest.Arrival{Received: received.Add(9 * time.Second), Redelivered: true}
	f("delivered again by the broker", again, at(time.Time{}, pm(quantity.PM10, 7), pm(quantity.PM2_5, 3)), 0, 2)
	f("other values delivered again", again, at(time.Time{}, pm(quantity.PM10, 8), pm(quantity.PM2_5, 3)), 2, 0)
	f("the same values measured anew", ingest.Arrival{Received: received.Add(20 * time.Second)}, at(time.Time{}, pm(quantity.PM10, 7), pm(quantity.PM2_5, 3)), 2, 0)
	much := ingest.Arrival{Received: received.Add(11 * time.Minute), Redelivered: true}
	f("delivered again much later", much, at(time.Time{}, pm(quantity.PM10, 7), pm(quantity.PM2_5, 3)), 2, 0)
}

func TestMemoryIsBounded(t *testing.T) {
	c := New(DefaultRules())
	st := station()
	for i := range 10 * remembered {
		c.Check(st, arrival, at(received.Add(-time.Duration(i)*time.Second), pm(quantity.PM10, float64(i%50))))
	}
	if n := c.recent["AAA"].values; n != remembered {
		t.Errorf("%d values remembered, want %d", n, remembered)
	}
	if size := cap(c.recent["AAA"].data); size > 8<<10 {
		t.Errorf("a station's memory has %d bytes, want at most 8 KiB", size)
	}
}

// TestNothingKeptIsNotRemembered sends one reading again and again, and others in its place: nothing of them is kept.
func TestNothingKeptIsNotRemembered(t *testing.T) {
	c := New(DefaultRules())
	st := station()
	c.Check(st, arrival, at(received, pm(quantity.PM10, 20)))
	size := len(c.recent["AAA"].data)
	for i := range 100 {
		c.Check(st, arrival, at(received, pm(quantity.PM10, 20+float64(i%2))))
	}
	if got := len(c.recent["AAA"].data); got != size {
		t.Errorf("a station's memory has grown from %d to %d bytes without a new value", size, got)
	}
}

func TestAStationIsForgotten(t *testing.T) {
	c := New(DefaultRules())
	c.Check(station(), arrival, at(received, pm(quantity.PM10, 5)))
	c.Remember(ingest.Reading{Station: "BBB", Time: received, Received: received, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 5}}})
	c.Forget("AAA")
	if c.recent["AAA"] != nil || c.recent["BBB"] == nil {
		t.Errorf("remembered are %v, want BBB alone", c.recent)
	}
}

func BenchmarkCheck(b *testing.B) {
	c := New(DefaultRules())
	st := station("sds011", "bme280")
	r := at(received, pm(quantity.PM2_5, 12.3), pm(quantity.PM10, 20.1), pm(quantity.Temperature, 14.2))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		r.Time = received.Add(-time.Duration(i%2_000_000) * time.Second)
		c.Check(st, arrival, r)
		i++
	}
}

// TestOfficialValuesAreNotFlagged has values of an authority's instrument that a low-cost sensor's would be flagged for; what is
// known already is still a conflict.
func TestOfficialValuesAreNotFlagged(t *testing.T) {
	official, own := station(), station()
	official.Source = ingest.UBA
	values := []wire.Value{pm(quantity.PM2_5, -2.5), pm(quantity.PM10, 1200), pm(quantity.NO2, -6)}
	for _, st := range []*ingest.Station{own, official} {
		c := New(DefaultRules())
		keep, _, _ := c.Check(st, arrival, at(received, values...))
		for _, v := range keep.Values {
			if v.Flags.Good() != st.Official() {
				t.Errorf("official %v: %v %v has %q", st.Official(), v.Quantity, v.Value, v.Flags)
			}
		}
		if _, refused, _ := c.Check(st, arrival, at(received, pm(quantity.PM10, 1100))); len(refused) != 1 || refused[0].Reason != wire.Conflict {
			t.Errorf("another value for the same hour: %+v", refused)
		}
	}
}
