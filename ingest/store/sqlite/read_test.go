package sqlite

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

var readTestBegin = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

// paged makes an empty file whose pages have a size, and unused bytes at their end.
func paged(t *testing.T, size, unused int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "readings.db")
	execute(t, path, fmt.Sprintf("PRAGMA page_size = %d", size), "CREATE TABLE t (a)", "DROP TABLE t", "VACUUM")
	if unused > 0 {
		file, err := os.ReadFile(path)
		if err != nil || len(file) != size {
			t.Fatalf("an empty file has %d bytes, %v, want one page", len(file), err)
		}
		file[headUnused] = byte(unused)
		binary.BigEndian.PutUint16(file[100+5:], uint16(size-unused)) // where the page's cells begin, behind the head of the file
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// execute runs statements on a file, which it makes.
func execute(t testing.TB, path string, statements ...string) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range statements {
		if err := sqlitex.ExecuteTransient(conn, statement, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// someReadings are readings of 40 stations, two of them with names that do not fit into a page, in any order.
func someReadings(rng *rand.Rand) (list []ingest.Reading) {
	for i := range 1200 {
		station := fmt.Sprint("S", i%40)
		if i%40 > 37 {
			station = strings.Repeat(station, 10*(i%40))
		}
		at := readTestBegin.Add(time.Duration(i/8) * time.Second)
		r := ingest.Reading{Station: station, Time: at, Received: at.Add(time.Duration(rng.IntN(1e6)) * time.Millisecond), TimeSource: ingest.TimeSource(rng.IntN(4))}
		for _, q := range quantity.All() {
			if rng.IntN(3) == 0 {
				continue
			}
			value := [...]float64{0, 1, -1, 1 << 7, -1 << 15, 1 << 23, -1 << 31, 1 << 47, 1 << 53, rng.NormFloat64(), float64(rng.IntN(1000)) / 10}[rng.IntN(11)]
			r.Values = append(r.Values, ingest.Value{Quantity: q, Value: value, Flags: ingest.Flags(rng.Uint32() >> rng.IntN(32) >> rng.IntN(32))})
		}
		if len(r.Values) > 0 {
			list = append(list, r)
		}
	}
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// TestPagesAreReadAsTheyWereWritten expects, of pages of any size, what was written, and nothing of what was deleted.
func TestPagesAreReadAsTheyWereWritten(t *testing.T) {
	for _, c := range []struct{ size, unused int }{{512, 0}, {512, 32}, {1024, 0}, {4096, 0}, {4096, 255}, {65536, 0}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(c.size), uint64(c.unused)))
			now := readTestBegin.Add(time.Minute)
			s, err := openAt(t.Context(), paged(t, c.size, c.unused), func() time.Time { return now })
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			all := someReadings(rng)
			for half := range slices.Chunk(all, len(all)/2+1) {
				if _, err := s.WriteReadings(t.Context(), half); err != nil {
					t.Fatal(err)
				}
			}
			compareReadings(t, s, all)
			now = now.Add(time.Hour) // from here on readings are in by_hour, but those of a clock that is ahead
			ahead := all[0]
			ahead.Time = now.Add(time.Minute)
			all = append(all, ahead)
			if _, err := s.WriteReadings(t.Context(), all[len(all)-1:]); err != nil {
				t.Fatal(err)
			}
			compareReadings(t, s, all)
			if err := s.DeleteReadings(t.Context(), "S7"); err != nil {
				t.Fatal(err)
			}
			compareReadings(t, s, slices.DeleteFunc(all, func(r ingest.Reading) bool { return r.Station == "S7" }))
		})
	}
}

