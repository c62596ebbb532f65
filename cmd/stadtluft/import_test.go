package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sensorDay is a day of two sensors at one location, with the oddities of real files: rows out of order, two in one
// second, an empty value, a broken line, and a station far outside the city.
const sensorDay = `sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2
11;SDS011;7;50.941;6.958;2019-04-20T00:05:00;12.50;;;6.30;;
11;SDS011;7;50.941;6.958;2019-04-20T00:00:01;10.00;;;5.00;;
11;SDS011;7;50.941;6.958;2019-04-20T00:05:00;13.00;;;6.40;;
11;SDS011;7;50.941;6.958;2019-04-20T00:10:00;;;;nan;;
11;SDS011;7;50.941;6.958;2019-04-20T00:15:00;14.00;;;;;
11;SDS011;7;50.941;6.958
12;SDS011;8;52.520;13.404;2019-04-20T00:00:01;10.00;;;5.00;;
13;PPD42NS;9;50.941;6.958;2019-04-20T00:00:01;1000;1;0.1;10;1;0.1
`

const climate = `sensor_id;sensor_type;location;lat;lon;timestamp;pressure;altitude;pressure_sealevel;temperature;humidity
14;BME280;7;50.941;6.958;2019-04-20T00:00:04;101325.00;;;10.60;90.59
`

// day2019 is the day of what is imported.
var day2019 = time.Date(2019, 4, 20, 0, 0, 0, 0, time.UTC)

// importing runs the command beside a running server.
func importing(t *testing.T, p *process, data string, args ...string) (status int, out, messages string) {
	t.Helper()
	return importingFrom(t, p, data, "sensor-community", args...)
}

