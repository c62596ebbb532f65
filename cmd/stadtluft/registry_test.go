package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"stadtluft/ingest/registry"
)

// TestAMissingRegistryHolds takes the registry away from beside readings: in NATS and in the data folder. Nothing is
// acknowledged and nothing refused until its file is back.
func TestAMissingRegistryHolds(t *testing.T) {
	data, begin := t.TempDir(), time.Now()
	p := launch(t, data)
	r := p.register(t, "")
	if status, body := deliver(t, p.url+"/api/v1/push/native", r.ID, r.Token, fmt.Appendf(nil, `{"t":%d,"temperature":21}`, begin.Unix())); status != http.StatusAccepted {
		t.Fatalf("push: %d %s", status, body)
	}
	p.arrives(t, "the reading", r.ID, map[string]float64{"temperature": 21})
	p.end(t)

	kept := filepath.Join(t.TempDir(), registry.SnapshotFile)
	if err := os.Rename(filepath.Join(data, registry.SnapshotFile), kept); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(data, "nats")); err != nil {
		t.Fatal(err)
	}
	p.begin()
	eventually(t, "/readyz to say that the registry is missing", func() bool {
		status, body := p.ready()
		return status == http.StatusServiceUnavailable && strings.Contains(body, registry.ErrMissing.Error()) && strings.Contains(body, "of a backup into the data folder")
	})
	if status, body := deliver(t, p.url+"/api/v1/push/native", r.ID, r.Token, []byte(`{"temperature":22}`)); status != http.StatusServiceUnavailable {
		t.Errorf("push while it is missing: %d %s", status, body)
	}
	for _, route := range []string{"/", "/api/v1/stations"} {
		if response, err := http.Get(p.url + route); err != nil || response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("GET %s while it is missing: %v %v", route, response, err)
		}
	}
	p.get("/healthz")
	var out, messages bytes.Buffer
	if status := run([]string{"station", "list", "--data", data}, &out, &messages); status != 1 || !strings.Contains(messages.String(), registry.ErrMissing.Error()) {
		t.Errorf("a command: %d %q", status, messages.String())
	}
	p.end(t)
	if log := p.log.String(); !strings.Contains(log, "registry is missing, nothing is taken") {
		t.Error("the log does not say so")
	}

	if err := os.Rename(kept, filepath.Join(data, registry.SnapshotFile)); err != nil {
		t.Fatal(err)
	}
	p.start()
	if status, body := deliver(t, p.url+"/api/v1/push/native", r.ID, r.Token, fmt.Appendf(nil, `{"t":%d,"temperature":22}`, begin.Unix()+1)); status != http.StatusAccepted {
		t.Errorf("push when it is back: %d %s", status, body)
	}
	p.arrives(t, "the next reading", r.ID, map[string]float64{"temperature": 22})
}

