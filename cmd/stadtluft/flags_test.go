package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest/sensorcommunity"
)

// checkTime is how long a server may take to check what was imported: it waits until no more comes.
const checkTime = 3 * time.Minute

// flagged returns a period's values with their flags and what was checked, by public place instead of station and with
// times moved by a shift, sorted; and how many good values of quantities with checks of hours are unchecked.
func (p *process) flagged(from, to time.Time, shift time.Duration) (list []string, unchecked int) {
	p.t.Helper()
	text := p.get("/api/v1/readings?format=csv&from=" + from.Format(time.RFC3339) + "&to=" + to.Format(time.RFC3339))
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		p.t.Fatal(err)
	}
	for _, row := range rows[1:] {
		at, err := time.Parse(time.RFC3339, row[0])
		if err != nil {
			p.t.Fatal(err)
		}
		list = append(list, at.Add(shift).Format(time.RFC3339)+" "+strings.Join(row[2:], " "))
		if flags := row[7]; row[8] == "" && !strings.Contains(flags, "sentinel") && !strings.Contains(flags, "range") && !strings.Contains(flags, "inconsistent") {
			unchecked++
		}
	}
	slices.Sort(list)
	return list, unchecked
}

// checked waits until all values of a period are stored and checked, and returns them.
func (p *process) checked(values int, from, to time.Time, shift time.Duration) (list []string) {
	p.t.Helper()
	unchecked := 0
	if !within(checkTime, func() bool {
		list, unchecked = p.flagged(from, to, shift)
		return len(list) >= values && unchecked == 0
	}) {
		p.t.Fatalf("%d of %d values, %d of them unchecked after %v", len(list), values, unchecked, checkTime)
	}
	return list
}

// imported has files imported in one call, and returns the number of values.
func imported(t *testing.T, p *process, data string, files ...string) (values int) {
	t.Helper()
	status, out, messages := importing(t, p, data, append([]string{"--json"}, files...)...)
	var summary struct{ Values struct{ Stored int } }
	if err := json.Unmarshal([]byte(out), &summary); err != nil || status != 0 {
		t.Fatalf("import: %d %s %s: %v", status, out, messages, err)
	}
	return summary.Values.Stored
}

// sameValues compares two lists of flagged.
func sameValues(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %s", what, firstDifference(strings.Join(got, "\n"), strings.Join(want, "\n")))
	}
}

// TestRealDaysGetTheSameFlags has sixteen sensor-days, which lie beside the project and are not part of it: imported in one
// batch, imported file by file, and sent by the city's own stations as yesterday's they have the same flags.
func TestRealDaysGetTheSameFlags(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "data", "sensor-community")
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		t.Log("the sensor-days are not beside this clone: left out")
		return
	}
	boundary := "STADTLUFT_CITY_BOUNDARY=" + writeFile(t, "aberdeen.geojson", `{"type":"Polygon","coordinates":[[[-2.4,56.9],[-1.8,56.9],[-1.8,57.6],[-2.4,57.6],[-2.4,56.9]]]}`)
	files, err := filepath.Glob(filepath.Join(folder, "*.csv"))
	if err != nil || len(files) != 16 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	day := day2019

	data := t.TempDir()
	p := launch(t, data, boundary)
	values := imported(t, p, data, folder)
	batch := p.checked(values, day, day.AddDate(0, 0, 1), 0)
	if humid := strings.Count(strings.Join(batch, "\n"), " humid "); humid < 4000 {
		t.Errorf("%d values are humid, of a night by the sea", humid)
	}

	data = t.TempDir()
	p = launch(t, data, boundary)
	slices.Reverse(files)
	for _, file := range files {
		imported(t, p, data, file)
	}
	sameValues(t, "file by file", p.checked(values, day, day.AddDate(0, 0, 1), 0), batch)

	data = t.TempDir()
	p = launch(t, data, boundary)
	yesterday := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	for _, rows := range sensorDays(t, files) {
		p.sendAs(t, data, rows, yesterday.Sub(day))
	}
	sameValues(t, "live", p.checked(values, yesterday, yesterday.AddDate(0, 0, 1), day.Sub(yesterday)), batch)
}

// sensorDays returns the rows of files by location, in the order of their times.
func sensorDays(t *testing.T, files []string) map[string][]sensorcommunity.Row {
	days := map[string][]sensorcommunity.Row{}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		err = sensorcommunity.ReadFile(t.Context(), name, file, func(r sensorcommunity.Row) error {
			if len(r.Reading.Values) > 0 {
				days[r.Location] = append(days[r.Location], r)
			}
			return nil
		}, func(sensorcommunity.Broken) {})
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, rows := range days {
		slices.SortStableFunc(rows, func(a, b sensorcommunity.Row) int { return a.Reading.Time.Compare(b.Reading.Time) })
	}
	return days
}

