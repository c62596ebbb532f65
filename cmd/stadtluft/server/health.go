package server

import (
	"context"
	"fmt"
	"time"

	"stadtluft/export/api"
	"stadtluft/export/live"
	"stadtluft/export/metrics"
	"stadtluft/ingest"
)

// storeSlow is how long readings may wait for the store before /readyz speaks of it.
const storeSlow = time.Minute

// health is what the parts of a process report of themselves; each adds its own when it starts.
type health struct {
	checks   []func(ctx context.Context, add addProblem)
	counters []func() []metrics.Figure
	gauges   []func() []metrics.Figure
}

// addProblem reports what keeps a part from working, and what to do; a nil error reports nothing.
type addProblem func(part string, err error, do string)

func (h *health) addCheck(about func(ctx context.Context, add addProblem)) {
	h.checks = append(h.checks, about)
}

func (h *health) counts(counters func() []metrics.Figure) { h.counters = append(h.counters, counters) }

// findProblems asks every part what keeps it from working.
func (h *health) findProblems(ctx context.Context) []api.Problem {
	var list []api.Problem
	for _, about := range h.checks {
		about(ctx, func(part string, err error, do string) {
			if err != nil {
				list = append(list, api.Problem{Part: part, Problem: err.Error(), Do: do})
			}
		})
	}
	return list
}

func all(figures []func() []metrics.Figure) (list []metrics.Figure) {
	for _, f := range figures {
		list = append(list, f()...)
	}
	return list
}

// startHealth says how the journal and the store are, which every process needs.
func (s *server) startHealth(context.Context) error {
	s.health.addCheck(func(ctx context.Context, add addProblem) {
		add("journal", s.journal.Problem(), "look at the store and at free disk space; what is there is safe")
		if stats, err := s.journal.Stats(ctx); err != nil {
			add("journal", err, "look at the log, and at nats.url where the journal is elsewhere")
		} else if stats.Lag > storeSlow {
			add("store", fmt.Errorf("%d journal entries wait for the store, the oldest for %v", stats.Unwritten, stats.Lag.Round(time.Second)),
				"they are safe; look at the store and at the log")
		}
		do := "readings are safe in the journal until it takes them"
		if err := s.store.Ping(ctx); err != nil {
			add("store", err, do)
		} else if err := s.writeError.Load(); err != nil {
			add("store", *err, do)
		}
	})
	s.metrics = metrics.New(s.figures())
	s.site = &api.Server{Version: Version(), Problems: s.health.findProblems, Metrics: s.metrics.Handler(), Log: s.log}
	return nil
}

// figures are what /metrics shows, as far as this process has them.
func (s *server) figures() metrics.Source {
	source := metrics.Source{
		Journal: func(ctx context.Context) (metrics.Journal, error) {
			stats, err := s.journal.Stats(ctx)
			return metrics.Journal{
				Entries: stats.Entries, Bytes: stats.Bytes, Unwritten: stats.Unwritten, Undecodable: stats.Undecodable, Lag: stats.Lag,
				Appends: stats.Appends, AppendTime: stats.AppendDuration,
			}, err
		},
		Counters: func() []metrics.Figure { return all(s.health.counters) },
		Gauges:   func() []metrics.Figure { return all(s.health.gauges) },
		Ready:    func(ctx context.Context) bool { return len(s.health.findProblems(ctx)) == 0 },
	}
	if s.roles.has(intakeRole) {
		source.Intake, source.Queues = func() ingest.Counts { return s.pipeline.Counters.Snapshot() }, s.queues
	}
	if s.roles.any(readers) {
		source.Stations = s.stationStates
	}
	return source
}

func (s *server) stationStates() map[string]int {
	counts := map[string]int{}
	for _, state := range live.StationStates() {
		counts[string(state)] = 0
	}
	now := time.Now()
	for _, station := range s.registry.Stations() {
		if station.Status == ingest.Active {
			counts[string(s.live.Station(station.ID, now).State)]++
		}
	}
	return counts
}

func (s *server) queues() map[string][2]int {
	held, most := 0, 0
	for _, subscriber := range s.intake {
		counts := subscriber.Counts()
		held, most = held+counts.Held, most+counts.Capacity
	}
	return map[string][2]int{"unacknowledged": {held, most}, "pipeline": {len(s.messages), cap(s.messages)}}
}

func (s *server) intakeCounters() []metrics.Figure {
	var mqtt struct{ connects, unexpected, overflows uint64 }
	for _, subscriber := range s.intake {
		counts := subscriber.Counts()
		mqtt.connects += counts.Connects
		mqtt.unexpected += counts.Unexpected
		mqtt.overflows += counts.Overflows
	}
	return []metrics.Figure{
		{Name: "mqtt_connects_total", Help: "Connections made to MQTT brokers.", Value: float64(mqtt.connects)},
		{Name: "mqtt_unexpected_total", Help: "Messages on topics nobody asked for.", Value: float64(mqtt.unexpected)},
		{Name: "mqtt_overflows_total", Help: "Times too much was held and a connection was made anew.", Value: float64(mqtt.overflows)},
		{Name: "feedback_dropped_total", Help: "Refusals that stations were not told of.", Value: float64(s.feedback.Dropped())},
	}
}

func (s *server) brokerCounters() []metrics.Figure {
	counts := s.broker.Counts()
	return []metrics.Figure{
		{Name: "broker_logins_refused_total", Help: "Log-ins the embedded broker refused.", Value: float64(counts.Refused)},
		{Name: "broker_denied_total", Help: "Publishes and subscriptions outside a station's topics.", Value: float64(counts.Publish + counts.Subscribe)},
		{Name: "broker_too_large_total", Help: "Messages too large for the embedded broker.", Value: float64(counts.TooLarge)},
	}
}

func (s *server) averageCounters() []metrics.Figure {
	stats := s.aggregate.Stats()
	_, slow := s.live.Subscribers()
	return []metrics.Figure{
		{Name: "aggregate_repeated_total", Help: "Values that averages had already.", Value: float64(stats.Duplicates)},
		{Name: "aggregate_old_total", Help: "Values that came too late for averages.", Value: float64(stats.Old)},
		{Name: "aggregate_overflow_total", Help: "Values too large for averages.", Value: float64(stats.Overflow)},
		{Name: "stream_slow_total", Help: "Clients of the live stream that were too slow and let go.", Value: float64(slow)},
	}
}

func (s *server) averageGauges() []metrics.Figure {
	stats := s.aggregate.Stats()
	subscribers, _ := s.live.Subscribers()
	return []metrics.Figure{
		{Name: "aggregate_series", Help: "Stations and quantities that averages are made of.", Value: float64(stats.Series)},
		{Name: "aggregate_values", Help: "Values kept for averages.", Value: float64(stats.Values)},
		{Name: "stream_subscribers", Help: "Clients of the live stream.", Value: float64(subscribers)},
	}
}

func (s *server) archiveCounters() []metrics.Figure {
	archived := s.store.Status()
	return []metrics.Figure{
		{Name: "archive_revisions_total", Help: "Days archived, and archived again after a correction.", Value: float64(archived.Built)},
		{Name: "archive_failures_total", Help: "Attempts at archiving that failed.", Value: float64(archived.Failed)},
	}
}