// importingFrom runs the command for a network.
func importingFrom(t *testing.T, p *process, data, network string, args ...string) (status int, out, messages string) {
	t.Helper()
	p.setenv(t)
	var stdout, stderr bytes.Buffer
	status = run(append([]string{"import", network, "--data", data}, args...), &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

// setenv sets the process's configuration for commands in this process.
func (p *process) setenv(t *testing.T) {
	for _, pair := range p.env {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "STADTLUFT_") && name != asProgram {
			t.Setenv(name, value)
		}
	}
}

// allReadings returns every reading of 2019 as CSV.
func (p *process) allReadings() string {
	return string(p.get("/api/v1/readings?format=csv&from=2019-01-01&to=2020-01-01"))
}

func TestImport(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	folder := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, climate)
	z.Close()
	for name, content := range map[string]string{"a.csv": sensorDay, "b/c.csv.gz": packed.String(), "readme.txt": "not read"} {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	var first string
	for round := range 2 {
		status, out, messages := importing(t, p, data, folder)
		if status != 0 {
			t.Fatalf("round %d: %d %s %s", round, status, out, messages)
		}
		// 10 rows: 4 of SDS011 and 1 of BME280 in; one doubled second, one without values, one broken, one PPD42NS refused; one outside.
		for _, want := range []string{"9 rows of 2 files", " 1 outside the city, 4 refused", "refused as duplicate: 1 rows", "refused as malformed: 1 rows",
			"refused as not_a_number: 1 rows", "refused as unsupported: 1 rows", "4 are in the store", "1 stations", "ODbL"} {
			if !strings.Contains(out, want) {
				t.Errorf("round %d: the summary has no %q:\n%s", round, want, out)
			}
		}
		if want := "a.csv:7: 5 fields, the header has 12"; !strings.Contains(messages, want) {
			t.Errorf("round %d: the broken line is not told as %q: %s", round, want, messages)
		}
		p.checked(8, day2019, day2019.AddDate(0, 0, 1), 0)
		readings := p.allReadings()
		if round == 0 {
			first = readings
		} else if readings != first {
			t.Errorf("the second time changed\n%s\ninto\n%s", first, readings)
		}
	}
	for _, want := range []string{
		"2019-04-20T00:00:01Z,EXT0", ",pm10,10,µg/m³,", ",pm2_5,5,µg/m³,", ",pressure,1013.25,hPa,", ",humidity,90.59,%,",
		"pm10,12.5,", "pm10,14,",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
	if strings.Contains(first, "pm10,13,") {
		t.Error("the second value of a second replaced the first")
	}
	if own := p.get("/api/v1/readings?format=csv&from=2019-01-01&to=2020-01-01&source=own"); strings.Count(string(own), "\n") != 1 {
		t.Errorf("source=own has %s", own)
	}
	stations := string(p.get("/api/v1/stations?source=sensor-community"))
	for _, want := range []string{`"source":"sensor-community"`, `"licence":"ODbL-1.0"`, "Sensor.Community (ODbL-1.0, DbCL-1.0)", `"sensors":["bme280","sds011"]`} {
		if !strings.Contains(stations, want) {
			t.Errorf("no %q in %s", want, stations)
		}
	}
	// A rebuild finds the same.
	var stdout, stderr bytes.Buffer
	if status := run([]string{"rebuild", "--data", data, "--from", "2019-04-19", "--to", "2019-04-22"}, &stdout, &stderr); status != 0 {
		t.Errorf("rebuild: %d %s", status, stderr.String())
	}
}

func TestImportOfNothing(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	f := func(want string, wantStatus int, args ...string) {
		t.Helper()
		status, out, messages := importing(t, p, data, args...)
		if status != wantStatus || !strings.Contains(out+messages, want) {
			t.Errorf("import %q: %d %s %s, want %d and %q", args, status, out, messages, wantStatus, want)
		}
	}
	folder := t.TempDir()
	broken := filepath.Join(folder, "broken.csv")
	if err := os.WriteFile(broken, []byte("time;value\n1;2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(`no column "sensor_id"`, 1, broken)
	f("nothing was usable", 1, broken)
	f("no such file", 1, filepath.Join(folder, "missing.csv"))
	f("at least 1m", 2, "--every", "5s", "http://127.0.0.1:1/data.json")
	f("is the server running?", 1, "--server", "http://127.0.0.1:1", writeFile(t, "a.csv", sensorDay))
}

// TestImportFromAddress fetches live data with conditional requests: unchanged data is not sent again.
func TestImportFromAddress(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	now := time.Now().UTC().Add(-time.Minute).Format(time.DateTime)
	body := `[{"timestamp":"` + now + `","location":{"id":1071,"latitude":"50.941","longitude":"6.958","indoor":0},"sensor":{"id":2129,"sensor_type":{"name":"SDS011"}},
	 "sensordatavalues":[{"value":"19.13","value_type":"P1"},{"value":16.23,"value_type":"P2"}]},
	 {"timestamp":"` + now + `","location":{"id":5,"latitude":"48.778","longitude":"9.236"},"sensor":{"id":6,"sensor_type":{"name":"SDS011"}},"sensordatavalues":[]},
	 {"timestamp":17}]`
	requests := make(chan *http.Request, 10)
	neighbour := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, body)
	}))
	defer neighbour.Close()
	status, out, messages := importing(t, p, data, "--json", neighbour.URL)
	var summary struct {
		Rows, Stored, Outside, Stations int
		Refused                         map[string]int
	}
	if err := json.Unmarshal([]byte(out), &summary); err != nil || status != 0 {
		t.Fatalf("%d %s %s: %v", status, out, messages, err)
	}
	if summary.Rows != 3 || summary.Stored != 1 || summary.Outside != 1 || summary.Stations != 1 || summary.Refused["malformed"] != 1 {
		t.Errorf("summary %+v", summary)
	}
	if agent := (<-requests).Header.Get("User-Agent"); !strings.HasPrefix(agent, "stadtluft/") || !strings.Contains(agent, "(+http") {
		t.Errorf("asks as %q", agent)
	}
	var live []byte
	eventually(t, "the live average", func() bool {
		live = p.get("/api/v1/grid?quantity=pm10&format=csv")
		return bytes.Contains(live, []byte(",pm10,µg/m³,19.130,"))
	})
}

