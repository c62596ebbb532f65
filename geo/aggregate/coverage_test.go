package aggregate

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
)

// every returns the times from first to last, both included, that are step apart.
func every(first, last, step time.Duration) (times []time.Duration) {
	for at := first; at <= last; at += step {
		times = append(times, at)
	}
	return times
}

// TestCoverage has the seconds that values cover computed by hand. Times are relative to the hour's start.
func TestCoverage(t *testing.T) {
	const m, s = time.Minute, time.Second
	day := func(phase, step time.Duration) []time.Duration { return every(phase-24*time.Hour, -s, step) }
	f := func(what string, times []time.Duration, wantSeconds int64) {
		t.Helper()
		a := &Aggregate{}
		for _, after := range times {
			at := hour10.Add(after)
			a.Add(Sample{"A", geo.Cell{Size: 100}, pm, at, at, 1000})
		}
		var covered int64
		a.means(&window{a: a, at: hour10, part: func(st *station, s *series) (stationMean, bool) {
			m := a.collect(st, s, hour10.Unix(), hour10.Unix()+3600)
			covered = m.covered
			return m, m.count > 0
		}}, pm, func(*station, *series, windowMean) {})
		if covered != wantSeconds {
			t.Errorf("%s: %d s are covered, want %d", what, covered, wantSeconds)
		}
		if got, want := len(a.Hour(hour10, 1000, pm)), map[bool]int{true: 1}[wantSeconds >= 2700]; got != want {
			t.Errorf("%s: %d rows of the hour, want %d", what, got, want)
		}
	}
	f("every 15 minutes", append(day(7*m, 15*m), every(7*m, 59*m, 15*m)...), 3600) // 4·900
	f("every 15 minutes, on the hour", append(day(0, 15*m), every(0, 59*m, 15*m)...), 3600)
	f("every 15 minutes, one is lost", append(day(7*m, 15*m), 7*m, 37*m, 52*m), 2700)        // 3·900: the third stands for its interval only
	f("every 15 minutes, two are lost", append(day(7*m, 15*m), 7*m, 52*m), 1800)             // 2·900
	f("every 10 minutes", append(day(3*m, 10*m), every(3*m, 59*m, 10*m)...), 3600)           // 6·600
	f("every 17 minutes", every(10*m-85*17*m, 59*m, 17*m), 3060)                             // 10, 27, 44: 3·1020
	f("every 20 minutes", append(day(19*m, 20*m), every(19*m, 59*m, 20*m)...), 3600)         // 3·1200
	f("every 25 minutes", append(day(20*m, 25*m), every(20*m, 59*m, 25*m)...), 2400)         // 20, 45: 2·1200
	f("every 30 minutes", append(day(20*m, 30*m), every(20*m, 59*m, 30*m)...), 2400)         // 2·1200
	f("every hour", append(day(20*m, time.Hour), 20*m), 1200)                                // once 20 minutes
	f("every 145 s", append(day(0, 145*s), every(24*145*s-3600*s, 59*m, 145*s)...), 3600)    // clipped: -120 s is the last of the day before
	f("24 values of 145 s", append(day(-20*s, 145*s), every(125*s, 3599*s, 145*s)...), 3480) // 125 … 3460 s: 24·145
	// At 150 s: 2:30 … 15:00 are six, 45:00 stands for 150 s of its pause of 30 minutes, 47:30 … 57:30 are five: 12·150.
	f("every 150 s, a pause of 30 minutes", append(day(0, 150*s), append(every(150*s, 900*s, 150*s), every(2700*s, 3599*s, 150*s)...)...), 1800)
	f("the same without a day before", append(every(150*s, 900*s, 150*s), every(2700*s, 3599*s, 150*s)...), 1800)
	// The pause is from 50 minutes past nine to 10:20. 600 s each: 20, 30, 40, 50.
	f("a pause over the hour's start", append(every(-24*time.Hour, -10*m, 10*m), every(20*m, 59*m, 10*m)...), 2400)
	// The value before is 100 s away, in the hour before: 100 + 5·600.
	f("a short gap over the hour's start", append(append(day(0, 10*m), 500*s-10*m), every(0, 50*m, 10*m)...), 100+5*600)
	f("one value in a day", []time.Duration{30 * m}, 1200)
	f("the first hour of a station", every(20*m, 59*m, 15*m), 2700)         // 20, 35, 50: the first stands for as long as the others
	f("two values of a new station", []time.Duration{20 * m, 35 * m}, 2100) // no interval is known: 1200 + 900
	f("44:59 of a kit of 20 minutes", append(day(0, 20*m), 20*m, 20*m+1499*s), 2400)
	f("45 minutes less a second", append(append(day(0, 15*m), -1*s), 14*m+58*s, 30*m, 45*m), 899+900+900)
	f("45 minutes", append(append(day(0, 15*m), -1*s), 14*m+59*s, 30*m, 45*m), 900+900+900)
	// 13 hours of 25 were at 15 minutes: of the 25 gaps the median is 900 s, and the other twelve hours' 60 s do not count.
	faster := append(every(-24*time.Hour, -12*time.Hour-s, 15*m), every(-12*time.Hour, -s, m)...)
	f("a kit that was faster for half a day", append(faster, every(0, 59*m, 15*m)...), 60+3*900)
	f("a kit that was faster for longer", append(append(every(-24*time.Hour, -13*time.Hour-s, 15*m), every(-13*time.Hour, -s, m)...), every(0, 59*m, 15*m)...), 4*60)
	f("what is older than a day does not count", append(every(-26*time.Hour, -25*time.Hour-s, m), every(0, 59*m, 15*m)...), 3600)
}

