package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stadtluft/export/live"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/mqtt"
	"stadtluft/ingest/store"
)

const (
	// fillTime is how long a start reads the store for what the journal lacks.
	fillTime = time.Minute
	// averagesClientID is the MQTT client id of averages that go out from another process than the intake's.
	averagesClientID = "stadtluft-averages"
)

// readers are the roles that need averages in memory; rememberers those that need what the journal has.
var (
	readers     = roles{aggregateRole, webRole}
	rememberers = roles{intakeRole, aggregateRole, webRole}
)

// memory is who takes in what the journal has.
type memory struct {
	past      []func(ingest.Reading) // of before the start
	next      []func(ingest.Reading) // since
	hourFlags []func(ingest.HourFlags)
}

func (m *memory) apply(b ingest.Batch, past bool) {
	readings := m.next
	if past {
		readings = m.past
	}
	for _, v := range b.HourFlags {
		for _, apply := range m.hourFlags {
			apply(v)
		}
	}
	for _, r := range b.Readings {
		for _, observe := range readings {
			observe(r)
		}
	}
}

// startAverages makes the averages in memory and the live state, which are the same in each process that has them.
func (s *server) startAverages(context.Context) error {
	s.aggregate = &aggregate.Aggregate{Correction: averages.Correction(s.config.Correction())}
	s.averages = &averages.Averages{
		Aggregate: s.aggregate, Stations: s.registry, Store: s.store, Size: int32(s.config.GridResolution), DayOffset: s.config.DayOffset(), Log: s.log,
		ReadOnly: !s.roles.has(aggregateRole),
	}
	s.live = live.NewState()
	s.memory.past = append(s.memory.past, s.averages.Observe, s.live.Observe)
	s.memory.next = append(s.memory.next, s.averages.Observe, s.live.Observe)
	s.memory.hourFlags = append(s.memory.hourFlags, s.averages.Apply, s.live.Apply)
	s.health.counts(s.averageCounters)
	s.health.gauges = append(s.health.gauges, s.averageGauges)
	return nil
}

// startReplay replays the journal, and before it what only the store has, so that averages, live values and the memory of
// what is known are as they were, and goes on following it where somebody wants to hear of what comes.
func (s *server) startReplay(ctx context.Context) error {
	since := time.Now().Add(-aggregate.Keep - time.Hour) // whole hours, also the oldest
	if err := s.fill(ctx, since); err != nil {
		return err
	}
	if len(s.memory.next) == 0 {
		replay, done := context.WithCancel(ctx)
		defer done()
		return errors.Join(s.follow(replay, since, done), ctx.Err())
	}
	replayed := make(chan struct{})
	s.supervisor.start("replay", func(ctx context.Context) error {
		return s.follow(ctx, since, func() { close(replayed) })
	})
	select {
	case <-replayed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case err := <-s.supervisor.failed:
		return err
	}
}

// follow hands the journal to who remembers it, and says when it has come to what was appended after the start.
func (s *server) follow(ctx context.Context, since time.Time, replayed func()) error {
	begin, past := time.Now(), true
	return s.journal.Follow(ctx, since, func() {
		past = false
		if s.live != nil {
			s.live.CaughtUp()
		}
		s.log.Debug("journal replayed", "after", time.Since(begin).Round(time.Millisecond))
		replayed()
	}, func(_ uint64, b ingest.Batch) error {
		for _, r := range b.Readings {
			if err := s.registry.EnsureLoaded(ctx, r.Station); err != nil { // the intake may be another process that knew it sooner
				return err
			}
		}
		s.memory.apply(b, past)
		return nil
	})
}

// startHourChecker has finished hours checked.
func (s *server) startHourChecker(context.Context) error {
	s.averages.HourChecker = openHourChecker(s.config.Data, s.config.Quality, s.registry, s.log).hour
	s.averages.Append = s.journal.Append
	return nil
}

// startHours keeps averages in memory as the registry has them, and writes hours and days where that is ours to do.
func (s *server) startHours(context.Context) error {
	s.supervisor.start("hours", s.averages.Run)
	return nil
}

// startDashboards connects the averages to the brokers that dashboards listen at. The intake's connections serve where it
// is in the same process.
func (s *server) startDashboards(context.Context) error {
	if s.roles.has(intakeRole) {
		s.dashboards = s.intake
		return nil
	}
	var to []mqtt.Options
	if s.config.MQTTListen != "" {
		to = append(to, mqtt.Options{Broker: "tcp://" + localAddress(s.config.MQTTListen), LogIn: func() (user, password string) {
			password, _ = readSecret(s.config.Data, brokerTokenFile) // without it the broker refuses, which is told
			return broker.IntakeUser, password
		}})
	}
	if s.config.MQTTBroker != "" {
		to = append(to, s.config.externalBroker())
	}
	for _, o := range to {
		o.ClientID = averagesClientID
		if _, err := s.connect(&s.dashboards, o); err != nil {
			return ConfigError{fmt.Errorf("mqtt: %w", err)}
		}
	}
	return nil
}

// startLive tells of the live averages: clients of the stream, and dashboards where we are connected to their brokers.
func (s *server) startLive(context.Context) error {
	city := s.city()
	publisher := &live.Publisher{
		State: s.live, Aggregate: s.aggregate, Size: int32(s.config.GridResolution),
		City: city.Area(), Publish: s.dashboards.publish, Published: s.dashboards.published, Log: s.log,
	}
	s.supervisor.start("live averages", publisher.Run)
	return nil
}

// fill observes what the store has since a moment and the journal no longer: after a restore, and when the journal was full.
// The checks that look back find their flags again.
func (s *server) fill(ctx context.Context, since time.Time) error {
	first, err := s.journal.First(ctx)
	if err != nil {
		return err
	}
	if first.IsZero() {
		first = time.Now()
	}
	ahead := time.Duration(s.config.Quality.ClockAhead * float64(time.Minute)) // what was received by then may be this much younger
	ctx, cancel := context.WithTimeout(ctx, fillTime)
	defer cancel()
	err = s.store.Readings(ctx, store.ReadingQuery{From: since, To: first.Add(ahead)}, func(r ingest.Reading) error {
		if !r.Received.Before(first) {
			return nil
		}
		for i := range r.Values {
			r.Values[i].Flags &^= ingest.HourFlagMask
		}
		s.memory.apply(ingest.Batch{Readings: []ingest.Reading{r}}, true)
		return nil
	})
	if err != nil {
		s.log.Warn("averages incomplete, store read failed", "since", since, "until", first, "err", err)
	}
	return nil
}
