package api

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// crowd asks a route of so many units from each of several addresses at once. Every answer takes a minute. It returns
// how many were answered and refused, and the most that were under way at once, for one address and for all.
func crowd(t *testing.T, s *Server, units, addresses, each int) (answered, refused, mostOfOne, most int) {
	t.Helper()
	var mu sync.Mutex
	now, all := map[string]int{}, 0
	h := s.working(units, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		all++
		now[r.RemoteAddr]++
		most, mostOfOne = max(most, all), max(mostOfOne, now[r.RemoteAddr])
		mu.Unlock()
		time.Sleep(time.Minute)
		mu.Lock()
		all--
		now[r.RemoteAddr]--
		mu.Unlock()
	}))
	var done sync.WaitGroup
	for i := range addresses * each {
		done.Go(func() {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", i%addresses)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case w.Code == http.StatusOK:
				answered++
			case w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "10" && strings.Contains(w.Body.String(), "ask again in 10 seconds"):
				refused++
			default:
				t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
			}
		})
	}
	done.Wait()
	return answered, refused, mostOfOne, most
}

// TestWorkIsBounded asks more than is answered at once: the rest waits a moment and is told to come again. Small
// answers have units that large ones cannot take.
func TestWorkIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Log: slog.New(slog.DiscardHandler)}
		f := func(units, addresses, each, want int) {
			t.Helper()
			answered, refused, mostOfOne, most := crowd(t, s, units, addresses, each)
			if answered != want || answered+refused != addresses*each || most != want || mostOfOne*units > shareWork {
				t.Errorf("%d units, %d addresses, %d each: %d answered, %d refused, at most %d of one and %d at once, want %d",
					units, addresses, each, answered, refused, mostOfOne, most, want)
			}
		}
		f(8, 1, 20, 2) // SensorThings, twenty at once
		f(8, 20, 1, 3)
		f(2, 1, 20, 8)
		f(2, 4, 20, 12)
		f(1, 1, 40, 16)
		f(1, 40, 3, 32)
		if s.work.used != 0 || len(s.work.by) != 0 || len(s.work.waiting) != 0 {
			t.Errorf("left are %+v", &s.work)
		}
		large := make(chan bool)
		for i := range 3 {
			go func() { large <- s.work.acquire(t.Context(), fmt.Sprint(i), 8) }()
		}
		for range 3 {
			<-large
		}
		if !s.work.acquire(t.Context(), "9", 1) {
			t.Error("a small answer waits for large ones")
		}
	})
}

// TestWorkIsHandedOn releases units: who came first is next, and who has gone is not.
func TestWorkIsHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k work
		var mu sync.Mutex
		var got []string
		ask := func(ctx context.Context, name string, units int) {
			go func() {
				if k.acquire(ctx, name, units) {
					mu.Lock()
					got = append(got, name)
					mu.Unlock()
				}
			}()
			synctest.Wait()
		}
		for _, name := range []string{"a", "b", "c"} {
			ask(t.Context(), name, 8)
		}
		gone, cancel := context.WithCancel(t.Context())
		ask(gone, "gone", 8)
		ask(t.Context(), "d", 8)
		ask(t.Context(), "e", 2)
		cancel()
		synctest.Wait()
		k.release("a", 8)
		synctest.Wait()
		if want := []string{"a", "b", "c", "d"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v: a large answer is not overtaken", got, want)
		}
		k.release("b", 8)
		synctest.Wait()
		if want := []string{"a", "b", "c", "d", "e"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// TestAnAnswerThatNobodyTakes ends, and gives its units back.
func TestAnAnswerThatNobodyTakes(t *testing.T) {
	s := &Server{Log: slog.New(slog.DiscardHandler)}
	deadlines := &deadlined{ResponseWriter: httptest.NewRecorder()}
	s.working(1, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 1000 {
			_, _ = io.WriteString(w, "x")
		}
	})).ServeHTTP(deadlines, httptest.NewRequest("GET", "/", nil))
	if len(deadlines.set) != 2 || time.Until(deadlines.set[0]) > readTime || time.Until(deadlines.set[0]) < readTime-readEvery || !deadlines.set[1].IsZero() {
		t.Errorf("deadlines %v", deadlines.set)
	}
}

type deadlined struct {
	http.ResponseWriter
	set []time.Time
}

func (d *deadlined) SetWriteDeadline(t time.Time) error { d.set = append(d.set, t); return nil }

// TestWhatReadsIsBounded wants every route that reads data to take units, and none of those that receive it.
func TestWhatReadsIsBounded(t *testing.T) {
	h := living(t)
	for _, route := range h.server.routes() {
		if route.Method == "" {
			continue
		}
		reads := route.Method == "GET" && slices.Contains([]string{"data", "live", "ogc", "sta", "catalogue"}, route.Group)
		if got := groupWork[route.Group] > 0; got != reads {
			t.Errorf("%s of %s: bounded %v", route.Pattern(), route.Group, got)
		}
	}
}
