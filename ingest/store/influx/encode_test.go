package influx

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// TestAppendReading holds the lines against those of InfluxData's encoder.
func TestAppendReading(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	values := []float64{0, math.Copysign(0, -1), 12.3, -0.001, 1e21, 1e-7, math.MaxFloat64, 1013.25, 5e-324}
	for _, station := range []string{"S1", "a-B-9", "sc:1234", "with space, comma=and more", ""} {
		for range 200 {
			r := ingest.Reading{Station: station, Time: time.Unix(random.Int64N(1<<33)-1<<31, 0), Received: time.UnixMilli(random.Int64N(1 << 41)), TimeSource: ingest.TimeSource(random.IntN(4))}
			for _, q := range quantity.All() {
				if random.IntN(3) > 0 {
					continue
				}
				v := ingest.Value{Quantity: q, Value: values[random.IntN(len(values))]}
				if random.IntN(2) > 0 {
					v.Flags = ingest.Flags(random.Uint32())
				}
				r.Values = append(r.Values, v)
			}
			if got, want := string(appendReading(nil, &r)), lineOf(t, &r); got != want {
				t.Fatalf("line %q, want %q", got, want)
			}
		}
	}
}

// lineOf returns the line of InfluxData's encoder.
func lineOf(t testing.TB, r *ingest.Reading) string {
	t.Helper()
	var e lineprotocol.Encoder
	e.SetPrecision(lineprotocol.Second)
	e.SetLax(true)
	e.StartLine("reading")
	e.AddTag("station", r.Station)
	for _, v := range r.Values {
		value, _ := lineprotocol.FloatValue(v.Value)
		flags, checks := v.Flags.Split()
		e.AddField(v.Quantity.String(), value)
		e.AddField("flags_"+v.Quantity.String(), lineprotocol.IntValue(int64(flags)))
		e.AddField("checks_"+v.Quantity.String(), lineprotocol.IntValue(int64(checks)))
	}
	e.AddField("received", lineprotocol.IntValue(r.Received.UnixMilli()))
	e.AddField("time_source", lineprotocol.IntValue(int64(r.TimeSource)))
	e.EndLine(r.Time)
	if err := e.Err(); err != nil {
		t.Fatal(err)
	}
	return string(e.Bytes())
}

func BenchmarkAppendReading(b *testing.B) {
	r := ingest.Reading{Station: "k7-fm3-2wq", Time: time.Unix(1795439925, 0), Received: time.UnixMilli(1795439925123), Values: []ingest.Value{
		{Quantity: quantity.PM2_5, Value: 12.3}, {Quantity: quantity.PM10, Value: 20.1}, {Quantity: quantity.Temperature, Value: 14.21},
		{Quantity: quantity.Humidity, Value: 60.3}, {Quantity: quantity.Pressure, Value: 1013.25},
	}}
	b.Run("ours", func(b *testing.B) {
		var dst []byte
		for b.Loop() {
			dst = appendReading(dst[:0], &r)
		}
	})
	b.Run("lineprotocol", func(b *testing.B) {
		for b.Loop() {
			lineOf(b, &r)
		}
	})
}