// compareReadings compares what is read with what there should be, for all stations and for some, for all quantities and for one.
func compareReadings(t *testing.T, s *Store, all []ingest.Reading) {
	t.Helper()
	slices.SortFunc(all, func(a, b ingest.Reading) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Station, b.Station))
	})
	names := map[string]bool{}
	for _, r := range all {
		names[r.Station] = true
	}
	every := slices.Sorted(maps.Keys(names))
	for _, stations := range [][]string{nil, every[:1], every[3:9], every[30:], append([]string{"nobody", "S3"}, every...)} {
		for _, quantities := range [][]quantity.Quantity{nil, {quantity.PM10}, {quantity.RSSI, quantity.PM1}} {
			q := store.ReadingQuery{From: readTestBegin.Add(5 * time.Second), To: readTestBegin.Add(2 * time.Hour), Stations: stations, Quantities: quantities}
			var got []ingest.Reading
			if err := s.Readings(t.Context(), q, func(r ingest.Reading) error { got = append(got, r); return nil }); err != nil {
				t.Fatal(err)
			}
			want := slices.Collect(selected(all, q))
			if len(got) != len(want) {
				t.Fatalf("%d stations, quantities %v: %d readings, want %d", len(stations), quantities, len(got), len(want))
			}
			for i := range want {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Fatalf("%d stations, quantities %v: reading %d is\n%+v, want\n%+v", len(stations), quantities, i, got[i], want[i])
				}
			}
		}
	}
}

// selected yields what a query selects.
func selected(all []ingest.Reading, q store.ReadingQuery) func(yield func(ingest.Reading) bool) {
	return func(yield func(ingest.Reading) bool) {
		for _, r := range all {
			if r.Time.Before(q.From) || !r.Time.Before(q.To) || len(q.Stations) > 0 && !slices.Contains(q.Stations, r.Station) {
				continue
			}
			if len(q.Quantities) > 0 {
				r.Values = slices.DeleteFunc(slices.Clone(r.Values), func(v ingest.Value) bool { return !slices.Contains(q.Quantities, v.Quantity) })
				if len(r.Values) == 0 {
					continue
				}
			}
			if !yield(r) {
				return
			}
		}
	}
}

// TestColumnsOfOthers adds columns to the table while the store is open, and has one of ours at another place.
func TestColumnsOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readings.db")
	s := open(t, path)
	script(t, s, "ALTER TABLE reading DROP COLUMN pm1; ALTER TABLE reading DROP COLUMN flags_pm1")
	s.Close()
	s = open(t, path)
	want := ingest.Reading{Station: "A", Time: readTestBegin, Received: readTestBegin, Values: []ingest.Value{{Quantity: quantity.PM1, Value: 1.5, Flags: 2}, {Quantity: quantity.PM10, Value: 3}}}
	if _, err := s.WriteReadings(t.Context(), []ingest.Reading{want}); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		var got []ingest.Reading
		err := s.Readings(t.Context(), store.ReadingQuery{To: time.Unix(1<<40, 0)}, func(r ingest.Reading) error { got = append(got, r); return nil })
		if err != nil || !reflect.DeepEqual(got, []ingest.Reading{want}) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	check()
	other := open(t, path)
	script(t, other, "ALTER TABLE reading ADD COLUMN mood TEXT; ALTER TABLE reading ADD COLUMN flags_mood INTEGER")
	check()
	script(t, other, fmt.Sprintf("UPDATE reading SET mood = '%s', flags_mood = 7", strings.Repeat("fine ", 100)))
	check()
	execute(t, path, "ALTER TABLE reading DROP COLUMN no2", "ALTER TABLE reading DROP COLUMN flags_no2", "DROP TABLE grid", "VACUUM")
	check()
}