// TestShareIsNotRoundedUpToThreeQuarters: a coverage of 0.750 always counts.
func TestShareIsNotRoundedUpToThreeQuarters(t *testing.T) {
	for part, want := range map[int64]int64{0: 0, 1200: 333, 2699: 749, 2700: 750, 3059: 850, 3599: 1000, 3600: 1000} {
		if got := share(part, 3600); got != want {
			t.Errorf("share(%d, 3600) = %d, want %d", part, got, want)
		}
	}
}

// naiveCovered computes the seconds that a series' times, Unix seconds without those of excluded hours, cover in the hour
// from start.
func naiveCovered(times []int64, start int64) (covered int64) {
	var gaps []int64
	for hour := start - 24*3600; hour <= start; hour += 3600 {
		var of []int64
		last := int64(-1)
		for _, at := range times {
			if at < hour || at >= hour+3600 {
				continue
			}
			if last >= 0 {
				of = append(of, at-last)
			}
			last = at
		}
		if len(of) >= 2 {
			slices.Sort(of)
			gaps = append(gaps, of[(len(of)-1)/2])
		}
	}
	interval := int64(1200)
	if len(gaps) > 0 {
		slices.Sort(gaps)
		interval = min(interval, gaps[len(gaps)/2])
	}
	for i, at := range times {
		switch {
		case at < start || at >= start+3600:
		case i == 0:
			covered += interval
		default:
			covered += min(interval, at-times[i-1])
		}
	}
	return min(covered, 3600)
}

// irregular returns four days of values of stations that send at intervals of 30 s to 40 minutes, with jitter, losses
// and pauses. Stations 4 and 5 move on the third day.
func irregular(rng *rand.Rand) (samples []Sample) {
	for station, interval := range []int{30, 145, 600, 900, 1150, 145, 2400} {
		cell := geo.Cell{Size: 100, North: 3_096_000 + int32(station)*1000, East: 4_107_000}
		for second := rng.IntN(interval); second < 4*86_400; second += interval - interval/20 + rng.IntN(interval/10+1) {
			if second > 2*86_400 && (station == 4 || station == 5) {
				cell.East = 4_117_000
			}
			switch rng.IntN(60) {
			case 0:
				second += rng.IntN(4 * 3600) // a pause
			case 1:
				interval = max(30, interval*(9+rng.IntN(3))/10)
			case 2, 3, 4:
				continue // lost
			}
			at := hour10.Add(time.Duration(second) * time.Second)
			samples = append(samples, Sample{fmt.Sprint(station), cell, pm, at, at, rng.Int64N(100_000)})
		}
	}
	return slices.DeleteFunc(samples, func(s Sample) bool { return !s.Time.Before(hour10.Add(96 * time.Hour)) })
}

