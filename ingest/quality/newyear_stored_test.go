package quality_test

import (
	"flag"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/sqlite"
)

var storedSeeds = flag.Int("stored-seeds", 2, "simulated cities of TestNewYearsEveStored")

// storedResidents are fewer than those of TestNewYearsEve, each of whose values is written twice here.
const storedResidents = 40

type register map[string]*ingest.Station

func (r register) Station(id string) (*ingest.Station, bool) {
	st, ok := r[id]
	return st, ok
}

// TestNewYearsEveStored stores smaller cities of TestNewYearsEve and has their days checked again as after an import, every
// other one by a rebuild: each value gets the flags that the checks give as they run live, and those of its fault are among
// them. -stored-seeds says how many cities, -short plays one.
func TestNewYearsEveStored(t *testing.T) {
	if testing.Short() {
		*storedSeeds = 1
	}
	for seed := range *storedSeeds {
		town := quality.PlayNewYearsEve(uint64(seed), storedResidents)
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "readings.db"))
		if err != nil {
			t.Fatal(err)
		}
		for part := range slices.Chunk(town.Taken, 5000) {
			if rejected, err := s.WriteReadings(t.Context(), part); err != nil || len(rejected) > 0 {
				t.Fatal(rejected, err)
			}
		}
		a := &averages.Averages{Aggregate: &aggregate.Aggregate{}, Stations: register(town.Stations), Store: s, Size: 1000, Log: slog.New(slog.DiscardHandler),
			NewChecker: func() averages.Checker { return quality.NewHourChecker(quality.DefaultRules()) }}
		if err := checkAgain(t, a, town.Taken, seed%2 == 1); err != nil {
			t.Fatal(err)
		}
		compareStored(t, seed, s, town)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// checkAgain has the days of readings checked.
func checkAgain(t *testing.T, a *averages.Averages, readings []ingest.Reading, rebuild bool) error {
	first, end := readings[0].Time.Truncate(24*time.Hour), readings[len(readings)-1].Time.Add(time.Second)
	if rebuild {
		return a.Rebuild(t.Context(), first, end, nil)
	}
	var days []time.Time
	for day := first; day.Before(end); day = day.Add(24 * time.Hour) {
		days = append(days, day)
	}
	return a.Recheck(t.Context(), days)
}

type storedReading struct {
	station string
	unix    int64
}

// compareStored compares the flags of all stored values with those of the same readings.
func compareStored(t *testing.T, seed int, s store.Store, town quality.Played) {
	t.Helper()
	want, found := map[storedReading][]ingest.Flags{}, map[string]bool{}
	for i, r := range town.Taken {
		want[storedReading{r.Station, r.Time.Unix()}] = town.Flags[i]
	}
	differ, q := 0, store.ReadingQuery{From: town.Taken[0].Time.Add(-time.Hour), To: town.Taken[len(town.Taken)-1].Time.Add(time.Hour)}
	err := s.Readings(t.Context(), q, func(r ingest.Reading) error {
		key := storedReading{r.Station, r.Time.Unix()}
		flags := make([]ingest.Flags, len(r.Values))
		for i, v := range r.Values {
			flags[i] = v.Flags
			found[r.Station] = found[r.Station] || v.Flags&town.Planted[r.Station] != 0
		}
		if !slices.Equal(flags, want[key]) {
			if differ++; differ <= 10 {
				t.Errorf("city %d: %s at %v has the flags %v, live %v", seed, r.Station, r.Time, flags, want[key])
			}
		}
		delete(want, key)
		return nil
	})
	if err != nil || differ > 0 || len(want) > 0 {
		t.Errorf("city %d: %d readings differ, %d are not stored: %v", seed, differ, len(want), err)
	}
	for station, flags := range town.Planted {
		if !found[station] {
			t.Errorf("city %d: no value of %s has one of %v", seed, station, flags.Names())
		}
	}
}
