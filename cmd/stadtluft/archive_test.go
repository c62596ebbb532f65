package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store/sqlite"
)

// command runs the program in this process.
func command(t *testing.T, args ...string) (status int, out, messages string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = run(args, &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

// TestArchive archives readings of a closed day: by the server itself, with the command beside it, and after a
// correction.
func TestArchive(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "a.csv"), []byte(sensorDay), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, messages := importing(t, p, data, folder); status != 0 {
		t.Fatal(status, out, messages)
	}
	p.checked(5, time.Date(2019, 4, 20, 0, 0, 0, 0, time.UTC), time.Date(2019, 4, 21, 0, 0, 0, 0, time.UTC), 0)
	p.kill()
	// Late readings are collected for an hour before they are archived.
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(filepath.Join(data, "archive/.pending/2019-04-20"), yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	p.start()
	var index struct{ Revision int }
	eventually(t, "the server to archive them", func() bool {
		response, err := http.Get(p.url + "/archive/2019/04/20/index.json")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK && json.NewDecoder(response.Body).Decode(&index) == nil
	})
	packed, err := gzip.NewReader(bytes.NewReader(p.get("/archive/2019/04/20/readings.csv.gz")))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(packed)
	if want := p.get("/api/v1/readings?format=csv&from=2019-04-19T23:00:00Z&to=2019-04-20T23:00:00Z"); err != nil || !bytes.Equal(text, want) || index.Revision != 1 {
		t.Errorf("r%d, %v: the archive has\n%s\nthe API\n%s", index.Revision, err, text, want)
	}
	eventually(t, "the metrics to count it", func() bool { return p.metric("stadtluft_archive_revisions_total") == 1 })

	f := func(want string, wantStatus int, args ...string) {
		t.Helper()
		status, out, messages := command(t, append(args, "--data", data)...)
		if status != wantStatus || !strings.Contains(out+messages, want) {
			t.Errorf("%v: %d %s %s, want %d and %q", args, status, out, messages, wantStatus, want)
		}
	}
	f("2019-04-20 r1 is as it was: 3 readings of 1 stations", 0, "archive", "build", "--to", "2019-04-21")
	f("1 days without readings are not written", 0, "archive", "build", "--to", "2019-04-21")
	f("1 days with 1 revisions are as they were written", 0, "archive", "verify")
	f("--from 2019-04-21 is after --to 2019-04-20", 2, "archive", "build", "--from", "2019-04-21", "--to", "2019-04-20")
	f(`"yesterday" is not a day`, 2, "archive", "verify", "--from", "yesterday")
	f("is not closed yet", 2, "archive", "build", "--to", time.Now().UTC().Format(time.DateOnly))
	f("rebuilt from stored readings", 0, "rebuild", "--from", "2019-04-19", "--to", "2019-04-22")
	f("2019-04-20 r1 is as it was", 0, "archive", "build", "--to", "2019-04-20") // a quarter of an hour is too short for an average
	if err := os.Truncate(filepath.Join(data, "archive/2019/04/20/r1/readings.csv.gz"), 50); err != nil {
		t.Fatal(err)
	}
	f("2019-04-20 r1: readings.csv.gz: has the SHA-256", 1, "archive", "verify", "--from", "2019-04-20")
	f("0 days with 0 revisions", 0, "archive", "verify", "--from", "2019-04-21")
}

// TestArchiveWithoutSpace builds with a limit on the size of files, as on a full disk: no incomplete file stays, and
// with space the build succeeds.
func TestArchiveWithoutSpace(t *testing.T) {
	data := t.TempDir()
	if status, out, messages := command(t, "station", "list", "--data", data); status != 0 {
		t.Fatal(out, messages)
	}
	storeReadings(t, data, "A", time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	build := func(limit string) (string, error) {
		c := exec.Command("bash", "-c", "trap '' XFSZ; ulimit -f "+limit+`; exec "$0" archive build --from 2026-05-01 --to 2026-05-01 --data "$1"`, self, data)
		c.Env = append(os.Environ(), asProgram+"=1")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	out, err := build("64") // KiB
	if err == nil || !strings.Contains(out, "archive 2026-05-01: ") || !strings.Contains(out, "file too large") {
		t.Errorf("with a limit: %v, %s", err, out)
	}
	entries, err := os.ReadDir(filepath.Join(data, "archive"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != ".lock" {
			t.Errorf("%s is left", e.Name())
		}
	}
	if out, err = build("unlimited"); err != nil || !strings.Contains(out, "2026-05-01 r1 is written: 20000 readings") {
		t.Errorf("without a limit: %v, %s", err, out)
	}
}

// storeReadings writes 20,000 readings of a station into a data folder's store, one a second.
func storeReadings(t *testing.T, data, station string, from time.Time) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(data, "readings.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	list := make([]ingest.Reading, 20_000)
	for i := range list {
		list[i] = ingest.Reading{Station: station, Time: from.Add(time.Duration(i) * time.Second), Received: from, Values: []ingest.Value{{Quantity: quantity.PM10, Value: float64(i*7919%100_003) / 7}}}
	}
	if _, err := s.WriteReadings(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

// TestArchiveOnAFullDisk has a server archive a day on a disk without space: no incomplete file is served, /readyz
// reports the problem and what to do, and with space the server recovers by itself.
func TestArchiveOnAFullDisk(t *testing.T) {
	if runAsRoot(t) {
		return
	}
	data := t.TempDir()
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(-4*24*time.Hour + 12*time.Hour) // of a closed day
	storeReadings(t, data, registerStations(t, data, 1)[0].id, noon)
	p := launch(t, data)
	p.kill()
	folder := filepath.Join(data, "archive")
	smallDisk(t, folder, "64k")
	// The day is marked as if it had waited long enough for late readings.
	mark, yesterday := filepath.Join(folder, ".pending", noon.Format(time.DateOnly)), time.Now().Add(-24*time.Hour)
	if err := errors.Join(os.Mkdir(filepath.Dir(mark), 0o755), os.WriteFile(mark, nil, 0o644), os.Chtimes(mark, yesterday, yesterday)); err != nil {
		t.Fatal(err)
	}
	p.begin()
	type problem struct {
		Part, Problem, Do string
		Notice            bool
	}
	var ready struct {
		Ready    bool
		Problems []problem
	}
	eventually(t, "/readyz to speak of the archive", func() bool {
		status, body := p.ready()
		return status == http.StatusServiceUnavailable && json.Unmarshal([]byte(body), &ready) == nil && ready.Problems[0].Part == "archive"
	})
	ready.Problems = slices.DeleteFunc(ready.Problems, func(p problem) bool { return p.Notice })
	if problem := ready.Problems[0]; ready.Ready || len(ready.Problems) != 1 || !strings.Contains(problem.Problem, noon.Format(time.DateOnly)) ||
		!strings.Contains(problem.Problem, "no space left on device") || !strings.Contains(problem.Do, "free disk space") {
		t.Errorf("/readyz says %+v", ready)
	}
	address := p.url + "/archive/" + noon.Format("2006/01/02") + "/index.json"
	if response, err := http.Get(address); err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusNotFound {
		t.Errorf("%s: %v, %v", address, response, err)
	}
	eventually(t, "nothing half-written to be left", func() bool {
		entries, err := os.ReadDir(folder)
		return err == nil && !slices.ContainsFunc(entries, func(e os.DirEntry) bool {
			return !slices.Contains([]string{".lock", ".pending", "installation"}, e.Name())
		})
	})
	smallDisk(t, folder, "64m")
	eventually(t, "the server to be well again", func() bool { status, _ := p.ready(); return status == http.StatusOK })
	if body := string(p.get("/archive/" + noon.Format("2006/01/02") + "/index.json")); !strings.Contains(body, `"revision": 1`) {
		t.Errorf("the archive has %s", body)
	}
	if status, out, messages := command(t, "archive", "verify", "--data", data); status != 0 || !strings.Contains(out, "are as they were written") {
		t.Errorf("archive verify: %d %s %s", status, out, messages)
	}
}

// TestAForgottenDay exports and rebuilds a day whose readings are only in the archive: the output is the same as before.
func TestAForgottenDay(t *testing.T) {
	data := t.TempDir()
	resident := registerStations(t, data, 1)[0]
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	list := make([]ingest.Reading, 120)
	for i := range list {
		at := noon.Add(time.Duration(i) * time.Minute)
		list[i] = ingest.Reading{Station: resident.id, Time: at, Received: at.Add(time.Duration(i) * time.Hour), Values: []ingest.Value{{Quantity: quantity.PM2_5, Value: float64(i)}}}
	}
	s, err := sqlite.Open(t.Context(), filepath.Join(data, "readings.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.WriteReadings(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	f := func(args ...string) string {
		t.Helper()
		status, out, messages := command(t, append(args, "--data", data)...)
		if status != 0 {
			t.Fatalf("%v: %d %s", args, status, messages)
		}
		return out
	}
	period := []string{"--from", "2026-05-01", "--to", "2026-05-02"}
	f(append([]string{"rebuild"}, period...)...)
	readings, grid := f(append([]string{"export"}, period...)...), f(append([]string{"export", "--what", "grid"}, period...)...)
	if strings.Count(readings, "\n") != 121 || strings.Count(grid, "\n") != 3 {
		t.Fatalf("before: %s %s", readings, grid)
	}
	f("archive", "build", "--from", "2026-05-01", "--to", "2026-05-01")
	if err := os.WriteFile(filepath.Join(data, "archive/2026/05/01/spared"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Forget(t.Context(), noon, noon.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := f(append([]string{"export"}, period...)...); got != readings {
		t.Errorf("readings from the archive\n%s\nwant\n%s", got, readings)
	}
	f(append([]string{"rebuild"}, period...)...)
	if got := f(append([]string{"export", "--what", "grid"}, period...)...); got != grid {
		t.Errorf("averages from the archive\n%s\nwant\n%s", got, grid)
	}
}
