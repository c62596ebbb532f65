package download

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/influx"
	"stadtluft/ingest/store/influx/influxtest"
	"stadtluft/ingest/store/sqlite"
)

// city has 200 stations with five quantities, every 145 s.
type city map[string]*ingest.Station

func (c city) Station(id string) (*ingest.Station, bool) {
	s, ok := c[id]
	return s, ok
}

func (c city) Stations() (list []*ingest.Station) {
	for _, s := range c {
		list = append(list, s)
	}
	return list
}

const benchStations = 200

var benchFrom = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

func newCity() city {
	c := city{}
	for i := range benchStations {
		p := orb.Point{6.8 + float64(i%20)/80, 50.85 + float64(i/20)/60}
		id := fmt.Sprintf("K%06d", i)
		c[id] = &ingest.Station{ID: id, Exposure: ingest.Outdoor, Places: []ingest.Place{{Exact: p, Public: p}}}
	}
	return c
}

// fill writes hours of readings and returns the number of values.
func fill(b testing.TB, s store.Store, hours int) (values int) {
	b.Helper()
	for round := range hours * 3600 / 145 {
		batch := make([]ingest.Reading, benchStations)
		for i := range batch {
			at := benchFrom.Add(time.Duration(round*145+i%145) * time.Second)
			noise := float64((round*31+i*17)%400) / 10
			batch[i] = ingest.Reading{Station: fmt.Sprintf("K%06d", i), Time: at, Received: at, Values: []ingest.Value{
				{Quantity: quantity.PM2_5, Value: 5.1 + noise}, {Quantity: quantity.PM10, Value: 9.3 + noise, Flags: ingest.Humid}, {Quantity: quantity.Temperature, Value: 14.25},
				{Quantity: quantity.Humidity, Value: 61.5 + noise/2}, {Quantity: quantity.Pressure, Value: 1013.2},
			}}
			values += len(batch[i].Values)
		}
		if _, err := s.WriteReadings(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	return values
}

// cpu returns the CPU time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// childrenCPU returns the CPU time of the processes that this one started, in Linux's hundredths of a second.
func childrenCPU() (sum time.Duration) {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, pid := range strings.Fields(string(text)) {
			stat, _ := os.ReadFile("/proc/" + pid + "/stat")
			if fields := strings.Fields(string(stat)); len(fields) > 14 {
				user, _ := strconv.Atoi(fields[13])
				system, _ := strconv.Atoi(fields[14])
				sum += time.Duration(user+system) * 10 * time.Millisecond
			}
		}
	}
	return sum
}

// rates reports rows per second, and CPU seconds per million rows.
func rates(b *testing.B, rows int, begin time.Duration) {
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric((cpu()-begin).Seconds()*1e6/float64(rows), "cpu-s/1e6rows")
}

var period = Readings{From: benchFrom, To: benchFrom.Add(1000 * time.Hour), Resolution: Raw, Source: export.AllSources}

// BenchmarkFromSQLite writes stored readings in each format; naive is encoding/csv on the same rows.
func BenchmarkFromSQLite(b *testing.B) {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "readings.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	values := fill(b, s, 24)
	source := Source{Store: s, Stations: newCity()}
	for _, format := range []export.Format{export.CSV, export.GeoJSON, export.Parquet} {
		b.Run(string(format), func(b *testing.B) {
			b.ReportAllocs()
			begin, rows := cpu(), 0
			for b.Loop() {
				err := Write(source.NewReadings(io.Discard, format, export.Meta{}), func(add func(ingest.Reading) error) error { return source.Readings(b.Context(), period, add) })
				if err != nil {
					b.Fatal(err)
				}
				rows += values
			}
			rates(b, rows, begin)
		})
	}
	b.Run("naive", func(b *testing.B) {
		b.ReportAllocs()
		begin, rows := cpu(), 0
		for b.Loop() {
			if err := naive(b.Context(), source); err != nil {
				b.Fatal(err)
			}
			rows += values
		}
		rates(b, rows, begin)
	})
	hours := period
	hours.Resolution = Hours
	b.Run("hours", func(b *testing.B) {
		b.ReportAllocs()
		begin, rows := cpu(), 0
		for b.Loop() {
			err := Write(NewMeans(io.Discard, export.CSV, export.Meta{}), func(add func(aggregate.StationWindow) error) error { return source.Means(b.Context(), hours, add) })
			if err != nil {
				b.Fatal(err)
			}
			rows += values
		}
		rates(b, rows, begin)
	})
}

func naive(ctx context.Context, s Source) error {
	w := csv.NewWriter(io.Discard)
	err := s.Readings(ctx, period, func(r ingest.Reading) error {
		st, _ := s.Stations.Station(r.Station)
		p := st.PlaceAt(r.Time).Public
		for _, v := range r.Values {
			err := w.Write([]string{r.Time.Format(time.RFC3339), r.Station, strconv.FormatFloat(p[0], 'f', 6, 64), strconv.FormatFloat(p[1], 'f', 6, 64),
				v.Quantity.String(), strconv.FormatFloat(v.Value, 'f', -1, 64), v.Quantity.Unit(), v.Flags.String()})
			if err != nil {
				return err
			}
		}
		return nil
	})
	w.Flush()
	return err
}

// BenchmarkMonth reports the peak of memory, above that before, of a month of the city as CSV: 18 million rows from
// SQLite.
func BenchmarkMonth(b *testing.B) {
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "readings.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const hours = 31 * 24
	values := fill(b, s, hours)
	source := Source{Store: s, Stations: newCity()}
	month := period
	month.To = benchFrom.Add(hours * time.Hour)
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // resets the peak
		b.Fatal(err)
	}
	idle, begin, rows := peak(b), cpu(), 0
	for b.Loop() {
		err := Write(source.NewReadings(io.Discard, export.CSV, export.Meta{}), func(add func(ingest.Reading) error) error { return source.Readings(b.Context(), month, add) })
		if err != nil {
			b.Fatal(err)
		}
		rows += values
	}
	rates(b, rows, begin)
	b.ReportMetric(peak(b)-idle, "MiB-peak-above-idle")
}

