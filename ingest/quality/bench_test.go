package quality

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// crowd is an hour of many stations in 30 by 30 km, each with particles and climate.
func crowd(stations int) []StationHour {
	rng := rand.New(rand.NewPCG(1, 2))
	var list []StationHour
	for i := range stations {
		east, north := 4_100_000+rng.Float64()*30_000, 3_090_000+rng.Float64()*30_000
		for _, q := range []quantity.Quantity{quantity.PM2_5, quantity.PM10, quantity.Temperature, quantity.Humidity, quantity.Pressure} {
			v := 10 + rng.NormFloat64()
			samples := make([]Sample, 25)
			for k := range samples {
				samples[k] = Sample{uint16(145 * k), v}
			}
			list = append(list, StationHour{Station: fmt.Sprintf("S%05d", i), Cell: cellAt(east, north), Quantity: q, Mean: v, Median: v, Count: 25, Samples: samples})
		}
	}
	return list
}

// BenchmarkCheckHour checks one hour of 10,000 stations with five quantities each, that have a past of five days; by far
// the most of its work is done around each station.
func BenchmarkCheckHour(b *testing.B) {
	list := crowd(10_000)
	c, n := NewHourChecker(DefaultRules()), 0
	for ; n < 120; n++ {
		c.Hour(startOf(n), list)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Hour(startOf(n), list)
		n++
	}
}

// BenchmarkCheckStations checks a reading of five values, of 1,000 stations in turn.
func BenchmarkCheckStations(b *testing.B) {
	const stations = 1000
	c, list := New(DefaultRules()), make([]ingest.Station, stations)
	for i := range list {
		list[i] = ingest.Station{ID: fmt.Sprintf("S%05d", i), Sensors: []string{"sds011", "bme280"}}
	}
	values := []wire.Value{
		{Quantity: quantity.PM2_5, Value: 12}, {Quantity: quantity.PM10, Value: 20}, {Quantity: quantity.Temperature, Value: 12},
		{Quantity: quantity.Humidity, Value: 50}, {Quantity: quantity.Pressure, Value: 1013},
	}
	at := received
	for i := 0; b.Loop(); i++ {
		if i%stations == 0 {
			at = at.Add(time.Second)
		}
		c.Check(&list[i%stations], ingest.Arrival{Received: at}, wire.Reading{Time: at, Values: values})
	}
}

// BenchmarkMemory says what is remembered of a station that has sent five values every 145 s
// for long enough, in the checker and
// in the HourChecker.
func BenchmarkMemory(b *testing.B) {
	const stations = 1000
	for b.Loop() {
		before := inUse()
		checker, hourChecker := New(DefaultRules()), NewHourChecker(DefaultRules())
		list := crowd(stations)
		for n := range 3 * dayHours {
			hourChecker.Hour(startOf(n), list)
		}
		for i := range stations {
			st := &ingest.Station{ID: list[5*i].Station}
			for n := range remembered {
				at := received.Add(-time.Duration(n) * time.Second)
				checker.Check(st, arrival, wire.Reading{Time: at, Values: []wire.Value{{Quantity: list[5*i+n%5].Quantity, Value: float64(n)}}})
			}
		}
		b.ReportMetric(float64(inUse()-before)/stations, "B/station")
		runtime.KeepAlive(checker)
		runtime.KeepAlive(hourChecker)
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
