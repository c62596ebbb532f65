package export

import (
	"io"
	"syscall"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// benchReadings are five values each of 200 stations.
func benchReadings() (list []ingest.Reading) {
	for range 200 {
		list = append(list, ingest.Reading{Station: "K7M2Q9X", Time: noon, Received: noon, Values: []ingest.Value{
			{Quantity: quantity.PM2_5, Value: 12.3}, {Quantity: quantity.PM10, Value: 19.9, Flags: ingest.Humid}, {Quantity: quantity.Temperature, Value: 14.25},
			{Quantity: quantity.Humidity, Value: 61.5}, {Quantity: quantity.Pressure, Value: 1013.2},
		}})
	}
	return list
}

// benchGrid are three hours of 400 cells.
func benchGrid() (list []aggregate.Row) {
	for i := range int32(1200) {
		row := rowList[0]
		row.Cell = geo.Cell{Size: 1000, North: 3_090_000 + i%400/20*1000, East: 4_100_000 + i%20*1000}
		list = append(list, row)
	}
	return list
}

func benchMeans() (list []aggregate.StationWindow) {
	for i := range int32(1200) {
		mean := meanList[0]
		mean.Cell = geo.Cell{Size: 100, North: 3_090_000 + i/5*100, East: 4_100_000}
		mean.Quantity = quantity.PM1 + quantity.Quantity(i%5)
		list = append(list, mean)
	}
	return list
}

// BenchmarkTables writes rows of the long tables in each format.
func BenchmarkTables(b *testing.B) {
	for _, format := range []Format{CSV, JSON, GeoJSON} {
		b.Run("readings/"+string(format), func(b *testing.B) {
			bench(b, NewReadings(io.Discard, format, stations, meta), benchReadings(), 5)
		})
		b.Run("means/"+string(format), func(b *testing.B) { bench(b, NewMeans(io.Discard, format, meta), benchMeans(), 1) })
		b.Run("grid/"+string(format), func(b *testing.B) { bench(b, NewGrid(io.Discard, format, meta), benchGrid(), 1) })
	}
}

func bench[T any](b *testing.B, e Encoder[T], list []T, rows int) {
	b.ReportAllocs()
	begin := cpu()
	for b.Loop() {
		for _, row := range list {
			if err := e.Add(row); err != nil {
				b.Fatal(err)
			}
		}
	}
	written := float64(b.N * len(list) * rows)
	b.ReportMetric(written/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(cpu()-begin)/written, "cpu-ns/row")
	b.ReportMetric(0, "ns/op")
}

// cpu is the time the process has computed, which other processes of a busy machine change little.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
