package journal

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestAverages publishes averages, ends the retention of one, and expects a follower that comes later to get the newest
// of each topic and then what follows.
func TestAverages(t *testing.T) {
	j := open(t, startServer(t, t.TempDir()), Options{})
	publish := func(topic, payload string) {
		t.Helper()
		if err := j.PublishAverage(t.Context(), topic, []byte(payload)); err != nil {
			t.Fatal(err)
		}
	}
	const city, cell = "stadtluft/v1/city/pm10", "stadtluft/v1/grid/CRS3035RES1000mN3096000E4107000/pm10"
	publish(city, "1")
	publish(cell, "2")
	publish(city, "3")
	topics, err := j.PublishedAverages(t.Context())
	if slices.Sort(topics); err != nil || !slices.Equal(topics, []string{city, cell}) {
		t.Errorf("PublishedAverages() = %q, %v; want both topics", topics, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan string, 10)
	var following sync.WaitGroup
	following.Go(func() {
		_ = j.FollowAverages(ctx, func(topic string, payload []byte) { got <- topic + " " + string(payload) }) // it returns nil
	})
	defer following.Wait()
	defer cancel()
	want := func(list ...string) {
		t.Helper()
		for _, w := range list {
			select {
			case g := <-got:
				if g != w {
					t.Errorf("got %q, want %q", g, w)
				}
			case <-time.After(patience):
				t.Fatalf("%q did not come", w)
			}
		}
	}
	want(cell+" 2", city+" 3")
	publish(cell, "")
	want(cell + " ")
}
