package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/mqtt"
	"stadtluft/ingest/push"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/registry"
)

// messageBuffer is how many messages wait between the subscriber and the pipeline. When it is full
// the subscriber holds what it has unacknowledged; see mqtt.Subscriber.
const messageBuffer = 1024

// startBroker starts the embedded server: always as the place of the journal unless a cluster is
// configured, and as the stations' broker when it has an address.
func (s *server) startBroker(context.Context) (err error) {
	s.messages = make(chan ingest.Message, messageBuffer)
	s.registry.OnWrongToken(func(id string) {
		s.refuse(id, wire.WrongToken, "the station's user is its id and its password the token")
	})
	if s.config.NATSURL != "" && s.config.MQTTListen == "" {
		return nil
	}
	s.broker, err = broker.Start(broker.Options{
		Dir: filepath.Join(s.config.Data, "nats"), Listen: s.config.MQTTListen, Sync: s.config.NATSSync,
		MaxStore: journalBytes + brokerBytes, Auth: stationLogin{s.registry, s.topics}, Topics: filters(s.topics), Log: s.log, OnDenied: s.denied,
	})
	if err != nil {
		return err
	}
	s.registry.OnChange(s.broker.Disconnect)
	s.supervisor.closing("broker", func() error { s.broker.Close(); return nil })
	s.supervisor.start("broker watch", s.watchBroker)
	s.health.addCheck(func(_ context.Context, add addProblem) {
		add("broker", s.broker.Problem(), "free disk space where the data folder lies")
	})
	s.health.counts(s.brokerCounters)
	return nil
}

// watchBroker stops the server when its log can only be mended by a new start, which systemd then does.
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

// refuse passes on what a broker or the HTTP server refused like all refusals.
func (s *server) refuse(station string, reason wire.Reason, detail string) {
	now := time.Now().UTC()
	refusal := ingest.Refusal{Station: station, Received: now, Reason: reason, Detail: detail}
	select {
	case s.messages <- ingest.Message{Received: now, Refused: &refusal}:
	default: // intake is stalled; the broker's own counter has it
	}
}

// startChecks makes the checks of single readings, which remember what came before.
func (s *server) startChecks(context.Context) error {
	s.checker = quality.New(s.config.Quality)
	s.memory.past = append(s.memory.past, func(r ingest.Reading) {
		if !s.erased(r.Station) {
			s.checker.Remember(r)
		}
	})
	s.registry.OnChange(func(id string) {
		if s.erased(id) {
			s.checker.Forget(id)
		}
	})
	return nil
}

// erased reports whether a station's readings are to go, or have gone with it.
func (s *server) erased(id string) bool {
	st, known := s.registry.Station(id)
	return !known || st.Status == ingest.Erased
}

// startIntake starts the pipeline and a subscriber for each broker, and lets stations in when their
// messages will be kept.
func (s *server) startIntake(ctx context.Context) error {
	s.feedback = ingest.NewFeedback(s.intake.publish, s.log)
	s.pipeline = &ingest.Pipeline{
		Stations: s.registry, Checker: s.checker, Journal: s.journal, Log: s.log, OnRefusal: s.feedback.Queue,
		Topics: s.topics, Devices: s.registry,
	}
	var err error
	if s.pipeline.Names, err = kits.ParseNames(s.config.TTNNames); err != nil {
		return ConfigError{err}
	}
	s.health.addCheck(func(_ context.Context, add addProblem) {
		add("intake", s.pipeline.Counters.Stalled(), "nothing is acknowledged until the journal takes it; see the journal and the store")
	})
	s.health.counts(s.intakeCounters)
	s.supervisor.start("pipeline", func(ctx context.Context) error { return s.pipeline.Run(ctx, s.messages) })
	if err := s.startSubscribers(ctx); err != nil {
		return err
	}
	s.supervisor.start("feedback", s.feedback.Run)
	s.site.Push = &push.Handler{Registry: s.registry, Out: s.messages, Import: rand.Text()}
	return writeSecret(s.config.Data, importTokenFile, s.site.Push.Import)
}

func (s *server) startSubscribers(ctx context.Context) error {
	if s.broker != nil && s.config.MQTTListen != "" {
		login := s.broker.IntakeCredentials()
		if !s.roles.has(aggregateRole) {
			if err := writeSecret(s.config.Data, brokerTokenFile, login.Password); err != nil {
				return err
			}
		}
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
		case err := <-s.supervisor.failed:
			return err
		}
		if err := s.startMQTTOverTLS(); err != nil {
			return err
		}
	}
	if s.config.MQTTBroker != "" {
		if _, err := s.subscribe(s.config.externalBroker()); err != nil {
			return ConfigError{fmt.Errorf("mqtt: %w", err)}
		}
	}
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
	s.supervisor.start("broker over TLS", func(ctx context.Context) error { return s.broker.ServeTLS(ctx, listener, config) })
	return nil
}

func (s *server) subscribe(o mqtt.Options) (*mqtt.Subscriber, error) {
	o.Out, o.Topics = s.messages, filters(s.topics)
	return s.connect(&s.intake, o)
}

// connect keeps a connection to a broker.
func (s *server) connect(to *brokers, o mqtt.Options) (*mqtt.Subscriber, error) {
	o.Log = s.log
	subscriber, err := mqtt.New(o)
	if err != nil {
		return nil, err
	}
	*to = append(*to, subscriber)
	s.health.addCheck(func(_ context.Context, add addProblem) {
		if ok, since, last := subscriber.Connected(); !ok {
			err := fmt.Errorf("not connected since %s", since.UTC().Format(time.RFC3339))
			if last != nil {
				err = fmt.Errorf("%w: %w", err, last)
			}
			add("mqtt", err, "look at the broker and at mqtt.broker, mqtt.username and mqtt.password")
		}
	})
	s.supervisor.start("connection to "+o.Broker, subscriber.Run)
	return subscriber, nil
}

// brokers are connections to all that stations or dashboards listen at.
type brokers []*mqtt.Subscriber

// publish sends to each of them.
func (b *brokers) publish(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error {
	var errs []error
	for _, subscriber := range *b {
		errs = append(errs, subscriber.Publish(ctx, topic, qos, retained, payload))
	}
	return errors.Join(errs...)
}

// published are the averages that they still keep from an earlier run.
func (b *brokers) published(ctx context.Context) ([]string, error) {
	var all []string
	var errs []error
	for _, subscriber := range *b {
		topics, err := subscriber.Retained(ctx, wire.CityFilter, wire.GridFilter)
		all, errs = append(all, topics...), append(errs, err)
	}
	return all, errors.Join(errs...)
}
