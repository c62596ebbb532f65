package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"stadtluft/export/archive"
	"stadtluft/export/basemap"
	"stadtluft/export/live"
	"stadtluft/export/metrics"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/mqtt"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/influx"
	"stadtluft/ingest/store/sqlite"
)

const (
	// journalBytes bounds the journal. 1,000 stations that send five values every 145 s fill it in weeks.
	journalBytes = 2 << 30
	// brokerBytes bounds what the embedded broker keeps for its readers.
	brokerBytes = 4 << 30
	// messageBuffer is how many messages wait between the subscriber and the pipeline. When it is full
	// the subscriber holds what it has unacknowledged; see mqtt.Subscriber.
	messageBuffer = 1024
	// openTime bounds how long a start asks the store. One that is away may come later.
	openTime = 10 * time.Second
)

// server is one running Stadtluft: the rooms, in the order in which they stand on each other.
type server struct {
	config Config
	log    *slog.Logger
	house  *house
	out    io.Writer
	demo   int
	seed   uint64

	topics    []kits.Topic // other firmware's own
	boundary  *geo.Boundary
	basemap   basemap.Basemap
	districts []geo.District
	people    map[geo.Cell]int // inhabitants; nil without a census table
	registry  *registry.Registry
	store     *archive.Store // joined with the archive
	broker    *broker.Broker // nil when there is no embedded one
	journal   *journal.Journal
	checker   *quality.Checker
	aggregate *aggregate.Aggregate
	averages  *averages.Averages
	now       *live.Now
	feedback  *ingest.Feedback
	pipeline  *ingest.Pipeline
	messages  chan ingest.Message
	intake    []*mqtt.Subscriber
	metrics   *metrics.Metrics

	unrestated atomic.Pointer[error] // why averages that are to be made again are not; nil when none wait in vain
}

// start brings the rooms up from the bottom. What has been started is in the house, also after an error.
func (s *server) start(ctx context.Context) error {
	begin := time.Now()
	for _, step := range []func(context.Context) error{
		s.startData, s.startStore, s.startBroker, s.startJournal, s.startAverages, s.startIntake, s.startPages, s.startDemo,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	s.log.Info("stadtluft is up", "address", s.address(), "version", version(), "after", time.Since(begin).Round(time.Millisecond))
	return nil
}

// address is where people open the pages.
func (s *server) address() string {
	if s.config.HTTPPublicURL != "" {
		return s.config.HTTPPublicURL
	}
	scheme := "http"
	if s.config.HTTPTLSCert != "" {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: s.config.HTTPListen, Path: "/"}).String()
}

// startData opens the data folder and the registry in it.
func (s *server) startData(ctx context.Context) (err error) {
	if err := makeDataFolder(s.config.Data); err != nil {
		return err
	}
	release, err := lockData(s.config.Data)
	if err != nil {
		return err
	}
	s.house.closing("data folder", release)
	if s.boundary, err = loadBoundary(s.config); err != nil {
		return configError{err}
	}
	if s.districts, err = loadDistricts(s.config); err != nil {
		return configError{err}
	}
	if s.people, err = loadPeople(s.config, s.boundary); err != nil {
		return configError{err}
	}
	if s.basemap, err = loadBasemap(s.config); err != nil {
		return configError{err}
	}
	if s.topics, err = s.config.topics(); err != nil {
		return configError{err}
	}
	if s.registry, err = openRegistry(ctx, s.config, s.boundary); err != nil {
		return err
	}
	s.house.closing("registry", s.registry.Close)
	made, err := s.registry.EnsureAdmin(ctx, s.config.AdminToken)
	if err != nil {
		return err
	}
	if made != "" {
		fmt.Fprintf(s.out, "The administrator's token, shown only now: %s\n", made)
	}
	s.registry.OnChange(func(id string) {
		if s.broker != nil {
			s.broker.Disconnect(id)
		}
	})
	return nil
}

func (s *server) startStore(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	rests, err := openStore(ctx, s.config)
	if err != nil {
		return err
	}
	s.store = &archive.Store{Store: rests, Archive: archiveOf(s.config, s.registry, s.log)}
	s.house.closing("store", s.store.Close)
	return nil
}

