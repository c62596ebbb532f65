package server

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"stadtluft/export/metrics"
	"stadtluft/ingest/admin"
)

// storeRetry is how long a city whose first start needs its store waits before it asks again.
const storeRetry = 5 * time.Second

// storeError is why a city cannot be started without its store or archive: that is away, so that nobody knows whether the city is
// new, or it refuses us. What is away when the city is known stops no start: readings wait in the journal.
type storeError struct {
	error
	away bool // and may come back by itself
}

// Is is in place of Unwrap: that the store's time was up does not say so of NATS, whom the registry waits for.
func (e storeError) Is(target error) bool {
	return target != context.DeadlineExceeded && errors.Is(e.error, target)
}

// waits reports whether a city that cannot start waits for its store instead of stopping the process. One of several always does, so
// that the others go on; an only one does while its store is away.
func (c *Config) waits(err error) bool {
	var store storeError
	return errors.As(err, &store) && (c.ID != "" || store.away)
}

// waiting is a city that starts when its store answers. Until then it answers 503, and says why in /readyz.
type waiting struct {
	*process
	config Config
	sup    *supervisor
	counts counts
	held   *site // what is there until then

	reason atomic.Pointer[error]
	opened atomic.Pointer[openedSite]
}

// openedSite is the site of a city that has started.
type openedSite struct {
	*site
	handler http.Handler
}

// wait returns the site of a city that could not start because of its store, and the part that starts it.
func (p *process) wait(c Config, sup *supervisor, counts counts, err error) (*site, part) {
	w := &waiting{process: p, config: c, sup: sup, counts: counts}
	w.reason.Store(&err)
	b := &base{config: c, roles: p.roles, log: sup.log, held: true}
	w.held = newSite(b, report{w.state, w.own, func(context.Context, metrics.Collection) {}}, counts, nil)
	waits := w.held.source.Collect
	w.held.source.Collect = func(ctx context.Context, to metrics.Collection) {
		if city := w.opened.Load(); city != nil {
			city.source.Collect(ctx, to)
			return
		}
		waits(ctx, to)
	}
	w.held.handler = w.handler
	sup.log.Error("city cannot start without its store, trying again", "err", err, "retry", storeRetry)
	return w.held, part{name: "wait for the store", run: w.run}
}

// run starts the city as soon as its store answers.
func (w *waiting) run(ctx context.Context) error {
	select {
	case <-w.up:
	case <-ctx.Done():
		return nil
	}
	begin, tick := time.Now(), time.NewTicker(storeRetry)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		city, err := w.open(ctx, w.config, w.sup, w.counts)
		if err == nil {
			err = w.enter(ctx, city)
		}
		if err == nil {
			w.sup.log.Info("city is up with its store", "after", time.Since(begin).Round(time.Second))
			<-ctx.Done()
			return nil
		}
		w.sup.stop()
		if !w.config.waits(err) || ctx.Err() != nil {
			return err
		}
		w.reason.Store(&err)
	}
}

// enter lets people and stations into the city.
func (w *waiting) enter(ctx context.Context, city *site) error {
	city.Beside(w.held.Server)
	w.opened.Store(&openedSite{city, city.handler()})
	if !city.base.held {
		w.entered()
	}
	return w.after(ctx, city)
}

// own returns the state of the city's own parts.
func (w *waiting) own(ctx context.Context) admin.State {
	if city := w.opened.Load(); city != nil {
		return city.report.own(ctx)
	}
	return w.problem()
}

// state returns the state of the city, with the parts that it shares.
func (w *waiting) state(ctx context.Context) admin.State {
	if city := w.opened.Load(); city != nil {
		return city.report.state(ctx)
	}
	return w.problem()
}

func (w *waiting) problem() admin.State {
	return admin.StateOf([]admin.Problem{{Part: "store", Problem: Mask((*w.reason.Load()).Error()), Do: "the city starts by itself when this answers; nothing of it is taken until then"}})
}

func (w *waiting) handler() http.Handler {
	until := w.held.source.Requests.Of(unavailable(w.held.base, w.held.HandlerWithoutPages(), noStore))
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if city := w.opened.Load(); city != nil {
			city.handler.ServeHTTP(rw, r)
			return
		}
		until.ServeHTTP(rw, r)
	})
}
