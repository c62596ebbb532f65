package journal

import (
	"bytes"
	"encoding/hex"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// golden is the example of FORMAT.md, composed by hand from its tables.
const golden = "01" +
	"01" + "024b37" + "f4a8bfe9d666" + "01" + "00" + "02" + "0200d1c201" + "0d0100000000000000f87f" +
	"02" + "024b37" + "02" + "05636c6f636b" + "0174" + "026e6f"

func example() ingest.Batch {
	received := time.UnixMilli(1764000000570).UTC()
	return ingest.Batch{
		Readings: []ingest.Reading{{
			Station: "K7", Time: time.Unix(1763999999, 0).UTC(), Received: received,
			Values: []ingest.Value{{Quantity: quantity.PM2_5, Value: 12.456}, {Quantity: quantity.Temperature, Flags: ingest.Range, Value: math.Float64frombits(0x7ff8000000000000)}},
		}},
		Refusals: []ingest.Refusal{{Station: "K7", Received: received.Add(time.Millisecond), Reason: wire.Clock, Field: "t", Detail: "no"}},
	}
}

func TestGolden(t *testing.T) {
	want, err := hex.DecodeString(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := AppendBatch(nil, example()); !bytes.Equal(got, want) {
		t.Errorf("AppendBatch = %x, want %x", got, want)
	}
	format, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(strings.Fields(string(format)), ""); !strings.Contains(got, golden) {
		t.Error("FORMAT.md does not quote the golden bytes")
	}
}

func TestValuesKeepTheirBits(t *testing.T) {
	for _, v := range []float64{0, math.Copysign(0, -1), 0.001, -40.5, 0.1 + 0.2, 1e300, math.Inf(-1), 1 << 53, 9007199254740.993, math.SmallestNonzeroFloat64} {
		b := example()
		b.Readings[0].Values = []ingest.Value{{Quantity: quantity.PM10, Value: v}}
		got, err := DecodeBatch(AppendBatch(nil, b))
		if err != nil {
			t.Errorf("%v: %v", v, err)
		} else if got := got.Readings[0].Values[0].Value; math.Float64bits(got) != math.Float64bits(v) {
			t.Errorf("got %v, want %v", got, v)
		}
		got.Readings, b.Readings = nil, nil
		if err == nil && !reflect.DeepEqual(got, b) {
			t.Errorf("got %+v, want %+v", got, b)
		}
	}
}

// TestHourFlagsAndNetworkTime encodes and decodes; the expected bytes are composed by hand from FORMAT.md's tables.
func TestHourFlagsAndNetworkTime(t *testing.T) {
	b := ingest.Batch{HourFlags: []ingest.HourFlags{
		{Station: "K7", Hour: time.Unix(3600*490000, 0).UTC(), Quantity: quantity.PM10, Flags: 8},
		{Station: "K7", Hour: time.Unix(3600*490000, 0).UTC(), Quantity: quantity.PM2_5},
		{Station: "K7", Hour: time.Unix(3600*490000, 0).UTC(), Quantity: quantity.PM2_5, Humid: []ingest.Span{{From: 5, To: 3599, Values: 24}}},
	}}
	want, err := hex.DecodeString("01" + "03" + "024b37" + "a0e83b" + "04" + "08" + "03" + "024b37" + "a0e83b" + "02" + "00" +
		"04" + "024b37" + "a0e83b" + "02" + "00" + "01" + "05" + "8f1c" + "18")
	if err != nil {
		t.Fatal(err)
	}
	if got := AppendBatch(nil, b); !bytes.Equal(got, want) {
		t.Errorf("AppendBatch = %x, want %x", got, want)
	}
	network := many(1)
	network.Readings[0].TimeSource = ingest.Network
	for _, b := range []ingest.Batch{b, network} {
		if got, err := DecodeBatch(AppendBatch(nil, b)); err != nil || !reflect.DeepEqual(got, b) {
			t.Errorf("got %+v, %v, want %+v", got, err, b)
		}
	}
	first, second := halve(ingest.Batch{Readings: example().Readings, Refusals: example().Refusals, HourFlags: b.HourFlags}, 3)
	if size(first) != 3 || size(second) != 2 || !second.HourFlags[0].Equal(&b.HourFlags[1]) {
		t.Errorf("halved into %+v and %+v", first, second)
	}
}

func TestUnknownVersion(t *testing.T) {
	_, err := DecodeBatch([]byte{7})
	if want := "journal entry version 7: this program reads up to 1"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestTruncated(t *testing.T) {
	data := AppendBatch(nil, ingest.Batch{Readings: example().Readings})
	for n := range data {
		if _, err := DecodeBatch(data[:n]); n != 1 && err == nil {
			t.Errorf("%x is taken", data[:n])
		}
	}
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add(AppendBatch(nil, example()))
	f.Add([]byte{version})
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := DecodeBatch(data)
		if err != nil {
			return
		}
		if got := AppendBatch(nil, b); !bytes.Equal(got, data) {
			t.Errorf("%x encodes back to %x", data, got)
		}
	})
}

func many(n int) ingest.Batch {
	var b ingest.Batch
	for i := range n {
		r := example().Readings[0]
		r.Values = []ingest.Value{{Quantity: quantity.PM10, Value: 20.1}, {Quantity: quantity.PM2_5, Value: 12.4}}
		r.Time = r.Time.Add(time.Duration(i) * time.Second)
		b.Readings = append(b.Readings, r)
	}
	return b
}

func BenchmarkAppendBatch(b *testing.B) {
	batch, buf := many(500), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendBatch(buf[:0], batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*500), "ns/reading")
}

func BenchmarkDecodeBatch(b *testing.B) {
	data := AppendBatch(nil, many(500))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeBatch(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*500), "ns/reading")
}