// peak returns the process's peak of memory in MiB.
func peak(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, text, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(text)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib / 1024
}

// BenchmarkInfluxDB compares InfluxDB's own CSV of the same readings with ours from SQLite in the same run. InfluxDB has
// a row per reading; for both, values are counted.
func BenchmarkInfluxDB(b *testing.B) {
	server := influxtest.Start(b)
	s, err := influx.Open(b.Context(), influx.Options{URL: server.URL, Bucket: "air"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	values := fill(b, s, 24)
	fields := "station,pm2_5,flags_pm2_5,pm10,flags_pm10,temperature,flags_temperature,humidity,flags_humidity,pressure,flags_pressure"
	query := url.Values{"db": {"air"}, "chunked": {"true"}, "q": {"SELECT " + fields + ` FROM "reading"`}}
	b.Run("its-csv", func(b *testing.B) {
		begin, rows := childrenCPU(), 0
		for b.Loop() {
			request, err := http.NewRequestWithContext(b.Context(), "GET", server.URL+"/query?"+query.Encode(), nil)
			if err != nil {
				b.Fatal(err)
			}
			request.Header.Set("Accept", "application/csv")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				b.Fatal(err)
			}
			n, err := io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if err != nil || n < int64(values)*5 {
				b.Fatalf("%d bytes, %v", n, err)
			}
			rows += values
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		b.ReportMetric((childrenCPU()-begin).Seconds()*1e6/float64(rows), "cpu-s/1e6rows")
	})
	b.Run("ours-from-it", func(b *testing.B) {
		source, rows := Source{Store: s, Stations: newCity()}, 0
		for b.Loop() {
			err := Write(source.NewReadings(io.Discard, export.CSV, export.Meta{}), func(add func(ingest.Reading) error) error { return source.Readings(b.Context(), period, add) })
			if err != nil {
				b.Fatal(err)
			}
			rows += values
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	})
}
