package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"stadtluft/geo"
	"stadtluft/ingest/quality"
)

// checksFile is the file with the state of the checks.
const checksFile = "checks.state"

// TestABackupIsRestored backs up a running program in each way, restores into folders that are missing and starts there: the same
// stations, readings, averages at every resolution, statistics and state of the checks; a late reading then corrects its
// hour and does not replace it.
func TestABackupIsRestored(t *testing.T) {
	data, folder := t.TempDir(), t.TempDir()
	senders := registerStations(t, data, 20)
	checks := writeCheckState(t, data, senders[0])
	p := launch(t, data, "STADTLUFT_ADMIN_TOKEN="+backupAdmin)
	_, end := span()
	publish(t, t.Context(), p.mqtt, true, senders, end, atOnce)
	eventually(t, "the store to know the journal", func() bool { return p.metric("stadtluft_stored_total") > 0 })
	page, beside, alone := filepath.Join(folder, "page"), filepath.Join(folder, "beside"), filepath.Join(folder, "alone")
	if err := os.WriteFile(page, p.backup(backupAdmin), 0o600); err != nil {
		t.Fatal(err)
	}
	succeed(t, "backup", beside, "--data", data)
	grid, known := checkStory(t, p, senders), p.everything(senders[0].id, end)
	p.kill()
	succeed(t, "backup", alone, "--data", data)
	if info, err := os.Stat(alone); err != nil || info.Mode() != 0o600 {
		t.Errorf("the backup: %v, %v", info.Mode(), err)
	}
	for _, file := range []string{page, beside, alone} {
		restored := filepath.Join(t.TempDir(), "data")
		succeed(t, "restore", file, "--data", restored)
		names, _ := filepath.Glob(filepath.Join(restored, "*"))
		if got := strings.ReplaceAll(strings.Join(names, " "), restored+"/", ""); got != "checks.state lock nats readings.db registry.jsonl" {
			t.Errorf("%s holds %s", file, got)
		}
		if got := read(t, filepath.Join(restored, checksFile)); got != checks {
			t.Errorf("the checks remember %d bytes, want the %d they had", len(got), len(checks))
		}
		ofTheirUserAlone(t, restored, os.Geteuid())
		p = launch(t, restored)
		if got := checkStory(t, p, senders); got != grid {
			t.Errorf("%s: the grid differs: %s", file, firstDifference(got, grid))
		}
		if got := p.everything(senders[0].id, end); got != known {
			t.Errorf("%s: what is known differs: %s", file, firstDifference(got, known))
		}
		if strings.Contains(p.log.String(), "level=WARN") || strings.Contains(p.log.String(), "level=ERROR") {
			if log := strings.ReplaceAll(p.log.String(), "registry is missing in NATS, making it from the snapshot", ""); strings.Count(log, "level=WARN")+strings.Count(log, "level=ERROR") != 1 {
				t.Errorf("%s: the restored program complains: %s", file, log)
			}
		}
		p.comesLate(senders, end)
		p.kill()
	}
}

// TestABackupHasWhatTheStoreLacks stops the writer, by a lock on the store, while readings arrive: a backup has them all the same,
// in the journal, and the restored program stores them.
func TestABackupHasWhatTheStoreLacks(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	r := p.register(t, "")
	holdStore(t, filepath.Join(data, "readings.db"), func() {
		if status, body := deliver(t, p.url+"/api/v1/push/native", r.ID, r.Token, []byte(`{"temperature":21}`)); status != http.StatusAccepted {
			t.Fatalf("push: %d %s", status, body)
		}
		succeed(t, "backup", filepath.Join(data, "..", "file"), "--data", data)
	})
	p.kill()
	restored := filepath.Join(t.TempDir(), "data")
	succeed(t, "restore", filepath.Join(data, "..", "file"), "--data", restored)
	p = launch(t, restored)
	p.arrives(t, "the reading that waited", r.ID, map[string]float64{"temperature": 21})
}

// holdStore calls during while a transaction keeps every writer out of a SQLite file.
func holdStore(t *testing.T, path string, during func()) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetBusyTimeout(patience)
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		t.Fatal(err)
	}
	during()
	end(&err)
}

// TestRestoreRefuses restores what is no good, and where something is. Nothing changes there.
func TestRestoreRefuses(t *testing.T) {
	data, folder := t.TempDir(), t.TempDir()
	registerStations(t, data, 2)
	good := filepath.Join(folder, "good")
	succeed(t, "backup", good, "--data", data)
	refused := func(want string, args ...string) {
		t.Helper()
		if status, _, messages := command(t, args...); status != 1 || !strings.Contains(messages, want) {
			t.Errorf("%v: %d %q, want %q", args, status, messages, want)
		}
	}
	refused("the file exists", "backup", good, "--data", data)
	refused("holds nothing yet", "backup", filepath.Join(folder, "nothing"), "--data", t.TempDir())
	refused("is not empty", "restore", good, "--data", data)
	p := launch(t, data)
	refused("another stadtluft serves from it: stop it", "restore", good, "--data", data)
	p.kill()

	body := read(t, good)
	damaged := []byte(body)
	damaged[len(damaged)/2] ^= 4
	for name, content := range map[string]string{"damaged": string(damaged), "truncated": body[:len(body)-1], "no backup": "x", "empty": ""} {
		path, to := filepath.Join(folder, name), filepath.Join(t.TempDir(), "data")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		refused("damaged", "restore", path, "--data", to)
		if left, err := os.ReadDir(to); err != nil || len(left) > 0 {
			t.Errorf("%s: %v, %v is left", name, left, err)
		}
	}
	empty := t.TempDir()
	refused("set nats.prefix", "restore", good, "--data", empty, "--config", writeConfig(t, "nats: {prefix: ANOTHER}"))
	succeed(t, "restore", good, "--data", empty)
}

