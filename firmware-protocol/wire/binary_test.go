package wire

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
)

func TestBinaryVectors(t *testing.T) {
	for _, path := range vectorFiles(t, "binary-") {
		v := readVector(t, path)
		payload := v.bytes(t)
		m := DecodeBinary(payload)
		checkMessage(t, path, m, v)
		if len(v.Refused) > 0 {
			continue
		}
		got, err := AppendBinary(nil, m.Readings)
		if canonical := v.Canonical == nil || *v.Canonical; err != nil || bytes.Equal(got, payload) != canonical {
			t.Errorf("%s: encodes to % x, %v; canonical: %v", path, got, err, canonical)
		}
	}
}

// TestBinaryDecimals expects for every whole number that can be encoded the float64 of its decimal.
func TestBinaryDecimals(t *testing.T) {
	for _, q := range quantity.All() {
		how := binaryTable[q]
		low, high := binaryRange(q)
		decimals := int(math.Log10(how.scale))
		step := 1
		if how.code&wideBit != 0 {
			step = 251
		}
		for raw := int(low); raw <= int(high); raw += step {
			want, err := strconv.ParseFloat(fmt.Sprintf("%de-%d", raw, decimals), 64)
			if err != nil {
				t.Fatal(err)
			}
			payload, err := AppendBinary(nil, []Reading{{Values: []Value{{q, want}}}})
			if err != nil {
				t.Fatalf("%s %v: %v", q, want, err)
			}
			if m := DecodeBinary(payload); len(m.Readings) != 1 || m.Readings[0].Values[0] != (Value{q, want}) {
				t.Fatalf("%s %v encodes to % x and decodes to %+v", q, want, payload, m)
			}
		}
	}
}

func TestBinaryRounds(t *testing.T) {
	f := func(q quantity.Quantity, value, want float64) {
		t.Helper()
		payload, err := AppendBinary(nil, []Reading{{Values: []Value{{q, value}}}})
		if err != nil {
			t.Errorf("%s %v: %v", q, value, err)
			return
		}
		if got := DecodeBinary(payload).Readings[0].Values[0].Value; got != want || math.Signbit(got) != math.Signbit(want) {
			t.Errorf("%s %v decodes as %v, want %v", q, value, got, want)
		}
	}
	f(quantity.PM2_5, 12.34, 12.3)
	f(quantity.PM2_5, 12.36, 12.4)
	f(quantity.PM2_5, float64(float32(12.3)), 12.3)
	f(quantity.PM2_5, 6553.54, 6553.5)
	f(quantity.PM2_5, -0.04, 0)
	f(quantity.CO2, 650.5, 651)
	f(quantity.RSSI, -67.5, -68)
	f(quantity.RSSI, -67.4, -67)
	f(quantity.RSSI, 0.49999999999999994, 0)
	f(quantity.Temperature, -0.004, 0)
	f(quantity.Temperature, 1e-300, 0)
	f(quantity.NO2, -3276.84, -3276.8)
}

func TestBinaryRefusesToEncode(t *testing.T) {
	f := func(want string, readings ...Reading) {
		t.Helper()
		dst := []byte("before")
		got, err := AppendBinary(dst, readings)
		if err == nil || !strings.Contains(err.Error(), want) || string(got) != "before" {
			t.Errorf("AppendBinary(%+v) = % x, %v, want an error with %q", readings, got, err, want)
		}
	}
	one := func(q quantity.Quantity, value float64) Reading { return Reading{Values: []Value{{q, value}}} }
	aged := func(age time.Duration) Reading {
		return Reading{HasAge: true, Age: age, Values: []Value{{quantity.PM10, 1}}}
	}
	for _, value := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 6553.56, -0.06, 1e300} {
		f("pm10 "+fmt.Sprint(value)+" outside 0 to 6553.5", one(quantity.PM10, value))
	}
	f("temperature -327.69 outside -327.68 to 327.67", one(quantity.Temperature, -327.69))
	f("temperature 327.68 outside", one(quantity.Temperature, 327.68))
	f("pressure 167772.16 outside 0 to 167772.15", one(quantity.Pressure, 167772.16))
	f("0 is no quantity", one(0, 1))
	f("200 is no quantity", one(200, 1))
	f("there is no reading")
	f("no value", Reading{})
	f("reading 1: the reading has no value", one(quantity.PM10, 1), Reading{HasAge: true})
	f("pm10 stands twice", Reading{Values: []Value{{quantity.PM10, 1}, {quantity.PM1, 1}, {quantity.PM10, 1}}})
	f("not times", Reading{Time: time.Unix(1795439925, 0), Values: []Value{{quantity.PM10, 1}}})
	f("only the first", aged(time.Second), one(quantity.PM10, 1))
	f("outside 0 to 16777215 s", aged(1<<24*time.Second))
	f("outside", aged(-time.Millisecond))
	f("52 bytes", aged(0), aged(1), aged(2), aged(3), aged(4), aged(5), aged(6), Reading{HasAge: true, Values: []Value{{quantity.PM10, 1}, {quantity.RSSI, 1}}})
}

