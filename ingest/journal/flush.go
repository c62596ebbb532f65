package journal

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"stadtluft/ingest"
)

const (
	// flushTime bounds how long Flush waits.
	flushTime = time.Second
	// flushEvery is the shortest time between writes that somebody waits for.
	flushEvery = time.Second
	// flushStations bounds the stations that Flush names to the writer.
	flushStations = 20
	askedMost     = 1024 // that wait for the writer; of more, some wait for flushTime
)

func (j *Journal) writeSubject() string { return j.o.Stream + ".write" }

// Flush has the writer, in whichever process it is, store what waits of some stations, or of all when none are named: readings of a
// period, or with a zero to everything. It returns when the store has what was appended here before; after flushTime at the latest,
// and at once when nobody writes, while the store fails, or when a write was less than flushEvery ago: then the rest follows within
// that time.
func (j *Journal) Flush(ctx context.Context, from, to time.Time, stations []string) {
	if len(stations) > flushStations {
		stations = nil
	}
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	a := ask{Seq: j.acknowledged.Load(), From: from, To: to, Stations: stations}
	data, err := json.Marshal(a)
	if err == nil {
		_, err = j.nc.RequestWithContext(ctx, j.writeSubject(), data)
	}
	if err != nil {
		j.log.Debug("readings that wait for the store may be missing from an answer", "err", err)
	}
}

// ask is a Flush that waits.
type ask struct {
	Seq      uint64    // the entry that must be stored
	From, To time.Time // of readings; a zero To is everything
	Stations []string  // empty = all
	until    time.Time
	m        *nats.Msg
}

func (a *ask) answer() { _ = a.m.Respond(nil) } // who asked waits no longer than flushTime

// ask adds a Flush to those that wait.
func (g *gathering) ask(m *nats.Msg) {
	var a ask
	if err := json.Unmarshal(m.Data, &a); err != nil { // another version's: everything that is there
		a = ask{}
	}
	a.until, a.m = time.Now().Add(flushTime), m
	g.waiting = append(g.waiting, a)
}

// wanted reports whether the batch, which has all entries up to one, must be written now for those who wait. It answers those who
// wait for nothing that is in it.
func (g *gathering) wanted(at uint64) (now bool) {
	soon := flushEvery - time.Since(g.ended)
	g.waiting = slices.DeleteFunc(g.waiting, func(a ask) bool {
		if a.Seq > at {
			return time.Now().After(a.until)
		}
		if a.wants(&g.batch) {
			if soon <= 0 {
				now = true
				return false
			}
			g.due.Reset(soon)
		}
		a.answer()
		return true
	})
	return now
}

// wants reports whether a batch has something that it asks for.
func (a *ask) wants(b *ingest.Batch) bool {
	of := func(station string) bool { return len(a.Stations) == 0 || slices.Contains(a.Stations, station) }
	return slices.ContainsFunc(b.Readings, func(r ingest.Reading) bool {
		return of(r.Station) && (a.To.IsZero() || !r.Time.Before(a.From) && r.Time.Before(a.To))
	}) || a.To.IsZero() && slices.ContainsFunc(b.Refusals, func(r ingest.Refusal) bool { return of(r.Station) })
}

// answer answers those who wait for entries up to one.
func (g *gathering) answer(stored uint64) {
	g.waiting = slices.DeleteFunc(g.waiting, func(a ask) bool {
		if a.Seq > stored {
			return false
		}
		a.answer()
		return true
	})
}

// pause is pause after the store has failed: nobody waits for it meanwhile.
func (g *gathering) pause(ctx context.Context, wait time.Duration) time.Duration {
	g.answer(math.MaxUint64)
	waited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		select {
		case m := <-g.asks:
			_ = m.Respond(nil)
		case <-waited.Done():
			return min(2*wait, retryMost)
		}
	}
}
