package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/influx"
	"stadtluft/ingest/store/influx/influxtest"
	"stadtluft/ingest/store/sqlite"
)

// A city of benchStations that send five values every benchInterval seconds, as airRohr kits with SDS011 and BME280 do:
// with two decimals, on a daily course, with noise of each kit's own.
const (
	benchStations = 1000
	benchInterval = 145
)

var benchQuantities = []struct {
	quantity                   quantity.Quantity
	mean, daily, spread, noise float64
}{
	{quantity.PM2_5, 9, 4, 3, 1.2}, {quantity.PM10, 16, 6, 5, 2.5}, {quantity.Temperature, 14, 6, 0.8, 0.05}, {quantity.Humidity, 65, 15, 3, 0.3}, {quantity.Pressure, 1005, 3, 2, 0.03},
}

// generated is a store that generates a day's readings and averages.
type generated struct{ store.Store }

func benchID(i int) string { return fmt.Sprintf("B%06d", i) }

// manyStations finds stations fast.
type manyStations struct {
	register
	byID map[string]*ingest.Station
}

func (c manyStations) Station(id string) (*ingest.Station, bool) {
	s, ok := c.byID[id]
	return s, ok
}

func benchRegister() manyStations {
	c := manyStations{make(register, benchStations), map[string]*ingest.Station{}}
	for i := range c.register {
		s := stand(benchID(i), begin.Add(-time.Hour), 0)
		s.Places[0].Public = orb.Point{6.8 + float64(i%40)*0.00712, 50.85 + float64(i/40)*0.00631}
		c.register[i], c.byID[s.ID] = s, s
	}
	return c
}

