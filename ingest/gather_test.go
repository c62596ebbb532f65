package ingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const appendTime = time.Millisecond

// gathering runs a pipeline in virtual time whose journal takes appendTime an append.
type gathering struct {
	journal *fakeJournal
	in      chan Message
	slowest time.Duration // from the arrival of a message to its acknowledgement
	mu      sync.Mutex    // guards slowest
}

func newGathering(ctx context.Context) *gathering {
	g := &gathering{journal: &fakeJournal{}, in: make(chan Message, 1000)}
	go newPipeline(slowJournal{g.journal, appendTime}).Run(ctx, g.in)
	return g
}

// send passes a message on, and returns a channel that is closed when it is acknowledged.
func (g *gathering) send() (acknowledged chan struct{}) { return g.sendFrom("") }

// sendFrom passes a message of a client on as send does.
func (g *gathering) sendFrom(client string) (acknowledged chan struct{}) {
	begin, acknowledged := time.Now(), make(chan struct{})
	g.in <- Message{Topic: "stadtluft/v1/AAA/reading", From: client, Payload: []byte(`{"pm10":1}`), Received: receipt, Done: func(Outcome) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.slowest = max(g.slowest, time.Since(begin))
		close(acknowledged)
	}}
	return acknowledged
}

// TestManyStationsShareAppends has 100 stations send once a second each, at their own moments.
func TestManyStationsShareAppends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGathering(t.Context())
		const stations, seconds = 100, 60
		random := rand.New(rand.NewPCG(1, 2))
		var all sync.WaitGroup
		for range stations {
			phase := time.Duration(random.Int64N(int64(time.Second)))
			all.Go(func() {
				time.Sleep(phase)
				for range seconds {
					acknowledged := g.send()
					time.Sleep(time.Second)
					<-acknowledged
				}
			})
		}
		all.Wait()
		if appends := len(g.journal.batches); appends > 8*seconds {
			t.Errorf("%d appends in %d s, want at most 8 a second", appends, seconds)
		}
		if most := gatherTime + 2*appendTime; g.slowest > most {
			t.Errorf("an acknowledgement took %v, want at most %v", g.slowest, most)
		}
		close(g.in)
	})
}

// TestSendersThatWaitAreNotSlowed has few senders that each send the next message when the last is acknowledged.
func TestSendersThatWaitAreNotSlowed(t *testing.T) {
	for _, senders := range []int{1, 5, 15, 20} {
		synctest.Test(t, func(t *testing.T) {
			g := newGathering(t.Context())
			const messages = 5000
			begin := time.Now()
			var all sync.WaitGroup
			for range senders {
				all.Go(func() {
					for range messages {
						<-g.send()
					}
				})
			}
			all.Wait()
			// Two groups of senders may take turns.
			if took, most := time.Since(begin), messages*appendTime*min(time.Duration(senders), 2)*11/10; took > most {
				t.Errorf("%d senders took %v, want at most %v", senders, took, most)
			}
			close(g.in)
		})
	}
}

// TestCatchingUpIsNotSlowed has a station that sends what it kept, each message when the last is acknowledged, among 50 that send
// once a second each.
func TestCatchingUpIsNotSlowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGathering(t.Context())
		var others sync.WaitGroup
		end := make(chan struct{})
		for i := range 50 {
			others.Go(func() {
				time.Sleep(time.Duration(i) * 20 * time.Millisecond)
				for {
					g.sendFrom(fmt.Sprint("other ", i))
					select {
					case <-end:
						return
					case <-time.After(time.Second):
					}
				}
			})
		}
		time.Sleep(time.Second)
		begin := time.Now()
		const messages = 1000
		for range messages {
			<-g.sendFrom("AAA")
		}
		if took, most := time.Since(begin), 2*messages*appendTime; took > most {
			t.Errorf("%d messages took %v, want at most %v", messages, took, most)
		}
		close(end)
		others.Wait()
		close(g.in)
	})
}

// TestABurstIsNotDelayed has a burst arrive right after another append.
func TestABurstIsNotDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGathering(t.Context())
		for i := range 100 {
			<-g.send()
			time.Sleep(gatherTime / 4)
			begin := time.Now()
			var burst []chan struct{}
			for range gatherEnough {
				burst = append(burst, g.send())
			}
			for _, acknowledged := range burst {
				<-acknowledged
			}
			if took := time.Since(begin); took > 2*appendTime {
				t.Errorf("burst %d took %v, want at most %v", i, took, 2*appendTime)
			}
			time.Sleep(2 * gatherTime)
		}
		close(g.in)
	})
}

// TestTheEndIsNotWaitedFor ends a pipeline that waits for more.
func TestTheEndIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p, in, done := newPipeline(&fakeJournal{}), make(chan Message, 2), make(chan error, 1)
		go func() { done <- p.Run(ctx, in) }()
		in <- Message{Topic: "stadtluft/v1/AAA/reading", From: "BBB", Payload: []byte(`{"pm10":1}`), Received: receipt}
		synctest.Wait()
		in <- Message{Topic: "stadtluft/v1/AAA/reading", Payload: []byte(`{"pm10":2}`), Received: receipt, Done: func(Outcome) { t.Error("acknowledged after the end") }}
		synctest.Wait()
		begin := time.Now()
		cancel()
		if err := <-done; err != nil || time.Since(begin) > 0 {
			t.Errorf("ended after %v, %v", time.Since(begin), fmt.Sprint(err))
		}
	})
}

// TestASmallWindowIsNotSlowed has a broker that stops at a few unacknowledged messages and has more waiting, beside 50 stations
// that send once a second each.
func TestASmallWindowIsNotSlowed(t *testing.T) {
	for _, window := range []int{1, 5, 10} {
		synctest.Test(t, func(t *testing.T) {
			g := newGathering(t.Context())
			var others, all sync.WaitGroup
			end := make(chan struct{})
			others.Go(func() {
				for i := 0; ; i++ {
					g.sendFrom(fmt.Sprint("other ", i%50))
					select {
					case <-end:
						return
					case <-time.After(20 * time.Millisecond):
					}
				}
			})
			time.Sleep(time.Second)
			const messages = 500
			begin := time.Now()
			for range window {
				all.Go(func() {
					for range messages {
						<-g.send()
					}
				})
			}
			all.Wait()
			if took, most := time.Since(begin), 4*messages*appendTime; took > most {
				t.Errorf("%d messages through a window of %d took %v, want at most %v", window*messages, window, took, most)
			}
			close(end)
			others.Wait()
			close(g.in)
		})
	}
}
