package aggregate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"stadtluft/geo"
)

// stationMeans adds samples to s in the order of time and returns the means.
func stationMeans(t *testing.T, s StationAverager, samples []Sample) (list []StationWindow) {
	t.Helper()
	s.Yield = func(m StationWindow) error { list = append(list, m); return nil }
	samples = slices.Clone(samples)
	slices.SortStableFunc(samples, func(a, b Sample) int { return a.Time.Compare(b.Time) })
	for _, sample := range samples {
		if err := s.Add(sample); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestStationsAgreeWithCells has one station in each cell: StationAverager computes the same from passing samples as Hour
// and Day from memory.
func TestStationsAgreeWithCells(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	correction := Correction{Correct: halve}
	a := &Aggregate{Correction: correction}
	var samples []Sample
	for station := range 8 {
		cell := geo.Cell{Size: 100, North: 3_096_000 + int32(station)*1000, East: 4_107_000}
		for minute := 0; minute < 10*24*60; minute += 4 {
			if rng.IntN(12) == 0 || minute/60%7 == station && minute%60 > 20 {
				continue // some hours have too few values, and some days
			}
			at := hour10.Add(time.Duration(minute) * time.Minute)
			samples = append(samples, Sample{fmt.Sprint(station), cell, pm, at, at, rng.Int64N(100_000)})
			if station%3 == 0 {
				samples = append(samples, Sample{fmt.Sprint(station), cell, rh, at, at, rng.Int64N(100_000)})
			}
		}
	}
	addAll(a, samples)
	for _, window := range []Window{Hour, Day} {
		seen := 0
		for _, m := range stationMeans(t, StationAverager{Window: window, Correction: correction, DayOffset: time.Hour}, samples) {
			rows := a.Hour(m.Start, 1000, m.Quantity)
			if window == Day {
				rows = a.Day(m.Start, 1000, m.Quantity)
			}
			i := slices.IndexFunc(rows, func(r Row) bool { return r.Cell == m.Cell.Parent(1000) })
			if counts := m.Counts(); counts != (i >= 0) {
				t.Errorf("%+v: a row %v", m, i >= 0)
				continue
			} else if !counts {
				continue
			}
			seen++
			r := rows[i]
			if r.Mean != m.Mean || r.Raw != m.Raw || r.Readings != m.Readings || r.Coverage != m.Coverage || (r.Uncorrected == 0 && m.Quantity == pm) != m.Corrected {
				t.Errorf("station %+v\ncell    %+v", m, r)
			}
			if window == Day && m.Start.Hour() != 23 {
				t.Errorf("a day in UTC+1 begins at %v", m.Start)
			}
		}
		if want := map[Window]int{Hour: 500, Day: 20}[window]; seen < want {
			t.Errorf("%v: %d means compared, want at least %d", window, seen, want)
		}
	}
}

func TestStationsOfFiveMinutes(t *testing.T) {
	here, there := cellAt(t, 6.9583, 50.9413), cellAt(t, 7.05, 50.9)
	at := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	samples := []Sample{
		{Station: "B", Cell: here, Quantity: pm, Time: at("2026-05-01T10:00:00Z"), Milli: 10_000},
		{Station: "A", Cell: here, Quantity: pm, Time: at("2026-05-01T10:01:00Z"), Milli: 10_000},
		{Station: "A", Cell: there, Quantity: pm, Time: at("2026-05-01T10:04:00Z"), Milli: 13_000}, // moved
		{Station: "A", Cell: here, Quantity: rh, Time: at("2026-05-01T10:04:59Z"), Milli: 90_000},
		{Station: "B", Cell: here, Quantity: pm, Time: at("2026-05-01T10:04:59Z"), Milli: 10_001},
		{Station: "B", Cell: here, Quantity: pm, Time: at("2026-05-01T10:05:00Z"), Milli: 20_000}, // another slot, without humidity
	}
	got := stationMeans(t, StationAverager{Window: Slot, Correction: Correction{Correct: halve}, Isolated: func(id string, _ time.Time) bool { return id == "C" }}, samples)
	want := []StationWindow{
		{StationMean{Station: "A", Cell: there, Quantity: pm, Mean: 13_000, Raw: 13_000, Uncorrected: true, Readings: 1, Coverage: 1000}, at("2026-05-01T10:00:00Z"), Slot, false}, // 8 km from the humidity
		{StationMean{Station: "A", Cell: here, Quantity: pm, Mean: 5_000, Raw: 10_000, Uncorrected: false, Readings: 1, Coverage: 1000}, at("2026-05-01T10:00:00Z"), Slot, true},
		{StationMean{Station: "A", Cell: here, Quantity: rh, Mean: 90_000, Raw: 90_000, Uncorrected: false, Readings: 1, Coverage: 1000}, at("2026-05-01T10:00:00Z"), Slot, false},
		{StationMean{Station: "B", Cell: here, Quantity: pm, Mean: 5_001, Raw: 10_001, Uncorrected: false, Readings: 2, Coverage: 1000}, at("2026-05-01T10:00:00Z"), Slot, true}, // 10.0005 is 10.001, half of it 5.001
		{StationMean{Station: "B", Cell: here, Quantity: pm, Mean: 20_000, Raw: 20_000, Uncorrected: true, Readings: 1, Coverage: 1000}, at("2026-05-01T10:05:00Z"), Slot, false},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for i := range samples {
		if samples[i].Quantity == rh {
			samples[i].Station = "C" // indoors
		}
	}
	for _, m := range stationMeans(t, StationAverager{Window: Slot, Correction: Correction{Correct: halve}, Isolated: func(id string, _ time.Time) bool { return id == "C" }}, samples) {
		if m.Corrected || m.Mean != m.Raw {
			t.Errorf("%+v is corrected with an indoor humidity", m)
		}
	}
}

func TestStationsReturnTheErrorOfYield(t *testing.T) {
	enough := errors.New("enough")
	for _, window := range []Window{Slot, Hour, Day} {
		s := StationAverager{Window: window, Yield: func(StationWindow) error { return enough }}
		if err := s.End(); err != nil {
			t.Errorf("%v: nothing ends with %v", window, err)
		}
		var err error
		for hour := 0; err == nil && hour < 48; hour++ {
			for slot := range 12 {
				at := hour10.Add(time.Duration(hour)*time.Hour + time.Duration(slot)*5*time.Minute)
				err = errors.Join(err, s.Add(Sample{Station: "A", Quantity: pm, Time: at}))
			}
		}
		if !errors.Is(err, enough) {
			t.Errorf("%v: %v, want %v", window, err, enough)
		}
	}
}

// TestAnHourlyValueCoversItsHour has one value an hour of two stations over 20 hours of a day: of the station that gives hourly
// means each hour and the day count, of the other none.
func TestAnHourlyValueCoversItsHour(t *testing.T) {
	cell := geo.Cell{Size: 100, North: 3_096_000, East: 4_107_000}
	var samples []Sample
	for h := range 20 {
		at := DayOf(hour10, 0).Add(time.Duration(h) * time.Hour)
		for _, id := range []string{"A", "B"} {
			samples = append(samples, Sample{id, cell, pm, at, at, int64(h) * 1000})
		}
	}
	official := func(id string) bool { return id == "A" }
	isolated := func(id string, _ time.Time) bool { return official(id) }
	for window, want := range map[Window]int{Hour: 20, Day: 1} {
		counted := map[string]int{}
		for _, m := range stationMeans(t, StationAverager{Window: window, Isolated: isolated, Hourly: official}, samples) {
			if m.Counts() {
				counted[m.Station]++
			}
			if window == Day && m.Station == "A" && (m.Mean != 9_500 || m.Readings != 20) { // of 0 to 19
				t.Errorf("the day is %+v", m)
			}
		}
		if counted["A"] != want || counted["B"] != 0 {
			t.Errorf("%v: %v count, want %d of A", window, counted, want)
		}
	}
}