// TestImportOfCapturedRecords imports a captured answer of the live API, which lies beside the project and is not part
// of it, from a file and from an address.
func TestImportOfCapturedRecords(t *testing.T) {
	file := filepath.Join("..", "..", "..", "shared", "data", "payloads", "sensor-community_data.json")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		t.Log("the captured records are not beside this clone: left out")
		return
	}
	neighbour := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(file))))
	defer neighbour.Close()
	berlin := writeFile(t, "berlin.geojson", `{"type":"Polygon","coordinates":[[[13.3,52.5],[13.4,52.5],[13.4,52.6],[13.3,52.6],[13.3,52.5]]]}`)
	for _, from := range []string{file, neighbour.URL + "/" + filepath.Base(file)} {
		data := t.TempDir()
		p := launch(t, data, "STADTLUFT_CITY_BOUNDARY="+berlin)
		status, out, messages := importing(t, p, data, from)
		if status != 0 || !strings.Contains(out, "5 rows of 1 files: 4 are in the store, 1 outside the city, 0 refused") {
			t.Fatalf("%d %s %s", status, out, messages)
		}
		// Read by hand from the file.
		want := []string{
			"2019-04-25T01:51:12Z pm10 19.13", "2019-04-25T01:51:12Z pm2_5 16.23", "2019-04-25T01:51:13Z humidity 76.7", "2019-04-25T01:51:13Z temperature 18.8",
			"2019-04-25T01:53:40Z pm10 18.4", "2019-04-25T01:53:40Z pm2_5 16.8", "2019-04-25T01:53:41Z humidity 76.9", "2019-04-25T01:53:41Z temperature 18.7",
		}
		var got []string
		eventually(t, "the store to have them", func() bool {
			rows, err := csv.NewReader(strings.NewReader(p.allReadings())).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			got = nil
			for _, row := range rows[1:] {
				got = append(got, row[0]+" "+row[4]+" "+row[5])
			}
			return len(got) == len(want)
		})
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: the store has %q, want %q", from, got, want)
		}
	}
}

// TestImportOfRealDays imports sixteen sensor-days, which lie beside the project and are not part of it: each row is
// stored or refused, and a second import changes nothing.
func TestImportOfRealDays(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "data", "sensor-community")
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		t.Log("the sensor-days are not beside this clone: left out")
		return
	}
	rows := 0
	files, err := filepath.Glob(filepath.Join(folder, "*.csv"))
	if err != nil || len(files) != 16 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rows += bytes.Count(text, []byte("\n")) - 1
	}
	aberdeen := writeFile(t, "aberdeen.geojson", `{"type":"Polygon","coordinates":[[[-2.4,56.9],[-1.8,56.9],[-1.8,57.6],[-2.4,57.6],[-2.4,56.9]]]}`)
	data := t.TempDir()
	p := launch(t, data, "STADTLUFT_CITY_BOUNDARY="+aberdeen)
	first := ""
	for round := range 2 {
		status, out, messages := importing(t, p, data, "--json", folder)
		var summary struct {
			Rows, Stored, Repeated, Outside, Stations int
			Refused                                   map[string]int
			Values                                    struct{ Stored int }
		}
		if err := json.Unmarshal([]byte(out), &summary); err != nil || status != 0 {
			t.Fatalf("%d %s %s: %v", status, out, messages, err)
		}
		refused := 0
		for _, n := range summary.Refused {
			refused += n
		}
		if summary.Rows != rows || summary.Stored+summary.Repeated+refused != rows || summary.Stations != 8 {
			t.Errorf("of %d rows: %+v", rows, summary)
		}
		p.checked(summary.Values.Stored, day2019, day2019.AddDate(0, 0, 1), 0)
		readings := p.allReadings()
		if round == 0 {
			first = readings
		} else if readings != first {
			t.Errorf("the second time changed something: %s", firstDifference(readings, first))
		}
	}
}
