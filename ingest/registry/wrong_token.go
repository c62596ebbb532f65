package registry

import (
	"sync"
	"time"

	"stadtluft/ingest"
)

// wrongEvery is how often a station's wrong token is told of: kits try again every few seconds, and anyone can try.
const wrongEvery = time.Minute

// wrongTokens tells of log-ins with a station's id and a wrong token. The zero value tells nobody.
type wrongTokens struct {
	mu    sync.Mutex // guards both below
	f     func(id string)
	rates *ingest.Rates
}

// OnWrongToken sets the function that is called, at most once a minute for each station, with the id of a station as
// which somebody tried to log in with a wrong token. f must not block.
func (r *Registry) OnWrongToken(f func(id string)) {
	w := &r.wrongTokens
	w.mu.Lock()
	defer w.mu.Unlock()
	w.f, w.rates = f, ingest.Every(wrongEvery)
}

func (w *wrongTokens) report(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f != nil && w.rates.Try(id) == 0 {
		w.f(id)
	}
}
