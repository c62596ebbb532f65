package server

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/cmd/stadtluft/simulation"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/quality"
)

// stationMap finds simulated stations.
type stationMap map[string]*ingest.Station

func (r stationMap) Station(id string) (*ingest.Station, bool) { st, ok := r[id]; return st, ok }

// TestTheDemoCityIsHealthy simulates the city of --demo 80 for 17 days and checks all of it, reading by reading and hour
// by hour, as a server does. A value of a sound station is never excluded, and faults are found.
func TestTheDemoCityIsHealthy(t *testing.T) {
	const days, every = 17, 10 * time.Minute
	city, stations := simulation.New(1, geo.CologneSketch(), 80)
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	known := stationMap{}
	for i, s := range stations {
		id := fmt.Sprintf("S%02d", i)
		known[id] = outdoor(id, s.Point)
		known[id].Sensors = []string{"sds011", "bme280"}
	}
	checker, values := quality.New(quality.DefaultRules()), map[simulation.Fault]int{}
	flags := map[simulation.Fault]map[ingest.Flags]int{}
	for _, fault := range []simulation.Fault{simulation.Sound, simulation.Stuck, simulation.Absurd, simulation.Silent} {
		flags[fault] = map[ingest.Flags]int{}
	}
	sums := &averages.Averages{Aggregate: &aggregate.Aggregate{}, Stations: known}
	hourChecker := openHourChecker(t.TempDir(), quality.DefaultRules(), known, slog.New(slog.DiscardHandler))
	for start := begin; start.Before(begin.AddDate(0, 0, days)); start = start.Add(time.Hour) {
		for i := range stations {
			for at := start; at.Before(start.Add(time.Hour)); at = at.Add(every) {
				reading, ok := city.Reading(&stations[i], at)
				if !ok {
					continue
				}
				keep, refused, _ := checker.Check(known[fmt.Sprintf("S%02d", i)], ingest.Arrival{Received: at}, reading)
				if len(refused) > 0 {
					t.Fatalf("refused %+v", refused)
				}
				sums.Observe(keep)
				for _, v := range keep.Values {
					values[stations[i].Fault]++
					for _, f := range v.Flags.Each() {
						flags[stations[i].Fault][f]++
					}
				}
			}
		}
		for _, v := range hourChecker.hour(start, sums.Aggregate.StationHours(start)) {
			i := slices.IndexFunc(stations, func(s simulation.Station) bool { return fmt.Sprintf("S%02d", s.Index) == v.Station })
			for _, f := range v.Flags.Each() {
				flags[stations[i].Fault][f]++
			}
		}
		sums.Aggregate.Prune(start)
	}
	t.Logf("%v values, flags by fault: %v", values, flags)
	for _, fault := range []simulation.Fault{simulation.Sound, simulation.Silent} {
		for f, n := range flags[fault] {
			if !f.Good() {
				t.Errorf("%d values or hours of %q stations are %s", n, fault, f)
			}
		}
	}
	// A stuck station repeats the values of midnight all day: flagged from 8 o'clock on, unless they are near zero.
	if n := flags[simulation.Stuck][ingest.Stuck]; n < 2*2*days*6*12 {
		t.Errorf("%d values of stations that are stuck are found", n)
	}
	if n := flags[simulation.Absurd][ingest.Sentinel]; n < values[simulation.Absurd]*3/5/8 {
		t.Errorf("%d of %d absurd stations' values are marks", n, values[simulation.Absurd])
	}
}

// TestWhatChecksRememberSurvives checks hours of the past and of now: only what is newer than the last two hours is
// saved, a new HourChecker starts with it, and a broken file is logged and replaced.
func TestWhatChecksRememberSurvives(t *testing.T) {
	data, known := t.TempDir(), stationMap{"A": outdoor("A", orb.Point{6.9583, 50.9413})}
	var said bytes.Buffer
	open := func() *hourChecker {
		return openHourChecker(data, quality.DefaultRules(), known, slog.New(slog.NewTextHandler(&said, nil)))
	}
	cell, err := geo.CellAt(orb.Point{6.9583, 50.9413}, geo.BaseSize)
	if err != nil {
		t.Fatal(err)
	}
	hours := []aggregate.StationHour{{Station: "A", Cell: cell, Quantity: quantity.PM10, Mean: 20_000, Median: 20_000, Count: 12}}
	path, now := filepath.Join(data, hourCheckerFile), time.Now().UTC().Truncate(time.Hour)
	first := open()
	first.hour(now.Add(-5*time.Hour), hours)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("hours that a start has checked again are saved: %v", err)
	}
	first.hour(now.Add(-time.Hour), hours)
	saved, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: it is for the server alone", info, err)
	}
	left := path + ".123.part"
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := open().Save(&again); err != nil || len(again.Bytes()) != len(saved) || said.Len() > 0 {
		t.Errorf("%v, %d bytes of %d, said %q", err, again.Len(), len(saved), said.String())
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a crash left is still there: %v", err)
	}
	if err := os.WriteFile(path, saved[:len(saved)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if open(); !strings.Contains(said.String(), "start without history") || !strings.Contains(said.String(), hourCheckerFile) {
		t.Errorf("of a broken file it says %q", said.String())
	}
}