// openStore opens the store that the configuration names.
func openStore(ctx context.Context, c Config) (store.Store, error) {
	if c.StoreKind == "influxdb" {
		return influx.Open(ctx, influx.Options{URL: c.InfluxURL, Token: c.InfluxToken, Org: c.InfluxOrg, Bucket: c.InfluxBucket})
	}
	return sqlite.Open(ctx, filepath.Join(c.Data, "readings.db"))
}

// startBroker starts the embedded server: always as the place of the journal unless a cluster is
// configured, and as the stations' broker when it has an address.
func (s *server) startBroker(ctx context.Context) (err error) {
	s.messages = make(chan ingest.Message, messageBuffer)
	s.registry.OnWrongToken(func(id string) {
		s.refuse(id, wire.WrongToken, "the station's user is its id and its password the token")
	})
	if s.config.NATSURL != "" && s.config.MQTTListen == "" {
		s.house.start("registry watch", s.registry.Run)
		return nil
	}
	s.broker, err = broker.Start(broker.Options{
		Dir: filepath.Join(s.config.Data, "nats"), Listen: s.config.MQTTListen, Sync: s.config.NATSSync,
		MaxStore: journalBytes + brokerBytes, Auth: stationLogin{s.registry, s.topics}, Topics: filters(s.topics), Log: s.log, OnDenied: s.denied,
	})
	if err != nil {
		return err
	}
	s.house.closing("broker", func() error { s.broker.Close(); return nil })
	s.house.start("broker watch", s.watchBroker)
	// The registry is watched above the broker, which it disconnects stations from.
	s.house.start("registry watch", s.registry.Run)
	return nil
}

// watchBroker brings the house down when its log can only be mended by a new start, which systemd then does.
func (s *server) watchBroker(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.broker.Failed():
		return err
	}
}

// stationLogin lets stations in by the registry's word, also to their own firmware's topics.
type stationLogin struct {
	registry *registry.Registry
	topics   []kits.Topic
}

func (l stationLogin) Authenticate(user, password string) broker.Access {
	if !l.registry.Authenticate(user, password) {
		return broker.Access{Denied: true}
	}
	access := broker.Access{Station: user}
	if station, ok := l.registry.Station(user); ok {
		for _, device := range station.Devices {
			for _, topic := range l.topics {
				if topic.Family == device.Family {
					access.Topics = append(access.Topics, topic.Of(device.Key))
				}
			}
		}
	}
	return access
}

func filters(topics []kits.Topic) []string {
	list := make([]string, len(topics))
	for i, topic := range topics {
		list[i] = topic.Filter()
	}
	return list
}

// denied makes a refusal of what the embedded broker did not let a station do.
func (s *server) denied(user string, action broker.Action, subject string) {
	reason, detail := wire.Forbidden, fmt.Sprintf("%s to %q is not allowed: a station stays below %s", action, subject, wire.StationPrefix(user))
	if action == broker.TooLarge {
		reason, detail = wire.TooLarge, fmt.Sprintf("a message of %s bytes, at most %d are taken; the connection was closed", subject, wire.MaxMessage)
	}
	s.refuse(user, reason, detail)
}

// refuse puts what an entrance refused on the way of all refusals.
func (s *server) refuse(station string, reason wire.Reason, detail string) {
	now := time.Now().UTC()
	refusal := ingest.Refusal{Station: station, Received: now, Reason: reason, Detail: detail}
	select {
	case s.messages <- ingest.Message{Received: now, Refused: &refusal}:
	default: // intake is stalled; the entrance's own counter has it
	}
}

func (s *server) startJournal(ctx context.Context) (err error) {
	s.metrics = metrics.New(s.figures())
	options := journal.Options{URL: s.config.NATSURL, MaxBytes: journalBytes, Log: s.log}
	if s.config.NATSURL == "" {
		options.InProcess = s.broker.InProcess()
	}
	if s.journal, err = journal.Open(ctx, options); err != nil {
		return err
	}
	s.house.closing("journal", func() error { s.journal.Close(); return nil })
	s.house.start("journal trimming", s.journal.Run)
	s.house.start("writer", func(ctx context.Context) error { return s.journal.Write(ctx, s.write) })
	return nil
}