// TestHourEndsBetweenPages has the hour move to by_hour after each page of a query, where a page ends between readings of one second.
func TestHourEndsBetweenPages(t *testing.T) {
	now := readTestBegin.Add(30 * time.Minute)
	s, err := openAt(t.Context(), filepath.Join(t.TempDir(), "readings.db"), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var stations []string
	var all []ingest.Reading
	for i := range 7 {
		stations = append(stations, fmt.Sprint("S", i))
	}
	for i := range 4000 {
		at := readTestBegin.Add(time.Duration(i/7) * time.Second)
		all = append(all, ingest.Reading{Station: stations[i%7], Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: float64(i)}}})
	}
	if _, err := s.WriteReadings(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	r := newReader(s, store.ReadingQuery{From: readTestBegin, To: now, Stations: stations})
	var got []ingest.Reading
	for r.from.time < r.to {
		if err := with(t.Context(), s.read, r.fill); err != nil {
			t.Fatal(err)
		}
		got = append(got, slices.Clone(r.page)...)
		now = now.Add(time.Hour)
		if _, err := s.WriteReadings(t.Context(), all[:1]); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != len(all) {
		t.Errorf("%d readings, want %d", len(got), len(all))
	}
	for i := 1; i < len(got); i++ {
		if a, b := got[i-1], got[i]; b.Time.Before(a.Time) || b.Time.Equal(a.Time) && b.Station <= a.Station {
			t.Fatalf("reading %d of %s at %v comes after that of %s at %v", i, b.Station, b.Time, a.Station, a.Time)
		}
	}
}

// TestFirstHourOfUnixTime asks for a station's readings of hour 0.
func TestFirstHourOfUnixTime(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "readings.db"))
	var all []ingest.Reading
	for _, unix := range []int64{0, 1, 3599, 3600} {
		at := time.Unix(unix, 0).UTC()
		all = append(all, ingest.Reading{Station: "A", Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 1}}})
	}
	for range 2 { // before and after they are found by hour
		if _, err := s.WriteReadings(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	err := s.Readings(t.Context(), store.ReadingQuery{To: time.Unix(1<<40, 0), Stations: []string{"A"}}, func(ingest.Reading) error { n++; return nil })
	if err != nil || n != len(all) {
		t.Errorf("%d readings, %v, want %d", n, err, len(all))
	}
}

// TestPagesLookForSomeHours asks for many stations that have nothing: a page ends although it is empty, so that no transaction is long.
func TestPagesLookForSomeHours(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "readings.db"))
	var all []ingest.Reading
	for hour := range 200 {
		at := readTestBegin.Add(-time.Duration(hour) * time.Hour)
		all = append(all, ingest.Reading{Station: "A", Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 1}}})
	}
	if _, err := s.WriteReadings(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	q := store.ReadingQuery{From: readTestBegin.Add(-1000 * time.Hour), To: readTestBegin.Add(time.Hour)}
	for i := range 500 {
		q.Stations = append(q.Stations, fmt.Sprint("nobody ", i))
	}
	r, pages := newReader(s, q), 0
	for ; r.from.time < r.to; pages++ {
		if err := with(t.Context(), s.read, r.fill); err != nil || len(r.page) > 0 {
			t.Fatalf("%d readings, %v", len(r.page), err)
		}
	}
	if least := 200 * 500 / mostLookups; pages < least {
		t.Errorf("100,000 times a station is looked for in %d pages, want %d at least", pages, least)
	}
}

// TestManyStations asks for stations that have most of the readings, and for as many that have few, over several hours. Of the
// first all readings are looked at from the second hour on.
func TestManyStations(t *testing.T) {
	now := readTestBegin.Add(10 * time.Hour)
	s, err := openAt(t.Context(), filepath.Join(t.TempDir(), "readings.db"), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []ingest.Reading
	for i := range 5 * 3600 {
		station := fmt.Sprintf("A%02d", i%25) // of ten readings nine
		if i%10 == 9 {
			station = fmt.Sprintf("B%02d", i/10%25)
		}
		at := readTestBegin.Add(time.Duration(i) * time.Second)
		all = append(all, ingest.Reading{Station: station, Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: float64(i)}}})
	}
	for _, part := range [][]ingest.Reading{all[1:], all[:1]} { // the hours move to by_hour with the second
		if _, err := s.WriteReadings(t.Context(), part); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	for group, most := range map[string]bool{"A": true, "B": false} {
		q := store.ReadingQuery{From: readTestBegin.Add(time.Minute), To: readTestBegin.Add(4*time.Hour + time.Minute)}
		for i := range 25 {
			q.Stations = append(q.Stations, fmt.Sprintf("%s%02d", group, i))
		}
		r := newReader(s, q)
		var got []ingest.Reading
		for r.from.time < r.to {
			if err := with(t.Context(), s.read, r.fill); err != nil {
				t.Fatal(err)
			}
			got = append(got, slices.Clone(r.page)...)
		}
		if want := slices.Collect(selected(all, q)); r.most != most || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d readings, want %d; all were looked at: %v", group, len(got), len(want), r.most)
		}
	}
}

