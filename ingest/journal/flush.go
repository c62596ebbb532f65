package journal

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
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

// Flush has the writer, in whichever process it is, store what waits of some stations, or of all when none are named. It returns when the
// store has what was appended here before; after flushTime at the latest, and at once when nobody writes, while the
// store fails, or when a write was less than flushEvery ago: then the rest follows within that time.
func (j *Journal) Flush(ctx context.Context, stations []string) {
	if len(stations) > flushStations {
		stations = nil
	}
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	ask := strings.Join(append([]string{strconv.FormatUint(j.acknowledged.Load(), 10)}, stations...), " ")
	if _, err := j.nc.RequestWithContext(ctx, j.writeSubject(), []byte(ask)); err != nil {
		j.log.Debug("readings that wait for the store may be missing from an answer", "err", err)
	}
}

// ask is a Flush that waits.
type ask struct {
	seq      uint64   // the entry that must be stored
	stations []string // empty = all
	until    time.Time
	m        *nats.Msg
}

func (a *ask) answer() { _ = a.m.Respond(nil) } // who asked waits no longer than flushTime

// ask adds a Flush to those that wait.
func (g *gathering) ask(m *nats.Msg) {
	fields := strings.Fields(string(m.Data))
	a := ask{until: time.Now().Add(flushTime), m: m}
	if len(fields) > 0 {
		a.seq, _ = strconv.ParseUint(fields[0], 10, 64) // 0 asks for what is there
		a.stations = fields[1:]
	}
	g.waiting = append(g.waiting, a)
}

// wanted reports whether the batch, which has all entries up to one, must be written now for those who wait. It answers those who
// wait for nothing that is in it.
func (g *gathering) wanted(at uint64) (now bool) {
	soon := flushEvery - time.Since(g.ended)
	g.waiting = slices.DeleteFunc(g.waiting, func(a ask) bool {
		if a.seq > at {
			return time.Now().After(a.until)
		}
		if has(&g.batch, a.stations) {
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

// has reports whether a batch has readings or refusals of stations, or any when none are named.
func has(b *ingest.Batch, stations []string) bool {
	if len(stations) == 0 {
		return len(b.Readings)+len(b.Refusals) > 0
	}
	return slices.ContainsFunc(b.Readings, func(r ingest.Reading) bool { return slices.Contains(stations, r.Station) }) ||
		slices.ContainsFunc(b.Refusals, func(r ingest.Refusal) bool { return slices.Contains(stations, r.Station) })
}

// answer answers those who wait for entries up to one.
func (g *gathering) answer(stored uint64) {
	g.waiting = slices.DeleteFunc(g.waiting, func(a ask) bool {
		if a.seq > stored {
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
