package averages

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"
)

type register map[string]*ingest.Station

func (r register) Station(id string) (*ingest.Station, bool) {
	s, ok := r[id]
	return s, ok
}

// memoryStore is a store in memory that fails as often as it is told to.
type memoryStore struct {
	store.Store
	mu       sync.Mutex // guards all below
	fail     int
	oldest   time.Time       // rows before it are rejected, as for a bucket's retention
	rows     []aggregate.Row // one for each key
	readings []ingest.Reading
	reads    int // of readings
}

func (s *memoryStore) Grid(_ context.Context, q store.GridQuery, yield func(aggregate.Row) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rows {
		if !r.Start.Before(q.From) && r.Start.Before(q.To) && r.Window == q.Window {
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *memoryStore) Readings(_ context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	for _, r := range s.readings {
		if !r.Time.Before(q.From) && r.Time.Before(q.To) && (len(q.Stations) == 0 || slices.Contains(q.Stations, r.Station)) {
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// sorted returns the rows in the order of their keys.
func (s *memoryStore) sorted() []aggregate.Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.rows, func(a, b aggregate.Row) int {
		return cmp.Or(cmp.Compare(a.Window, b.Window), a.Start.Compare(b.Start), cmp.Compare(a.Quantity, b.Quantity), a.Cell.Compare(b.Cell))
	})
	return slices.Clone(s.rows)
}

func (s *memoryStore) WriteGrid(_ context.Context, rows []aggregate.Row) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return errors.New("away")
	}
	if len(rows) > 0 && rows[0].Start.Before(s.oldest) {
		return store.ErrRejected
	}
	for _, r := range rows {
		s.rows = slices.DeleteFunc(s.rows, func(o aggregate.Row) bool {
			return o.Cell == r.Cell && o.Start.Equal(r.Start) && o.Window == r.Window && o.Quantity == r.Quantity
		})
		if r.Stations > 0 {
			s.rows = append(s.rows, r)
		}
	}
	return nil
}

func place(from time.Time, lon, lat float64) ingest.Place {
	return ingest.Place{From: from, Exact: orb.Point{lon, lat}, Public: orb.Point{lon, lat}}
}

func newAverages(store store.Store) *Averages {
	long := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	home := []ingest.Place{place(long, 6.9583, 50.9413)}
	return &Averages{
		Aggregate: &aggregate.Aggregate{Correction: Correction(quality.Correction{}, nil)}, Store: store, Size: 1000, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Stations: register{
			"OUT":  {ID: "OUT", Exposure: ingest.Outdoor, Places: home},
			"IN":   {ID: "IN", Exposure: ingest.Indoor, Places: home},
			"GONE": {ID: "GONE", Exposure: ingest.Outdoor, Status: ingest.Retired, Ended: long.Add(12 * time.Hour), Places: home},
			"INSIDE": {ID: "INSIDE", Exposure: ingest.Indoor, Places: home, Exposures: []ingest.ExposedSince{
				{From: long, Exposure: ingest.Outdoor}, {From: long.Add(12 * time.Hour), Exposure: ingest.Indoor},
			}},
			"GAS": {ID: "GAS", Exposure: ingest.Outdoor, Places: home, Calibrations: []ingest.Calibration{
				{Quantity: quantity.NO2, From: long.Add(12 * time.Hour), Slope: 0.5, Intercept: 1},
			}},
			"MOVED": {ID: "MOVED", Exposure: ingest.Outdoor, Places: append(slices.Clone(home), place(long.AddDate(0, 0, 1), 7.05, 50.90))},
		},
	}
}

func reading(station string, at time.Time, values ...ingest.Value) ingest.Reading {
	return ingest.Reading{Station: station, Time: at, Received: at, Values: values}
}

func TestOnlyGoodOutdoorValuesOfTheAirCount(t *testing.T) {
	at := time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)
	f := func(station string, v ingest.Value, want int) {
		t.Helper()
		a := newAverages(nil)
		a.Observe(reading(station, at, v))
		if got := len(a.Aggregate.Live(at, 1000, 0)); got != want {
			t.Errorf("%s %+v: %d cells, want %d", station, v, got, want)
		}
	}
	f("OUT", ingest.Value{Quantity: quantity.PM10, Value: 20}, 1)
	f("OUT", ingest.Value{Quantity: quantity.PM10, Value: 2000, Flags: ingest.Range}, 0)
	f("OUT", ingest.Value{Quantity: quantity.NO2, Value: 20}, 0) // not calibrated
	f("OUT", ingest.Value{Quantity: quantity.NOxIndex, Value: 20}, 0)
	f("OUT", ingest.Value{Quantity: quantity.Battery, Value: 3.7}, 0)
	f("GAS", ingest.Value{Quantity: quantity.NO2, Value: 20}, 1)
	f("GAS", ingest.Value{Quantity: quantity.O3, Value: 20}, 0)
	f("GONE", ingest.Value{Quantity: quantity.PM10, Value: 20}, 0)
	f("IN", ingest.Value{Quantity: quantity.PM10, Value: 20}, 0)
	f("NOBODY", ingest.Value{Quantity: quantity.PM10, Value: 20}, 0)
}