// TestCoverageIsAFunctionOfTheData adds the same values in many orders, by the day, with pruning as time passes, and with
// exclusions instead of values that are not there, and compares the hours with a second computation. StationAverager
// agrees.
func TestCoverageIsAFunctionOfTheData(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	samples := irregular(rng)
	type seriesHour struct {
		station string
		cell    geo.Cell
		start   int64
	}
	excluded := map[string]map[int64]bool{} // of a station
	times := map[seriesHour][]int64{}       // with start 0
	for _, s := range samples {
		hour := s.Time.Truncate(time.Hour).Unix()
		if excluded[s.Station] == nil {
			excluded[s.Station] = map[int64]bool{}
		}
		if _, chosen := excluded[s.Station][hour]; !chosen {
			excluded[s.Station][hour] = rng.IntN(12) == 0
		}
		if !excluded[s.Station][hour] {
			at := seriesHour{s.Station, s.Cell, 0}
			times[at] = append(times[at], s.Time.Unix())
		}
	}
	want := map[seriesHour]int64{} // coverage of the hours that count
	for at, list := range times {
		for hour := hour10.Unix(); hour < hour10.Unix()+4*86_400; hour += 3600 {
			if covered := naiveCovered(list, hour); covered >= 2700 {
				want[seriesHour{at.station, at.cell, hour}] = divide(covered*1000, 3600)
			}
		}
	}
	if len(want) < 200 {
		t.Fatalf("%d hours count, too few to compare", len(want))
	}
	const keptFrom = 96 - 49 // the hours that are in memory in the end
	compare := func(what string, first int, got func(hour time.Time) []StationMean) {
		t.Helper()
		n := 0
		for i := first; i < 96; i++ {
			hour := hour10.Add(time.Duration(i) * time.Hour)
			for _, m := range got(hour) {
				n++
				if w := want[seriesHour{m.Station, m.Cell, hour.Unix()}]; w != m.Coverage {
					t.Fatalf("%s: station %s at %v has coverage %d, want %d", what, m.Station, hour, m.Coverage, w)
				}
			}
		}
		all := 0
		for at := range want {
			if at.start >= hour10.Unix()+int64(first)*3600 {
				all++
			}
		}
		if n != all {
			t.Fatalf("%s: %d hours of stations count, want %d", what, n, all)
		}
	}
	exclude := func(a *Aggregate, keep func(hour int64) bool) {
		for station, hours := range excluded {
			for hour, out := range hours {
				if out && keep(hour) {
					a.Exclude(time.Unix(hour, 0), Excluded{station, pm}, true)
				}
			}
		}
	}
	all := func(int64) bool { return true }
	for range 5 {
		a := &Aggregate{}
		for n, i := range rng.Perm(len(samples)) {
			if n == len(samples)/2 {
				exclude(a, all)
			}
			a.Add(samples[i])
		}
		compare("in any order", 0, a.HourStationMeans)
	}
	byTime := slices.Clone(samples)
	slices.SortStableFunc(byTime, func(a, b Sample) int { return a.Time.Compare(b.Time) })
	pruned := &Aggregate{}
	for i, s := range byTime {
		if i > 0 && s.Time.Truncate(time.Hour).After(byTime[i-1].Time) {
			exclude(pruned, func(hour int64) bool { return hour == byTime[i-1].Time.Truncate(time.Hour).Unix() })
			pruned.Prune(s.Time)
		}
		pruned.Add(s)
	}
	exclude(pruned, func(hour int64) bool { return hour >= hour10.Unix()+95*3600 })
	pruned.Prune(hour10.Add(96 * time.Hour))
	compare("as time passes", keptFrom, pruned.HourStationMeans)
	good := slices.DeleteFunc(slices.Clone(byTime), func(s Sample) bool { return excluded[s.Station][s.Time.Truncate(time.Hour).Unix()] })
	rebuilt := &Aggregate{}
	addAll(rebuilt, slices.DeleteFunc(slices.Clone(good), func(s Sample) bool { return s.Time.Before(hour10.Add(48*time.Hour - LookBack)) }))
	compare("rebuilt", 48, rebuilt.HourStationMeans)
	means := map[int64][]StationMean{}
	for _, m := range stationMeans(t, StationAverager{Window: Hour, From: hour10.Add(2 * time.Hour)}, good) {
		if m.Counts() {
			means[m.Start.Unix()] = append(means[m.Start.Unix()], m.StationMean)
		}
	}
	compare("averaged", 2, func(hour time.Time) []StationMean { return means[hour.Unix()] })
}

