package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

var (
	noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	meta = export.Meta{Licence: "dl-zero-de/2.0", Attribution: `Stadt "Köln"`, Demo: true, Licences: []string{"https://a.example", "https://b.example"}}
)

type register map[string]*ingest.Station

func (r register) Station(id string) (*ingest.Station, bool) {
	s, ok := r[id]
	return s, ok
}

var stations = register{"K7M2Q9X": {ID: "K7M2Q9X", Places: []ingest.Place{
	{From: noon.Add(-24 * time.Hour), Exact: orb.Point{6.958300, 50.941300}, Public: orb.Point{6.9579884, 50.9410119}},
	{From: noon.Add(time.Minute), Exact: orb.Point{7.05, 50.9}, Public: orb.Point{7.050123, 50.900456}},
}}}

var readingList = []ingest.Reading{
	{Station: "K7M2Q9X", Time: noon, Received: noon.Add(1250 * time.Millisecond), TimeSource: ingest.Receipt, Values: []ingest.Value{
		{Quantity: quantity.PM2_5, Value: 12.3, Flags: ingest.Outlier.With(ingest.OutlierCheck, ingest.Checked).With(ingest.SpikeCheck, ingest.NoHistory)}, {Quantity: quantity.PM10, Value: 1999.9, Flags: ingest.Sentinel | ingest.Range}, {Quantity: quantity.Temperature, Value: -0.1},
	}},
	{Station: "STRANGER", Time: noon, Received: noon, Values: []ingest.Value{{Quantity: quantity.NoiseLAeq, Value: 1.0 / 3}}},
	{Station: "K7M2Q9X", Time: noon.Add(time.Minute), Received: noon.Add(time.Hour), TimeSource: ingest.Network, Values: []ingest.Value{{Quantity: quantity.PM2_5, Value: math.MaxFloat64}}},
}

func write[T any](t testing.TB, e interface {
	Begin() error
	Add(T) error
	End() error
}, rows []T) {
	t.Helper()
	err := e.Begin()
	for i := 0; err == nil && i < len(rows); i++ {
		err = e.Add(rows[i])
	}
	if err = errors.Join(err, e.End()); err != nil {
		t.Fatal(err)
	}
}

func encode(t testing.TB, list []ingest.Reading) []byte {
	var b bytes.Buffer
	write(t, NewReadings(&b, stations, meta, map[string]string{"rules": `{"a":1}`}), list)
	return b.Bytes()
}

