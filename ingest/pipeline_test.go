package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

var receipt = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)

// register implements Stations with a map.
type register map[string]*Station

func (r register) Station(id string) (*Station, bool) {
	s, ok := r[id]
	return s, ok
}

func (r register) Device(d Device) (*Station, []*Station) {
	for _, s := range r {
		if s.names(d) {
			return s, nil
		}
	}
	return nil, nil
}

func (r register) Use(string, Device, bool) {}

// fakeChecker is a Checker that keeps everything, flags pm10 above 1000 and refuses negative temperatures.
type fakeChecker struct{}

func (fakeChecker) Check(st *Station, a Arrival, r wire.Reading) (Reading, []Refusal, int) {
	keep := Reading{Station: st.ID, Time: a.Received, Received: a.Received, TimeSource: Receipt}
	var refused []Refusal
	for _, v := range r.Values {
		switch {
		case v.Quantity == quantity.Temperature && v.Value < 0:
			refused = append(refused, Refusal{Station: st.ID, Received: a.Received, Reason: wire.Clock})
		case v.Quantity == quantity.PM10 && v.Value > 1000:
			keep.Values = append(keep.Values, Value{Quantity: v.Quantity, Value: v.Value, Flags: Range})
		default:
			keep.Values = append(keep.Values, Value{Quantity: v.Quantity, Value: v.Value})
		}
	}
	return keep, refused, 0
}

// fakeJournal is a Journal in memory that fails as often as it is told to.
type fakeJournal struct {
	mu      sync.Mutex // guards all below
	fail    int
	batches []Batch
}

var errJournal = errors.New("the disk is full")

func (l *fakeJournal) Append(_ context.Context, b Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail > 0 {
		l.fail--
		return errJournal
	}
	l.batches = append(l.batches, Batch{
		Readings: append([]Reading(nil), b.Readings...), Refusals: append([]Refusal(nil), b.Refusals...),
	})
	return nil
}