// TestChangedNamesEveryHourThatChanges adds late values, exclusions and moves, and expects each hour whose rows differ
// afterwards among the changed ones.
func TestChangedNamesEveryHourThatChanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	samples := irregular(rng)
	end := hour10.Add(100 * time.Hour)
	a := &Aggregate{}
	var late []Sample
	for _, s := range samples {
		if rng.IntN(25) == 0 {
			late = append(late, s)
		} else {
			a.Add(s)
		}
	}
	rows := func() (all [96][]Row) {
		for i := range all {
			all[i] = a.Hour(hour10.Add(time.Duration(i)*time.Hour), 1000, 0)
		}
		return all
	}
	a.Changed(end)
	before, differ := rows(), 0
	for i, n := range rng.Perm(len(late))[:200] {
		s := late[n]
		switch i % 10 {
		case 0:
			a.Exclude(s.Time, Excluded{s.Station, pm}, true)
		case 1:
			a.Relocate(s.Station, func(at time.Time) (geo.Cell, bool) {
				cell := s.Cell
				if at.After(s.Time) {
					cell.East = 4_107_000 + int32(i)*1000
				}
				return cell, i%20 == 1 || at.Minute() > 5
			})
		default:
			a.Add(s)
		}
		changed, after := a.Changed(end), rows()
		for k := range after {
			if hour := hour10.Add(time.Duration(k) * time.Hour); !reflect.DeepEqual(before[k], after[k]) {
				differ++
				if !slices.ContainsFunc(changed, hour.Equal) {
					t.Fatalf("event %d, %v of station %s, changes the hour of %v, changed are %v", i, s.Time, s.Station, hour, changed)
				}
			}
		}
		before = after
	}
	if differ < 300 {
		t.Errorf("%d hours changed, too few to compare", differ)
	}
}

// TestFourHundredDaysAtFifteenMinutes has 400 days of twelve stations at 15 minutes: every day counts in memory and as
// StationAverager computes it, with a coverage of 1.
func TestFourHundredDaysAtFifteenMinutes(t *testing.T) {
	days := 400
	if testing.Short() {
		days = 10
	}
	at := func(i, station int) time.Time {
		return hour10.Add(time.Duration(i)*15*time.Minute + time.Duration(station*71)*time.Second)
	}
	live, n := &Aggregate{}, 0
	averager := StationAverager{Window: Day, DayOffset: time.Hour, Yield: func(m StationWindow) error {
		if m.Counts() && m.Coverage == 1000 {
			n++
		}
		return nil
	}}
	for i := range days * 96 {
		for station := range 12 {
			s := Sample{fmt.Sprint(station), geo.Cell{Size: 100, North: 3_096_000 + int32(station)*1000, East: 4_107_000}, quantity.PM2_5, at(i, station), at(i, station), int64(i%96) * 100}
			live.Add(s)
			if err := averager.Add(s); err != nil {
				t.Fatal(err)
			}
		}
		if i%96 == 95 {
			now := at(i, 12)
			live.Prune(now)
			day := DayOf(now, time.Hour).Add(-24 * time.Hour)
			if rows := live.Day(day, 1000, 0); i > 2*96 && len(rows) != 12 || len(rows) > 0 && rows[0].Coverage != 1000 {
				t.Fatalf("day %v: %+v", day, rows)
			}
		}
	}
	if err := averager.End(); err != nil {
		t.Fatal(err)
	}
	if want := 12 * (days - 1); n != want { // the first and the last are parts
		t.Errorf("%d days of stations are whole, want %d", n, want)
	}
}