func decode(t testing.TB, text []byte, from, to time.Time) []ingest.Reading {
	t.Helper()
	var list []ingest.Reading
	if err := Read(bytes.NewReader(text), int64(len(text)), from, to, func(r ingest.Reading) error {
		list = append(list, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestReadingsComeBack(t *testing.T) {
	text := encode(t, readingList)
	f := func(from, to time.Duration, want []ingest.Reading) {
		t.Helper()
		if got := decode(t, text, noon.Add(from), noon.Add(to)); !reflect.DeepEqual(got, want) {
			t.Errorf("from %v to %v\n%+v\nwant\n%+v", from, to, got, want)
		}
	}
	f(-time.Hour, time.Hour, readingList)
	f(0, time.Minute, readingList[:2])
	f(time.Nanosecond, time.Minute+time.Nanosecond, readingList[2:])
	f(time.Hour, 2*time.Hour, nil)
}

// TestEarlierFilesAreRead has a file of a version that had no results of checks.
func TestEarlierFilesAreRead(t *testing.T) {
	var b bytes.Buffer
	columns := export.FullReadingColumns[:len(export.FullReadingColumns)-1]
	write(t, &readings{rows: newRows(&b, meta, nil, "readingRow", columns, "time", "station"), stations: stations}, readingList)
	want := slices.Clone(readingList)
	for i := range want {
		want[i].Values = slices.Clone(want[i].Values)
		for j := range want[i].Values {
			want[i].Values[j].Flags = want[i].Values[j].Flags.Found()
		}
	}
	if got := decode(t, b.Bytes(), noon.Add(-time.Hour), noon.Add(time.Hour)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}

// many are readings over several groups of rows.
func many(n int) []ingest.Reading {
	rng := rand.New(rand.NewPCG(1, 2))
	list := make([]ingest.Reading, n)
	for i := range list {
		at := noon.Add(time.Duration(i/10) * time.Second)
		list[i] = ingest.Reading{Station: fmt.Sprintf("S%03d", i%10), Time: at, Received: at.Add(time.Duration(rng.IntN(3000)) * time.Millisecond)}
		for _, q := range []quantity.Quantity{quantity.PM2_5, quantity.PM10, quantity.Pressure} {
			list[i].Values = append(list[i].Values, ingest.Value{Quantity: q, Value: rng.NormFloat64() * 100, Flags: ingest.Flags(rng.IntN(4)).With(ingest.SpikeCheck, ingest.Result(rng.IntN(4)))})
		}
	}
	return list
}

// TestManyGroups has readings whose rows lie on both sides of a group's end, and more values than a dictionary holds.
func TestManyGroups(t *testing.T) {
	list := many(groupRows)
	text := encode(t, list)
	file, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
	if err != nil || len(file.RowGroups()) != 3 {
		t.Fatalf("%d groups, %v, want 3", len(file.RowGroups()), err)
	}
	if got := decode(t, text, noon, noon.Add(24*time.Hour)); !reflect.DeepEqual(got, list) {
		t.Error("the readings are others")
	}
	late := noon.Add(13000 * time.Second)
	if got := decode(t, text, late, late.Add(time.Second)); !reflect.DeepEqual(got, list[130000:130010]) {
		t.Errorf("one second is %+v", got)
	}
	if !bytes.Equal(text, encode(t, list)) {
		t.Error("the same readings give other bytes")
	}
}

func TestYieldEnds(t *testing.T) {
	text, enough := encode(t, readingList), errors.New("enough")
	if err := Read(bytes.NewReader(text), int64(len(text)), noon, noon.Add(time.Hour), func(ingest.Reading) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("Read = %v, want %v", err, enough)
	}
}

// TestWhatIsCutIsRefused cuts a file at each length.
func TestWhatIsCutIsRefused(t *testing.T) {
	text := encode(t, readingList)
	for n := range len(text) {
		if err := Read(bytes.NewReader(text[:n]), int64(n), noon, noon.Add(time.Hour), func(ingest.Reading) error { return nil }); err == nil {
			t.Fatalf("a file cut after %d of %d bytes is read", n, len(text))
		}
	}
}

// TestAnotherTableIsRefused gives averages where readings are wanted.
func TestAnotherTableIsRefused(t *testing.T) {
	var text bytes.Buffer
	write(t, NewGrid(&text, meta, nil), []aggregate.Row{{Cell: geo.Cell{Size: 1000}}})
	err := Read(bytes.NewReader(text.Bytes()), int64(text.Len()), noon, noon, func(ingest.Reading) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "the columns are cell,window_start,") {
		t.Errorf("Read = %v, want what the columns are", err)
	}
}

// TestColumns holds names, order, types and metadata as the README promises them.
func TestColumns(t *testing.T) {
	var gridText bytes.Buffer
	write(t, NewGrid(&gridText, meta, nil), []aggregate.Row{{Cell: geo.Cell{Size: 1000, North: 3096000, East: 4107000}, Window: aggregate.Hour, Start: noon, Quantity: quantity.PM2_5}})
	f := func(text []byte, columns, types string) {
		t.Helper()
		file, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, c := range file.Root().Columns() {
			kinds = append(kinds, c.Type().String())
		}
		if got := columnsOf(file); got != columns {
			t.Errorf("columns %s\nwant    %s", got, columns)
		}
		if got := strings.Join(kinds, " "); got != types {
			t.Errorf("types %s\nwant  %s", got, types)
		}
		for key, want := range map[string]string{
			"licence": "dl-zero-de/2.0", "attribution": `Stadt "Köln"`, "notice": export.Disclaimer, "demo": "true", "licences": "https://a.example https://b.example",
		} {
			if got, ok := file.Lookup(key); !ok || got != want {
				t.Errorf("%s is %q, want %q", key, got, want)
			}
		}
	}
	const stamp = "TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS)"
	readings := encode(t, readingList)
	f(readings, export.FullReadingsTable.Header(), stamp+" STRING DOUBLE DOUBLE STRING DOUBLE STRING STRING "+stamp+" STRING STRING")
	f(gridText.Bytes(), export.GridTable.Header(), "STRING "+stamp+" INT(32,true) STRING STRING DOUBLE DOUBLE DOUBLE DOUBLE INT(32,true) INT(32,true) DOUBLE INT(32,true) DOUBLE DOUBLE INT(32,true) DOUBLE INT(32,true) DOUBLE STRING INT(32,true)")
	file, _ := parquet.OpenFile(bytes.NewReader(readings), int64(len(readings)))
	if got, _ := file.Lookup("rules"); got != `{"a":1}` {
		t.Errorf("rules are %q", got)
	}
}

// TestPlaces are the public ones of the time, with the six decimals of the CSV, and none for a stranger.
func TestPlaces(t *testing.T) {
	text := encode(t, readingList)
	rows, err := parquet.Read[struct {
		Lon *float64 `parquet:"lon,optional"`
		Lat *float64 `parquet:"lat,optional"`
	}](bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	if rows[0].Lon == nil || *rows[0].Lon != 6.957988 || *rows[0].Lat != 50.941012 || rows[3].Lon != nil || *rows[4].Lon != 7.050123 {
		t.Errorf("places of %+v", rows)
	}
}

// TestMemoryDoesNotGrow writes five times as many rows and wants no five times as much memory.
func TestMemoryDoesNotGrow(t *testing.T) {
	list := many(groupRows / 3)
	held := func(times int) uint64 {
		e := NewReadings(io.Discard, stations, meta, nil)
		for range times {
			for _, r := range list {
				if err := e.Add(r); err != nil {
					t.Fatal(err)
				}
			}
		}
		runtime.GC()
		runtime.GC() // pools let go at the second
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(e)
		return m.HeapAlloc
	}
	few, lots := held(1), held(5)
	if lots > few+4<<20 {
		t.Errorf("%d bytes after 5 groups, %d after 1", lots, few)
	}
}

// cpu is the time the process has computed, which other processes of a busy machine change little.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkReadings(b *testing.B) {
	list := many(100_000)
	e := NewReadings(io.Discard, stations, meta, nil)
	b.ReportAllocs()
	begin := cpu()
	for b.Loop() {
		for _, r := range list {
			if err := e.Add(r); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N*300_000)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(cpu()-begin)/float64(b.N*300_000), "cpu-ns/row")
}

func BenchmarkRead(b *testing.B) {
	text := encode(b, many(100_000))
	b.ReportAllocs()
	for b.Loop() {
		if err := Read(bytes.NewReader(text), int64(len(text)), noon, noon.Add(24*time.Hour), func(ingest.Reading) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*300_000)/b.Elapsed().Seconds(), "rows/s")
}

// TestOtherTables are means and districts, read back by names and types.
func TestOtherTables(t *testing.T) {
	var hours, parts bytes.Buffer
	write(t, NewMeans(&hours, meta), []aggregate.StationWindow{
		{Start: noon, Window: aggregate.Hour, Corrected: true, StationMean: aggregate.StationMean{Station: "K7M2Q9X", Cell: geo.Cell{Size: 100, North: 3096600, East: 4107200}, Quantity: quantity.PM2_5, Mean: 8_123, Raw: 12_300, Readings: 24, Coverage: 917}},
		{Start: noon, Window: aggregate.Slot, StationMean: aggregate.StationMean{Station: "STRANGER", Quantity: quantity.Temperature, Mean: -1_500, Raw: -1_500, Readings: 2, Coverage: 1000}},
	})
	write(t, NewAreas(&parts, meta), export.RowsOf(noon, aggregate.Day, []export.Area{{Name: "Köln, Mitte", Cells: []geo.Cell{{Size: 1000, East: 1000}, {Size: 1000, East: 2000}, {Size: 1000, East: 3000}}, Rows: []aggregate.Row{{Cell: geo.Cell{Size: 1000, East: 1000}, Quantity: quantity.PM10, Mean: 15_001, Stations: 2, Readings: 50}}}}))
	hasColumns(t, "means", &hours)
	hasColumns(t, "districts", &parts)
	means := readBack[meanRow](t, &hours)
	if m := means[0]; *m.Lon != 6.957925 || m.Mean != 8.123 || m.RawMean != 12.3 || !m.Corrected || m.Coverage != 0.917 || m.WindowStart != noon.UnixMilli() || m.WindowSeconds != 3600 {
		t.Errorf("mean %+v", m)
	}
	if m := means[1]; m.Lon != nil || m.Corrected || m.Unit != "°C" || m.Mean != -1.5 {
		t.Errorf("mean %+v", m)
	}
	districts := readBack[areaRow](t, &parts)
	// PM10 of 15.001: up to 15 is EAQI 1 (ETC HE 2024/17, table 1), up to 27 is LQI 2 (UBA 2025).
	if d := districts[0]; d.Area != "Köln, Mitte" || d.Mean != 15.001 || d.Share != 0.333 || d.AllCells != 3 || *d.EAQI != 2 || d.WindowSeconds != 86400 {
		t.Errorf("district %+v", d)
	}
}

func BenchmarkGrid(b *testing.B) {
	var list []aggregate.Row
	for i := range int32(24 * 400) {
		mean := int64(i*7919) % 40_000
		list = append(list, aggregate.Row{Cell: geo.Cell{Size: 1000, North: 3_090_000 + i%400/20*1000, East: 4_100_000 + i%20*1000}, Start: noon.Add(time.Duration(i/400) * time.Hour), Window: aggregate.Hour,
			Quantity: quantity.PM2_5, Mean: mean, Median: mean + 100, Min: mean - 300, Max: mean + 500, Raw: mean + 1000, Stations: 3, Readings: 74, Coverage: 944, Spread: 1505})
	}
	e := NewGrid(io.Discard, meta, nil)
	b.ReportAllocs()
	begin := cpu()
	for b.Loop() {
		for _, row := range list {
			if err := e.Add(row); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N*len(list))/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(cpu()-begin)/float64(b.N*len(list)), "cpu-ns/row")
}
