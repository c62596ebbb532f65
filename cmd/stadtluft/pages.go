package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"stadtluft/export/api"
	"stadtluft/export/live"
	"stadtluft/export/metrics"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// startPages opens the HTTP address and publishes live averages.
func (s *server) startPages(context.Context) error {
	listener, err := api.Listen(s.config.HTTPListen)
	if err != nil {
		return err
	}
	web := &api.Server{
		City: s.city(), Version: version(), Store: s.store, Registry: s.registry, Aggregate: s.aggregate, Now: s.now,
		Problems: s.problems, Metrics: s.metrics.Handler(), Log: s.log, TLSCert: s.config.HTTPTLSCert, TLSKey: s.config.HTTPTLSKey,
	}
	publisher := &live.Publisher{
		Now: s.now, Aggregate: s.aggregate, Size: int32(s.config.GridResolution),
		CityCells: len(s.boundary.Cells(int32(s.config.GridResolution))), Publish: s.publish, Log: s.log,
	}
	s.house.start("live averages", publisher.Run)
	s.house.start("pages", func(ctx context.Context) error { return web.Serve(ctx, listener) })
	return nil
}

func (s *server) city() api.City {
	c := api.City{
		Name: s.config.CityName, Zone: s.config.CityZone, Boundary: s.boundary, Sketch: s.config.CityBoundary == "",
		Resolution: int32(s.config.GridResolution), Licence: s.config.LicenceID, Attribution: s.config.LicenceAttribution,
		Policy: registry.Policy(s.config.Registration),
	}
	if u, err := url.Parse(s.config.HTTPPublicURL); err == nil {
		c.MQTTHost = u.Hostname()
	}
	if s.broker != nil {
		_, port, _ := net.SplitHostPort(s.broker.Addr()) // its own address
		c.MQTTPort, _ = strconv.Atoi(port)
	}
	if u, err := url.Parse(s.config.MQTTBroker); err == nil && s.config.MQTTBroker != "" {
		c.MQTTHost = u.Hostname()
		c.MQTTPort, _ = strconv.Atoi(u.Port())
	}
	return c
}

// storeSlow is how long readings may wait for the store before /readyz speaks of it.
const storeSlow = time.Minute

// problems asks every room what keeps it from working.
func (s *server) problems(ctx context.Context) []api.Problem {
	var list []api.Problem
	add := func(part string, err error, do string) {
		if err != nil {
			list = append(list, api.Problem{Part: part, Problem: err.Error(), Do: do})
		}
	}
	if s.broker != nil {
		add("broker", s.broker.Problem(), "free disk space where the data folder lies")
	}
	add("intake", s.pipeline.Counters.Stalled(), "nothing is acknowledged until the journal takes it; see the journal and the store")
	add("journal", s.journal.Problem(), "look at the store and at free disk space; what is there is safe")
	if stats, err := s.journal.Stats(ctx); err != nil {
		add("journal", err, "look at the log, and at nats.url where the journal is elsewhere")
	} else if stats.Lag > storeSlow {
		add("store", fmt.Errorf("%d journal entries wait for the store, the oldest for %v", stats.Unwritten, stats.Lag.Round(time.Second)),
			"they are safe; look at the store and at the log")
	}
	add("store", s.store.Ping(ctx), "readings are safe in the journal until it answers again")
	for _, subscriber := range s.intake {
		if ok, since, last := subscriber.Connected(); !ok {
			err := fmt.Errorf("not subscribed since %s", since.UTC().Format(time.RFC3339))
			if last != nil {
				err = fmt.Errorf("%w: %w", err, last)
			}
			add("mqtt", err, "look at the broker and at mqtt.broker, mqtt.username and mqtt.password")
		}
	}
	return list
}

// figures are what /metrics shows.
func (s *server) figures() metrics.Source {
	return metrics.Source{
		Intake: func() ingest.Counts { return s.pipeline.Counters.Snapshot() },
		Journal: func(ctx context.Context) (metrics.Journal, error) {
			stats, err := s.journal.Stats(ctx)
			return metrics.Journal{
				Entries: stats.Entries, Bytes: stats.Bytes, Unwritten: stats.Unwritten, Undecodable: stats.Undecodable, Lag: stats.Lag,
				Appends: stats.Appends, AppendTime: stats.AppendDuration,
			}, err
		},
		Stations: s.stationStates,
		Queues:   s.queues,
		Counters: s.counters,
		Gauges: func() map[string]float64 {
			stats := s.aggregate.Stats()
			subscribers, _ := s.now.Subscribers()
			return map[string]float64{
				"aggregate_series": float64(stats.Series), "aggregate_values": float64(stats.Values), "stream_subscribers": float64(subscribers),
			}
		},
		Ready: func(ctx context.Context) bool { return len(s.problems(ctx)) == 0 },
	}
}

func (s *server) stationStates() map[string]int {
	counts := map[string]int{}
	for _, state := range live.States() {
		counts[string(state)] = 0
	}
	now := time.Now()
	for _, station := range s.registry.Stations() {
		if station.Status == ingest.Active {
			counts[string(s.now.Station(station.ID, now).State)]++
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

func (s *server) counters() map[string]uint64 {
	_, slow := s.now.Subscribers()
	list := map[string]uint64{"stream_slow": slow}
	for _, subscriber := range s.intake {
		counts := subscriber.Counts()
		list["mqtt_connects"] += counts.Connects
		list["mqtt_unexpected"] += counts.Unexpected
		list["mqtt_overflows"] += counts.Overflows
	}
	if s.broker != nil {
		counts := s.broker.Counts()
		list["broker_logins_refused"] = counts.Refused
		list["broker_denied"] = counts.Publish + counts.Subscribe
		list["broker_too_large"] = counts.TooLarge
	}
	stats := s.aggregate.Stats()
	list["aggregate_repeated"], list["aggregate_old"], list["aggregate_overflow"] = stats.Repeated, stats.Old, stats.Overflow
	return list
}
