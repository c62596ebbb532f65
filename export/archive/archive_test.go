package archive

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/sqlite"
)

// The first of May in UTC+1.
var (
	may        = Day{time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}
	begin      = time.Date(2026, 4, 30, 23, 0, 0, 0, time.UTC)
	afterwards = begin.Add(24*time.Hour + Closed)
)

type register []*ingest.Station

func (r register) Stations() []*ingest.Station { return slices.Clone(r) }

func (r register) Station(id string) (*ingest.Station, bool) {
	for _, s := range r {
		if s.ID == id {
			return s, true
		}
	}
	return nil, false
}

func stand(id string, from time.Time, x float64) *ingest.Station {
	return &ingest.Station{
		ID: id, Name: `Balkon "` + id + `"`, Kit: "sds011-bme280", Sensors: []string{"sds011"}, Exposure: ingest.Outdoor, Height: new(3.0), Status: ingest.Active,
		Email: "secret@example.org", Licence: "dl-zero-de/2.0",
		Places: []ingest.Place{{From: from, Exact: orb.Point{6.123456, 50.654321}, Public: orb.Point{6.9 + x, 50.9}}},
	}
}

// stations: A stood all day, B moved at noon, C came at noon, D was silent and went at six, E came the day after, F went the
// day before, G waits for its approval, H is suspended.
func stations() register {
	b := stand("B", begin.Add(-time.Hour), 0.01)
	b.Places = append(b.Places, ingest.Place{From: begin.Add(12 * time.Hour), Public: orb.Point{6.95, 50.95}})
	d, f, g := stand("D", begin, 0.03), stand("F", begin.Add(-48*time.Hour), 0.05), stand("G", begin, 0.06)
	h := stand("H", begin, 0.07)
	d.Status, d.Ended = ingest.Retired, begin.Add(6*time.Hour)
	f.Status, f.Ended = ingest.Retired, begin
	g.Status, h.Status = ingest.Pending, ingest.Suspended
	return register{stand("A", begin.Add(-time.Hour), 0), b, stand("C", begin.Add(12*time.Hour), 0.02), d, stand("E", begin.Add(24*time.Hour), 0.04), f, g, h}
}

// open returns an archive over a SQLite store.
func open(t testing.TB, dir string) *Store {
	t.Helper()
	inner, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "readings.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inner.Close() })
	return &Store{Store: inner, Archive: &Archive{
		Dir: dir, DayOffset: time.Hour, Size: 1000, Stations: stations(), Log: slog.New(slog.DiscardHandler),
		Meta:  export.Meta{Licence: "dl-zero-de/2.0", Attribution: "Stadt Köln"},
		Rules: Rules{Averaging: "A mean.", Quality: map[string]string{"Ahead": "5m0s", "Old": "720h0m0s"}},
	}}
}

// day returns readings every five minutes: A's all day except in hours 3 and 4, B's all day, C's from noon on.
func day() []ingest.Reading {
	rng := rand.New(rand.NewPCG(1, 2))
	var list []ingest.Reading
	for slot := range 288 {
		for _, id := range []string{"A", "B", "C"} {
			hour := slot / 12
			if id == "A" && (hour == 3 || hour == 4) || id == "C" && hour < 12 {
				continue
			}
			at := begin.Add(time.Duration(slot) * 5 * time.Minute)
			list = append(list, ingest.Reading{Station: id, Time: at, Received: at.Add(1500 * time.Millisecond), TimeSource: ingest.TimeSource(slot % 4), Values: []ingest.Value{
				{Quantity: quantity.PM2_5, Value: float64(rng.IntN(500)) / 10, Flags: ingest.Flags(rng.IntN(40) / 39)},
				{Quantity: quantity.Humidity, Value: 60.5},
			}})
		}
	}
	return list
}

func grid() []aggregate.Row {
	var rows []aggregate.Row
	for hour := range 24 {
		rows = append(rows, aggregate.Row{Cell: geo.Cell{Size: 1000, North: 3096000, East: 4107000}, Start: begin.Add(time.Duration(hour) * time.Hour), Window: aggregate.Hour,
			Quantity: quantity.PM2_5, Mean: 12_345, Median: 12_000, Min: 1, Max: 20_000, Stations: 2, Readings: 24, Coverage: 1000, Raw: 13_000, Spread: 500})
	}
	whole := rows[0]
	whole.Window = aggregate.Day
	return append(rows, whole)
}