func TestBinaryAgeIsCutToSeconds(t *testing.T) {
	payload, err := AppendBinary(nil, []Reading{{HasAge: true, Age: 90*time.Second + 999*time.Millisecond, Values: []Value{{quantity.PM10, 1}}}})
	if m := DecodeBinary(payload); err != nil || m.Readings[0].Age != 90*time.Second {
		t.Errorf("age %+v, %v, want 90 s", m, err)
	}
}

// TestSpecificationHasTheBinaryTable compares the table of the specification with the code.
func TestSpecificationHasTheBinaryTable(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range quantity.All() {
		how := binaryTable[q]
		low, high := binaryRange(q)
		kind := "unsigned"
		if how.signed {
			kind = "signed"
		}
		decimals := int(math.Log10(how.scale))
		row := fmt.Sprintf("| `%s` | `%02x` | %d, %s | %.*f | %.*f | %.*f |", q, how.code, width(how.code), kind,
			decimals, 1/how.scale, decimals, low/how.scale, decimals, high/how.scale)
		if q != quantity.Quantity(how.code&^wideBit) || !strings.Contains(string(text), row) {
			t.Errorf("the specification has no row %q", row)
		}
	}
}

func FuzzDecodeBinary(f *testing.F) {
	for _, path := range vectorFiles(f, "binary-") {
		v := readVector(f, path)
		f.Add(v.bytes(f))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		m := DecodeBinary(payload)
		if len(m.Readings) == 0 && len(m.Refusals) == 0 {
			t.Fatalf("% x: neither kept nor refused", payload)
		}
		for i, r := range m.Readings {
			for _, v := range r.Values {
				if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
					t.Fatalf("% x: %s is %v", payload, v.Quantity, v.Value)
				}
			}
			m.Readings[i].Values = inOrder(r.Values)
		}
		if len(m.Readings) == 0 {
			return
		}
		if r := m.Readings[0]; len(m.Readings) > 1 && !r.HasAge && !m.Readings[1].HasAge {
			t.Fatalf("% x: two readings of now", payload)
		}
		again, err := AppendBinary(nil, m.Readings)
		if err != nil || len(again) > len(payload) {
			t.Fatalf("% x: %+v encodes to % x, %v", payload, m, again, err)
		}
		if got := DecodeBinary(again); len(got.Refusals) > 0 || !reflect.DeepEqual(got.Readings, m.Readings) {
			t.Fatalf("% x: %+v, then %+v", payload, m, got)
		}
	})
}

func BenchmarkBinary(b *testing.B) {
	var d Decoder
	readings := d.Decode([]byte(`{"pm2_5":12.3,"pm10":20.1,"temperature":14.2,"humidity":60.3,"pressure":1013.2}`)).Readings
	payload, err := AppendBinary(nil, readings)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			DecodeBinary(payload)
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		dst := make([]byte, 0, MaxBinary)
		for b.Loop() {
			if _, err := AppendBinary(dst, readings); err != nil {
				b.Fatal(err)
			}
		}
	})
}
