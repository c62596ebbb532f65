package averages

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
)

// residents are stations whose state changes during a test.
type residents struct {
	mu  sync.Mutex // guards now
	now register
}

func (r *residents) Station(id string) (*ingest.Station, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now.Station(id)
}

// change gives a station another state, as a registry does: the old one is not modified.
func (r *residents) change(id string, to func(*ingest.Station)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := *r.now[id]
	to(&next)
	r.now[id] = &next
}

// live changes the town at a moment of its two days: a station was retired a while ago, another moved, and two are
// calibrated, one of them for past hours. It is after the restart, whose replay would hide these changes.
func (r *residents) live(progress int, at time.Time) {
	switch progress {
	case 60:
		r.change("S2", func(s *ingest.Station) { s.Status, s.Ended = ingest.Retired, at.Add(-90*time.Minute) })
	case 70:
		r.change("S4", func(s *ingest.Station) {
			s.Places = append(slices.Clone(s.Places), place(at.Add(-20*time.Minute).Truncate(time.Second), 7.02, 50.91))
		})
	case 80:
		hour := at.Truncate(time.Hour)
		r.change("S1", func(s *ingest.Station) {
			s.Calibrations = []ingest.Calibration{{Quantity: quantity.NO2, From: hour.Add(-20 * time.Hour), To: hour.Add(5 * time.Hour), Slope: 0.7, Intercept: -3, Humidity: 0.125}}
		})
		r.change("S7", func(s *ingest.Station) {
			s.Calibrations = []ingest.Calibration{{Quantity: quantity.PM10, From: hour.Add(-2 * time.Hour), Slope: 0.9, Intercept: 1}}
		})
	}
}

// town returns some stations near Cologne; every third has no humidity of its own.
func town(rng *rand.Rand) register {
	stations := register{}
	for i := range 9 {
		id := fmt.Sprintf("S%d", i)
		p := place(time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), 6.9+rng.Float64()*0.1, 50.9+rng.Float64()*0.05)
		stations[id] = &ingest.Station{ID: id, Exposure: ingest.Outdoor, Places: []ingest.Place{p}}
	}
	return stations
}

// weather returns two days of readings of the town every 4 minutes, of two stations every 15, some received hours late, some
// flagged, some hours with gaps.
func weather(rng *rand.Rand, start time.Time) []ingest.Reading {
	var readings []ingest.Reading
	for i := range 9 {
		step := 4
		if i == 5 || i == 8 {
			step = 15
		}
		for minute := 0; minute < 48*60; minute += step {
			if rng.IntN(360/step) == 0 {
				minute += rng.IntN(90)
			}
			at := start.Add(time.Duration(minute) * time.Minute)
			r := ingest.Reading{Station: fmt.Sprintf("S%d", i), Time: at, Received: at.Add(time.Second), Values: []ingest.Value{
				{Quantity: quantity.PM10, Value: float64(rng.IntN(900)) / 10},
			}}
			if rng.IntN(50) == 0 {
				r.Values[0].Flags = ingest.Range
			}
			if i == 3 && at.Hour()%7 == 2 {
				r.Values[0].Value += 500 // a neighbour's fire
			}
			if i%3 > 0 {
				r.Values = append(r.Values, ingest.Value{Quantity: quantity.Humidity, Value: 40 + float64(rng.IntN(600))/10})
			}
			if i%3 == 1 {
				r.Values = append(r.Values, ingest.Value{Quantity: quantity.NO2, Value: float64(rng.IntN(900)) / 10})
			}
			if rng.IntN(20) == 0 {
				r.Received = at.Add(time.Duration(rng.IntN(10*60)) * time.Minute)
			}
			readings = append(readings, r)
		}
	}
	return readings
}

// strict excludes a quantity of a station in an hour by a rule that needs the whole hour. Its results come in random order.
type strict struct {
	rng    *rand.Rand
	newest time.Time
}

func (c *strict) Newest() time.Time { return c.newest }

func (c *strict) Hour(start time.Time, hours []quality.StationHour) []ingest.HourFlags {
	c.newest = start
	var found []ingest.HourFlags
	for _, h := range hours {
		if h.Quantity == quantity.PM10 && h.Mean > 52 {
			found = append(found, ingest.HourFlags{Station: h.Station, Hour: start, Quantity: quantity.PM10, Flags: ingest.Outlier})
		}
	}
	c.rng.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	return found
}

