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
	hourChecker := townChecker{quality.NewHourChecker(quality.DefaultRules()), known}
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
	// A stuck station repeats the values of midnight all day: its hours are flagged from 7 o'clock on, unless they are near zero.
	if n := flags[simulation.Stuck][ingest.Stuck]; n < 2*2*days*12 {
		t.Errorf("%d hours of stations that are stuck are found", n)
	}
	if n := flags[simulation.Absurd][ingest.Sentinel]; n < values[simulation.Absurd]*3/5/8 {
		t.Errorf("%d of %d absurd stations' values are marks", n, values[simulation.Absurd])
	}
}

// TestWhatChecksRememberIsSaved saves what the checks remember once an hour, and loads it. A broken file is logged, one of
// other thresholds too, and none serves.
func TestWhatChecksRememberIsSaved(t *testing.T) {
	data, rules := t.TempDir(), quality.DefaultRules()
	var said bytes.Buffer
	file := func() *checkerFile { return newCheckerFile(data, rules, slog.New(slog.NewTextHandler(&said, nil))) }
	path, noon := filepath.Join(data, hourCheckerFile), time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	first := file()
	if c := first.load(); c != nil || said.Len() > 0 {
		t.Fatalf("without a file: %v, said %q", c, said.String())
	}
	c := first.fresh()
	check := func(hour time.Time, mean float64) {
		c.Hour(hour, []quality.StationHour{{Station: "A", Quantity: quantity.PM10, Mean: mean, Median: mean, Count: 12}})
		first.save(c)
	}
	check(noon, 20)
	saved, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: it is for the server alone", info, err)
	}
	check(noon, 30)
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, saved) {
		t.Errorf("an hour that was checked again is saved again: %v", err)
	}
	left := path + ".123.part"
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if loaded := file().load(); loaded == nil || !loaded.Newest().Equal(noon) || said.Len() > 0 {
		t.Errorf("loaded %v, said %q", loaded, said.String())
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a crash left is still there: %v", err)
	}
	rules.SpikeZ++
	if file().load() != nil || !strings.Contains(said.String(), "thresholds were others") {
		t.Errorf("of other thresholds it says %q", said.String())
	}
	said.Reset()
	if err := os.WriteFile(path, saved[:len(saved)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if file().load() != nil || !strings.Contains(said.String(), "from the store") || !strings.Contains(said.String(), hourCheckerFile) {
		t.Errorf("of a broken file it says %q", said.String())
	}
	first.save(nil)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is out of date is still there: %v", err)
	}
}
