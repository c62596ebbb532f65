package mqtt

import (
	"context"
	"slices"
	"testing"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// TestTwoCitiesAtOneBroker has a subscriber for each of two cities, which differ in the first level of their topics, and a
// station that has the same id in both.
func TestTwoCitiesAtOneBroker(t *testing.T) {
	r := mosquitto(t, false)
	begin := func(root string) (*Subscriber, chan ingest.Message) {
		out := make(chan ingest.Message, 10)
		s, err := New(Options{Broker: r.url, Username: "intake", Password: "token-intake", ClientID: root, Root: root, Out: out, Log: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { _ = s.Run(ctx); close(ended) }()
		t.Cleanup(func() { cancel(); <-ended })
		<-s.Ready()
		return s, out
	}
	koeln, inKoeln := begin("stadtluft-koeln")
	bonn, inBonn := begin("stadtluft-bonn")
	for root, in := range map[string]chan ingest.Message{"stadtluft-koeln": inKoeln, "stadtluft-bonn": inBonn} {
		s := NewSender(r.url, root, "AAA", "token-AAA")
		if err := s.Send(t.Context(), []byte("of "+root)); err != nil {
			t.Fatal(err)
		}
		s.Close()
		for got := ""; got != wire.ReadingTopic("AAA"); {
			select {
			case m := <-in:
				if got = m.Topic; got == wire.ReadingTopic("AAA") && string(m.Payload) != "of "+root {
					t.Errorf("%s gets %q", root, m.Payload)
				}
				m.Done(ingest.Outcome{})
			case <-time.After(patience):
				t.Fatalf("%s gets nothing", root)
			}
		}
	}
	if err := koeln.Publish(t.Context(), "stadtluft/v1/city/pm10", 1, true, []byte("1")); err != nil {
		t.Fatal(err)
	}
	for s, want := range map[*Subscriber][]string{koeln: {"stadtluft/v1/city/pm10"}, bonn: nil} {
		if got, err := s.Retained(t.Context(), wire.CityFilter); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: Retained = %v %v, want %v", s.options.Root, got, err, want)
		}
	}
	for range len(inKoeln) + len(inBonn) { // states of the station
		select {
		case m := <-inKoeln:
			if m.Topic == wire.ReadingTopic("AAA") {
				t.Errorf("koeln also gets %q", m.Payload)
			}
		case m := <-inBonn:
			if m.Topic == wire.ReadingTopic("AAA") {
				t.Errorf("bonn also gets %q", m.Payload)
			}
		}
	}
}