// TestRetiredStationKeepsItsPast expects values from before a station was retired to stay, and gases to count only
// while a calibration applies.
func TestRetiredStationKeepsItsPast(t *testing.T) {
	noon := time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)
	hours := func(station string, q quantity.Quantity) (means []int64) {
		a := newAverages(nil)
		for i := range 24 {
			a.Observe(reading(station, noon.Add(-time.Hour+time.Duration(i)*5*time.Minute), ingest.Value{Quantity: q, Value: 20}))
		}
		for _, start := range []time.Time{noon.Add(-time.Hour), noon} {
			for _, r := range a.Aggregate.Hour(start, 1000, 0) {
				means = append(means, start.Unix()-noon.Unix(), r.Mean)
			}
		}
		return means
	}
	if got, want := hours("GONE", quantity.PM10), []int64{-3600, 20_000}; !slices.Equal(got, want) {
		t.Errorf("retired at noon: hours and means %v, want %v", got, want)
	}
	if got, want := hours("INSIDE", quantity.PM10), []int64{-3600, 20_000}; !slices.Equal(got, want) {
		t.Errorf("taken indoors at noon: hours and means %v, want %v", got, want)
	}
	if got, want := hours("GAS", quantity.NO2), []int64{0, 11_000}; !slices.Equal(got, want) {
		t.Errorf("calibrated from noon on: hours and means %v, want %v", got, want)
	}
}

func TestStationCountsWhereItStood(t *testing.T) {
	a := newAverages(nil)
	before := time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)
	after := before.AddDate(0, 0, 1)
	a.Observe(reading("MOVED", before, ingest.Value{Quantity: quantity.PM10, Value: 20}))
	a.Observe(reading("MOVED", after, ingest.Value{Quantity: quantity.PM10, Value: 20}))
	first, second := a.Aggregate.Live(before, 1000, 0), a.Aggregate.Live(after, 1000, 0)
	if len(first) != 1 || len(second) != 1 || first[0].Cell == second[0].Cell {
		t.Errorf("before %+v, after %+v, want one cell each and two different ones", first, second)
	}
}

func TestMilli(t *testing.T) {
	f := func(value float64, want int64) {
		t.Helper()
		if got := Milli(value); got != want {
			t.Errorf("Milli(%v) = %d, want %d", value, got, want)
		}
	}
	f(12.3, 12300)
	f(0.0005, 1)
	f(-0.0005, -1)
	f(1013.25, 1013250)
	f(0.1+0.2, 300)
}