// TestRebuildEqualsRun plays two days in virtual time, in random order within what may arrive late, with
// duplicates, a restart that replays everything, and a registry that changes meanwhile; then it rebuilds from the
// stored readings with their flags, in another order, and expects the same rows.
func TestRebuildEqualsRun(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			var memory bytes.Buffer
			rng := rand.New(rand.NewPCG(seed, 1))
			start := time.Now().UTC().Truncate(day)
			stations := &residents{now: town(rng)}
			readings := weather(rng, start)
			slices.SortFunc(readings, func(a, b ingest.Reading) int { return a.Received.Compare(b.Received) })

			live := &memoryStore{}
			var mu sync.Mutex // guards journal, and Observe and Apply, which are called one after the other
			var journal []any // readings and hours' flags in their order
			var a *Averages
			open := func(ctx context.Context) {
				a = newAverages(live)
				a.Stations, a.DayOffset = stations, time.Hour
				a.NewChecker = func() Checker { return &strict{rng: rand.New(rand.NewPCG(seed, 2))} }
				if seed >= 4 {
					checkFor(t, a, quality.DefaultRules(), &memory)
				}
				a.Aggregate.Correction = Correction(quality.Correction{Method: quality.KappaKohler, Kappa: quality.DefaultKappa}, nil)
				a.Append = func(_ context.Context, b ingest.Batch) error {
					mu.Lock()
					defer mu.Unlock()
					for _, v := range b.HourFlags {
						journal = append(journal, v)
						a.Apply(v)
					}
					return nil
				}
				for _, entry := range journal {
					if r, ok := entry.(ingest.Reading); ok {
						a.Observe(r)
					} else {
						a.Apply(entry.(ingest.HourFlags))
					}
				}
				go a.Run(ctx)
			}
			ctx, cancel := context.WithCancel(t.Context())
			open(ctx)
			var taken []ingest.Reading
			for i, r := range readings {
				time.Sleep(time.Until(r.Received))
				if i%(len(readings)/100) == 0 {
					stations.live(i/(len(readings)/100), r.Received)
				}
				if st, _ := stations.Station(r.Station); st.Status == ingest.Retired {
					continue // refused
				}
				taken = append(taken, r)
				mu.Lock()
				journal = append(journal, r)
				a.Observe(r)
				if again := readings[rng.IntN(i+1)]; rng.IntN(30) == 0 && again.Station != "S2" { // S2 falls silent
					a.Observe(again)
				}
				mu.Unlock()
				if i == len(readings)/2 {
					cancel()
					synctest.Wait()
					ctx, cancel = context.WithCancel(t.Context())
					open(ctx)
				}
			}
			time.Sleep(12 * time.Hour)
			synctest.Wait()
			cancel()
			synctest.Wait()

			again := &memoryStore{readings: taken}
			flags := map[flagKey]map[time.Time]ingest.HourFlags{}
			for _, entry := range journal {
				if v, ok := entry.(ingest.HourFlags); ok {
					key := flagKey{v.Station, v.Quantity}
					if flags[key] == nil {
						flags[key] = map[time.Time]ingest.HourFlags{}
					}
					flags[key][v.Hour] = v
				}
			}
			for i, r := range again.readings {
				again.readings[i].Values = slices.Clone(r.Values)
				for j, v := range r.Values {
					of := flags[flagKey{r.Station, v.Quantity}][r.Time.Truncate(time.Hour)]
					again.readings[i].Values[j].Flags |= of.At(r.Time)
				}
			}
			rng.Shuffle(len(again.readings), func(i, j int) {
				again.readings[i], again.readings[j] = again.readings[j], again.readings[i]
			})
			b := newAverages(again)
			b.Stations, b.DayOffset, b.Aggregate.Correction = stations, time.Hour, a.Aggregate.Correction
			if err := b.Rebuild(t.Context(), start.Add(-day), start.Add(3*day), nil); err != nil {
				t.Fatal(err)
			}
			got, want := again.sorted(), live.sorted()
			windows, gas := map[aggregate.Window]int{}, 0
			for _, r := range want {
				windows[r.Window]++
				if r.Quantity == quantity.NO2 {
					gas++
				}
			}
			if gas < 15 || gas > 25 {
				t.Errorf("%d rows of a gas that was calibrated for 25 hours", gas)
			}
			if windows[aggregate.Hour] < 200 || windows[aggregate.Day] < 5 {
				t.Fatalf("only %v rows", windows)
			}
			if len(flags) == 0 {
				t.Error("nothing was checked")
			}
			for i := range min(len(got), len(want)) {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Fatalf("seed %d, row %d of %d and %d:\nrebuilt %+v\nlive    %+v", seed, i, len(got), len(want), got[i], want[i])
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d rows rebuilt, %d live", len(got), len(want))
			}
			for _, window := range []aggregate.Window{aggregate.Hour, aggregate.Day} {
				first := start.Add(-time.Hour)
				rows, err := b.Rows(t.Context(), window, first.Add(day), b.Size)
				stored := slices.DeleteFunc(slices.Clone(got), func(r aggregate.Row) bool { return r.Window != window || !r.Start.Equal(first.Add(day)) })
				if err != nil || len(rows) == 0 || !reflect.DeepEqual(rows, stored) {
					t.Errorf("%v computed again: %+v, %v, want as stored %+v", window, rows, err, stored)
				}
			}
		})
	}
}

// checkFor has an Averages check as a server does, with what is saved in memory from before a restart.
func checkFor(t *testing.T, a *Averages, rules quality.Rules, memory *bytes.Buffer) {
	a.NewChecker = func() Checker { return quality.NewHourChecker(rules) }
	if memory.Len() > 0 {
		c := quality.NewHourChecker(rules)
		if err := c.Load(bytes.NewReader(memory.Bytes())); err != nil {
			t.Fatal(err)
		}
		a.Checker = c
	}
	a.Saved = func(c Checker) {
		memory.Reset()
		if c == nil {
			return
		}
		if err := c.(*quality.HourChecker).Save(memory); err != nil {
			t.Error(err)
		}
	}
}
