// Package portal is the page of all cities of an installation: each with what its air is like now, and the way to it. It knows of
// a city only what the city publishes at /api/v1/city, and keeps the last answer, so that a city that does not answer costs
// nothing but its own values. The catalogue of all is in package catalog.
package portal

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"stadtluft/export"
)

const (
	// askEvery is the interval at which cities are asked, and askTime bounds one question.
	askEvery = 30 * time.Second
	askTime  = 10 * time.Second
	// keptFor is how long an answer is shown when no other comes.
	keptFor = 10 * time.Minute
	// longestAnswer bounds an answer, in bytes: it has the boundary, which is not used.
	longestAnswer = 32 << 20
)

// City is a city of the installation.
type City struct {
	Name string
	URL  string // of its pages, without a slash at its end
}

// Portal has all cities. Run asks them; Routes show them.
type Portal struct {
	Name   string // of the region; may be empty
	URL    string // of the portal, without a slash at its end; may be empty
	Cities []City // in the order in which they are shown
	Client *http.Client
	Icon   http.Handler // answers with the site's icon
	Log    *slog.Logger

	mu      sync.Mutex // guards answers
	answers map[string]answer
}

// answer is what a city said last, and whether it says nothing now.
type answer struct {
	headline headline
	at       time.Time // zero for never
	silent   bool
}

// headline is what a city says of its air, in the words of its API.
type headline struct {
	Zone        string                       `json:"zone"`
	Index       string                       `json:"headline_index"`
	Indices     map[string]export.IndexClass `json:"index"`
	LastReading *time.Time                   `json:"last_reading"`
	Demo        bool                         `json:"demo"`
	Quantities  []value                      `json:"quantities"`
}

// value is the average of a quantity.
type value struct {
	Quantity string  `json:"quantity"`
	Unit     string  `json:"unit"`
	Mean     float64 `json:"mean"`
	Stations int     `json:"stations"`
}

// Run asks every city now and at intervals until ctx ends.
func (p *Portal) Run(ctx context.Context) error {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		var all sync.WaitGroup
		for _, c := range p.Cities {
			all.Go(func() { p.ask(ctx, c) })
		}
		all.Wait()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// ask asks one city, and logs when it falls silent and when it answers again.
func (p *Portal) ask(ctx context.Context, c City) {
	h, err := p.fetch(ctx, c.URL)
	if ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answers == nil {
		p.answers = map[string]answer{}
	}
	last := p.answers[c.URL]
	switch {
	case err != nil && !last.silent:
		p.Log.Warn("city does not say what its air is like, asking again", "city", c.Name, "err", err)
	case err == nil && last.silent:
		p.Log.Info("city answers again", "city", c.Name)
	}
	if last.silent = err != nil; err == nil {
		last.headline, last.at = h, time.Now()
	}
	p.answers[c.URL] = last
}

func (p *Portal) fetch(ctx context.Context, base string) (h headline, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/v1/city", nil)
	if err != nil {
		return h, err
	}
	response, err := p.Client.Do(r)
	if err != nil {
		return h, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return h, fmt.Errorf("%s answers %s", r.URL, response.Status)
	}
	var feature struct{ Properties headline }
	if err := json.NewDecoder(io.LimitReader(response.Body, longestAnswer)).Decode(&feature); err != nil {
		return h, fmt.Errorf("read %s: %w", r.URL, err)
	}
	return feature.Properties, nil
}

// headline returns what a city said last; false when that is too long ago.
func (p *Portal) headline(c City, now time.Time) (headline, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.answers[c.URL]
	return a.headline, !a.at.IsZero() && now.Sub(a.at) < keptFor
}
