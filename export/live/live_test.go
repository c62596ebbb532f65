package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func reading(at time.Time, values ...ingest.Value) ingest.Reading {
	return ingest.Reading{Station: "A", Time: at, Received: at, Values: values}
}

func TestStates(t *testing.T) {
	good, bad := ingest.Value{Quantity: quantity.PM10, Value: 20}, ingest.Value{Quantity: quantity.PM2_5, Value: 9999, Flags: ingest.Range}
	f := func(want StationState, at time.Time, readings ...ingest.Reading) {
		t.Helper()
		n := NewState()
		for _, r := range readings {
			n.Observe(r)
		}
		if got := n.Station("A", at).State; got != want {
			t.Errorf("%+v at %v: %s, want %s", readings, at, got, want)
		}
	}
	f(New, noon)
	f(OK, noon, reading(noon, good))
	f(OK, noon.Add(SilentAfter), reading(noon, good))
	f(Silent, noon.Add(SilentAfter+time.Second), reading(noon, good))
	f(Check, noon, reading(noon, bad))
	f(OK, noon, reading(noon, good, bad)) // half is not more than half
	f(OK, noon, reading(noon.Add(-time.Minute), bad), reading(noon, good))
}

// TestSilenceIsMeasuredByTheInterval: a station that sends every 20 minutes is not silent between its messages.
func TestSilenceIsMeasuredByTheInterval(t *testing.T) {
	good := ingest.Value{Quantity: quantity.PM10, Value: 20}
	f := func(step time.Duration, messages int, wantInterval time.Duration, after time.Duration, want StationState) {
		t.Helper()
		n := NewState()
		for i := range messages {
			n.Observe(reading(noon.Add(time.Duration(i)*step), good))
		}
		got := n.Station("A", noon.Add(time.Duration(messages-1)*step+after))
		if got.State != want || got.Interval != wantInterval {
			t.Errorf("%d messages every %v, %v after the last: %s, every %v, want %s, every %v", messages, step, after, got.State, got.Interval, want, wantInterval)
		}
	}
	f(145*time.Second, 20, 145*time.Second, 15*time.Minute, OK)
	f(145*time.Second, 20, 145*time.Second, 15*time.Minute+time.Second, Silent)
	f(20*time.Minute, 20, 20*time.Minute, time.Hour, OK)
	f(20*time.Minute, 20, 20*time.Minute, time.Hour+time.Second, Silent)
	f(time.Hour, 5, time.Hour, 3*time.Hour, OK)
	f(time.Hour, 4, 0, 16*time.Minute, Silent) // three gaps tell no interval
	f(24*time.Hour, 6, 24*time.Hour, 24*time.Hour, OK)
	f(24*time.Hour, 6, 24*time.Hour, 24*time.Hour+time.Second, Silent)
}

// TestIntervalForgetsAPause has two sensors that send five seconds apart, every 15 minutes, and one pause; late values
// tell nothing.
func TestIntervalForgetsAPause(t *testing.T) {
	n := NewState()
	for i := range 12 {
		at := noon.Add(time.Duration(i) * 15 * time.Minute)
		if i > 8 {
			at = at.Add(2 * time.Hour)
		}
		n.Observe(reading(at, ingest.Value{Quantity: quantity.PM10, Value: 20}))
		n.Observe(reading(at.Add(5*time.Second), ingest.Value{Quantity: quantity.Humidity, Value: 60}))
		n.Observe(reading(at.Add(-7*time.Hour), ingest.Value{Quantity: quantity.PM10, Value: 20}))
	}
	if got := n.Station("A", noon.Add(6*time.Hour)).Interval; got != 14*time.Minute+55*time.Second {
		t.Errorf("interval = %v, want 14 minutes 55, from the second sensor to the first", got)
	}
}

// TestRareKits names those that are too rare for hourly means.
func TestRareKits(t *testing.T) {
	for interval, want := range map[time.Duration]bool{0: false, 15 * time.Minute: false, 20*time.Minute + 10*time.Second: false, 21 * time.Minute: true, time.Hour: true} {
		if got := (Station{Interval: interval}).Rare(&ingest.Station{}); got != want {
			t.Errorf("every %v is rare: %v, want %v", interval, got, want)
		}
	}
}

