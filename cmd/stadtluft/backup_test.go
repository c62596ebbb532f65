package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"stadtluft/geo"
	"stadtluft/ingest/quality"
)

// checksFile is the file with the state of the checks.
const checksFile = "checks.state"

// TestABackupIsRestored backs up a running program, unpacks the backup into an empty folder and starts there: the same
// stations, readings, averages at every resolution, statistics and state of the checks; a late reading then corrects its
// hour and does not replace it.
func TestABackupIsRestored(t *testing.T) {
	data, restored := t.TempDir(), t.TempDir()
	senders := registerStations(t, data, 20)
	checks := writeCheckState(t, data, senders[0])
	const admin = "STADTLUFT_ADMIN_TOKEN=7k2m9qx4vbt8w3hn5c0rz6jdpg"
	p := launch(t, data, admin)
	_, end := span()
	publish(t, t.Context(), p.mqtt, true, senders, end, atOnce)
	unpack(t, p.backup("7k2m9qx4vbt8w3hn5c0rz6jdpg"), restored)
	grid, known := checkStory(t, p, senders), p.everything(senders[0].id, end)
	p.kill()

	names, _ := filepath.Glob(filepath.Join(restored, "*"))
	if got := strings.ReplaceAll(strings.Join(names, " "), restored+"/", ""); got != "checks.state readings.db registry.jsonl" {
		t.Errorf("the backup holds %s", got)
	}
	if got := read(t, filepath.Join(restored, checksFile)); got != checks {
		t.Errorf("the checks remember %d bytes, want the %d they had", len(got), len(checks))
	}
	p = launch(t, restored, admin)
	if got := checkStory(t, p, senders); got != grid {
		t.Errorf("the grid differs: %s", firstDifference(got, grid))
	}
	if got := p.everything(senders[0].id, end); got != known {
		t.Errorf("what is known differs: %s", firstDifference(got, known))
	}
	p.comesLate(senders, end)
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

// unpack does the same as tar -xzf.
func unpack(t *testing.T, archive []byte, folder string) {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(plain); ; {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(files)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, head.Name), content, head.FileInfo().Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
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
