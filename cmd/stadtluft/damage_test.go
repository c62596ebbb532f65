package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/ingest/store/influx/influxtest"
)

// These stories damage the store's or the journal's files, and compare readings and averages with those from before.

// undamaged is what a server had before its files were damaged.
type undamaged struct {
	*process
	data     string
	senders  []storyStation
	end      time.Time
	averages string // of all hours but the last, which gets a late reading
}

// storedStory stores the readings of 20 stations. It calls between, if it is not nil, when half of them are stored and
// the program is stopped.
func storedStory(t *testing.T, between func(data string), env ...string) *undamaged {
	t.Helper()
	u := &undamaged{data: t.TempDir()}
	u.senders = registerStations(t, u.data, 20)
	_, u.end = span()
	u.process = launch(t, u.data, env...)
	publishAtOnce(t, u.mqtt, u.senders[:10], u.end)
	if between != nil {
		u.written()
		u.kill()
		between(u.data)
		u.start()
	}
	publishAtOnce(t, u.mqtt, u.senders[10:], u.end)
	from, difference := u.end.Add(-4*time.Hour), "nothing compared"
	if !within(20*time.Second, func() bool {
		_, difference = compareStory(t, u.process, from, u.end, strings.Join(u.readings(), "\n"))
		return difference == ""
	}) {
		t.Fatal(difference)
	}
	u.written()
	u.averages = u.hours()
	return u
}

// readings returns the lines of all readings, sorted.
func (u *undamaged) readings() []string {
	lines := strings.Split(wantReadings(u.senders[:10], u.end)+"\n"+wantReadings(u.senders[10:], u.end), "\n")
	slices.Sort(lines)
	return lines
}

// written waits until the store has everything.
func (u *undamaged) written() {
	u.t.Helper()
	eventually(u.t, "everything to be stored", func() bool {
		return u.metric("stadtluft_kept_total") > 0 && u.metric("stadtluft_journal_unwritten") == 0
	})
}

// hours returns the averages of all hours but the last.
func (u *undamaged) hours() (all string) {
	for hour := u.end.Add(-4 * time.Hour); hour.Before(u.end.Add(-time.Hour)); hour = hour.Add(time.Hour) {
		all += string(u.get("/api/v1/grid?format=csv&window=1h&time=" + hour.Format(time.RFC3339)))
	}
	return all
}

// checkNothingLost sends one more reading, which makes the server write its hour again, and expects all readings, the
// averages of the other hours with the same bytes, and those of its hour with one reading more.
func (u *undamaged) checkNothingLost(t *testing.T) {
	t.Helper()
	var got string
	first := u.senders[0]
	late := fmt.Sprintf("%s,%s,%.6f,%.6f,pm10,20,µg/m³,", plan(0, u.end)[storyReadings-1].time.Add(time.Second).Format(time.RFC3339), first.id, first.public.Lon(), first.public.Lat())
	lines := append(u.readings(), late)
	slices.Sort(lines)
	want := strings.Join(lines, "\n")
	u.comesLate(u.senders, u.end)
	route := fmt.Sprintf("%s/api/v1/readings?format=csv&from=%s&to=%s", u.url, u.end.Add(-4*time.Hour).Format(time.RFC3339), u.end.Format(time.RFC3339))
	if !within(5*time.Second, func() bool {
		response, err := http.Get(route)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && response.StatusCode == http.StatusOK { // a database that is just made does not answer
			got = sortedLines(t, body)
		}
		return got == want
	}) {
		t.Errorf("readings: %s", firstDifference(got, want))
	}
	if averages := u.hours(); averages != u.averages {
		t.Errorf("averages: %d readings in them, were %d: %s", sumOfReadings(averages), sumOfReadings(u.averages), firstDifference(averages, u.averages))
	}
}

// sumOfReadings adds up the column readings of averages in CSV.
func sumOfReadings(table string) (sum int) {
	for line := range strings.Lines(table) {
		var n int
		if columns := strings.Split(line, ","); len(columns) > 10 {
			fmt.Sscan(columns[10], &n)
		}
		sum += n
	}
	return sum
}

