package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/storetest"
)

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// script runs statements on the connection that writes.
func script(t *testing.T, s *Store, statements string) {
	t.Helper()
	if err := with(t.Context(), s.write, func(conn *sqlite.Conn) error { return sqlitex.ExecuteScript(conn, statements, nil) }); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "readings.db")) })
}

// TestStoreAsTimePasses has the suite's first readings in an hour that is not over, and an hour end before each write.
func TestStoreAsTimePasses(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		now := time.Date(2026, 5, 1, 10, 30, 0, 0, time.UTC)
		s, err := openAt(t.Context(), filepath.Join(t.TempDir(), "readings.db"), func() time.Time { now = now.Add(time.Hour); return now })
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestOpenErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readings.db")
	s := open(t, path)
	script(t, s, "PRAGMA user_version = 9")
	s.Close()
	if _, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "newer Stadtluft (schema 9") {
		t.Errorf("a newer schema: %v", err)
	}
	garbage := filepath.Join(t.TempDir(), "readings.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), garbage); err == nil || !strings.Contains(err.Error(), garbage) {
		t.Errorf("no database: %v", err)
	}
}

// TestDamagedFileIsNamed overwrites all pages but the first.
func TestDamagedFileIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readings.db")
	s := open(t, path)
	if _, err := s.WriteReadings(t.Context(), batch(0, 1000)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	body, err := os.ReadFile(path)
	if err != nil || len(body) < 8192 {
		t.Fatal(len(body), err)
	}
	for i := range body[4096:] {
		body[4096+i] = 0xff
	}
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err = Open(t.Context(), path)
	if err == nil {
		defer s.Close()
		_, err = s.WriteReadings(t.Context(), batch(0, 1000))
	}
	if err == nil || !strings.Contains(err.Error(), "readings.db is damaged") {
		t.Errorf("error = %v, want one that says which file is damaged", err)
	}
}

func TestNewQuantityAddsColumn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readings.db")
	s := open(t, path)
	script(t, s, "ALTER TABLE reading DROP COLUMN rssi; ALTER TABLE reading DROP COLUMN flags_rssi")
	s.Close()
	again := open(t, path)
	at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	_, err := again.WriteReadings(t.Context(), []ingest.Reading{{Station: "A", Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.RSSI, Value: -60}}}})
	if err != nil {
		t.Errorf("write a new quantity: %v", err)
	}
}

