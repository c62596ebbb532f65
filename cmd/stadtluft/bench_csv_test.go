package main

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/influx"
	"stadtluft/ingest/store/influx/influxtest"
	"stadtluft/ingest/store/sqlite"
)

const (
	csvStations = 200
	csvHours    = 24
)

// benchCSV downloads a day of 200 stations as CSV from our interface, out of SQLite and out of InfluxDB, and the same
// readings as InfluxDB's own CSV, which has a row a reading: for both, values are counted.
func benchCSV(b *benchRun) {
	db := influxtest.Start(b)
	inSQLite, inInfluxDB := b.TempDir(), b.TempDir()
	senders := registerStations(b, inSQLite, csvStations)
	copyRegistry(b, inSQLite, inInfluxDB)
	day := time.Now().UTC().AddDate(0, 0, -5).Truncate(24 * time.Hour)
	lite, err := sqlite.Open(b.Context(), filepath.Join(inSQLite, "readings.db"))
	if err != nil {
		b.Fatal(err)
	}
	flux, err := influx.Open(b.Context(), influx.Options{URL: db.URL, Bucket: "stadtluft"})
	if err != nil {
		b.Fatal(err)
	}
	values := fillDay(b, senders, day, lite)
	fillDay(b, senders, day, flux)
	if err := lite.Close(); err != nil {
		b.Fatal(err)
	}
	period := "&from=" + day.Format(time.DateOnly) + "&to=" + day.AddDate(0, 0, 1).Format(time.DateOnly)
	own := db.URL + "/query?" + url.Values{"db": {"stadtluft"}, "chunked": {"true"}, "q": {"SELECT station,pm2_5,flags_pm2_5,pm10,flags_pm10,temperature,flags_temperature,humidity,flags_humidity,pressure,flags_pressure FROM reading"}}.Encode()
	for _, of := range []struct {
		what, aim string
		data      string
		env       []string
	}{
		{"SQLite", "≥ 2", inSQLite, nil},
		{"InfluxDB", "", inInfluxDB, []string{"STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL=" + db.URL}},
	} {
		p := launch(b, of.data, of.env...)
		spent := func() time.Duration { return processTime(b, p.cmd.Process.Pid) }
		idle(b, p)
		rate := benchRow{What: "live CSV out of " + of.what, Unit: "rows/s", PeerName: "InfluxDB's own", Aim: of.aim}
		work := benchRow{What: rate.What + ", the process that answers", Unit: "rows a CPU second", PeerName: "InfluxDB's own", Aim: of.aim}
		for range b.rounds {
			ours, ourCPU := fetchRows(b, p.url+"/api/v1/readings?format=csv"+period, "", spent, values)
			its, itsCPU := fetchRows(b, own, "application/csv", db.CPU, values)
			rate.Ours, rate.Peer = append(rate.Ours, ours), append(rate.Peer, its)
			work.Ours, work.Peer = append(work.Ours, ourCPU), append(work.Peer, itsCPU)
		}
		b.add(rate)
		b.add(work)
		p.kill()
	}
}

// fillDay stores a day of readings of five quantities, every 145 s, and returns the number of values.
func fillDay(b *benchRun, senders []storyStation, day time.Time, s store.Store) (values int) {
	b.Helper()
	for k := range csvHours * 3600 / 145 {
		list := make([]ingest.Reading, len(senders))
		for i, r := range senders {
			at, noise := day.Add(time.Duration(k*145+i%145)*time.Second), float64((k*31+i*17)%400)/10
			list[i] = ingest.Reading{Station: r.id, Time: at, Received: at, Values: []ingest.Value{
				{Quantity: quantity.PM2_5, Value: 5.1 + noise}, {Quantity: quantity.PM10, Value: 9.3 + noise, Flags: ingest.Humid}, {Quantity: quantity.Temperature, Value: 14.25},
				{Quantity: quantity.Humidity, Value: 61.5 + noise/2}, {Quantity: quantity.Pressure, Value: 1013.2},
			}}
			values += len(list[i].Values)
		}
		if _, err := s.WriteReadings(b.Context(), list); err != nil {
			b.Fatal(err)
		}
	}
	return values
}

// fetchRows returns the values a second, and a second of a process's time, of an answer that must have that many.
func fetchRows(b *benchRun, address, accept string, spent func() time.Duration, values int) (perSecond, perCPU float64) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.Fatal(err)
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	request.Header.Set("Accept-Encoding", "identity")
	before, begin := spent(), time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	lines := &lineCounter{}
	if _, err := io.Copy(lines, response.Body); err != nil || response.StatusCode != http.StatusOK || lines.n < values/5 {
		b.Fatalf("%s: %s, %d lines, %v", address, response.Status, lines.n, err)
	}
	took, used := time.Since(begin), spent()-before
	return float64(values) / took.Seconds(), float64(values) / used.Seconds()
}

// lineCounter counts lines.
type lineCounter struct{ n int }

func (c *lineCounter) Write(b []byte) (int, error) {
	c.n += bytes.Count(b, []byte("\n"))
	return len(b), nil
}

// idle waits until a process that has just started takes next to no processor time, such as for the archive.
func idle(b *benchRun, p *process) {
	b.Helper()
	used, since := processTime(b, p.cmd.Process.Pid), time.Now()
	eventually(b, "stadtluft to have nothing to do", func() bool {
		if time.Since(since) < time.Second {
			return false
		}
		before := used
		used, since = processTime(b, p.cmd.Process.Pid), time.Now()
		return used-before < 20*time.Millisecond
	})
}
