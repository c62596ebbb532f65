package push

import (
	"sync"
	"time"
)

// tellEvery is how often the owner of a station that sends too much is told so.
const tellEvery = time.Minute

// told remembers which stations' owners were told that it sends too much. The zero value is ready.
type told struct {
	mu sync.Mutex // guards at
	at map[string]time.Time
}

// mayTell reports whether the last time is at least tellEvery ago, and then remembers this one.
func (t *told) mayTell(station string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, known := t.at[station]; known && now.Sub(last) < tellEvery {
		return false
	}
	if t.at == nil {
		t.at = map[string]time.Time{}
	}
	t.at[station] = now
	return true
}