// TestTheRegistryOfTheLastVersion starts on a data folder with a registry in SQLite, twice: its stations send on.
func TestTheRegistryOfTheLastVersion(t *testing.T) {
	data := t.TempDir()
	old, err := os.ReadFile(filepath.Join("..", "..", "ingest", "registry", "testdata", "registry.db"))
	if err == nil {
		err = os.WriteFile(filepath.Join(data, "registry.db"), old, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	const station, token = "M85QQ92", "wmh2cwqzkmjwt9f9759n20abcf"
	p := prepare(t, data)
	for i, temperature := range []float64{21, 22} {
		p.start()
		if status, body := deliver(t, p.url+"/api/v1/push/native", station, token, fmt.Appendf(nil, `{"age":%d,"temperature":%v}`, 60-60*i, temperature)); status != http.StatusAccepted {
			t.Fatalf("push: %d %s", status, body)
		}
		p.arrives(t, "the reading", station, map[string]float64{"temperature": temperature})
		p.kill()
	}
	if _, err := os.Stat(filepath.Join(data, "registry.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("registry.db is still there: %v", err)
	}
}

// TestNothingOfAnErasedStationStays registers a station, changes it, lets it measure, and erases it. Its names, its owner's
// address, its device and its exact places must be in no byte of the data folder, as text or as numbers.
func TestNothingOfAnErasedStationStays(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	other := p.register(t, "")
	ask := func(method, route, token, body string, want int) (answer []byte) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, p.url+route, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if answer, err = io.ReadAll(response.Body); err != nil || response.StatusCode != want {
			t.Fatalf("%s %s: %s %s, %v, want %d", method, route, response.Status, answer, err, want)
		}
		return answer
	}
	var r struct {
		registered
		Manage string `json:"manage_token"`
	}
	answer := ask("POST", "/api/v1/stations", "", `{"name":"Annas Balkon","lon":6.958312345,"lat":50.941398765,"kit":"other","email":"anna@example.org","licence_consent":true,`+
		`"device":{"family":"ttn","key":"eui-deadbeef42"}}`, http.StatusCreated)
	if err := json.Unmarshal(answer, &r); err != nil || r.Manage == "" {
		t.Fatalf("registration: %s, %v", answer, err)
	}
	for _, to := range []registered{r.registered, other} {
		if status, body := deliver(t, p.url+"/api/v1/push/native", to.ID, to.Token, []byte(`{"temperature":21}`)); status != http.StatusAccepted {
			t.Fatalf("push: %d %s", status, body)
		}
		p.arrives(t, "the reading", to.ID, map[string]float64{"temperature": 21})
	}
	station := "/api/v1/stations/" + r.ID
	ask("PATCH", station, r.Manage, `{"name":"Annas Dach"}`, http.StatusOK)
	ask("PATCH", station, r.Manage, `{"place":{"lon":6.951212345,"lat":50.945698765}}`, http.StatusOK)
	personal := [][]byte{[]byte("Annas Balkon"), []byte("Annas Dach"), []byte("anna@example.org"), []byte("deadbeef42")}
	for _, degrees := range []float64{6.958312345, 50.941398765, 6.951212345, 50.945698765} {
		bits := math.Float64bits(degrees)
		personal = append(personal, []byte(fmt.Sprint(degrees)), binary.LittleEndian.AppendUint64(nil, bits), binary.BigEndian.AppendUint64(nil, bits))
	}
	eventually(t, "all to be on disk, also in the registry's copy", func() bool {
		where := holds(t, data, personal[1:2])
		return strings.Contains(where, registry.SnapshotFile) && strings.Contains(where, ".blk")
	})
	ask("DELETE", station+"?readings=erase", r.Manage, "", http.StatusNoContent)
	if where := holds(t, data, personal); where != "" {
		t.Errorf("when it has been erased there is\n%s", where)
	}
	eventually(t, "the station to go", func() bool { return !strings.Contains(shell(t, "station", "list", "--data", data), r.ID) })
	p.end(t)
	if where := holds(t, data, personal); where != "" {
		t.Errorf("after the end there is\n%s", where)
	}
	if where := holds(t, data, [][]byte{[]byte(other.ID)}); !strings.Contains(where, ".blk") {
		t.Errorf("the other station is in %q", where)
	}
}

// holds returns the files below a folder that hold one of the texts, with what they hold.
func holds(t *testing.T, folder string, texts [][]byte) (where string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // replaced meanwhile
		}
		for _, text := range texts {
			if bytes.Contains(content, text) {
				where += fmt.Sprintf("%s: %q\n", path, text)
			}
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return where
}

// end stops the program as systemd does.
func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-p.done
}

// TestCommandsGoThroughTheServer registers with commands while a server runs, in a folder whose path is longer than a
// socket's may be, and expects the server to let the station in at once.
func TestCommandsGoThroughTheServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	p := launch(t, data)
	var r registered
	add := []string{"station", "add", "--data", data, "--name", "Hof", "--lon", "6.9583", "--lat", "50.9413", "--kit", "sds011", "--json"}
	if err := json.Unmarshal([]byte(shell(t, add...)), &r); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the station to be let in", func() bool {
		status, _ := deliver(t, p.url+"/api/v1/push/native", r.ID, r.Token, []byte(`{"temperature":21}`))
		return status == http.StatusAccepted
	})
	shell(t, "station", "suspend", r.ID, "--reason", "stands at a stove", "--data", data)
	eventually(t, "the station to be refused", func() bool {
		status, _ := deliver(t, p.url+"/api/v1/push/native", r.ID, r.Token, []byte(`{"temperature":21}`))
		return status == http.StatusUnprocessableEntity || status == http.StatusForbidden
	})
	p.kill() // which leaves the socket
	if list := shell(t, "station", "list", "--data", data); !strings.Contains(list, r.ID) || !strings.Contains(list, "suspended") {
		t.Errorf("without a server: %s", list)
	}
}

// TestCommandsAtOnce runs commands on a folder without a server at the same time, and a server while they run.
func TestCommandsAtOnce(t *testing.T) {
	data := t.TempDir()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			var out, messages bytes.Buffer
			if status := run([]string{"station", "add", "--data", data, "--name", "Hof", "--lon", "6.9583", "--lat", "50.9413", "--kit", "sds011"}, &out, &messages); status != 0 {
				t.Errorf("%d %s", status, messages.String())
			}
		})
	}
	p := launch(t, data)
	all.Wait()
	eventually(t, "all stations", func() bool {
		var list struct{ Features []any }
		return json.Unmarshal(p.get("/api/v1/stations"), &list) == nil && len(list.Features) == 4
	})
}
