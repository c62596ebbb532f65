package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/coverage"
	"stadtluft/ingest"
	"stadtluft/ingest/comparison"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	meta = Meta{Licence: "dl-zero-de/2.0", Attribution: `Stadt "Köln"`, Generated: noon, Demo: true, Averaging: Single, Quality: "all but some", Next: "https://example.org/next"}
)

type register map[string]*ingest.Station

func (r register) Station(id string) (*ingest.Station, bool) {
	s, ok := r[id]
	return s, ok
}

var stations = register{"K7M2Q9X": {ID: "K7M2Q9X", Places: []ingest.Place{
	{From: noon.Add(-24 * time.Hour), Exact: orb.Point{6.958300, 50.941300}, Public: orb.Point{6.957988, 50.941012}},
	{From: noon.Add(time.Minute), Exact: orb.Point{7.05, 50.9}, Public: orb.Point{7.050123, 50.900456}},
}}}

var readingList = []ingest.Reading{
	{Station: "K7M2Q9X", Time: noon, Values: []ingest.Value{
		{Quantity: quantity.PM2_5, Value: 12.3, Flags: ingest.Humid.With(ingest.StuckCheck, ingest.Checked).With(ingest.OutlierCheck, ingest.NoNeighbours)}, {Quantity: quantity.PM10, Value: 1999.9, Flags: ingest.Range | ingest.Inconsistent}, {Quantity: quantity.NoiseLAeq, Value: 55},
	}},
	{Station: "K7M2Q9X", Time: noon.Add(time.Minute), Values: []ingest.Value{{Quantity: quantity.Temperature, Value: -0.0625}, {Quantity: quantity.CO, Value: 1e-9}}},
	{Station: `GO,"NE"`, Time: noon.Add(2 * time.Minute), Values: []ingest.Value{{Quantity: quantity.VOCIndex, Value: 100}}},
}

var rowList = []aggregate.Row{
	{Cell: geo.Cell{Size: 1000, North: 3096000, East: 4107000}, Start: noon, Window: aggregate.Hour, Quantity: quantity.PM2_5,
		Mean: 15_001, Median: 14_000, Min: 5, Max: 31_010, Stations: 3, Readings: 74, Coverage: 944, Revision: 2, Raw: 20_002, Uncorrected: 1, Spread: 15_505},
	{Cell: geo.Cell{Size: 1000, North: 3097000, East: 4107000}, Start: noon, Window: aggregate.Hour, Quantity: quantity.Temperature,
		Mean: -500, Median: -500, Min: -1_500, Max: 500, Stations: 2, Readings: 50, Coverage: 1000, Raw: -500, Spread: 1_414},
}

func encodeReadings(t testing.TB, format Format) []byte {
	return encode(t, readingList, func(w io.Writer) Readings { return NewReadings(w, format, stations, meta) })
}

func encodeGrid(t testing.TB, format Format) []byte {
	return encode(t, rowList, func(w io.Writer) Grid { return NewGrid(w, format, meta) })
}

