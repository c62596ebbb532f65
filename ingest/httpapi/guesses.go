package httpapi

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	freeGuesses = 10              // wrong tokens that one address may send at once
	guessEvery  = 6 * time.Second // after which it may send one more
	maxGuessers = 10_000          // addresses that are remembered; of the rest nothing is checked
)

// Guesses slows down who guesses bearer tokens. The zero value is ready.
type Guesses struct {
	mu    sync.Mutex           // guards below
	of    map[string]time.Time // when an address has all its free guesses again
	swept time.Time            // when those that have them were last forgotten
}

// Right reports whether right accepts a request's bearer token; false without one. After too many wrong ones from an
// address no token of it is checked for a while: the error is a problem with status 429.
func (g *Guesses) Right(w http.ResponseWriter, r *http.Request, right func(token string) bool) (bool, error) {
	token := Bearer(r)
	if token == "" {
		return false, nil
	}
	address, now := Address(r), time.Now()
	if wait := g.wait(address, now); wait > 0 {
		seconds := int(wait/time.Second) + 1
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		return false, New(http.StatusTooManyRequests, "", "too many wrong tokens came from your address: try again in %d seconds", seconds).
			InGerman("Von deiner Adresse kamen zu viele falsche Token: Versuche es in %d Sekunden noch einmal.", seconds)
	}
	if right(token) {
		return true, nil
	}
	g.wrong(address, now)
	return false, nil
}

// wait returns how long nothing of an address is checked; 0 when it may try.
func (g *Guesses) wait(address string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.swept) >= guessEvery {
		maps.DeleteFunc(g.of, func(_ string, until time.Time) bool { return !until.After(now) })
		g.swept = now
	}
	until, known := g.of[address]
	if !known {
		if len(g.of) >= maxGuessers {
			return guessEvery
		}
		return 0
	}
	return max(0, until.Sub(now)-(freeGuesses-1)*guessEvery)
}

// wrong counts a wrong token.
func (g *Guesses) wrong(address string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of == nil {
		g.of = map[string]time.Time{}
	}
	until := g.of[address]
	if until.Before(now) {
		until = now
	}
	g.of[address] = until.Add(guessEvery)
}