// TestFullFileStoresBatchesWhole lets the file reach its maximum size and expects a batch to be stored as a whole or
// not at all.
func TestFullFileStoresBatchesWhole(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "readings.db"))
	script(t, s, "PRAGMA max_page_count = 60") // 240 KiB: SQLite answers as on a full disk
	stored := 0
	for i := 0; ; i++ {
		if _, err := s.WriteReadings(t.Context(), batch(i*500, 500)); err != nil {
			if !strings.Contains(err.Error(), "full") {
				t.Errorf("error %v, want one that says full", err)
			}
			break
		}
		stored += 500
	}
	count := func() (n int) {
		err := s.Readings(t.Context(), store.ReadingQuery{To: time.Unix(1<<40, 0)}, func(ingest.Reading) error { n++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := count(); got != stored || stored == 0 {
		t.Errorf("%d readings in the file, %d were confirmed", got, stored)
	}
	script(t, s, "PRAGMA max_page_count = 100000")
	if _, err := s.WriteReadings(t.Context(), batch(stored, 500)); err != nil || count() != stored+500 {
		t.Errorf("with room again: %v, %d readings, want %d", err, count(), stored+500)
	}
}

func batch(from, n int) []ingest.Reading {
	list := make([]ingest.Reading, n)
	for i := range list {
		at := time.Unix(1_770_000_000+int64(from+i), 0).UTC()
		list[i] = ingest.Reading{Station: fmt.Sprintf("S%05d", i%200), Time: at, Received: at, Values: []ingest.Value{
			{Quantity: quantity.PM2_5, Value: 12.3}, {Quantity: quantity.PM10, Value: 20.1}, {Quantity: quantity.Temperature, Value: 14.2},
		}}
	}
	return list
}

func BenchmarkWrite(b *testing.B) {
	for _, size := range []int{100, 1000, 5000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "readings.db"))
			n := 0
			for b.Loop() {
				if _, err := s.WriteReadings(b.Context(), batch(n, size)); err != nil {
					b.Fatal(err)
				}
				n += size
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "readings.db"))
	for i := range 10 {
		if _, err := s.WriteReadings(b.Context(), batch(i*5000, 5000)); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		if err := s.Readings(b.Context(), store.ReadingQuery{To: time.Unix(1<<40, 0)}, func(ingest.Reading) error { n++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "readings/s")
}

// thirdIndex makes the index of versions 1 to 3.
const thirdIndex = `DROP TRIGGER reading_deleted; DROP TABLE by_hour; DROP TABLE by_station_until;
	CREATE INDEX reading_by_station ON reading (station, time);`

// TestFirstSchema opens a file as version 1 wrote it.
func TestFirstSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readings.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(s *Store, station string, at int64) {
		t.Helper()
		r := ingest.Reading{Station: station, Time: time.Unix(at, 0).UTC(), Received: time.Unix(at, 0).UTC(), Values: []ingest.Value{{Quantity: quantity.PM10, Value: 1}}}
		if _, err := s.WriteReadings(t.Context(), []ingest.Reading{r}); err != nil {
			t.Fatal(err)
		}
	}
	script(t, s, thirdIndex+`ALTER TABLE grid DROP COLUMN raw; ALTER TABLE grid DROP COLUMN uncorrected; ALTER TABLE grid DROP COLUMN spread; DROP TABLE position; PRAGMA user_version = 1;
		INSERT INTO grid VALUES (1777622400, '1h', 'pm10', 1000, 3096000, 4107000, 15001, 15001, 15001, 15001, 1, 25, 1000, 0)`)
	script(t, s, `INSERT INTO reading (time, station, received, time_source, pm10) VALUES (1777622400, 'A', 0, 0, 1), (4000000000, 'A', 0, 0, 1), (1777622400, 'B', 0, 0, 1)`)
	s.Close()
	if s, err = Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	write(s, "A", 1777622500)
	write(s, "A", time.Now().Unix())
	n := 0
	if err := s.Readings(t.Context(), store.ReadingQuery{To: time.Unix(1<<40, 0), Stations: []string{"A"}}, func(ingest.Reading) error { n++; return nil }); err != nil || n != 4 {
		t.Errorf("%d readings of a station, %v, want 4", n, err)
	}
	var rows []aggregate.Row
	all := store.GridQuery{From: time.Unix(0, 0), To: time.Unix(2e9, 0), Window: aggregate.Hour}
	if err := s.Grid(t.Context(), all, func(r aggregate.Row) error { rows = append(rows, r); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Raw != 15001 || rows[0].Spread != 0 || rows[0].Uncorrected != 0 {
		t.Errorf("rows %+v, want the old one, uncorrected as it was", rows)
	}
}

// TestFourthSchema opens a file as version 4 wrote it, whose table of readings by station has no hours.
func TestFourthSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readings.db")
	earlier := open(t, path)
	script(t, earlier, `DROP TRIGGER reading_deleted; DROP TABLE by_hour;
		CREATE TABLE by_station (station TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (station, time)) STRICT, WITHOUT ROWID;
		CREATE TRIGGER reading_deleted AFTER DELETE ON reading BEGIN DELETE FROM by_station WHERE station = OLD.station AND time = OLD.time; END;
		INSERT INTO reading (time, station, received, time_source, pm10) VALUES (1777622399, 'A', 0, 0, 1), (1777622400, 'A', 0, 0, 1), (1777622400, 'B', 0, 0, 1), (1777722400, 'A', 0, 0, 1), (1777729600, 'A', 0, 0, 1);
		INSERT INTO by_station SELECT station, time FROM reading WHERE time < 1777726000;
		UPDATE by_station_until SET time = 1777726000;
		PRAGMA user_version = 4`)
	earlier.Close()
	s, err := openAt(t.Context(), path, func() time.Time { return time.Unix(1777729600, 0) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, late := range []string{ // as version 4 adds readings, which may still run while processes are upgraded one after the other
		"INSERT OR IGNORE INTO by_station (station, time) VALUES ('A', 1777622500)", "INSERT INTO by_station SELECT station, time FROM reading WHERE time = 1",
	} {
		if err := s.execute(t.Context(), late); err == nil {
			t.Errorf("no error of %s", late)
		}
	}
	read := func() (seconds []int64) {
		t.Helper()
		q := store.ReadingQuery{From: time.Unix(1777622399, 0), To: time.Unix(1<<40, 0), Stations: []string{"A"}}
		if err := s.Readings(t.Context(), q, func(r ingest.Reading) error { seconds = append(seconds, r.Time.Unix()); return nil }); err != nil {
			t.Fatal(err)
		}
		return seconds
	}
	if got, want := read(), []int64{1777622399, 1777622400, 1777722400, 1777729600}; !slices.Equal(got, want) {
		t.Errorf("readings of %d, want %d", got, want)
	}
	if err := s.DeleteReadings(t.Context(), "A"); err != nil {
		t.Fatal(err)
	}
	if got := read(); len(got) > 0 {
		t.Errorf("readings of %d are left of a station that was deleted", got)
	}
	err = with(t.Context(), s.read, func(conn *sqlite.Conn) error {
		n, err := sqlitex.ResultInt64(conn.Prep("SELECT count(*) FROM by_hour"))
		if n != 1 {
			t.Errorf("%d readings are in by_hour, want that of B", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAnEarlierVersionStillWrites migrates a file to which a process of version 3 writes for some more minutes, as while processes with
// different roles are upgraded one after the other.
func TestAnEarlierVersionStillWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readings.db")
	now := time.Date(2026, 5, 1, 10, 3, 0, 0, time.UTC)
	earlier := open(t, path)
	reading := func(station string, at time.Time) ingest.Reading {
		return ingest.Reading{Station: station, Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 1}}}
	}
	write := func(r ingest.Reading) { // as version 3 does
		t.Helper()
		if err := earlier.insert(t.Context(), earlier.sql.upsert, 1, func(row *sqlite.Stmt, _ int) { bindReading(row, &r) }); err != nil {
			t.Fatal(err)
		}
	}
	script(t, earlier, thirdIndex+"PRAGMA user_version = 3")
	write(reading("A", now.Add(20*time.Hour))) // its clock is ahead
	write(reading("B", now))
	s, err := openAt(t.Context(), path, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	write(reading("B", now.Add(-time.Minute)))
	write(reading("B", now.Add(-10*time.Minute)))
	write(reading("B", now.Add(time.Minute)))
	read := func() (n int) {
		t.Helper()
		err := s.Readings(t.Context(), store.ReadingQuery{To: time.Unix(1<<40, 0), Stations: []string{"B"}}, func(ingest.Reading) error { n++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 3 {
		if n := read(); n != 4 {
			t.Errorf("%s: %d readings, want 4", now.Format("15:04"), n)
		}
		now = now.Add(time.Hour)
		if _, err := s.WriteReadings(t.Context(), []ingest.Reading{reading("A", now)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DeleteReadings(t.Context(), "B"); err != nil {
		t.Fatal(err)
	}
	if n := read(); n != 0 {
		t.Errorf("%d readings after they were deleted", n)
	}
}

// TestLockedFileRespectsContext writes while another program has the file locked.
func TestLockedFileRespectsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readings.db")
	s, other := open(t, path), open(t, path)
	begin, err := other.write.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.write.Put(begin)
	unlock, err := sqlitex.ImmediateTransaction(begin)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock(&err)
	for what, write := range map[string]func(context.Context) error{
		"readings": func(ctx context.Context) error {
			_, err := s.WriteReadings(ctx, []ingest.Reading{{Station: "A", Time: time.Unix(1, 0), Received: time.Unix(1, 0), Values: []ingest.Value{{Quantity: quantity.PM10}}}})
			return err
		},
		"deleting": func(ctx context.Context) error { return s.DeleteReadings(ctx, "A") },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // while it waits for the lock
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- write(ctx) }()
		select {
		case err := <-ended:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v, want %v", what, err, context.DeadlineExceeded)
			}
		case <-time.After(busyTimeout / 2):
			t.Fatalf("%s does not end", what)
		}
	}
}

// TestHoursAreAddedOnce expects nothing of an hour in by_hour until it is over, then all of it, and what comes later at once.
func TestHoursAreAddedOnce(t *testing.T) {
	begin := time.Date(2026, 5, 1, 10, 30, 0, 0, time.UTC)
	now := begin
	s, err := openAt(t.Context(), filepath.Join(t.TempDir(), "readings.db"), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := func(at, observed time.Time, want int64) {
		t.Helper()
		now = at
		r := ingest.Reading{Station: "A", Time: observed, Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 1}}}
		if _, err := s.WriteReadings(t.Context(), []ingest.Reading{r, r}); err != nil {
			t.Fatal(err)
		}
		got := int64(-1)
		err := with(t.Context(), s.read, func(conn *sqlite.Conn) (err error) {
			got, err = sqlitex.ResultInt64(conn.Prep("SELECT count(*) FROM by_hour"))
			return err
		})
		if err != nil || got != want {
			t.Errorf("%s, a reading of %s: %d are in by_hour, %v, want %d", at.Format("15:04"), observed.Format("15:04"), got, err, want)
		}
	}
	f(begin, begin, 0)
	f(begin, begin.Add(-2*time.Hour), 1)
	f(begin.Add(29*time.Minute), begin.Add(29*time.Minute), 1)
	f(begin.Add(31*time.Minute), begin.Add(31*time.Minute), 3)
	f(begin.Add(32*time.Minute), begin.Add(28*time.Minute), 4)
	f(begin.Add(-5*time.Hour), begin.Add(40*time.Minute), 4) // the clock was set back
	f(begin.Add(90*time.Minute), begin.Add(90*time.Minute), 6)
	if err := s.DeleteReadings(t.Context(), "A"); err != nil {
		t.Fatal(err)
	}
	f(begin.Add(90*time.Minute), begin.Add(90*time.Minute), 0)
}