// TestDamagedSQLite damages readings.db and its log.
func TestDamagedSQLite(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: several starts with a few thousand readings")
	}
	delete := func(data string) error {
		files, err := filepath.Glob(filepath.Join(data, "readings.db*"))
		for _, file := range files {
			err = os.Remove(file)
		}
		return err
	}
	t.Run("deleted", func(t *testing.T) {
		u := storedStory(t, nil)
		u.kill()
		if err := delete(u.data); err != nil {
			t.Fatal(err)
		}
		u.start()
		u.checkNothingLost(t)
		u.checkFilled(t)
	})
	t.Run("deleted while running", func(t *testing.T) {
		u := storedStory(t, nil)
		if err := delete(u.data); err != nil {
			t.Fatal(err)
		}
		select {
		case <-u.done: // systemd starts it again
		case <-time.After(5 * time.Second):
			t.Error("the program does not notice it")
			u.kill()
		}
		u.start()
		u.checkNothingLost(t)
		u.checkFilled(t)
	})
	t.Run("log truncated", func(t *testing.T) {
		u := storedStory(t, nil)
		u.kill()
		log := filepath.Join(u.data, "readings.db-wal")
		info, err := os.Stat(log)
		if err == nil {
			err = os.Truncate(log, info.Size()/3)
		}
		if err != nil {
			t.Fatal(err)
		}
		u.start()
		u.checkNothingLost(t)
		u.checkFilled(t)
	})
	t.Run("older", func(t *testing.T) {
		older := t.TempDir()
		u := storedStory(t, func(data string) { copyFolder(t, data, older) })
		u.kill()
		if err := delete(u.data); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"readings.db", "readings.db-wal"} {
			body, err := os.ReadFile(filepath.Join(older, name))
			if err == nil {
				err = os.WriteFile(filepath.Join(u.data, name), body, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		u.start()
		u.checkNothingLost(t)
		u.checkFilled(t)
	})
}

// TestEmptiedInfluxDB deletes the database's folders while the program runs, and while it does not.
func TestEmptiedInfluxDB(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: several starts with a few thousand readings")
	}
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprint("running ", running), func(t *testing.T) {
			db := influxtest.Start(t)
			u := storedStory(t, nil, "STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL="+db.URL)
			if !running {
				u.kill()
			}
			db.Empty()
			if !running {
				u.start()
			}
			u.checkNothingLost(t)
			u.checkFilled(t)
		})
	}
}

// TestDamagedJournal damages the files of the journal after everything in it was stored.
func TestDamagedJournal(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: several starts with a few thousand readings")
	}
	f := func(name string, damage func(t *testing.T, stream, older string)) {
		t.Run(name, func(t *testing.T) {
			older := t.TempDir()
			u := storedStory(t, func(data string) { copyFolder(t, journalFolder(t, data), older) })
			u.kill()
			damage(t, journalFolder(t, u.data), older)
			u.start()
			if status, body := u.ready(); status != http.StatusOK || !strings.Contains(body, "journal") {
				t.Errorf("/readyz does not speak of the journal: %d %s", status, body)
			}
			if u.metric("stadtluft_journal_missing_entries") == 0 {
				t.Error("no entry is counted as missing")
			}
			u.checkNothingLost(t)
			u.kill()
			u.start() // what was acknowledged since is found again
			u.sameAgain(t)
		})
	}
	block := func(stream string) string { return filepath.Join(stream, "msgs", "1.blk") }
	f("flipped", func(t *testing.T, stream, _ string) {
		body, err := os.ReadFile(block(stream))
		if err == nil {
			body[len(body)/3] ^= 4
			err = os.WriteFile(block(stream), body, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	f("truncated", func(t *testing.T, stream, _ string) {
		info, err := os.Stat(block(stream))
		if err == nil {
			err = os.Truncate(block(stream), info.Size()/3)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	f("older", func(t *testing.T, stream, older string) {
		if err := os.RemoveAll(stream); err != nil {
			t.Fatal(err)
		}
		copyFolder(t, older, stream)
	})
}

// checkFilled expects the log to say that the store was filled.
func (u *undamaged) checkFilled(t *testing.T) {
	t.Helper()
	eventually(t, "the log to speak of it", func() bool {
		text := u.log.String()
		return strings.Contains(text, "filling it") && strings.Contains(text, "store has everything that the journal had")
	})
}

// sameAgain expects the readings and averages that checkNothingLost found.
func (u *undamaged) sameAgain(t *testing.T) {
	t.Helper()
	if got := u.hours(); got != u.averages {
		t.Errorf("averages after another start: %s", firstDifference(got, u.averages))
	}
}

// journalFolder returns the folder of the journal's stream.
func journalFolder(t *testing.T, data string) string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(data, "nats", "jetstream", "*", "streams", "STADTLUFT_JOURNAL"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("folders of the journal: %v, %v", folders, err)
	}
	return folders[0]
}

// copyFolder copies the files of a folder one by one, as they are at that moment. It leaves out sockets, and files that a
// running program deletes meanwhile.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	err := os.RemoveAll(to)
	if err == nil {
		err = filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
			name, _ := filepath.Rel(from, path)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case entry.IsDir():
				return os.MkdirAll(filepath.Join(to, name), 0o700)
			case !entry.Type().IsRegular():
				return nil
			}
			body, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return errors.Join(err, os.WriteFile(filepath.Join(to, name), body, 0o600))
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}
