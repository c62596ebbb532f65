package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/influx"
	"stadtluft/ingest/store/influx/influxtest"
	"stadtluft/ingest/store/sqlite"
)

// TestBothStoresGiveTheSame stores the same readings in SQLite and in InfluxDB: the program's answers and files have the
// same bytes.
func TestBothStoresGiveTheSame(t *testing.T) {
	db := influxtest.Start(t)
	inSQLite, inInfluxDB := t.TempDir(), t.TempDir()
	senders := registerStations(t, inSQLite, 12)
	copyRegistry(t, inSQLite, inInfluxDB)
	day := time.Now().UTC().AddDate(0, 0, -5).Truncate(24 * time.Hour) // closed, and younger than OGC's seven days
	list := readingsOf(senders, day.Add(12*time.Hour))
	want := answers(t, inSQLite, day, list, func() (store.Store, error) { return sqlite.Open(t.Context(), filepath.Join(inSQLite, "readings.db")) })
	got := answers(t, inInfluxDB, day, list, func() (store.Store, error) {
		return influx.Open(t.Context(), influx.Options{URL: db.URL, Bucket: "stadtluft"})
	},
		"STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL="+db.URL)
	for what, text := range want {
		if strings.Contains(text, `"numberMatched":0`) || len(text) < 1000 {
			t.Errorf("%s from SQLite says nothing:\n%s", what, text)
		}
		if got[what] != text {
			t.Errorf("%s from InfluxDB differs: %s", what, firstDifference(got[what], text))
		}
	}
}

// readingsOf returns an afternoon's readings: values of many digits, some with a flag, some late.
func readingsOf(senders []storyStation, noon time.Time) (list []ingest.Reading) {
	for i, r := range senders {
		for k := range 120 {
			at := noon.Add(time.Duration(k*145+i) * time.Second)
			var flags ingest.Flags
			if k%3 == 0 {
				flags = ingest.Stuck
			}
			reading := ingest.Reading{Station: r.id, Time: at, Received: at.Add(1500 * time.Millisecond), Values: []ingest.Value{
				{Quantity: quantity.PM2_5, Value: float64(i*7919%97+k) / 7}, {Quantity: quantity.PM10, Value: float64(k)/3 + 40, Flags: flags},
				{Quantity: quantity.Humidity, Value: 61.25}, {Quantity: quantity.Temperature, Value: float64(k%9) - 4.5},
			}}
			if k == 60 {
				reading.Received, reading.TimeSource = at.Add(30*time.Hour), ingest.TimeSource(1)
			}
			list = append(list, reading)
		}
	}
	return list
}

// answers fills a store and collects the answers of a server on it, of every kind.
func answers(t *testing.T, data string, day time.Time, list []ingest.Reading, open func() (store.Store, error), env ...string) map[string]string {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if refusals, err := s.WriteReadings(t.Context(), list); err != nil || len(refusals) > 0 {
		t.Fatal(refusals, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	all := map[string]string{}
	f := func(args ...string) string {
		t.Helper()
		status, out, messages := command(t, append(args, "--data", data)...)
		if status != 0 {
			t.Fatalf("%v: %d %s", args, status, messages)
		}
		return out
	}
	from, to := day.Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly)
	f("rebuild", "--from", from, "--to", to)
	for _, what := range []string{"readings", "grid"} {
		all["export "+what] = f("export", "--what", what, "--from", from, "--to", to)
	}
	f("archive", "build", "--from", from, "--to", from)
	p := launch(t, data, env...)
	period := "from=" + from + "&to=" + to
	hours := from + "T12:00:00Z/" + from + "T14:00:00Z"
	for _, route := range []string{
		"/api/v1/readings?format=csv&flags=good&" + period,
		"/api/v1/readings?format=csv&resolution=1h&" + period,
		"/api/v1/readings?format=csv&quantity=pm10&delimiter=semicolon&" + period,
		"/api/v1/grid?format=csv&window=1h&quantity=pm2_5&" + period,
		"/api/v1/stations/" + list[0].Station + "/series?quantity=pm2_5&" + period,
		"/ogc/collections/grid-1h/items?datetime=" + hours,
		"/sta/v1.1/Observations?$top=50&$filter=phenomenonTime%20gt%20" + from + "T12:00:00Z",
		"/archive/" + strings.ReplaceAll(from, "-", "/") + "/datapackage.json",
	} {
		all[route] = made.ReplaceAllString(strings.ReplaceAll(string(p.get(route)), p.url, ""), "")
	}
	return all
}

// made matches the time of an answer.
var made = regexp.MustCompile(`"(timeStamp|generated)":"[^"]*",`)
