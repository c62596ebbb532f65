package ingest

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// DefaultRate is how many messages a second a station may send for any length of time. A kit sends one in 145 s; one
	// whose firmware has a topic for each value, ten in a minute.
	DefaultRate = 5
	// DefaultBurst is how many messages a station may send at once. A kit that sends every 145 s has 4,200 in a week.
	DefaultBurst = 10_000

	maxBuckets = 100_000 // when there are more, those that are full are forgotten
)

// Rates limits how often something happens, such as messages of each station, with a token bucket per name. It may be
// used by many goroutines at once. The zero value permits nothing.
type Rates struct {
	Sustained float64 // per second
	Burst     int

	mu      sync.Mutex // guards buckets
	buckets map[string]*rate.Limiter
}

// Every returns the rates of something that may happen once in a time for each name.
func Every(d time.Duration) *Rates { return &Rates{Sustained: 1 / d.Seconds(), Burst: 1} }

// Take counts one occurrence and returns how long after now it may happen; zero within the limits.
func (r *Rates) Take(name string) time.Duration {
	return r.bucket(name).Reserve().Delay()
}

// Try counts one occurrence if it may happen now and returns zero; else it returns how long to wait before the next try.
func (r *Rates) Try(name string) time.Duration {
	reservation := r.bucket(name).Reserve()
	wait := reservation.Delay()
	if wait > 0 {
		reservation.Cancel()
	}
	return wait
}

func (r *Rates) bucket(name string) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b := r.buckets[name]; b != nil {
		return b
	}
	if len(r.buckets) >= maxBuckets {
		r.forget()
	}
	if r.buckets == nil {
		r.buckets = map[string]*rate.Limiter{}
	}
	b := rate.NewLimiter(rate.Limit(r.Sustained), r.Burst)
	r.buckets[name] = b
	return b
}

// forget removes buckets that are full, which a new one equals; all of them when none is. It needs mu.
func (r *Rates) forget() {
	for name, b := range r.buckets {
		if b.Tokens() >= float64(r.Burst) {
			delete(r.buckets, name)
		}
	}
	if len(r.buckets) >= maxBuckets {
		clear(r.buckets)
	}
}