// TestImportedStationsAreAliveByTheirValues: an import of old values makes nothing alive.
func TestImportedStationsAreAliveByTheirValues(t *testing.T) {
	n := NewState()
	n.Imported = func(id string) bool { return id == "A" }
	old := reading(noon.Add(-30*24*time.Hour), ingest.Value{Quantity: quantity.PM10, Value: 20})
	old.Received = noon
	n.Observe(old)
	if got := n.Station("A", noon); got.State != Silent || !got.LastSeen.Equal(old.Time) {
		t.Errorf("an imported station with a value of %v is %s, seen %v", old.Time, got.State, got.LastSeen)
	}
	old.Station = "B"
	n.Observe(old)
	if got := n.Station("B", noon); got.State != OK || !got.LastSeen.Equal(noon) {
		t.Errorf("a station that sent an old value now is %s, seen %v", got.State, got.LastSeen)
	}
}

// TestAnOfficialStationIsLate is silent after hours, not after minutes.
func TestAnOfficialStationIsLate(t *testing.T) {
	official, own := &ingest.Station{Source: ingest.UBA}, &ingest.Station{}
	seen := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	silent := Station{State: Silent, LastSeen: seen}
	for _, c := range []struct {
		of    *ingest.Station
		after time.Duration
		want  StationState
	}{{own, time.Hour, Silent}, {official, 6 * time.Hour, OK}, {official, 6*time.Hour + time.Second, Silent}} {
		if got := silent.StateOf(c.of, seen.Add(c.after)); got != c.want {
			t.Errorf("source %q, %v later: %s, want %s", c.of.Source, c.after, got, c.want)
		}
	}
}

func TestLatestIsByTimeOfObservation(t *testing.T) {
	n := NewState()
	n.Observe(reading(noon, ingest.Value{Quantity: quantity.PM10, Value: 20}))
	late := reading(noon.Add(-time.Hour), ingest.Value{Quantity: quantity.PM10, Value: 7}, ingest.Value{Quantity: quantity.Humidity, Value: 60})
	late.Received = noon.Add(time.Minute)
	n.Observe(late)
	s := n.Station("A", noon)
	if s.Values[quantity.PM10].Value != 20 || s.Values[quantity.Humidity].Value != 60 || !s.LastSeen.Equal(noon.Add(time.Minute)) || !n.Last().Equal(noon) {
		t.Errorf("station %+v, last %v", s, n.Last())
	}
	s.Values[quantity.PM10] = Latest{}
	if n.Station("A", noon).Values[quantity.PM10].Value != 20 {
		t.Error("a reader changed the state")
	}
}

func TestDayStats(t *testing.T) {
	n := NewState()
	for hour := range 30 {
		n.Observe(reading(noon.Add(time.Duration(hour)*time.Hour), ingest.Value{Quantity: quantity.PM10, Value: 1},
			ingest.Value{Quantity: quantity.PM2_5, Value: 9999, Flags: ingest.Range | ingest.Inconsistent}))
	}
	got := n.DayStats("A", noon.Add(29*time.Hour))
	if got.Values != 50 || got.Good != 25 || got.Flags[ingest.Range] != 25 || got.Flags[ingest.Inconsistent] != 25 {
		t.Errorf("stats = %+v, want the values of 24 hours and of the one that has begun, half of them good", got)
	}
}