// TestCancelledReadLeavesNoTransaction ends reads in their middle, and expects that nothing holds the log then.
func TestCancelledReadLeavesNoTransaction(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "readings.db"))
	if _, err := s.WriteReadings(t.Context(), batch(0, 10*pageReadings)); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Readings(ctx, store.ReadingQuery{To: time.Unix(1<<40, 0)}, func(ingest.Reading) error {
			if n == 2 {
				return context.Canceled
			}
			cancel()
			return nil
		})
		if cancel(); !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v, want %v", err, context.Canceled)
		}
	}
	script(t, s, "DELETE FROM reading")
	var busy, left int64
	err := with(t.Context(), s.write, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "PRAGMA wal_checkpoint(TRUNCATE)", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			busy, left = row.ColumnInt64(0), row.ColumnInt64(1)
			return nil
		}})
	})
	if err != nil || busy != 0 || left != 0 {
		t.Errorf("checkpoint: busy %d, %d frames are left, %v", busy, left, err)
	}
}

// TestDamagedPagesAreNamed overwrites pages in the middle of a file.
func TestDamagedPagesAreNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readings.db")
	s := open(t, path)
	if _, err := s.WriteReadings(t.Context(), batch(0, 5000)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	named, rng := 0, rand.New(rand.NewPCG(1, 2))
	for round := range 30 {
		damaged := slices.Clone(whole)
		for range 1 + 2*round {
			damaged[4096+rng.IntN(len(damaged)-4096)] = byte(rng.Uint32())
		}
		if round == 0 {
			clear(damaged[10*4096:])
		}
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), path)
		if err == nil {
			err = s.Readings(t.Context(), store.ReadingQuery{To: time.Unix(1<<40, 0)}, func(ingest.Reading) error { return nil })
			s.Close()
		}
		if err == nil {
			continue // a value can be damaged without notice
		}
		if named++; !strings.Contains(err.Error(), "readings.db is damaged") {
			t.Errorf("error = %v, want one that says which file is damaged", err)
		}
	}
	if named == 0 {
		t.Error("no damage was noticed")
	}
}

// FuzzPages reads a tree of any pages of 512 bytes. Reading must end, without a panic.
func FuzzPages(f *testing.F) {
	path := filepath.Join(f.TempDir(), "pages.db")
	execute(f, path, "PRAGMA page_size = 512", "CREATE TABLE reading (time INTEGER, station TEXT, received INTEGER, time_source INTEGER, pm10 REAL, PRIMARY KEY (time, station)) WITHOUT ROWID",
		"WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO reading SELECT i, printf('%.*c', i * i / 3, 'S'), 1, 1, i * 0.5 FROM n")
	file, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file, "S", int64(20))
	f.Add(file[:8*512], "", int64(0))
	looped := slices.Clone(file)
	binary.BigEndian.PutUint32(looped[512+pageHead:], 2) // the table's first page is its own last child
	f.Add(looped, "", int64(0))
	f.Fuzz(func(t *testing.T, file []byte, station string, time int64) {
		c := &cursor{root: 2, fetch: func(number uint32, page []byte) ([]byte, error) {
			if end := int64(number) * 512; end > 0 && end <= int64(len(file)) {
				return append(page[:0], file[end-512:end]...), nil
			}
			return nil, errDamaged
		}}
		l := &layout{columns: []column{{quantity.PM10, false}, {quantity.PM10, true}}}
		r := newReader(nil, store.ReadingQuery{From: readTestBegin, To: readTestBegin, Stations: []string{station}})
		for _, r.stations = range [][]string{nil, {station}} {
			for r.from, r.to, r.limit = (position{time, station}), 1<<62, len(file); r.from.time < r.to; {
				from := r.from
				if err := r.scan(l, c); err != nil {
					break
				}
				if from.time > r.from.time || from.time == r.from.time && from.station >= r.from.station {
					t.Fatalf("a page from %v on goes on from %v", from, r.from)
				}
			}
		}
	})
}