// TestHoursAreStored runs an hour in virtual time with a store that fails at first.
func TestHoursAreStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memoryStore{fail: 3}
		a := newAverages(store)
		var log bytes.Buffer
		a.Log = slog.New(slog.NewTextHandler(&log, nil))
		start := time.Now().UTC().Truncate(time.Hour)
		for i := range 12 {
			a.Observe(reading("OUT", start.Add(time.Duration(i)*5*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: float64(i)}))
		}
		old := start.Add(-49 * time.Hour) // received now, but its hour is not whole in memory any more
		for i := range 12 {
			r := reading("OUT", old.Add(time.Duration(i)*5*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 1})
			r.Received = start
			a.Observe(r)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go a.Run(ctx)
		time.Sleep(time.Hour + aggregate.GracePeriod + 4*writeEvery)
		synctest.Wait()
		cancel()
		synctest.Wait()
		store.mu.Lock()
		defer store.mu.Unlock()
		if len(store.rows) != 1 || store.rows[0].Mean != 5500 || !store.rows[0].Start.Equal(start) || store.rows[0].Readings != 12 {
			t.Errorf("stored %+v, want the mean 5.5 of 0 to 11 of the hour %v alone", store.rows, start)
		}
		if said := log.String(); strings.Count(said, "averages write failed, retrying") != 3 || strings.Count(said, "averages are written again") != 1 {
			t.Errorf("the log has %s", said)
		}
	})
}

// TestRejectedWindowDoesNotStopOthers runs hours in virtual time of which the store rejects the first, and rebuilds
// them.
func TestRejectedWindowDoesNotStopOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().UTC().Truncate(24 * time.Hour).Add(-3 * time.Hour)
		kept := &memoryStore{oldest: start.Add(time.Hour)}
		for i := range 24 {
			r := reading("OUT", start.Add(time.Duration(i)*5*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 7})
			kept.readings = append(kept.readings, r)
		}
		check := func(what string) {
			t.Helper()
			kept.mu.Lock()
			defer kept.mu.Unlock()
			if len(kept.rows) != 1 || !kept.rows[0].Start.Equal(start.Add(time.Hour)) {
				t.Errorf("%s stored %+v, want the second hour alone", what, kept.rows)
			}
			kept.rows = nil
		}
		a := newAverages(kept)
		for _, r := range kept.readings {
			a.Observe(r)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go a.Run(ctx)
		time.Sleep(4 * writeEvery)
		synctest.Wait()
		cancel()
		synctest.Wait()
		check("Run")
		days := 0
		err := newAverages(kept).Rebuild(t.Context(), start.Add(-24*time.Hour), start.Add(2*time.Hour), func(time.Time) { days++ })
		if !errors.Is(err, store.ErrRejected) || !strings.Contains(err.Error(), start.Truncate(24*time.Hour).Format(time.RFC3339)) || days != 2 {
			t.Errorf("Rebuild: %v after %d days, want the rejected day named and both done", err, days)
		}
		check("Rebuild")
	})
}

// TestReadOnly runs an hour in virtual time that another process checks and writes, until that ends before its store has it.
func TestReadOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memoryStore{}
		a := newAverages(store)
		var elsewhere atomic.Bool
		elsewhere.Store(true)
		a.ReadOnly = elsewhere.Load
		start := time.Now().UTC().Truncate(time.Hour)
		for i := range 12 {
			a.Observe(reading("OUT", start.Add(time.Duration(i)*5*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: float64(i)}))
		}
		ctx, cancel := context.WithCancel(t.Context())
		go a.Run(ctx)
		time.Sleep(time.Hour + aggregate.GracePeriod + 4*writeEvery)
		synctest.Wait()
		if len(store.rows) != 0 {
			t.Errorf("stored %+v, want nothing", store.rows)
		}
		elsewhere.Store(false)
		time.Sleep(2 * writeEvery)
		cancel()
		synctest.Wait()
		if len(store.rows) != 1 {
			t.Errorf("stored %+v, want the hour that nobody has written", store.rows)
		}
		if rows := a.Aggregate.Hour(start, 1000, 0); len(rows) != 1 || rows[0].Mean != 5500 {
			t.Errorf("in memory %+v, want the mean 5.5 of 0 to 11", rows)
		}
	})
}

