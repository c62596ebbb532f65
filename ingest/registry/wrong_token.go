package registry

import (
	"sync"
	"time"
)

// wrongEvery is how often a station's wrong token is told of: kits try again every few seconds, and anyone can try.
const wrongEvery = time.Minute

// wrongTokens tells of log-ins with a station's id and a wrong token. The zero value tells nobody.
type wrongTokens struct {
	mu       sync.Mutex // guards both below
	f        func(id string)
	reported map[string]time.Time // by station, so bounded by them
}

// OnWrongToken sets the function that is called, at most once a minute for each station, with the id of a station as
// which somebody tried to log in with a wrong token. f must not block.
func (r *Registry) OnWrongToken(f func(id string)) {
	w := &r.wrongTokens
	w.mu.Lock()
	defer w.mu.Unlock()
	w.f, w.reported = f, map[string]time.Time{}
}

func (w *wrongTokens) report(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if last, known := w.reported[id]; w.f == nil || known && now.Sub(last) < wrongEvery {
		return
	}
	w.reported[id] = now
	w.f(id)
}
