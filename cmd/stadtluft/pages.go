package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"stadtluft/export/api"
	"stadtluft/export/catalog"
	"stadtluft/export/live"
	"stadtluft/export/metrics"
	"stadtluft/export/web"
	"stadtluft/ingest"
	"stadtluft/ingest/push"
	"stadtluft/ingest/registry"
)

// startPages opens the HTTP address and publishes live averages.
func (s *server) startPages(context.Context) error {
	listener, err := api.Listen(s.config.HTTPListen)
	if err != nil {
		return err
	}
	secret, err := writeImportToken(s.config.Data)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	city := s.city()
	site := &api.Server{
		City: city, Version: version(), Store: s.store, Archive: s.store.Archive, Registry: s.registry, Aggregate: s.aggregate, Again: s.averages.Rows, Now: s.now,
		Push: &push.Entrance{Registry: s.registry, Out: s.messages, Import: secret}, Problems: s.problems, Inside: s.inside, Backup: s.backup, Data: s.config.Data, Metrics: s.metrics.Handler(), Pages: web.Files(), Log: s.log,
		FrameAncestors: s.config.HTTPFrames,
	}
	if s.config.HTTPTLSCert != "" {
		if site.TLS, err = serverTLS(s.config.HTTPTLSCert, s.config.HTTPTLSKey, s.log); err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	publisher := &live.Publisher{
		Now: s.now, Aggregate: s.aggregate, Size: int32(s.config.GridResolution),
		City: city.Area(), Publish: s.publish, Published: s.published, Log: s.log,
	}
	s.house.start("live averages", publisher.Run)
	s.house.start("pages", func(ctx context.Context) error { return site.Serve(ctx, listener) })
	return nil
}

func (s *server) city() api.City {
	c := api.City{
		Name: s.config.CityName, Zone: s.config.CityZone, Boundary: s.boundary, Sketch: s.config.CityBoundary == "",
		Resolution: int32(s.config.GridResolution), Licence: s.config.LicenceID, Attribution: s.config.LicenceAttribution, Corrected: s.config.correction().String(),
		Publisher: catalog.Publisher{
			Name: s.config.PublisherName, URL: s.config.PublisherURL, Contact: s.config.CityContact, Contributor: s.config.CatalogContributor,
		},
		Policy: registry.Policy(s.config.Registration), Access: s.config.access(),
		Contact: s.config.CityContact, Basemap: s.basemap, Districts: s.districts, People: s.people, DayOffset: s.config.dayOffset(), Rules: s.config.Quality, Correction: s.config.correction(),
	}
	if s.broker != nil && s.config.MQTTBroker == "" && !c.Access.MQTTTLS {
		_, port, _ := net.SplitHostPort(s.broker.Addr()) // its own address
		c.Access.MQTTPort, _ = strconv.Atoi(port)
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
	if err := s.unrestated.Load(); err != nil {
		add("averages", *err, "averages that have to be made again, or readings that are to go, wait; look at the store")
	}
	add("store", s.store.Ping(ctx), "readings are safe in the journal until it answers again")
	add("archive", s.store.Problem(), "free disk space where the data folder lies, and see the log; nothing half-written is published, and it is tried again at least every minute")
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
		Gauges: func() []metrics.Figure {
			stats := s.aggregate.Stats()
			subscribers, _ := s.now.Subscribers()
			return []metrics.Figure{
				{Name: "aggregate_series", Help: "Stations and quantities that averages are made of.", Value: float64(stats.Series)},
				{Name: "aggregate_values", Help: "Values kept for averages.", Value: float64(stats.Values)},
				{Name: "stream_subscribers", Help: "Clients of the live stream.", Value: float64(subscribers)},
			}
		},
		Ready: func(ctx context.Context) bool { return len(s.problems(ctx)) == 0 },
	}
}

// inside is what the administrator sees.
func (s *server) inside(ctx context.Context) (api.Inside, error) {
	i := api.Inside{Store: s.config.StoreKind}
	for _, setting := range settings(&s.config) {
		i.Settings = append(i.Settings, api.Setting{Key: setting.key, Value: setting.shown()})
	}
	if s.broker != nil {
		counts := s.broker.Counts()
		i.Connected, i.Refused, i.Denied = s.broker.Connected(), counts.Refused, counts.Publish+counts.Subscribe
	}
	stats, err := s.journal.Stats(ctx)
	i.Entries, i.Bytes, i.Unwritten, i.Lag, i.Undecodable = stats.Entries, stats.Bytes, stats.Unwritten, stats.Lag.Seconds(), stats.Undecodable
	return i, err
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

func (s *server) counters() []metrics.Figure {
	var mqtt struct{ connects, unexpected, overflows uint64 }
	for _, subscriber := range s.intake {
		counts := subscriber.Counts()
		mqtt.connects += counts.Connects
		mqtt.unexpected += counts.Unexpected
		mqtt.overflows += counts.Overflows
	}
	stats, archived := s.aggregate.Stats(), s.store.Status()
	_, slow := s.now.Subscribers()
	list := []metrics.Figure{
		{Name: "mqtt_connects_total", Help: "Connections made to MQTT brokers.", Value: float64(mqtt.connects)},
		{Name: "mqtt_unexpected_total", Help: "Messages on topics nobody asked for.", Value: float64(mqtt.unexpected)},
		{Name: "mqtt_overflows_total", Help: "Times too much was held and a connection was made anew.", Value: float64(mqtt.overflows)},
		{Name: "aggregate_repeated_total", Help: "Values that averages had already.", Value: float64(stats.Repeated)},
		{Name: "aggregate_old_total", Help: "Values that came too late for averages.", Value: float64(stats.Old)},
		{Name: "aggregate_overflow_total", Help: "Values too large for averages.", Value: float64(stats.Overflow)},
		{Name: "archive_revisions_total", Help: "Days archived, and archived again after a correction.", Value: float64(archived.Built)},
		{Name: "archive_failures_total", Help: "Attempts at archiving that failed.", Value: float64(archived.Failed)},
		{Name: "feedback_dropped_total", Help: "Refusals that stations were not told of.", Value: float64(s.feedback.Dropped())},
		{Name: "stream_slow_total", Help: "Clients of the live stream that were too slow and let go.", Value: float64(slow)},
	}
	if s.broker == nil {
		return list
	}
	counts := s.broker.Counts()
	return append(list,
		metrics.Figure{Name: "broker_logins_refused_total", Help: "Log-ins the embedded broker refused.", Value: float64(counts.Refused)},
		metrics.Figure{Name: "broker_denied_total", Help: "Publishes and subscriptions outside a station's topics.", Value: float64(counts.Publish + counts.Subscribe)},
		metrics.Figure{Name: "broker_too_large_total", Help: "Messages too large for the embedded broker.", Value: float64(counts.TooLarge)},
	)
}