// write brings what the journal has to where it rests. It is called again with the same entries until
// it returns nil; both places take the same twice without harm.
func (s *server) write(ctx context.Context, _, _ uint64, b ingest.Batch) error {
	begin := time.Now()
	unstorable, err := s.store.WriteReadings(ctx, s.kept(b.Readings))
	if err != nil {
		return err
	}
	s.metrics.Wrote(len(b.Readings), time.Since(begin))
	more, err := store.Revise(ctx, s.store, b.Verdicts)
	if err != nil {
		return err
	}
	return s.registry.KeepRefusals(ctx, slices.Concat(b.Refusals, unstorable, more))
}

// startIntake starts the pipeline and a subscriber for each broker, and lets stations in when their
// messages will be kept.
func (s *server) startIntake(ctx context.Context) error {
	s.feedback = ingest.NewFeedback(s.publish, s.log)
	s.pipeline = &ingest.Pipeline{
		Stations: s.registry, Checker: s.checker, Journal: s.journal, Log: s.log, OnRefusal: s.feedback.Tell,
		Topics: s.topics, Devices: s.registry,
	}
	var err error
	if s.pipeline.Names, err = kits.ParseNames(s.config.TTNNames); err != nil {
		return configError{err}
	}
	s.house.start("pipeline", func(ctx context.Context) error { return s.pipeline.Run(ctx, s.messages) })
	if s.broker != nil && s.config.MQTTListen != "" {
		login := s.broker.IntakeCredentials()
		embedded, err := s.subscribe(mqtt.Options{
			Broker: "tcp://" + s.broker.Addr(), Username: login.User, Password: login.Password, ClientID: broker.IntakeClientID,
		})
		if err != nil {
			return err
		}
		select {
		case <-embedded.Ready():
			s.broker.SetOpen(true)
		case <-ctx.Done():
			return ctx.Err()
		case err := <-s.house.failed:
			return err
		}
		if err := s.startMQTTOverTLS(); err != nil {
			return err
		}
	}
	if s.config.MQTTBroker != "" {
		if _, err := s.subscribe(s.config.externalBroker()); err != nil {
			return configError{fmt.Errorf("mqtt: %w", err)}
		}
	}
	s.house.start("feedback", s.feedback.Run)
	return nil
}

func (s *server) startMQTTOverTLS() error {
	if s.config.MQTTTLSListen == "" {
		return nil
	}
	config, err := serverTLS(s.config.MQTTTLSCert, s.config.MQTTTLSKey, s.log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.config.MQTTTLSListen)
	if err != nil {
		return fmt.Errorf("mqtt.tls_listen: %w", err)
	}
	s.house.start("broker over TLS", func(ctx context.Context) error { return s.broker.ServeTLS(ctx, listener, config) })
	return nil
}

func (s *server) subscribe(o mqtt.Options) (*mqtt.Subscriber, error) {
	o.Out, o.Log, o.Topics = s.messages, s.log, filters(s.topics)
	subscriber, err := mqtt.New(o)
	if err != nil {
		return nil, err
	}
	s.intake = append(s.intake, subscriber)
	s.house.start("subscriber "+o.Broker, subscriber.Run)
	return subscriber, nil
}

// publish sends to every broker that stations or dashboards listen at.
func (s *server) publish(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error {
	var errs []error
	for _, subscriber := range s.intake {
		errs = append(errs, subscriber.Publish(ctx, topic, qos, retained, payload))
	}
	return errors.Join(errs...)
}

// published are the averages that the brokers still keep from an earlier run.
func (s *server) published(ctx context.Context) ([]string, error) {
	var all []string
	var errs []error
	for _, subscriber := range s.intake {
		topics, err := subscriber.Retained(ctx, wire.CityFilter, wire.GridFilter)
		all, errs = append(all, topics...), append(errs, err)
	}
	return all, errors.Join(errs...)
}