// TestGolden compares whole documents with files that a person has read.
func TestGolden(t *testing.T) {
	for name, got := range map[string][]byte{
		"readings.csv": encodeReadings(t, CSV), "readings.geojson": encodeReadings(t, GeoJSON),
		"grid.csv": encodeGrid(t, CSV), "grid.geojson": encodeGrid(t, GeoJSON),
		"readings.json": encodeReadings(t, JSON), "readings-semicolon.csv": encodeReadings(t, Semicolon), "readings-german.csv": encodeReadings(t, German),
		"means.csv":     encode(t, meanList, func(w io.Writer) Encoder[aggregate.StationWindow] { return NewMeans(w, CSV, meta) }),
		"means.geojson": encode(t, meanList, func(w io.Writer) Encoder[aggregate.StationWindow] { return NewMeans(w, GeoJSON, meta) }),
		"districts.csv": encode(t, areaList(), func(w io.Writer) Encoder[AreaRow] { return NewAreas(w, CSV, meta) }),
	} {
		path := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestCSVReadsBack(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(encodeReadings(t, CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	for _, r := range readingList {
		for _, v := range r.Values {
			got++
			row := rows[got]
			value, err := strconv.ParseFloat(row[5], 64)
			if err != nil || value != v.Value || row[1] != r.Station || row[4] != v.Quantity.String() || row[6] != v.Quantity.Unit() || row[7] != v.Flags.String() {
				t.Errorf("row %d is %q, want %+v of %s", got, row, v, r.Station)
			}
			if at, err := time.Parse(time.RFC3339, row[0]); err != nil || !at.Equal(r.Time) {
				t.Errorf("row %d: time %q, want %v", got, row[0], r.Time)
			}
		}
	}
	if len(rows) != got+1 {
		t.Errorf("%d rows, want %d", len(rows), got+1)
	}
	if rows[1][2] != "6.957988" || rows[4][2] != "7.050123" || rows[6][2] != "" {
		t.Errorf("longitudes %q %q %q, want the public place of the time, and none for a stranger", rows[1][2], rows[4][2], rows[6][2])
	}
}

// TestGeoJSONFollowsTheRFC reads the documents with encoding/json and checks what RFC 7946 demands.
func TestGeoJSONFollowsTheRFC(t *testing.T) {
	for name, text := range map[string][]byte{"readings": encodeReadings(t, GeoJSON), "grid": encodeGrid(t, GeoJSON)} {
		var doc struct {
			Type, Licence, Attribution, Notice string
			Demo                               bool
			CRS                                any
			Features                           []struct {
				Type     string
				Geometry *struct {
					Type        string
					Coordinates json.RawMessage
				}
				Properties map[string]any
			}
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if doc.Type != "FeatureCollection" || doc.CRS != nil || doc.Attribution != meta.Attribution || !doc.Demo || doc.Notice != Disclaimer {
			t.Errorf("%s: head %+v", name, doc)
		}
		for _, f := range doc.Features {
			if f.Geometry == nil || f.Geometry.Type != "Polygon" {
				continue
			}
			var rings [][][2]float64
			if err := json.Unmarshal(f.Geometry.Coordinates, &rings); err != nil {
				t.Fatal(err)
			}
			ring, area := rings[0], 0.0
			for i := range len(ring) - 1 {
				area += ring[i][0]*ring[i+1][1] - ring[i+1][0]*ring[i][1]
			}
			if ring[0] != ring[len(ring)-1] || area <= 0 {
				t.Errorf("%s: the ring %v is not closed or not counter-clockwise", name, ring)
			}
		}
	}
}

func TestAppendMilli(t *testing.T) {
	f := func(milli int64, want string) {
		t.Helper()
		if got := string(appendMilli(nil, milli)); got != want {
			t.Errorf("appendMilli(%d) = %s, want %s", milli, got, want)
		}
	}
	f(0, "0.000")
	f(1, "0.001")
	f(-1, "-0.001")
	f(12_345, "12.345")
	f(-999, "-0.999")
	f(1_013_250, "1013.250")
}

func TestAppendValue(t *testing.T) {
	f := func(value float64, want string) {
		t.Helper()
		got := string(appendValue(nil, value))
		if back, err := strconv.ParseFloat(got, 64); got != want || err != nil || back != value {
			t.Errorf("appendValue(%v) = %s, want %s", value, got, want)
		}
	}
	f(0, "0")
	f(12.3, "12.3")
	f(-0.1, "-0.1")
	f(100000000, "100000000")
	f(1e-6, "0.000001")
	f(1e-7, "1e-07")
	f(math.MaxFloat64, "1.7976931348623157e+308")
	f(math.Copysign(0, -1), "-0")
	f(0.001, "0.001")
	f(-20, "-20")
	f(0.30000000000000004, "0.30000000000000004")
	f(999999999999.999, "999999999999.999")
	f(1e15, "1000000000000000")
}

// TestAppendValueIsTheShortest holds decimals of few places, and their neighbours, against strconv.
func TestAppendValueIsTheShortest(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 300_000 {
		milli := float64(rng.Int64N(int64(math.Pow10(1 + rng.IntN(17)))))
		near := milli / 1000
		for _, v := range []float64{near, -near, milli / 100, math.Nextafter(near, 0), math.Nextafter(near, math.Inf(1)), near * 1e-5} {
			format := byte('f')
			if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
				format = 'e'
			}
			if got, want := string(appendValue(nil, v)), strconv.FormatFloat(v, format, -1, 64); got != want {
				t.Fatalf("appendValue(%b) = %s, want %s", v, got, want)
			}
		}
	}
}

func TestParseTime(t *testing.T) {
	f := func(text string, want time.Time, wantErr bool) {
		t.Helper()
		if got, err := ParseTime(text); !got.Equal(want) || (err != nil) != wantErr {
			t.Errorf("ParseTime(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	f("2026-05-01T12:00:00Z", noon, false)
	f("2026-05-01T14:00:00+02:00", noon, false)
	f("2026-05-01", noon.Add(-12*time.Hour), false)
	f("yesterday", time.Time{}, true)
	f("", time.Time{}, true)
}

// TestThePromiseNamesEveryColumn holds the tables of README.md against the lists of columns; -update writes them.
func TestThePromiseNamesEveryColumn(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	for _, table := range Tables() {
		got = withColumns(t, got, table.Name, table.Header(), table.Columns)
	}
	got = withColumns(t, got, "readings in Parquet", FullReadingsTable.Header(), FullReadingsTable.Columns[len(ReadingColumns)-1:])
	if *update {
		if err := os.WriteFile("README.md", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != string(text) {
		t.Error("the tables of README.md are not those of the lists: go test ./export -update")
	}
}

// withColumns puts a table's columns in the place that the text has for them.
func withColumns(t *testing.T, text, table, header string, columns []Field) string {
	t.Helper()
	begin, end := "<!-- columns of "+table+" -->\n", "<!-- end of columns -->\n"
	before, rest, found := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("README.md has no place for the columns of %s", table)
	}
	lines := "`" + header + "`\n\n| column | type | unit | what |\n|---|---|---|---|\n"
	for _, c := range columns {
		unit := c.Unit
		if unit == InUnit {
			unit = "as in `unit`"
		}
		lines += "| `" + c.Name + "` | " + c.Type.String() + " | " + unit + " | " + c.About.EN + " |\n"
	}
	return before + begin + lines + end + after
}

// TestEachColumnIsSaid wants each column described in both languages, and named once in its table.
func TestEachColumnIsSaid(t *testing.T) {
	for _, table := range append(Tables(), FullReadingsTable) {
		named := map[string]bool{}
		for _, c := range table.Columns {
			if c.About.EN == "" || c.About.DE == "" || c.About.EN == c.About.DE {
				t.Errorf("%s: %s is described as %q and %q", table.Name, c.Name, c.About.EN, c.About.DE)
			}
			if named[c.Name] {
				t.Errorf("%s: two columns are called %s", table.Name, c.Name)
			}
			named[c.Name] = true
		}
		if table.About.EN == "" || table.About.DE == "" {
			t.Errorf("%s is described as %+v", table.Name, table.About)
		}
	}
}

// TestThePromiseIsKept holds the rest of README.md against the program: schemas, flags, formats.
func TestThePromiseIsKept(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	has := func(what, line string) {
		t.Helper()
		if !strings.Contains(string(text), line) {
			t.Errorf("README.md does not have the %s as\n%s", what, line)
		}
	}
	for _, table := range Tables() {
		has("schema of "+table.Name, "`/api/v1/schema/"+table.Name+".json`")
	}
	for _, flag := range ingest.AllFlags() {
		excludes := map[bool]string{true: "no", false: "yes"}[flag.Good()]
		has("flag "+flag.String(), "| `"+flag.String()+"` | "+excludes+" | ")
	}
	for _, format := range []Format{CSV, GeoJSON, JSON, Parquet} {
		has("format "+string(format), "| `"+string(format)+"` | `"+format.MediaType()+"` | ")
	}
}

// TestTablesAreWhatIsWritten holds the tables against the encoders: the header of the CSV, and in JSON the members,
// their order and their types.
func TestTablesAreWhatIsWritten(t *testing.T) {
	documents := func(format Format) map[string][]byte {
		return map[string][]byte{
			"readings": encodeReadings(t, format), "means": encode(t, meanList, func(w io.Writer) Encoder[aggregate.StationWindow] { return NewMeans(w, format, meta) }),
			"grid": encodeGrid(t, format), "districts": encode(t, areaList(), func(w io.Writer) Encoder[AreaRow] { return NewAreas(w, format, meta) }),
			"index":         encode(t, indexList, func(w io.Writer) Encoder[CellIndex] { return NewIndices(w, format, meta) }),
			"coverage":      encode(t, cityCoverage().Rows(), func(w io.Writer) Encoder[CoverageRow] { return NewCoverage(w, format, meta) }),
			"installations": encode(t, installedList(), func(w io.Writer) Encoder[Installed] { return NewInstallations(w, format, meta) }),
			"calibrations":  encode(t, CalibratedOf(traveller(), time.Time{}, time.Time{}), func(w io.Writer) Encoder[Calibrated] { return NewCalibrations(w, format, meta) }),
			"history":       encode(t, cityCoverage().Then(), func(w io.Writer) Encoder[CoveredThen] { return NewHistory(w, format, meta) }),
			"comparison":    encode(t, comparisonList, func(w io.Writer) Encoder[comparison.Row] { return NewComparison(w, format, meta) }),
			"pairs":         encode(t, pairList, func(w io.Writer) Encoder[comparison.Pair] { return NewPairs(w, format, meta) }),
		}
	}
	plain, list := documents(CSV), documents(JSON)
	for _, table := range Tables() {
		rows, err := csv.NewReader(bytes.NewReader(plain[table.Name])).ReadAll()
		if err != nil || strings.Join(rows[0], ",") != table.Header() {
			t.Errorf("%s: the CSV begins with %q, %v", table.Name, rows[0], err)
		}
		var document struct{ Rows []json.RawMessage }
		if err := json.Unmarshal(list[table.Name], &document); err != nil || len(document.Rows) != len(rows)-1 {
			t.Fatalf("%s: %d rows of JSON, %v, want %d", table.Name, len(document.Rows), err, len(rows)-1)
		}
		for i, row := range document.Rows {
			var members map[string]any
			if err := json.Unmarshal(row, &members); err != nil {
				t.Fatal(err)
			}
			if len(members) != len(table.Columns) {
				t.Errorf("%s: %d members, want %d: %s", table.Name, len(members), len(table.Columns), row)
			}
			for j, c := range table.Columns {
				if !fits(c, members[c.Name], rows[i+1][j]) {
					t.Errorf("%s: %s is %#v in JSON and %q in CSV, want a %s", table.Name, c.Name, members[c.Name], rows[i+1][j], c.Type)
				}
			}
		}
	}
}

// fits reports whether a column's value is of its type, and the same in JSON and CSV.
func fits(c Field, value any, text string) bool {
	if value == nil || value == "" {
		return c.Empty && text == ""
	}
	switch v := value.(type) {
	case float64:
		number, err := strconv.ParseFloat(text, 64)
		return err == nil && number == v && (c.Type.String() == "number" || c.Type == Integer && v == math.Trunc(v))
	case bool:
		return c.Type == Boolean && strconv.FormatBool(v) == text
	case string:
		if c.Type == DateTime {
			_, err := time.Parse(time.RFC3339, v)
			return err == nil && v == text
		}
		return c.Type.String() == "string" && v == text && (c.Among == nil || slices.Contains(c.Among, v))
	}
	return false
}

var meanList = []aggregate.StationWindow{
	{Start: noon, Window: aggregate.Hour, Corrected: true, StationMean: aggregate.StationMean{
		Station: "K7M2Q9X", Cell: geo.Cell{Size: 100, North: 3096600, East: 4107200}, Quantity: quantity.PM2_5, Mean: 8_123, Raw: 12_300, Readings: 24, Coverage: 917}},
	{Start: noon, Window: aggregate.Slot, StationMean: aggregate.StationMean{
		Station: `GO;"NE"`, Quantity: quantity.Temperature, Mean: -1_500, Raw: -1_500, Readings: 2, Coverage: 1000}},
}

var comparisonList = []comparison.Row{
	{Quantity: "pm2_5", Radius: 1000, Period: 90, Humidity: comparison.All, Corrected: true, Statistics: comparison.Statistics{
		N: 2100, Days: 90, Mean: 9.5, Official: 11.6, Bias: -2.1, BiasLow: -2.4, BiasHigh: -1.8, SD: 5, RMSE: 5.4, NRMSE: 0.466, R: 0.8, Slope: 0.9, Intercept: -0.94}},
	{Official: "EXT0NDTAQVJ", Quantity: "no2", Radius: 5000, Period: 30, Humidity: "85-100"},
}

var pairList = []comparison.Pair{
	{Start: noon, Official: "EXT0NDTAQVJ", Quantity: quantity.PM2_5, Radius: 1000, Value: 7.4, Raw: 9.8, Corrected: 7.1, Humidity: new(81.5), Stations: 3},
	{Start: noon, Official: "EXT0NDTAQVJ", Quantity: quantity.NO2, Radius: 3000, Value: 21, Raw: 18, Corrected: 18, Stations: 1},
}

// indexList is a cell of which both indices say something, and one of which they say nothing.
var indexList = CellIndices([]aggregate.Row{
	{Cell: rowList[0].Cell, Start: noon, Window: aggregate.Hour, Quantity: quantity.PM2_5, Mean: 15_001, Stations: 3, Spread: 15_505},
	{Cell: rowList[0].Cell, Start: noon, Window: aggregate.Hour, Quantity: quantity.PM10, Mean: 20_000, Stations: 2},
	{Cell: rowList[1].Cell, Start: noon, Window: aggregate.Hour, Quantity: quantity.NO2, Mean: 20_000, Stations: 1},
})

// cityCoverage is of a city of three cells, of which one is covered and one proposed, on two days of different census tables.
func cityCoverage() *Coverage {
	far := geo.Cell{Size: 1000, North: 3098000, East: 4107000}
	city := coverage.City{
		Cells: []geo.Cell{rowList[0].Cell, rowList[1].Cell, far}, People: map[geo.Cell]int{rowList[0].Cell: 3000, far: 1}, Covered: []geo.Cell{rowList[0].Cell},
		Stations: []geo.Cell{{Size: 100, North: 3096500, East: 4107500}},
	}
	return &Coverage{
		Quantity: quantity.PM2_5, Start: noon, City: city, Counts: map[geo.Cell]int{rowList[0].Cell: 2}, Proposals: city.Propose(1),
		History: []CoveredPeriod{{noon, []coverage.Share{city.Share()}}, {noon.Add(24 * time.Hour), []coverage.Share{{Cells: 3, Covered: 1}, {Cells: 3}}}},
	}
}

func areaList() []AreaRow {
	return RowsOf(noon, aggregate.Hour, []Area{{Name: "Köln, Mitte", Cells: []geo.Cell{rowList[0].Cell, rowList[1].Cell, {Size: 1000, North: 3098000, East: 4107000}}, Rows: rowList}, {Name: "empty"}})
}

func encode[T any](t testing.TB, rows []T, encoder func(io.Writer) Encoder[T]) []byte {
	t.Helper()
	var b bytes.Buffer
	e := encoder(&b)
	err := e.Begin()
	for i := 0; err == nil && i < len(rows); i++ {
		err = e.Add(rows[i])
	}
	if err = errors.Join(err, e.End()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMemoryDoesNotGrow encodes many rows and wants no allocation for each.
func TestMemoryDoesNotGrow(t *testing.T) {
	e := NewReadings(io.Discard, CSV, stations, meta)
	if err := e.Begin(); err != nil {
		t.Fatal(err)
	}
	good := ingest.Reading{Station: "K7M2Q9X", Time: noon, Values: readingList[0].Values[:1]}
	for range 2000 { // until the buffer has its size
		if err := e.Add(good); err != nil {
			t.Fatal(err)
		}
	}
	if got := testing.AllocsPerRun(5000, func() { _ = e.Add(good) }); got > 0 {
		t.Errorf("%v allocations a reading, want none", got)
	}
}

func BenchmarkReadingsCSV(b *testing.B) {
	e := NewReadings(io.Discard, CSV, stations, meta)
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Add(readingList[0]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadingsCSVPeer is the same with encoding/csv.
func BenchmarkReadingsCSVPeer(b *testing.B) {
	w := csv.NewWriter(io.Discard)
	b.ReportAllocs()
	for b.Loop() {
		for _, v := range readingList[0].Values {
			p := stations["K7M2Q9X"].PlaceAt(noon).Public
			err := w.Write([]string{noon.Format(time.RFC3339), "K7M2Q9X", strconv.FormatFloat(p[0], 'f', 6, 64), strconv.FormatFloat(p[1], 'f', 6, 64),
				v.Quantity.String(), strconv.FormatFloat(v.Value, 'f', -1, 64), v.Quantity.Unit(), v.Flags.String(), v.Flags.Checks()})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkGridGeoJSON(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		e := NewGrid(io.Discard, GeoJSON, meta)
		for range 400 {
			if err := e.Add(rowList[0]); err != nil {
				b.Fatal(err)
			}
		}
	}
}