// sendAs registers a station of the city for the rows of one location, and delivers them, later by a shift.
func (p *process) sendAs(t *testing.T, data string, rows []sensorcommunity.Row, shift time.Duration) {
	t.Helper()
	kinds := map[string]bool{}
	readings := make([]wire.Reading, len(rows))
	for i, r := range rows {
		kinds[strings.ToLower(r.Type)] = true
		readings[i] = r.Reading
		readings[i].Time = r.Reading.Time.Add(shift)
	}
	var names []string
	for kind := range kinds {
		names = append(names, kind)
	}
	slices.Sort(names)
	for _, pair := range p.env {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "STADTLUFT_") && name != asProgram {
			t.Setenv(name, value)
		}
	}
	var station struct{ ID, Token string }
	out := shell(t, "station", "add", "--data", data, "--name", "L"+rows[0].Location, fmt.Sprintf("--lon=%v", rows[0].Point.Lon()), fmt.Sprintf("--lat=%v", rows[0].Point.Lat()), "--kit", strings.Join(names, "-"), "--json")
	if err := json.Unmarshal([]byte(out), &station); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	for part := range slices.Chunk(readings, 400) {
		eventually(t, "the delivery to be taken", func() bool {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/api/v1/push/native", bytes.NewReader(wire.AppendReadings(nil, part)))
			if err != nil {
				t.Fatal(err)
			}
			request.SetBasicAuth(station.ID, station.Token)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			return response.StatusCode == http.StatusAccepted || response.StatusCode == http.StatusUnprocessableEntity
		})
	}
}

// TestImportedFaultsAreFound imports six days of eight stations, of which one is at eight times the others' level for the
// last two. It stays found when the checks' file is deleted and the server is killed, and after a rebuild.
func TestImportedFaultsAreFound(t *testing.T) {
	const stations, days, interval = 8, 6, 10 * time.Minute
	first := time.Date(2020, 2, 1, 0, 0, 0, 0, time.UTC)
	folder := t.TempDir()
	for i := range stations {
		for day := range days {
			var b strings.Builder
			b.WriteString("sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2\n")
			for at := first.AddDate(0, 0, day); at.Before(first.AddDate(0, 0, day+1)); at = at.Add(interval) {
				pm := 15 + 5*float64(at.Hour()%7) + float64((at.Minute()/10*7+i*3)%5)/4
				if i == 3 && day >= days-2 {
					pm *= 8
				}
				fmt.Fprintf(&b, "%d;SDS011;%d;%.3f;%.3f;%s;%.2f;;;%.2f;;\n", i+1, i+1, 50.935+0.003*float64(i), 6.95+0.004*float64(i), at.Format("2006-01-02T15:04:05"), pm, pm/2)
			}
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d-%d.csv", days-day, i)), []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	data := t.TempDir()
	p := launch(t, data)
	values := imported(t, p, data, folder)
	end := first.AddDate(0, 0, days)
	found := p.checked(values, first, end, 0)
	fault, alarms, east := map[string]int{}, 0, fourth(found)
	for _, row := range found {
		fields := strings.Split(row, " ")
		bad := fields[1] == east && fields[0] >= first.AddDate(0, 0, days-2).Format(time.RFC3339)
		if bad {
			fault[fields[6]]++
		} else if fields[6] != "" {
			alarms++
		}
	}
	const all = 2 * 2 * 24 * 6 // of two quantities; its own past gets used to the level
	if fault["outlier"]+fault["spike|outlier"] != all || fault["spike|outlier"] < all/2 || alarms > 0 {
		t.Errorf("flags of the station at eight times the level: %v; %d false alarms", fault, alarms)
	}

	p.kill()
	if err := os.Remove(filepath.Join(data, checksFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	p.start()
	again, _ := p.flagged(first, end, 0)
	sameValues(t, "without the checks' file", again, found)
	shell(t, "rebuild", "--data", data, "--from", first.Format(time.DateOnly), "--to", end.Format(time.DateOnly))
	again, _ = p.flagged(first, end, 0)
	sameValues(t, "rebuilt", again, found)
}

// fourth returns the longitude of the fourth place from the west.
func fourth(list []string) string {
	var longitudes []string
	for _, row := range list {
		if lon := strings.Split(row, " ")[1]; !slices.Contains(longitudes, lon) {
			longitudes = append(longitudes, lon)
		}
	}
	slices.Sort(longitudes)
	return longitudes[3]
}