func newPipeline(j Journal) *Pipeline {
	stations := register{
		"AAA": {ID: "AAA", Status: Active, Devices: []Device{{"airgradient", "known"}}},
		"SSS": {ID: "SSS", Status: Suspended, Reason: "hangs in a kitchen"},
		"PPP": {ID: "PPP", Status: Paused, Devices: []Device{{"airgradient", "paused"}}},
	}
	topic, err := kits.ParseTopic("airgradient", "airgradient/readings/{key}")
	if err != nil {
		panic(err)
	}
	return &Pipeline{
		Stations: stations, Devices: stations, Topics: []kits.Topic{topic},
		Checker: fakeChecker{}, Journal: j, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// feed runs a pipeline over messages and returns what it appended to the journal.
func feed(t *testing.T, p *Pipeline, messages ...Message) {
	t.Helper()
	in := make(chan Message, len(messages))
	for _, m := range messages {
		in <- m
	}
	close(in)
	if err := p.Run(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func TestEachMessageBecomesReadingOrRefusal(t *testing.T) {
	f := func(topic, payload string, wantValues int, wantReason wire.Reason) {
		t.Helper()
		j := &fakeJournal{}
		acknowledged := 0
		p := newPipeline(j)
		feed(t, p, Message{Topic: topic, Payload: []byte(payload), Received: receipt, Done: func(Outcome) { acknowledged++ }})
		values, reason := 0, wire.Reason("")
		for _, b := range j.batches {
			for _, r := range b.Readings {
				values += len(r.Values)
			}
			for _, r := range b.Refusals {
				reason = r.Reason
			}
		}
		if values != wantValues || reason != wantReason {
			t.Errorf("%s %s: got %d values and refusal %q, want %d and %q", topic, payload, values, reason, wantValues, wantReason)
		}
		if acknowledged != 1 {
			t.Errorf("%s %s: acknowledged %d times, want once", topic, payload, acknowledged)
		}
		counts := p.Counters.Snapshot()
		if wantReason != "" && counts.Refused[wantReason] != 1 {
			t.Errorf("%s %s: refusal counted %d times, want once", topic, payload, counts.Refused[wantReason])
		}
		if counts.Kept != uint64(wantValues) {
			t.Errorf("%s %s: counted %d kept values, want %d", topic, payload, counts.Kept, wantValues)
		}
	}
	f("stadtluft/v1/AAA/reading", `{"pm10":20,"pm2_5":3}`, 2, "")
	f("stadtluft/v1/AAA/reading", `{"pm10":20,"pm2_5":"3"}`, 1, wire.NotANumber)
	f("stadtluft/v1/AAA/reading", `{"pm10":20,"temperature":-1}`, 1, wire.Clock)
	f("stadtluft/v1/AAA/reading", `{"pm10":20`, 0, wire.Malformed)
	f("stadtluft/v1/AAA/reading", strings.Repeat(" ", wire.MaxMessage+1), 0, wire.TooLarge)
	f("stadtluft/v1/ZZZ/reading", `{"pm10":20}`, 0, wire.UnknownStation)
	f("stadtluft/v1/PPP/reading", `{"pm10":20}`, 0, wire.Inactive)
	f("stadtluft/v1/AAA/reading", `[{"bn":"urn:dev:","n":"pm10","v":3}]`, 1, "")
	f("stadtluft/v1/AAA/reading", `[{"pm10":3,"x_own":{"n":"pm10"}}]`, 1, "")
	f("stadtluft/v1/AAA/reading", "\xa1\x64pm10\x0c", 1, "")
	f("stadtluft/v1/AAA/kit/esphome/sensor/pm_10/state", `3.5`, 1, "")
	f("stadtluft/v1/AAA/kit/esphome", `3.5`, 0, wire.BadTopic)
	f("stadtluft/v1/AAA/kit/airrohr", `{}`, 0, wire.Malformed)
	f("stadtluft/v1/AAA/kit/tasmota/tele/SENSOR", `{"SDS0X1":{"PM10":7.7}}`, 1, "")
	f("stadtluft/v1/AAA/kit/tasmota/tele/LWT", `Online`, 0, "")
	f("stadtluft/v1/AAA/kit/telegraph", `{}`, 0, wire.Unsupported)
	f("airgradient/readings/KNOWN", `{"pm02":7}`, 1, "")
	f("airgradient/readings/paused", `{"pm02":7}`, 0, wire.Inactive)
	f("airgradient/readings/stranger", `{"pm02":7}`, 0, wire.UnknownStation)
	f("airgradient/settings/known", `{"pm02":7}`, 0, wire.BadTopic)
	f("stadtluft/v1/AAA/feedback", `{}`, 0, wire.BadTopic)
	f("elsewhere", `{}`, 0, wire.BadTopic)
	f("stadtluft/v1/AAA/status", `online`, 0, "")
	f("stadtluft/v1/AAA/status", `on fire`, 0, wire.Malformed)
}

func TestRefusalGivesReasonOfSuspension(t *testing.T) {
	var told []Refusal
	p := newPipeline(&fakeJournal{})
	p.OnRefusal = func(r Refusal) { told = append(told, r) }
	feed(t, p, Message{Topic: "stadtluft/v1/SSS/reading", Payload: []byte(`{"pm10":20}`), Received: receipt})
	if len(told) != 1 || told[0].Station != "SSS" || told[0].Reason != wire.Inactive || told[0].Detail != "the station is suspended: hangs in a kitchen" {
		t.Errorf("told %+v", told)
	}
}

func TestNothingIsAcknowledgedBeforeTheJournalHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &fakeJournal{fail: 5}
		p := newPipeline(j)
		in := make(chan Message, 1)
		acknowledged := make(chan int, 1)
		in <- Message{Topic: "stadtluft/v1/AAA/reading", Payload: []byte(`{"pm10":1}`), Received: receipt, Done: func(Outcome) {
			j.mu.Lock()
			defer j.mu.Unlock()
			acknowledged <- len(j.batches)
		}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go p.Run(ctx, in)
		time.Sleep(retryFirst) // virtual time: the journal still refuses
		synctest.Wait()
		select {
		case <-acknowledged:
			t.Error("acknowledged while the journal refused")
		default:
		}
		if err := p.Counters.Stalled(); !errors.Is(err, errJournal) {
			t.Errorf("Stalled() = %v, want %v", err, errJournal)
		}
		if got := <-acknowledged; got != 1 {
			t.Errorf("acknowledged with %d batches in the journal, want 1", got)
		}
		if err := p.Counters.Stalled(); err != nil {
			t.Errorf("Stalled() = %v after the journal took it, want nil", err)
		}
	})
}

func TestUnfinishedMessagesStayUnacknowledged(t *testing.T) {
	j := &fakeJournal{fail: 1 << 30}
	p := newPipeline(j)
	in := make(chan Message, 1)
	in <- Message{Topic: "stadtluft/v1/AAA/reading", Payload: []byte(`{"pm10":1}`), Received: receipt, Done: func(Outcome) {
		t.Error("acknowledged what the journal never took")
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.Run(ctx, in); err != nil {
		t.Fatal(err)
	}
}

// TestMessagesGatherWhileTheJournalWrites lets each append take a second: a first message is appended by itself and at
// once, those that arrive meanwhile together.
func TestMessagesGatherWhileTheJournalWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &fakeJournal{}
		p := newPipeline(slowJournal{j, time.Second})
		in := make(chan Message, 20)
		go p.Run(t.Context(), in)
		start, done := time.Now(), make(chan time.Duration, 20)
		for i := range 20 {
			in <- Message{Topic: "stadtluft/v1/AAA/reading", Payload: fmt.Appendf(nil, `{"pm10":%d}`, i), Received: receipt, Done: func(Outcome) { done <- time.Since(start) }}
			synctest.Wait()
		}
		if got := <-done; got != time.Second {
			t.Errorf("the first message took %v, want %v", got, time.Second)
		}
		for range 19 {
			if got := <-done; got != 2*time.Second {
				t.Errorf("another message took %v, want %v", got, 2*time.Second)
			}
		}
		if len(j.batches) != 2 {
			t.Errorf("%d batches, want 2", len(j.batches))
		}
		close(in)
	})
}

// slowJournal is a Journal whose appends take time.
type slowJournal struct {
	*fakeJournal
	each time.Duration
}

func (j slowJournal) Append(ctx context.Context, b Batch) error {
	time.Sleep(j.each)
	return j.fakeJournal.Append(ctx, b)
}

// TestAStationSpeaksForItself expects what a station sends elsewhere to be refused to it, and to nobody else.
func TestAStationSpeaksForItself(t *testing.T) {
	f := func(from, topic string, want Refusal) {
		t.Helper()
		j := &fakeJournal{}
		feed(t, newPipeline(j), Message{From: from, Topic: topic, Payload: []byte(`{"pm10":1}`), Received: receipt})
		var got Refusal
		for _, b := range j.batches {
			for _, got = range b.Refusals {
				got.Received, got.Detail = time.Time{}, ""
			}
		}
		if got != want {
			t.Errorf("%s publishes to %s: %+v, want %+v", from, topic, got, want)
		}
	}
	f("AAA", "stadtluft/v1/AAA/reading", Refusal{})
	f("AAA", "airgradient/readings/known", Refusal{})
	f("AAA", "stadtluft/v1/PPP/reading", Refusal{Station: "AAA", Reason: wire.Forbidden})
	f("AAA", "stadtluft/v1/ZZZ/reading", Refusal{Station: "AAA", Reason: wire.Forbidden})
	f("AAA", "airgradient/readings/paused", Refusal{Station: "AAA", Reason: wire.UnknownStation}) // as if no station had it
	f("AAA", "airgradient/readings/unknown", Refusal{Station: "AAA", Reason: wire.UnknownStation})
	f("AAA", "some where/else", Refusal{Station: "AAA", Reason: wire.BadTopic})
	f("AAA", "stadtluft/v1/AAA/feedback", Refusal{Station: "AAA", Reason: wire.BadTopic})
	f("SSS", "stadtluft/v1/SSS/reading", Refusal{Station: "SSS", Reason: wire.Inactive})
	f("", "stadtluft/v1/ZZZ/reading", Refusal{Station: "ZZZ", Reason: wire.UnknownStation})
	f("", "some where/else", Refusal{Reason: wire.BadTopic})
}

func TestARefusalOfTheReceiverIsKept(t *testing.T) {
	j := &fakeJournal{}
	want := Refusal{Station: "AAA", Received: receipt, Reason: wire.Forbidden, Detail: "not yours"}
	feed(t, newPipeline(j), Message{Refused: &want})
	if len(j.batches) != 1 || len(j.batches[0].Refusals) != 1 || j.batches[0].Refusals[0] != want {
		t.Errorf("journal has %+v, want the refusal %+v", j.batches, want)
	}
}

func TestClipKeepsWholeCharacters(t *testing.T) {
	long := strings.Repeat("ü", MaxDetail)
	got := Clip(long)
	if len(got) > MaxDetail || !strings.HasSuffix(got, "ü…") {
		t.Errorf("clip gave %d bytes ending in %q, want at most %d and a whole character", len(got), got[len(got)-5:], MaxDetail)
	}
}

// TestOutcomes expects each of several messages in one batch to get its own outcome.
func TestOutcomes(t *testing.T) {
	var got []string
	message := func(topic, payload string) Message {
		return Message{Topic: topic, Payload: []byte(payload), Received: receipt, Done: func(o Outcome) {
			line := fmt.Sprint(len(o.Readings), " ", len(o.Refusals), " ", o.Duplicates, " ", o.Ignored)
			if len(o.Readings) > 0 {
				line += fmt.Sprint(" ", o.Readings[0].Values[0].Value)
			}
			got = append(got, line)
		}}
	}
	feed(t, newPipeline(&fakeJournal{}),
		message("stadtluft/v1/AAA/reading", `[{"pm10":1},{"pm10":2}]`),
		message("stadtluft/v1/ZZZ/reading", `{"pm10":3}`),
		message("stadtluft/v1/AAA/kit/airgradient", `{"pm02":4,"boot":1,"rco2":"x"}`),
		message("stadtluft/v1/AAA/status", `online`),
	)
	want := []string{"2 0 0 [] 1", "0 1 0 []", "1 1 0 [boot] 4", "0 0 0 []"}
	if !slices.Equal(got, want) {
		t.Errorf("outcomes %q, want %q", got, want)
	}
}

// TestIgnoredNames counts ignored names, each separately until there are too many.
func TestIgnoredNames(t *testing.T) {
	var c Counters
	for i := range maxIgnoredNames + 7 {
		c.ignore("tasmota", []string{fmt.Sprint("name", i)})
	}
	c.ignore("tasmota", []string{"name0", "name0"})
	c.ignore("ttn", []string{"name0"})
	ignored := c.Snapshot().Ignored
	if ignored[IgnoredName{"tasmota", "name0"}] != 3 || ignored[IgnoredName{"tasmota", otherNames}] != 7 || ignored[IgnoredName{"ttn", otherNames}] != 1 || len(ignored) != maxIgnoredNames+2 {
		t.Errorf("%d names are counted, %d of the first, %d and %d of others", len(ignored), ignored[IgnoredName{"tasmota", "name0"}], ignored[IgnoredName{"tasmota", otherNames}], ignored[IgnoredName{"ttn", otherNames}])
	}
}

// TestJoins expects values that arrive one by one to get the time of the first, for a minute or until a quantity
// repeats.
func TestJoins(t *testing.T) {
	var j joins
	f := func(station string, q quantity.Quantity, value float64, m Message, after, want time.Duration) {
		t.Helper()
		readings := []wire.Reading{{Values: []wire.Value{{Quantity: q, Value: value}}}}
		m.Received = receipt.Add(after)
		j.join(station, &m, readings)
		if got := readings[0].Time; want < 0 && !got.IsZero() || want >= 0 && !got.Equal(receipt.Add(want)) {
			t.Errorf("%s %s after %v is of %v, want %v", station, q, after, got, want)
		}
	}
	const s, none = time.Second, -1
	once, again, retained := Message{}, Message{Redelivered: true}, Message{Retained: true}
	f("A", quantity.PM10, 1, once, 0, 0)
	f("A", quantity.PM2_5, 1, once, 3*s, 0)
	f("B", quantity.PM2_5, 1, once, 4*s, 4*s)
	f("A", quantity.PM2_5, 1, again, 5*s, 0)
	f("A", quantity.Pressure, 1, retained, 6*s, none)
	f("A", quantity.Pressure, 2, once, 6*s, 0)
	f("A", quantity.Temperature, 1, once, 59*s, 0)
	f("A", quantity.PM10, 1, once, 60*s, 60*s)
	f("A", quantity.PM2_5, 1, once, 61*s, 60*s)
	f("A", quantity.Humidity, 1, once, 121*s, 121*s)
	f("A", quantity.Humidity, 2, again, 122*s, 122*s) // another value: its first delivery was lost
}
