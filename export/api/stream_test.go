package api

import (
	"testing"
	"time"

	"stadtluft/export/live"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// TestEventsAreMadeOnce lets subscribers ask for the text of one event.
func TestEventsAreMadeOnce(t *testing.T) {
	s := &Server{Live: live.NewState()}
	s.Live.CaughtUp()
	made := 0
	subscribers := []*live.Subscriber{s.Live.Subscribe(), s.Live.Subscribe(), s.Live.Subscribe()}
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s.Live.Observe(ingest.Reading{Station: "A", Time: at, Values: []ingest.Value{{Quantity: quantity.PM2_5, Value: 12.3}}})
	s.Live.GridChanged(at)
	for _, want := range []string{
		"event: reading\ndata: {\"station\":\"A\",\"time\":\"2026-05-01T12:00:00Z\",\"values\":{\"pm2_5\":{\"value\":12.3,\"unit\":\"µg/m³\",\"flags\":[]}}}\n\n",
		"event: grid\ndata: {\"generated\":\"2026-05-01T12:00:00Z\",\"resolution\":0,\"window\":\"live\"}\n\n",
	} {
		made = 0
		for _, subscriber := range subscribers {
			event := <-subscriber.Events
			if got := string(event.Text(func(e live.Event) []byte { made++; return s.event(e) })); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if made != 1 {
			t.Errorf("%.20s was made %d times, want once", want, made)
		}
	}
}

// BenchmarkEvent is what a subscriber's event costs beside its writing.
func BenchmarkEvent(b *testing.B) {
	s := &Server{}
	e := live.Event{Reading: &ingest.Reading{Station: "K000001", Time: time.Now(), Values: []ingest.Value{
		{Quantity: quantity.PM2_5, Value: 12.3}, {Quantity: quantity.PM10, Value: 20.1}, {Quantity: quantity.Temperature, Value: 14.2}, {Quantity: quantity.Humidity, Value: 60.3}, {Quantity: quantity.Pressure, Value: 1013.2}}}}
	b.ReportAllocs()
	for b.Loop() {
		s.event(e)
	}
}