func fill(t testing.TB, s *Store, readings []ingest.Reading) {
	t.Helper()
	if refused, err := s.WriteReadings(t.Context(), readings); err != nil || len(refused) > 0 {
		t.Fatal(refused, err)
	}
	if err := s.WriteGrid(t.Context(), grid()); err != nil {
		t.Fatal(err)
	}
}

func build(t testing.TB, s *Store, want int) Manifest {
	t.Helper()
	m, _, err := s.Archive.Build(t.Context(), s, may)
	if err != nil || m.Revision != want {
		t.Fatalf("Build makes r%d, %v, want r%d", m.Revision, err, want)
	}
	return m
}

func read(t testing.TB, s store.Store, q store.ReadingQuery) []ingest.Reading {
	t.Helper()
	var list []ingest.Reading
	if err := s.Readings(t.Context(), q, func(r ingest.Reading) error {
		list = append(list, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

func whole() store.ReadingQuery {
	return store.ReadingQuery{From: begin.Add(-48 * time.Hour), To: begin.Add(96 * time.Hour)}
}

// TestTheSameDayGivesTheSameBytes writes the readings in another order into another store and folder.
func TestTheSameDayGivesTheSameBytes(t *testing.T) {
	var sums []string
	for i := range 2 {
		s := open(t, t.TempDir())
		list := day()
		if i == 1 {
			rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
		fill(t, s, list)
		build(t, s, 1)
		text, err := os.ReadFile(filepath.Join(s.Archive.Dir, "2026/05/01/r1", sumsName))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, string(text))
	}
	if sums[0] != sums[1] {
		t.Errorf("checksums\n%s\nand\n%s", sums[0], sums[1])
	}
	for _, name := range []string{"readings.parquet", "readings.csv.gz", "grid-1h.csv.gz", "grid-24h.csv.gz", "grid-1h.geojson.gz", "grid-24h.geojson.gz", "stations.geojson", "datapackage.json", "manifest.json"} {
		if !strings.Contains(sums[0], "  "+name+"\n") {
			t.Errorf("no %s in\n%s", name, sums[0])
		}
	}
}

// TestReadmeNamesEveryFile compares README.md with a day's folder.
func TestReadmeNamesEveryFile(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, t.TempDir())
	fill(t, s, day())
	build(t, s, 1)
	names, err := s.Archive.list(s.Archive.revisionFolder(may, 1))
	if err != nil || len(names) != 18 {
		t.Fatalf("%v, %v, want eighteen files", names, err)
	}
	for _, name := range names {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("README.md does not name %s", name)
		}
	}
}

// TestFilesSayWhatTheEncodersSay compares the files with the output of export's encoders for the same rows.
func TestFilesSayWhatTheEncodersSay(t *testing.T) {
	s := open(t, t.TempDir())
	fill(t, s, day())
	build(t, s, 1)
	var want bytes.Buffer
	e := export.NewReadings(&want, export.CSV, stations(), export.Meta{})
	e.Begin()
	for _, r := range day() {
		e.Add(r)
	}
	e.End()
	if got := unzip(t, s, readingsCSV); got != want.String() {
		t.Errorf("%s differs from the encoder's", readingsCSV)
	}
	rows, err := csv.NewReader(strings.NewReader(unzip(t, s, "grid-1h.csv.gz"))).ReadAll()
	if err != nil || len(rows) != 25 || rows[1][5] != "12.345" {
		t.Errorf("grid-1h.csv.gz: %d lines, %v", len(rows), err)
	}
	var doc struct {
		Features []struct{ Geometry struct{ Type string } }
	}
	if err := json.Unmarshal([]byte(unzip(t, s, "grid-24h.geojson.gz")), &doc); err != nil || len(doc.Features) != 1 || doc.Features[0].Geometry.Type != "Polygon" {
		t.Errorf("grid-24h.geojson.gz: %+v, %v", doc, err)
	}
}

func unzip(t *testing.T, s *Store, name string) string {
	t.Helper()
	file, err := os.Open(filepath.Join(s.Archive.Dir, "2026/05/01/r1", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	compressed, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	if compressed.ModTime.Unix() != 0 || compressed.Name != "" {
		t.Errorf("%s says when and how it was made: %v %q", name, compressed.ModTime, compressed.Name)
	}
	text, err := io.ReadAll(compressed)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestManifest(t *testing.T) {
	s := open(t, t.TempDir())
	list := day()
	list[0].Received = list[0].Time.Add(aggregate.Retention + time.Second)
	flagged := 0
	for _, r := range list {
		if r.Values[0].Flags&ingest.Range != 0 {
			flagged++
		}
	}
	fill(t, s, list)
	m := build(t, s, 1)
	hour := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Hour) }
	if want := []Gap{{"A", hour(3), hour(5)}, {"D", hour(0), hour(6)}}; !reflect.DeepEqual(m.Gaps, want) {
		t.Errorf("gaps %v, want %v", m.Gaps, want)
	}
	if m.Stations != 4 || m.Silent != 1 || m.Readings != len(list) || m.Values != 2*len(list) || m.Late != 1 || m.Flagged["range"] != flagged || len(m.EmptyHours) != 0 {
		t.Errorf("manifest %+v", m)
	}
	if m.Day != "2026-05-01" || !m.From.Equal(begin) || !m.To.Equal(hour(24)) || m.Rules.Quality["Ahead"] != "5m0s" || m.Licence != "dl-zero-de/2.0" || m.Notice != export.Disclaimer {
		t.Errorf("manifest %+v", m)
	}
}

// TestAnEmptyDay is not written, and loses its mark; one that lost its readings is.
func TestAnEmptyDay(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Archive.Mark(may); err != nil {
		t.Fatal(err)
	}
	build(t, s, 0)
	if pending, err := s.Archive.Pending(t.Context()); err != nil || len(pending) > 0 {
		t.Errorf("pending %v, %v", pending, err)
	}
	if days, err := s.Archive.Days(Ends()); err != nil || len(days) > 0 {
		t.Errorf("archived %v, %v", days, err)
	}
	fill(t, s, day())
	build(t, s, 1)
	for _, id := range []string{"A", "B", "C", "D", "X"} {
		if err := s.DeleteReadings(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if m := build(t, s, 2); len(m.EmptyHours) != 24 || m.Readings != 0 {
		t.Errorf("an empty day's manifest %+v", m)
	}
}

// TestStationsAsTheyStood expects public places only.
func TestStationsAsTheyStood(t *testing.T) {
	s := open(t, t.TempDir())
	fill(t, s, day())
	build(t, s, 1)
	text, err := os.ReadFile(filepath.Join(s.Archive.Dir, "2026/05/01/r1", stationsName))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"6.123456", "50.654321", "secret@example.org"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the stations tell %s", secret)
		}
	}
	var doc struct {
		Type, Licence, Notice string
		Features              []struct {
			ID         string
			Geometry   struct{ Coordinates [2]float64 }
			Properties struct{ Places []struct{ Lon float64 } }
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, f := range doc.Features {
		got += fmt.Sprint(f.ID, f.Geometry.Coordinates[0], len(f.Properties.Places), " ")
	}
	if want := "A6.9 1 B6.95 2 C6.92 1 D6.93 1 "; got != want || doc.Type != "FeatureCollection" || doc.Licence == "" {
		t.Errorf("stations %s, want %s", got, want)
	}
}

// TestACorrectionIsARevision expects that the old revision stays.
func TestACorrectionIsARevision(t *testing.T) {
	s := open(t, t.TempDir())
	fill(t, s, day())
	build(t, s, 1)
	build(t, s, 1) // nothing has changed
	late := ingest.Reading{Station: "D", Time: begin.Add(time.Hour), Received: begin.Add(100 * time.Hour), Values: []ingest.Value{{Quantity: quantity.PM10, Value: 1}}}
	fill(t, s, []ingest.Reading{late})
	m := build(t, s, 2)
	if want := []string{"means-1h.csv.gz", "means-1h.parquet", "readings.csv.gz", "readings.parquet"}; !slices.Equal(m.Differs, want) || m.Late != 1 {
		t.Errorf("r2 differs in %v, want %v", m.Differs, want)
	}
	if n, wrong, err := s.Archive.Verify(may); n != 2 || len(wrong) > 0 || err != nil {
		t.Errorf("%d revisions, %v, %v", n, wrong, err)
	}
}

func TestVerify(t *testing.T) {
	s := open(t, t.TempDir())
	fill(t, s, day())
	f := func(want string, spoil func(folder string) error) {
		t.Helper()
		folder := onDisk(s, s.Archive.revisionFolder(may, 1))
		os.RemoveAll(folder)
		build(t, s, 1)
		if err := spoil(folder); err != nil {
			t.Fatal(err)
		}
		if _, wrong, err := s.Archive.Verify(may); err != nil || len(wrong) != 1 || !strings.Contains(wrong[0], want) {
			t.Errorf("Verify says %q, %v, want %q", wrong, err, want)
		}
	}
	f("readings.csv.gz: has the SHA-256", func(folder string) error {
		text, err := os.ReadFile(filepath.Join(folder, readingsCSV))
		text[len(text)/2] ^= 1
		return errors.Join(err, os.WriteFile(filepath.Join(folder, readingsCSV), text, 0o644))
	})
	f("2026-05-01 r1: stations.geojson: is missing", func(folder string) error { return os.Remove(filepath.Join(folder, stationsName)) })
	f("more.csv: does not belong there", func(folder string) error { return os.WriteFile(filepath.Join(folder, "more.csv"), nil, 0o644) })
	f("SHA256SUMS", func(folder string) error { return os.Remove(filepath.Join(folder, sumsName)) })
	f("readings.parquet: manifest.json and SHA256SUMS name other checksums", func(folder string) error {
		path := filepath.Join(folder, readingsParquet)
		text, err := os.ReadFile(filepath.Join(folder, sumsName))
		sum, wrong := (&Archive{Dir: folder}).sumOf(readingsParquet)
		_ = os.WriteFile(path, nil, 0o644)
		empty, _ := (&Archive{Dir: folder}).sumOf(readingsParquet)
		return errors.Join(err, wrong, os.WriteFile(filepath.Join(folder, sumsName), bytes.Replace(text, []byte(sum), []byte(empty), 1), 0o644))
	})
	fill(t, s, []ingest.Reading{{Station: "D", Time: begin, Received: begin, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 1}}}})
	build(t, s, 2)
	if err := os.RemoveAll(onDisk(s, s.Archive.revisionFolder(may, 1))); err != nil {
		t.Fatal(err)
	}
	if n, wrong, err := s.Archive.Verify(may); err != nil || n != 1 || !slices.Equal(wrong, []string{"2026-05-01 r1: is missing"}) {
		t.Errorf("without its first revision: %d, %q, %v", n, wrong, err)
	}
}

// TestWork builds the days that are due.
func TestWork(t *testing.T) {
	s := open(t, t.TempDir())
	fill(t, s, day())
	f := func(now time.Time, revisions int) {
		t.Helper()
		if err := s.Work(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Archive.Revisions(may); err != nil || len(got) != revisions {
			t.Errorf("at %v: revisions %v, %v, want %d", now, got, err, revisions)
		}
	}
	if err := os.Chtimes(s.Archive.mark(may), begin, begin); err != nil { // when its first reading came
		t.Fatal(err)
	}
	f(afterwards.Add(-time.Second), 0)
	f(afterwards, 1)
	fill(t, s, []ingest.Reading{{Station: "A", Time: begin, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 7}}}})
	f(time.Now(), 1) // corrections gather for an hour
	f(time.Now().Add(buildDelay+time.Second), 2)
	f(time.Now().Add(2*buildDelay), 2)
	if pending, err := s.Archive.Pending(t.Context()); err != nil || len(pending) != 0 {
		t.Errorf("pending %v, %v", pending, err)
	}
}

// TestAFilledStoreIsSeeded archives days that are older than the archive.
func TestAFilledStoreIsSeeded(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.Store.WriteReadings(t.Context(), day()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second time changes nothing
		if err := s.Work(t.Context(), afterwards.Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	pending, err := s.Archive.Pending(t.Context())
	if err != nil || len(pending) != 2 || pending[0].Day != may || pending[1].Day != may.Next() {
		t.Errorf("marked are %v, %v, want the two days that are closed", pending, err)
	}
}

// TestTheStoreForgets deletes only what is in the archive, and queries give the same as before.
func TestTheStoreForgets(t *testing.T) {
	s := open(t, t.TempDir())
	s.Archive.Retention = 7 * 24 * time.Hour
	around := []ingest.Reading{{Station: "A", Time: begin.Add(-time.Second), Received: begin, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 3}}},
		{Station: "A", Time: begin.Add(24 * time.Hour), Received: begin.Add(24 * time.Hour), Values: []ingest.Value{{Quantity: quantity.PM10, Value: 4}}}}
	fill(t, s, day())
	fill(t, s, around)
	want := read(t, s, whole())
	now := time.Now().Add(2 * buildDelay)
	work := func() {
		t.Helper()
		if err := s.Work(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	work()
	if got := read(t, s.Store, whole()); !reflect.DeepEqual(got, want) {
		t.Error("readings went before their day was marked")
	}
	work()
	if got := read(t, s.Store, whole()); !reflect.DeepEqual(got, want) {
		t.Error("readings went at once")
	}
	old := time.Now().Add(-evictDelay - time.Hour)
	for _, d := range []Day{{may.date.AddDate(0, 0, -1)}, may, may.Next()} {
		path := onDisk(s, s.Archive.evictedPath(d))
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	work()
	if got := read(t, s.Store, whole()); len(got) != 0 {
		t.Errorf("the store still has %d readings", len(got))
	}
	if got := read(t, s, whole()); !reflect.DeepEqual(got, want) {
		t.Errorf("%d readings from the archive, want %d", len(got), len(want))
	}
	q := store.ReadingQuery{From: begin.Add(time.Hour), To: begin.Add(2 * time.Hour), Stations: []string{"B"}, Quantities: []quantity.Quantity{quantity.Humidity}}
	if got := read(t, s, q); len(got) != 12 || got[0].Station != "B" || len(got[0].Values) != 1 || got[0].Values[0].Quantity != quantity.Humidity {
		t.Errorf("a selection is %+v", got)
	}

	// What comes later is joined, becomes a revision, and is deleted too.
	fill(t, s, []ingest.Reading{{Station: "A", Time: begin, Received: begin, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 9}, {Quantity: quantity.PM2_5, Value: 1, Flags: ingest.Spike}}}})
	joined := read(t, s, store.ReadingQuery{From: begin, To: begin.Add(time.Second)})
	values := []ingest.Value{{Quantity: quantity.PM2_5, Value: 1, Flags: ingest.Spike}, {Quantity: quantity.PM10, Value: 9}, {Quantity: quantity.Humidity, Value: 60.5}}
	if len(joined) != 2 || !reflect.DeepEqual(joined[0].Values, values) {
		t.Errorf("joined is %+v, want %+v", joined, values)
	}
	want = read(t, s, whole())
	now = now.Add(2 * buildDelay)
	work()
	work()
	if revisions, _ := s.Archive.Revisions(may); len(revisions) != 2 {
		t.Errorf("revisions %v, want two", revisions)
	}
	if got := read(t, s.Store, whole()); len(got) != 0 {
		t.Errorf("the store still has %+v", got)
	}
	if got := read(t, s, whole()); !reflect.DeepEqual(got, want) {
		t.Error("the second revision lost something")
	}

	// Readings that an owner had deleted are not read any more, whether the deletion is under way or done.
	erased := stand("A", begin, 0)
	erased.Status = ingest.Erased
	for _, left := range []register{{erased, stand("B", begin, 0)}, {stand("B", begin, 0)}} {
		s.Archive.Stations = left
		got := read(t, s, whole())
		if len(got) == 0 || slices.ContainsFunc(got, func(r ingest.Reading) bool { return r.Station != "B" }) {
			t.Errorf("%d readings, want those of B alone", len(got))
		}
	}
}

// TestTheStoreKeepsWhatIsNotArchived damages the archive or takes something from it.
func TestTheStoreKeepsWhatIsNotArchived(t *testing.T) {
	f := func(want string, spoil func(s *Store)) {
		t.Helper()
		s := open(t, t.TempDir())
		fill(t, s, day())
		build(t, s, 1)
		spoil(s)
		err := s.evict(t.Context(), may, afterwards)
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("evict = %v, want %q", err, want)
		}
		if days, _ := s.Archive.evicted(may, may); (len(days) > 0) != false {
			t.Error("the day is evicted all the same")
		}
	}
	f("the archive is damaged", func(s *Store) {
		if err := os.Truncate(filepath.Join(onDisk(s, s.Archive.revisionFolder(may, 1)), readingsParquet), 100); err != nil {
			t.Fatal(err)
		}
	})
	f("is not in the archive", func(s *Store) { // written without a mark
		extra := day()[:1]
		extra[0].Values[1].Value++
		if _, err := s.Store.WriteReadings(context.Background(), extra); err != nil {
			t.Fatal(err)
		}
	})
	f("", func(s *Store) { fill(t, s, day()[:1]) }) // marked and not built yet
}

// onDisk returns the path of a published file of an archive in a folder.
func onDisk(s *Store, name string) string { return filepath.Join(s.Archive.Dir, name) }
