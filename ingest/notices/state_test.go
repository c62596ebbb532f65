package notices

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stadtluft/ingest/registry"
)

// life plays a station's life minute by minute from a moment on, and returns what was told, each with the hour.
func life(from time.Time, hours int, h registry.History, zone *time.Location, sends func(hour float64) (sent, doubted bool), active func(hour float64) bool) []string {
	var told []string
	var last time.Time
	var doubted bool
	for at := from; at.Before(from.Add(time.Duration(hours) * time.Hour)); at = at.Add(time.Minute) {
		hour := at.Sub(from).Hours()
		if sent, doubt := sends(hour); sent {
			last, doubted = at, doubt
		}
		var list []registry.Notice
		h, list = next(h, Seen{At: at, Active: active == nil || active(hour), Last: last, Doubted: doubted, Zone: zone})
		for _, n := range list {
			told = append(told, fmt.Sprintf("%s@%.0f", n.Kind, hour))
		}
	}
	return told
}

// thursday begins the lives: no Monday is near.
var thursday = time.Date(2026, 12, 3, 0, 0, 0, 0, time.UTC)

func TestWhatIsTold(t *testing.T) {
	always := func(float64) bool { return true }
	during := func(from, to float64) func(float64) bool {
		return func(hour float64) bool { return hour >= from && hour < to }
	}
	f := func(want, what string, hours int, sends, doubted func(hour float64) bool, active func(hour float64) bool) {
		t.Helper()
		h := registry.History{From: thursday, Week: thursday.AddDate(1, 0, 0)} // no weeks here
		got := strings.Join(life(thursday, hours, h, nil, func(hour float64) (bool, bool) { return sends(hour), doubted(hour) }, active), " ")
		if got != want {
			t.Errorf("%s: told %q, want %q", what, got, want)
		}
	}
	never := func(float64) bool { return false }
	f("", "always well", 24*7, always, never, nil)
	f("silent@24", "never sent", 24*7, never, never, nil)
	f("silent@34", "silent since hour 10, for a week", 24*7, during(0, 10), never, nil)
	f("silent@34 back@41", "silent, then back", 72, func(h float64) bool { return h < 10 || h >= 40 }, never, nil)
	f("", "silent for 23 hours each day", 24*7, func(h float64) bool { return int(h)%24 == 0 }, never, nil)
	f("silent@25", "a reading every 30 hours", 24*7, func(h float64) bool { return int(h*60)%(30*60) < 5 || h < 1 }, never, nil)
	f("silent@33 back@41", "a kit that sends each hour", 72, func(h float64) bool { return (h < 10 || h >= 40) && int(h*60)%60 == 0 }, never, nil)
	f("check@24", "doubted for ever", 24*7, always, always, nil)
	f("", "doubted for 20 hours", 72, always, during(5, 25), nil)
	f("check@29 back@46", "doubted for 35 hours", 72, always, during(5, 40), nil)
	f("check@24", "doubted in 9 of 12 hours", 24*7, always, func(h float64) bool { return int(h)%12 < 9 }, nil)
	f("check@24 silent@54", "doubted, then silent", 72, during(0, 30), always, nil)
	f("silent@34 back@41 check@64", "silent, then back and doubted", 96, func(h float64) bool { return h < 10 || h >= 40 }, during(40, 1000), nil)
	f("", "paused while silent", 96, during(0, 10), never, during(0, 20))
	f("silent@114", "paused, then let go on, still silent", 120, during(0, 10), never, func(h float64) bool { return h < 20 || h >= 90 })
	f("", "told, and then paused", 23, never, never, nil)
}

// TestARestartForgetsNothing plays a silence with a process that remembers only what is written down, anew each hour.
func TestARestartForgetsNothing(t *testing.T) {
	h := registry.History{From: thursday, Week: thursday.AddDate(1, 0, 0)}
	var told []string
	for hour := range 72 {
		at := thursday.Add(time.Duration(hour) * time.Hour)
		last := at
		if hour >= 10 && hour < 40 {
			last = thursday.Add(9 * time.Hour)
		}
		h.Well = time.Time{}
		for minute := range 2 {
			var list []registry.Notice
			h, list = next(h, Seen{At: at.Add(time.Duration(minute) * 30 * time.Minute), Active: true, Last: last.Add(time.Duration(minute) * 30 * time.Minute)})
			for _, n := range list {
				told = append(told, fmt.Sprintf("%s@%d", n.Kind, hour))
			}
		}
	}
	if !slices.Equal(told, []string{"silent@33"}) { // it is never well for an hour within one process
		t.Errorf("told %v", told)
	}
}

// TestAWeekIsToldOnMonday lets a clock run over two changes of it.
func TestAWeekIsToldOnMonday(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 10, 21, 12, 0, 0, 0, time.UTC))) // a Wednesday before the clocks go back
		h := registry.History{From: time.Now().UTC().Truncate(time.Second)}
		var told []string
		for range 24 * 7 * 4 {
			time.Sleep(time.Hour)
			var list []registry.Notice
			h, list = next(h, Seen{At: time.Now(), Active: true, Last: time.Now(), Zone: berlin})
			for _, n := range list {
				told = append(told, string(n.Kind)+" "+n.Since.In(berlin).Format("02.01. 15:04")+" at "+time.Now().In(berlin).Format("Mon 02.01. 15:04"))
			}
		}
		want := "week 26.10. 00:00 at Mon 26.10. 08:00, week 02.11. 00:00 at Mon 02.11. 08:00, week 09.11. 00:00 at Mon 09.11. 08:00, week 16.11. 00:00 at Mon 16.11. 08:00"
		if got := strings.Join(told, ", "); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
		time.Sleep(time.Until(time.Date(2026, 11, 25, 9, 0, 0, 0, berlin))) // away from before Monday to Wednesday, 9 o'clock
		if _, list := next(h, Seen{At: time.Now(), Active: true, Last: time.Now(), Zone: berlin}); len(list) > 0 {
			t.Errorf("two days late: %v", list)
		}
	})
}