// TestHourFlagsReachTheState checks hours: their values do not count, whenever they came, until later flags replace
// these.
func TestHourFlagsReachTheState(t *testing.T) {
	n := NewState()
	flag := func(at time.Time, flags ingest.Flags) {
		n.Apply(ingest.HourFlags{Station: "A", Hour: at, Quantity: quantity.PM10, Flags: flags})
	}
	flag(noon, ingest.Outlier) // of an unknown station
	for hour := range 3 {
		n.Observe(reading(noon.Add(time.Duration(hour)*time.Hour), ingest.Value{Quantity: quantity.PM10, Value: 900},
			ingest.Value{Quantity: quantity.Pressure, Value: 1013}))
	}
	flag(noon, (ingest.Outlier|ingest.Humid).With(ingest.OutlierCheck, ingest.Checked).With(ingest.SpikeCheck, ingest.NoHistory))
	flag(noon.Add(2*time.Hour), (ingest.Spike|ingest.Humid).With(ingest.SpikeCheck, ingest.Checked))
	n.Apply(ingest.HourFlags{Station: "A", Hour: noon.Add(time.Hour), Quantity: quantity.PM10, Humid: []ingest.Span{{From: 0, To: 10, Values: 1}}})
	n.Observe(reading(noon.Add(time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 900})) // late
	now := noon.Add(2*time.Hour + time.Minute)
	if got := n.DayStats("A", now); got.Values != 7 || got.Good != 4 || got.Flags[ingest.Outlier] != 2 || got.Flags[ingest.Spike] != 1 || got.Flags[ingest.Humid] != 4 {
		t.Errorf("stats = %+v", got)
	}
	if got := n.DayStats("A", now).Checks; got[ingest.SpikeCheck] != (CheckStats{Checked: 1, NoHistory: 1}) || got[ingest.OutlierCheck] != (CheckStats{Checked: 1}) || len(got) != 2 {
		t.Errorf("checks = %+v", got)
	}
	if got := n.Station("A", now); got.State != OK || got.Values[quantity.PM10].Flags.Found() != ingest.Spike|ingest.Humid || got.Values[quantity.Pressure].Flags != 0 {
		t.Errorf("station = %+v", got)
	}
	flag(noon.Add(time.Hour), ingest.Moved)
	if got := n.Station("A", now); got.State != Check {
		t.Errorf("%s with 3 of 7 values that count", got.State)
	}
	flag(noon, 0)
	if got := n.Station("A", now); got.State != OK || n.DayStats("A", now).Good != 5 {
		t.Errorf("%s, %+v after flags were taken back", got.State, n.DayStats("A", now))
	}
	flag(noon.Add(-48*time.Hour), ingest.Moved)
	if got := n.DayStats("A", now); got.Good != 5 || got.Values != 7 {
		t.Errorf("old flags changed the stats to %+v", got)
	}
}

func TestSubscribers(t *testing.T) {
	n := NewState()
	s := n.Subscribe()
	n.Observe(reading(noon, ingest.Value{Quantity: quantity.PM10, Value: 1}))
	select {
	case e := <-s.Events:
		t.Errorf("an event during the replay: %+v", e)
	default:
	}
	n.CaughtUp()
	n.Observe(reading(noon.Add(time.Second), ingest.Value{Quantity: quantity.PM10, Value: 2}))
	n.GridChanged(noon)
	if e := <-s.Events; e.Reading == nil || e.Reading.Values[0].Value != 2 {
		t.Errorf("first event %+v, want the reading", e)
	}
	if e := <-s.Events; e.Reading != nil || !e.Grid.Equal(noon) {
		t.Errorf("second event %+v, want the grid", e)
	}
	slow := n.Subscribe()
	for range subscriberBuffer + 1 {
		n.GridChanged(noon)
		<-s.Events
	}
	if now, dropped := n.Subscribers(); now != 1 || dropped != 1 {
		t.Errorf("%d subscribers, %d dropped, want the slow one gone", now, dropped)
	}
	heard := 0
	for range slow.Events {
		heard++
	}
	if heard != subscriberBuffer {
		t.Errorf("the slow one heard %d events, want %d and the end", heard, subscriberBuffer)
	}
	n.Unsubscribe(s)
	n.Unsubscribe(s)
	n.Unsubscribe(slow)
}