// TestStandbyKnowsWhatItTakesOver has six stations report and one of them read ten times as much. A process that stands by checks the
// hour and appends nothing; when it takes over it appends the flag without reading a past from the store.
func TestStandbyKnowsWhatItTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stored, known := &memoryStore{}, register{}
		a := newAverages(stored)
		a.Stations = known
		var cache bytes.Buffer
		checkFor(t, a, quality.DefaultRules(), &cache)
		var elsewhere atomic.Bool
		elsewhere.Store(true)
		a.ReadOnly = elsewhere.Load
		var appended []ingest.HourFlags
		a.Append = func(_ context.Context, b ingest.Batch) error {
			appended = append(appended, b.HourFlags...)
			for _, f := range b.HourFlags {
				a.Apply(f)
			}
			return nil
		}
		start := time.Now().UTC().Truncate(time.Hour)
		for i := range 7 {
			id := fmt.Sprint("S", i)
			known[id] = &ingest.Station{ID: id, Exposure: ingest.Outdoor, Places: []ingest.Place{place(start.AddDate(0, -1, 0), 6.95+0.003*float64(i), 50.94)}}
			for n := range 12 {
				value := 12 + float64(i)/10
				if i == 6 {
					value *= 10
				}
				a.Observe(reading(id, start.Add(time.Duration(n)*5*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: value}))
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		go a.Run(ctx)
		time.Sleep(time.Hour + aggregate.GracePeriod + 4*writeEvery)
		synctest.Wait()
		if len(appended) != 0 || len(stored.rows) != 0 {
			t.Errorf("standing by it appended %v and stored %d rows", appended, len(stored.rows))
		}
		if cache.Len() == 0 {
			t.Error("standing by it remembers nothing")
		}
		reads := stored.reads
		elsewhere.Store(false)
		time.Sleep(4 * writeEvery)
		cancel()
		synctest.Wait()
		outliers := 0
		for _, f := range appended {
			if f.Flags&ingest.Outlier != 0 && f.Station == "S6" && f.Hour.Equal(start) {
				outliers++
			}
		}
		if outliers != 1 || stored.reads != reads {
			t.Errorf("taking over it appended %v and read the store %d times, want one outlier and none", appended, stored.reads-reads)
		}
	})
}

// TestCF1HasACorrectionOfItsOwn corrects 36 µg/m³ at 80 %: by κ = 0.15 to 36 / (1 + 4/11), and a PMS5003's "cf_1" series by the
// US EPA's formula to 0.52·36 − 0.086·80 + 5.75. Other quantities of it are corrected by κ.
func TestCF1HasACorrectionOfItsOwn(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	known := stationMap{"ATM": {ID: "ATM", Sensors: []string{"pms5003"}}, "CF1": {ID: "CF1", Sensors: []string{"bme280", ingest.CF1Sensor}}}
	a := &aggregate.Aggregate{Correction: Correction(quality.Correction{Method: quality.KappaKohler, Kappa: 0.15}, known)}
	cell := geo.Cell{Size: geo.BaseSize, North: 3096600, East: 4107200}
	for i := range 12 {
		for id := range known {
			for q, milli := range map[quantity.Quantity]int64{quantity.PM2_5: 36_000, quantity.PM10: 36_000, quantity.Humidity: 80_000} {
				when := at.Add(time.Duration(i) * 5 * time.Minute)
				a.Add(aggregate.Sample{Station: id, Cell: cell, Quantity: q, Time: when, Received: when, Milli: milli})
			}
		}
	}
	want := map[string]int64{"ATM pm2_5": 26_400, "ATM pm10": 26_400, "CF1 pm2_5": 17_590, "CF1 pm10": 26_400}
	for _, m := range a.HourStationMeans(at) {
		if mean, there := want[m.Station+" "+m.Quantity.String()]; there && (m.Mean != mean || m.Raw != 36_000) {
			t.Errorf("%s %v: %d of %d, want %d", m.Station, m.Quantity, m.Mean, m.Raw, mean)
		}
	}
}

type stationMap map[string]*ingest.Station

func (m stationMap) Station(id string) (*ingest.Station, bool) {
	st, ok := m[id]
	return st, ok
}