// TestRestoreOnACluster restores a journal to a NATS server elsewhere, once: what is there stays.
func TestRestoreOnACluster(t *testing.T) {
	from, data := startNATS(t), t.TempDir()
	p := launch(t, data, "STADTLUFT_NATS_URL="+from)
	r := p.register(t, "")
	if status, body := deliver(t, p.url+"/api/v1/push/native", r.ID, r.Token, []byte(`{"temperature":21}`)); status != http.StatusAccepted {
		t.Fatalf("push: %d %s", status, body)
	}
	file := filepath.Join(t.TempDir(), "backup")
	succeed(t, "backup", file, "--data", data, "--config", writeConfig(t, "nats: {url: '"+from+"'}"))
	p.kill()
	to := startNATS(t)
	for range 2 {
		restored := filepath.Join(t.TempDir(), "data")
		succeed(t, "restore", file, "--data", restored, "--config", writeConfig(t, "nats: {url: '"+to+"'}"))
		p = launch(t, restored, "STADTLUFT_NATS_URL="+to)
		p.arrives(t, "the reading", r.ID, map[string]float64{"temperature": 21})
		p.kill()
	}
}

// TestScheduledBackups makes a backup at each of some starts into a folder in which there is another installation's, fills the disk, and
// empties it: the newest stay, whole, and /readyz and /metrics tell.
func TestScheduledBackups(t *testing.T) {
	if runAsRoot(t) {
		return
	}
	data, folder := t.TempDir(), t.TempDir()
	smallDisk(t, folder, "1m")
	other := filepath.Join(folder, "stadtluft-OTHER-20200101T000000Z.tar.gz")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := prepare(t, data, "STADTLUFT_BACKUP_FOLDER="+folder, "STADTLUFT_BACKUP_EVERY=1m", "STADTLUFT_BACKUP_KEEP=2")
	made := func() (names []string) {
		names, _ = filepath.Glob(filepath.Join(folder, "stadtluft-*"))
		return slices.DeleteFunc(names, func(name string) bool { return name == other })
	}
	for n := range 3 { // each start is an hour after the last backup, by its name
		begin := time.Now().Unix()
		p.start()
		eventually(t, "a backup", func() bool {
			return p.metric("stadtluft_backup_last_success_timestamp_seconds") >= float64(begin) && len(made()) == min(n+1, 2)
		})
		p.end(t)
		for _, name := range made() {
			before := strings.TrimSuffix(name[len(name)-len("20060102T150405Z.tar.gz"):], ".tar.gz")
			at, err := time.Parse("20060102T150405Z", before)
			if err == nil {
				err = os.Rename(name, strings.Replace(name, before, at.Add(-time.Hour).Format("20060102T150405Z"), 1))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	kept := made()
	ballast := filepath.Join(folder, "ballast")
	fill(t, ballast)
	p.start()
	eventually(t, "/readyz to speak of the backup", func() bool {
		status, body := p.ready()
		return status == http.StatusOK && strings.Contains(body, "no space left on device") && strings.Contains(body, "backup.folder")
	})
	if got := made(); !slices.Equal(got, kept) {
		t.Errorf("on a full disk there are %v, want the %v before", got, kept)
	}
	if age := float64(time.Now().Unix()) - p.metric("stadtluft_backup_last_success_timestamp_seconds"); age < 3600 {
		t.Errorf("the last backup is %v s old by the metric, want an hour", age)
	}
	p.end(t)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	p.start()
	eventually(t, "a new backup in the place of the oldest", func() bool { return len(made()) == 2 && !slices.Equal(made(), kept) })
	succeed(t, "restore", made()[1], "--data", filepath.Join(t.TempDir(), "data"))
	if !exists(other) {
		t.Error("the other installation's backup is gone")
	}
}

// TestRestoreAsRoot restores as root, as an operator does, into a folder of the server's user: everything is that user's alone, also after commands
// and a backup of root. A user who is not root gets everything.
func TestRestoreAsRoot(t *testing.T) {
	user, data, to := os.Geteuid(), t.TempDir(), t.TempDir()
	if user == 0 {
		user = 54321
	}
	registerStations(t, data, 2)
	file := filepath.Join(t.TempDir(), "backup")
	succeed(t, "backup", file, "--data", data)
	if err := os.Chown(to, user, user); err != nil {
		t.Fatal(err)
	}
	if out := succeed(t, "restore", file, "--data", to); os.Geteuid() == 0 && !strings.Contains(out, "belongs to the user 54321") {
		t.Errorf("restore says %q", out)
	}
	ofTheirUserAlone(t, to, user)
	reachable(t, filepath.Dir(to))
	if os.Geteuid() != 0 {
		return // the rest is about root
	}
	again := filepath.Join(t.TempDir(), "backup")
	c := exec.Command(os.Args[0], "backup", again, "--data", to) // by itself, since it changes whose the process is
	c.Env = append(os.Environ(), asProgram+"=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("a backup of root: %v %s", err, out)
	}
	ofTheirUserAlone(t, again, 0)
	ofTheirUserAlone(t, to, user)
}

// ofTheirUserAlone expects all files and folders to be a user's, who alone may open them.
func ofTheirUserAlone(t *testing.T, data string, user int) {
	t.Helper()
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; info.Mode().Perm()&0o077 != 0 && path != data || int(owner) != user {
			t.Errorf("%s is of the user %d with mode %v", path, owner, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

const backupAdmin = "7k2m9qx4vbt8w3hn5c0rz6jdpg"

// succeed runs a command that must succeed, and returns what it prints.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	status, out, messages := command(t, args...)
	if status != 0 {
		t.Fatalf("%v: %d %s", args, status, messages)
	}
	return out
}

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stadtluft.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// writeCheckState writes a state of the checks, and returns the file.
func writeCheckState(t *testing.T, data string, r storyStation) string {
	t.Helper()
	cell, err := geo.CellAt(r.public, geo.BaseSize)
	if err != nil {
		t.Fatal(err)
	}
	checker, hour := quality.NewHourChecker(quality.DefaultRules()), time.Now().UTC().Truncate(time.Hour).Add(-time.Hour)
	checker.Hour(hour, []quality.StationHour{{Station: r.id, Cell: cell, Quantity: 1, Mean: 1, Median: 1, Count: 12}})
	var remembered bytes.Buffer
	if err = checker.Save(&remembered); err == nil {
		err = os.WriteFile(filepath.Join(data, checksFile), remembered.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return remembered.String()
}

// backup downloads a backup.
func (p *process) backup(token string) []byte {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), "GET", p.url+"/api/v1/admin/backup", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		p.t.Fatalf("backup: %s %v: %s", response.Status, err, body)
	}
	return body
}

// everything returns a program's answers about its stations and about averages that are not stored, without what depends
// on the time.
func (p *process) everything(id string, end time.Time) string {
	p.t.Helper()
	var stations struct {
		Features []struct {
			ID         string
			Properties struct {
				Name     string
				LastSeen string `json:"last_seen"`
				Values   map[string]any
			}
		}
	}
	var health struct {
		Values int     `json:"values_24h"`
		Good   float64 `json:"good_share_24h"`
	}
	for route, into := range map[string]any{"/api/v1/stations": &stations, "/api/v1/stations/" + id + "/health": &health} {
		if err := json.Unmarshal(p.get(route), into); err != nil {
			p.t.Fatal(err)
		}
	}
	if len(stations.Features) == 0 || health.Values != 2*storyReadings {
		p.t.Fatalf("%d stations, %d values of one, want %d", len(stations.Features), health.Values, 2*storyReadings)
	}
	coarse := p.get(fmt.Sprintf("/api/v1/grid?format=csv&window=1h&resolution=5000&time=%s", end.Add(-time.Hour).Format(time.RFC3339)))
	return fmt.Sprintf("%+v\n%+v\n%s", stations, health, coarse)
}

// comesLate publishes one more reading of the story's last hour, and expects every cell of the hour to be there still,
// with one more reading.
func (p *process) comesLate(senders []storyStation, end time.Time) {
	p.t.Helper()
	hour := end.Add(-time.Hour)
	count := func() (cells, readings int) {
		rows, err := csv.NewReader(bytes.NewReader(p.get("/api/v1/grid?format=csv&window=1h&quantity=pm10&time=" + hour.Format(time.RFC3339)))).ReadAll()
		if err != nil {
			p.t.Fatal(err)
		}
		column := slices.Index(rows[0], "readings")
		for _, row := range rows[1:] {
			n, _ := strconv.Atoi(row[column])
			readings += n
		}
		return len(rows) - 1, readings
	}
	cells, readings := count()
	r := senders[0]
	station := &sender{options: mqtt.NewClientOptions().AddBroker(p.mqtt).SetClientID("late").SetProtocolVersion(4).SetUsername(r.id).SetPassword(r.token)}
	defer station.hangUp()
	last := plan(0, end)[storyReadings-1].time.Add(time.Second)
	if !station.send(p.t.Context(), "stadtluft/v1/"+r.id+"/reading", fmt.Sprintf(`{"t":%d,"pm10":20}`, last.Unix())) {
		p.t.Fatal("the late reading was not acknowledged")
	}
	eventually(p.t, "the late reading in its hour", func() bool {
		_, now := count()
		return now == readings+1
	})
	if now, _ := count(); now != cells {
		p.t.Errorf("%d cells after a late reading, want the %d there were", now, cells)
	}
}