func TestPublisher(t *testing.T) {
	cell, err := geo.CellAt(orb.Point{6.9583, 50.9413}, geo.BaseSize)
	if err != nil {
		t.Fatal(err)
	}
	sent := map[string]string{}
	var refuse error
	p := &Publisher{State: NewState(), Aggregate: &aggregate.Aggregate{}, Size: 1000, City: export.Area{Whole: true, Cells: geo.CologneSketch().Cells(1000)}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Publish: func(_ context.Context, topic string, qos byte, retained bool, payload []byte) error {
			if refuse != nil {
				return refuse
			}
			if qos != 1 || !retained {
				return fmt.Errorf("%s: QoS %d, retained %v", topic, qos, retained)
			}
			sent[topic] = string(payload)
			return nil
		}}
	round := func(at time.Time, wantErr error) {
		t.Helper()
		clear(sent)
		if _, err := p.round(t.Context(), at); !errors.Is(err, wantErr) {
			t.Fatalf("round: %v, want %v", err, wantErr)
		}
	}
	const cityTopic, cellTopic = "stadtluft/v1/city/pm2_5", "stadtluft/v1/grid/CRS3035RES1000mN3096000E4107000/pm2_5"
	const goneTopic = "stadtluft/v1/grid/CRS3035RES1000mN3097000E4107000/pm10"
	p.Published = func(context.Context) ([]string, error) { return []string{goneTopic}, nil }
	round(noon, nil)
	if payload, ok := sent[goneTopic]; len(sent) != 1 || !ok || payload != "" {
		t.Errorf("sent %v, want only the value of an earlier run taken away", sent)
	}
	p.Aggregate.Add(aggregate.Sample{Station: "A", Cell: cell, Quantity: quantity.PM2_5, Time: noon, Received: noon, Milli: 12_300})
	refuse = errors.New("no broker")
	round(noon, refuse)
	refuse = nil
	round(noon, nil)
	var city, grid map[string]any
	if err := errors.Join(json.Unmarshal([]byte(sent[cityTopic]), &city), json.Unmarshal([]byte(sent[cellTopic]), &grid)); err != nil {
		t.Fatalf("%v in %v", err, sent)
	}
	if city["mean"] != 12.3 || city["t"] != "2026-05-01T12:00:00Z" || city["eaqi"] != nil || city["cells"] != 1.0 || city["share"] != 0.002 || city["certainty"] != "single station" {
		t.Errorf("city = %v", city)
	}
	if grid["mean"] != 12.3 || grid["unit"] != "µg/m³" || grid["stations"] != 1.0 || grid["lqi"] != 2.0 || grid["spread"] != 0.0 || grid["certainty"] != "single station" {
		t.Errorf("cell = %v", grid)
	}
	round(noon.Add(time.Minute), nil)
	if len(sent) != 0 {
		t.Errorf("sent %v though nothing changed", sent)
	}
	elsewhere := true
	p.Elsewhere = func() bool { return elsewhere }
	round(noon.Add(time.Minute), nil)
	p.Published = func(context.Context) ([]string, error) { return []string{cityTopic, goneTopic}, nil }
	elsewhere = false
	round(noon.Add(time.Minute), nil)
	if payload, ok := sent[goneTopic]; len(sent) != 3 || !ok || payload != "" || sent[cityTopic] == "" || sent[cellTopic] == "" {
		t.Errorf("sent %v after another process had published, want everything again and what is no more taken away", sent)
	}
	round(noon.Add(2*time.Hour), nil)
	if len(sent) != 2 || sent[cityTopic] != "" || sent[cellTopic] != "" {
		t.Errorf("sent %v, want both old values taken away", sent)
	}
}

// TestBrokersAreAskedAgain runs in virtual time with a broker that lists its retained topics only after a while.
func TestBrokersAreAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const goneTopic = "stadtluft/v1/city/pm10"
		var mu sync.Mutex // guards both below
		away, sent := true, map[string]bool{}
		p := &Publisher{
			State: NewState(), Aggregate: &aggregate.Aggregate{}, Size: 1000, Log: slog.New(slog.DiscardHandler),
			Publish: func(_ context.Context, topic string, _ byte, _ bool, payload []byte) error {
				mu.Lock()
				defer mu.Unlock()
				sent[topic] = len(payload) > 0
				return nil
			},
			Published: func(context.Context) ([]string, error) {
				mu.Lock()
				defer mu.Unlock()
				if away {
					return nil, errors.New("no broker")
				}
				return []string{goneTopic}, nil
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		go p.Run(ctx)
		time.Sleep(PublishEvery)
		mu.Lock()
		if len(sent) != 0 {
			t.Errorf("sent %v, want nothing", sent)
		}
		away = false
		mu.Unlock()
		time.Sleep(rememberEvery + PublishEvery)
		cancel()
		synctest.Wait()
		if value, told := sent[goneTopic]; !told || value {
			t.Errorf("sent %v, want the value of an earlier run taken away", sent)
		}
	})
}