// Readings yields those of any day, in order.
func (generated) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	rng := rand.New(rand.NewPCG(uint64(q.From.Unix()), 7))
	walk := make([][5]float64, benchStations)
	for second := q.From; second.Before(q.To); second = second.Add(time.Second) {
		course := math.Sin(second.Sub(q.From).Hours() / 24 * 2 * math.Pi)
		for i := int(second.Unix() % benchInterval); i < benchStations; i += benchInterval {
			r := ingest.Reading{Station: benchID(i), Time: second, Received: second.Add(time.Duration(300+rng.IntN(1500)) * time.Millisecond), TimeSource: ingest.Receipt}
			r.Values = make([]ingest.Value, len(benchQuantities))
			for k, b := range benchQuantities {
				walk[i][k] = 0.95*walk[i][k] + rng.NormFloat64()*b.noise
				value := b.mean + b.daily*course + b.spread*math.Sin(float64(i)) + walk[i][k]
				r.Values[k] = ingest.Value{Quantity: b.quantity, Value: math.Round(max(value, 0)*100) / 100}
			}
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// Grid has a row for each of 400 cells, window and quantity.
func (generated) Grid(_ context.Context, q store.GridQuery, yield func(aggregate.Row) error) error {
	rng := rand.New(rand.NewPCG(uint64(q.From.Unix()), 8))
	step := time.Duration(q.Window.Seconds()) * time.Second
	for start := q.From; start.Before(q.To); start = start.Add(step) {
		for _, b := range benchQuantities {
			for cell := range int32(400) {
				mean := int64((b.mean + rng.NormFloat64()*b.spread) * 1000)
				row := aggregate.Row{Cell: geo.Cell{Size: 1000, North: 3_090_000 + cell/20*1000, East: 4_100_000 + cell%20*1000}, Start: start, Window: q.Window, Quantity: b.quantity,
					Mean: mean, Median: mean + int64(rng.IntN(300)), Min: mean - int64(rng.IntN(3000)), Max: mean + int64(rng.IntN(3000)), Raw: mean + int64(rng.IntN(2000)),
					Stations: 1 + rng.IntN(4), Readings: 24 + rng.IntN(70), Coverage: 1000, Spread: int64(rng.IntN(2000))}
				if err := yield(row); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func benchArchive(b *testing.B, inner store.Store) *Store {
	return &Store{Store: inner, Archive: &Archive{
		Dir: b.TempDir(), DayOffset: time.Hour, Size: 1000, Stations: benchRegister(), Log: slog.New(slog.DiscardHandler),
		Meta: export.Meta{Licence: "dl-zero-de/2.0", Attribution: "Stadt Köln"},
	}}
}

// benchStore returns a SQLite store with the generated day.
func benchStore(b *testing.B) store.Store {
	inner, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "readings.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { inner.Close() })
	pour(b, inner)
	return inner
}

// pour writes the generated day into a store.
func pour(b *testing.B, inner store.Store) {
	var batch []ingest.Reading
	flush := func() {
		if _, err := inner.WriteReadings(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		batch = batch[:0]
	}
	from, to := begin, begin.Add(24*time.Hour)
	_ = generated{}.Readings(b.Context(), store.ReadingQuery{From: from, To: to}, func(r ingest.Reading) error {
		if batch = append(batch, r); len(batch) == 5000 {
			flush()
		}
		return nil
	})
	flush()
	for _, window := range []aggregate.Window{aggregate.Hour, aggregate.Day} {
		var rows []aggregate.Row
		_ = generated{}.Grid(b.Context(), store.GridQuery{From: from, To: to, Window: window}, func(r aggregate.Row) error { rows = append(rows, r); return nil })
		if err := inner.WriteGrid(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBuildDay archives a day of 1,000 stations, 2.98 million values, from SQLite and from a source that costs
// almost nothing.
func BenchmarkBuildDay(b *testing.B) {
	for name, source := range map[string]func(*testing.B) store.Store{
		"SQLite": benchStore, "generated": func(*testing.B) store.Store { return generated{} },
	} {
		b.Run(name, func(b *testing.B) {
			s := benchArchive(b, source(b))
			runtime.GC()
			before, stop := residentMemory(b), make(chan uint64)
			peak := watch(b, stop)
			var m Manifest
			cpu := ownCPU(b)
			for b.Loop() {
				if err := os.RemoveAll(onDisk(s, s.Archive.folder(may))); err != nil {
					b.Fatal(err)
				}
				m = build(b, s, 1)
			}
			close(stop)
			total := int64(0)
			for _, f := range m.Files {
				total += f.Bytes
				b.ReportMetric(float64(f.Bytes)/1e6, "MB:"+f.Name)
			}
			b.ReportMetric((ownCPU(b)-cpu).Seconds()/float64(b.N), "CPU-s/day")
			perDay := b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(float64(total)/1e6, "MB/day")
			b.ReportMetric(float64(total)*365/1e9, "GB/year")
			b.ReportMetric(perDay, "s/day")
			b.ReportMetric(perDay*365/60, "min/year")
			b.ReportMetric(float64(m.Values)/perDay, "values/s")
			b.ReportMetric(float64(<-peak-before)/(1<<20), "MiB-peak-above-idle")
		})
	}
}

// residentMemory returns the process's resident memory in bytes.
func residentMemory(b *testing.B) uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	pages, _ := strconv.ParseUint(strings.Fields(string(text))[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

// watch samples the memory until stop is closed and then sends the largest sample.
func watch(b *testing.B, stop <-chan uint64) <-chan uint64 {
	peak := make(chan uint64, 1)
	go func() {
		most := uint64(0)
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-ticker.C:
				most = max(most, residentMemory(b))
			}
		}
	}()
	return peak
}

// ownCPU returns the CPU time of this process.
func ownCPU(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkDayAsCSV reads the same day over HTTP: the archive's file, compressed and not; the archive's Parquet
// converted to CSV, as the API does for days that the store has deleted; and InfluxDB 1.8's own CSV. A row of ours has
// one value, a row of InfluxDB's five. The CPU time is the server's; ours includes the client's, which is in the same
// process.
func BenchmarkDayAsCSV(b *testing.B) {
	s := benchArchive(b, generated{})
	values := build(b, s, 1).Values
	if err := s.Archive.files().Write(b.Context(), s.Archive.evictedPath(may), nil); err != nil {
		b.Fatal(err)
	}
	s.Store = empty{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api" {
			_ = s.Archive.Serve(w, r) // the count shows what went wrong
			return
		}
		e := export.NewReadings(w, export.CSV, s.Archive.Stations, s.Archive.Meta)
		_ = errors.Join(e.Begin(), s.Readings(r.Context(), store.ReadingQuery{From: begin, To: begin.Add(24 * time.Hour)}, e.Add), e.End())
	}))
	b.Cleanup(server.Close)
	file := server.URL + Root + "2026/05/01/" + readingsCSV
	b.Run("archive-file", func(b *testing.B) { downloadAll(b, file, "", values, -1, ownCPU) })
	b.Run("archive-file-unpacked", func(b *testing.B) { downloadAll(b, file, "gz", values, values+1, ownCPU) })
	b.Run("API-from-archive", func(b *testing.B) { downloadAll(b, server.URL+"/api", "", values, values+1, ownCPU) })
	b.Run("InfluxDB", func(b *testing.B) {
		server := influxtest.Start(b, "max-row-limit = 0")
		inner, err := influx.Open(b.Context(), influx.Options{URL: server.URL, Bucket: "bench"})
		if err != nil {
			b.Fatal(err)
		}
		defer inner.Close()
		pour(b, inner)
		query := url.Values{"db": {"bench"}, "chunked": {"true"}, "q": {`SELECT "station","pm2_5","pm10","temperature","humidity","pressure" FROM "reading" ORDER BY time`}}
		downloadAll(b, server.URL+"/query?"+query.Encode(), "", values, -1, func(b *testing.B) time.Duration { return server.CPU() })
	})
}

// empty is a store without data.
type empty struct{ store.Store }

func (empty) Readings(context.Context, store.ReadingQuery, func(ingest.Reading) error) error {
	return nil
}

// downloadAll fetches a document and compares its number of lines with lines, unless that is negative.
func downloadAll(b *testing.B, address, packed string, values, lines int, cpu func(*testing.B) time.Duration) {
	begin, size := cpu(b), int64(0)
	for b.Loop() {
		request, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			b.Fatal(err)
		}
		request.Header.Set("Accept", "application/csv")
		request.Header.Set("Accept-Encoding", "identity")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		var body io.Reader = response.Body
		if packed != "" {
			if body, err = gzip.NewReader(response.Body); err != nil {
				b.Fatal(err)
			}
		}
		counted := &lineCounter{}
		if size, err = io.Copy(counted, body); err != nil || lines >= 0 && counted.lines != lines {
			b.Fatalf("%s: %d lines, want %d, %v", address, counted.lines, lines, err)
		}
		response.Body.Close()
	}
	each := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(float64(values)/each, "values/s")
	b.ReportMetric((cpu(b)-begin).Seconds()/float64(b.N)/float64(values)*1e6, "CPU-s/Mvalue")
	b.ReportMetric(float64(size)/1e6, "MB")
}

type lineCounter struct{ lines int }

func (c *lineCounter) Write(p []byte) (int, error) {
	c.lines += bytes.Count(p, []byte("\n"))
	return len(p), nil
}
