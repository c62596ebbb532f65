package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"stadtluft/ingest/store/influx/influxtest"
)

// TestWhatDoesNotBelongTogether has two installations, and gives the first what is the second's: store, archive, journal and registry, one at a time.
// The server does not start, check and commands say so, and all name both.
func TestWhatDoesNotBelongTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: starts InfluxDB")
	}
	db := influxtest.Start(t)
	inflated := []string{"STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL=" + db.URL}
	first, second := t.TempDir(), t.TempDir()
	ids := map[string]string{}
	for data, bucket := range map[string]string{first: "one", second: "two"} {
		p := launch(t, data, append(inflated, "STADTLUFT_STORE_INFLUXDB_BUCKET="+bucket)...)
		p.register(t, "")
		p.end(t)
		p = launch(t, data)
		p.end(t)
		ids[data] = strings.TrimSpace(read(t, filepath.Join(data, "archive", "installation")))
	}
	if ids[first] == ids[second] || len(ids[first]) != 16 {
		t.Fatalf("the installations are %v", ids)
	}
	move := func(names ...string) func(t *testing.T, data string) []string {
		return func(t *testing.T, data string) []string {
			for _, name := range names {
				copyFolder(t, filepath.Join(second, name), filepath.Join(data, name))
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		give  func(t *testing.T, data string) []string // returns settings
		part  string
		names string
	}{
		"SQLite":   {move("readings.db"), "store", "the store belongs to installation SECOND, not to FIRST"},
		"InfluxDB": {func(*testing.T, string) []string { return append(inflated, "STADTLUFT_STORE_INFLUXDB_BUCKET=two") }, "store", "the store belongs to installation SECOND, not to FIRST"},
		"archive":  {move("archive"), "archive", "belongs to installation SECOND, not to FIRST"},
		"NATS":     {move("nats"), "registry", "belongs to deployment SECOND, the data folder"},
		"journal":  {move("nats/jetstream/$G/streams/STADTLUFT_JOURNAL"), "registry", "belongs to deployment SECOND, not to FIRST"},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			copyFolder(t, first, data)
			env := c.give(t, data)
			want := strings.NewReplacer("FIRST", ids[first], "SECOND", ids[second]).Replace(c.names)
			p := prepare(t, data, env...)
			p.begin()
			eventually(t, "the server to end", func() bool {
				select {
				case <-p.done:
					return true
				default:
					return false
				}
			})
			if log := p.log.String(); !strings.Contains(log, want) {
				t.Errorf("the server says %q, want %q", log, want)
			}
			for _, v := range env {
				key, value, _ := strings.Cut(v, "=")
				t.Setenv(key, value)
			}
			t.Setenv("STADTLUFT_HTTP_LISTEN", "127.0.0.1:0")
			t.Setenv("STADTLUFT_MQTT_LISTEN", "127.0.0.1:0")
			status, out, _ := command(t, "check", "--data", data)
			said := ""
			for line := range strings.Lines(out) {
				if strings.HasPrefix(line, "wrong") && strings.Fields(line)[1] == c.part {
					said = line
				}
			}
			if status != 1 || !strings.Contains(said, want) {
				t.Errorf("check: %d %q, want %q of %s", status, out, want, c.part)
			}
			if status, _, messages := command(t, "dead-letters", "retry", "--data", data); c.part == "archive" && (status != 1 || !strings.Contains(messages, want)) {
				t.Errorf("a command: %d %q", status, messages)
			}
		})
	}
}

// TestAnEarlierInstallationIsMarked starts on a store and an archive that say nothing of whose they are, and restores a backup: the id stays.
func TestAnEarlierInstallationIsMarked(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	p.end(t)
	marked := filepath.Join(data, "archive", "installation")
	id := read(t, marked)
	conn, err := sqlite.OpenConn(filepath.Join(data, "readings.db"), sqlite.OpenReadWrite)
	if err == nil {
		err = errors.Join(sqlitex.ExecuteScript(conn, "DROP TABLE deployment", nil), conn.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(marked); err != nil {
		t.Fatal(err)
	}
	p.start()
	p.end(t)
	file, restored := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "data")
	succeed(t, "backup", file, "--data", data)
	succeed(t, "restore", file, "--data", restored)
	p = launch(t, restored)
	p.end(t)
	for _, path := range []string{marked, filepath.Join(restored, "archive", "installation")} {
		if got := read(t, path); got != id {
			t.Errorf("%s says %q, want %q", path, got, id)
		}
	}
}

// TestAStoreThatBecomesForeign exchanges InfluxDB's data under a running server for another installation's: /readyz names both, nothing is written there,
// and what is acknowledged is stored when the own data is back.
func TestAStoreThatBecomesForeign(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: starts InfluxDB")
	}
	db := influxtest.Start(t)
	p := launch(t, t.TempDir(), "STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL="+db.URL)
	r := p.register(t, "")
	write := func(id string) {
		t.Helper()
		if status, body := deliver(t, db.URL+"/api/v2/write?bucket=stadtluft&precision=s", "", "", []byte(`deployment id="`+id+`" 4000000000`)); status/100 != 2 {
			t.Fatalf("write: %d %s", status, body)
		}
	}
	write("ANOTHER")
	eventually(t, "/readyz to name it", func() bool {
		_, body := p.ready()
		return strings.Contains(body, "the store belongs to installation ANOTHER, not to ")
	})
	if status, body := deliver(t, p.url+"/api/v1/push/native", r.ID, r.Token, []byte(`{"temperature":21}`)); status != 202 {
		t.Fatalf("push: %d %s", status, body)
	}
	eventually(t, "the reading to wait", func() bool { return p.metric("stadtluft_journal_unwritten") > 0 })
	own := read(t, filepath.Join(p.args[2], "archive", "installation"))
	write(strings.TrimSpace(own))
	p.arrives(t, "the reading", r.ID, map[string]float64{"temperature": 21})
}
