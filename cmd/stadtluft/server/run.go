// Package server is a running Stadtluft: its configuration, the parts that its roles ask for, and the supervisor that starts
// them from the bottom up and stops them from the top down.
//
// It puts the other packages together and computes nothing itself. The commands of package main use of it what they need on
// a data folder: the configuration, the registry and the store.
package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"time"

	"stadtluft/export/api"
	"stadtluft/export/archive"
	"stadtluft/export/basemap"
	"stadtluft/export/live"
	"stadtluft/export/metrics"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/journal"
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
	// openTime bounds how long a start asks the store. One that is away may come later.
	openTime = 10 * time.Second
	// leastRetention is how long the store must keep data so that late readings correct their hours and days.
	leastRetention = 3 * 24 * time.Hour
)

// Options say what is run.
type Options struct {
	Config Config
	Out    io.Writer // takes an administrator's token that was made
	Log    *slog.Logger
	Demo   int    // stations of a simulated city
	Seed   uint64 // of that city
}

// Run serves until ctx ends or a part fails.
func Run(ctx context.Context, o Options) error {
	parts := newSupervisor(o.Log)
	defer parts.stop()
	taken, _ := parseRoles(o.Config.Roles) // validated with the configuration
	s := &server{config: o.Config, roles: taken, log: o.Log, supervisor: parts, out: o.Out, demo: o.Demo, seed: o.Seed}
	if err := s.start(ctx); err != nil {
		return err
	}
	err := parts.wait(ctx)
	o.Log.Info("stopping")
	return err
}

// server is one running Stadtluft: its parts, in the order in which they stand on each other.
type server struct {
	config     Config
	roles      roles
	log        *slog.Logger
	supervisor *supervisor
	out        io.Writer
	demo       int
	seed       uint64

	topics     []kits.Topic // other firmware's own
	boundary   *geo.Boundary
	basemap    basemap.Basemap
	districts  []geo.District
	people     map[geo.Cell]int // inhabitants; nil without a census table
	registry   *registry.Registry
	store      *archive.Store // joined with the archive
	broker     *broker.Broker // nil when there is no embedded one
	journal    *journal.Journal
	health     health
	metrics    *metrics.Metrics
	site       *api.Server
	checker    *quality.Checker
	aggregate  *aggregate.Aggregate
	averages   *averages.Averages
	live       *live.State
	memory     memory
	feedback   *ingest.Feedback
	pipeline   *ingest.Pipeline
	messages   chan ingest.Message
	intake     brokers // that stations send to
	dashboards brokers // that live averages go to

	writeError       atomic.Pointer[error] // why the writer's last batch is not in the store; nil when it is
	recomputeProblem atomic.Pointer[error] // why averages that are to be made again are not; nil when none wait in vain
}

// steps start the parts from the bottom up, each in a process that takes one of its roles.
var steps = []struct {
	of    roles
	start func(*server, context.Context) error
}{
	{everyRole, (*server).startData},
	{roles{webRole}, (*server).startAdmin},
	{everyRole, (*server).startStore},
	{roles{intakeRole}, (*server).startBroker},
	{everyRole, (*server).startWatch},
	{everyRole, (*server).startJournal},
	{everyRole, (*server).startHealth},
	{roles{writeRole}, (*server).startWriter},
	{roles{intakeRole}, (*server).startChecks},
	{readers, (*server).startAverages},
	{rememberers, (*server).startReplay},
	{roles{aggregateRole}, (*server).startHourChecker},
	{readers, (*server).startHours},
	{roles{writeRole}, (*server).startArchive},
	{roles{aggregateRole}, (*server).startRecompute},
	{roles{intakeRole}, (*server).startIntake},
	{roles{aggregateRole}, (*server).startDashboards},
	{readers, (*server).startLive},
	{roles{webRole}, (*server).startPages},
	{everyRole, (*server).startHTTP},
	{everyRole, (*server).startDemo},
}

// start starts the parts. What has been started is in the supervisor, also after an error.
func (s *server) start(ctx context.Context) error {
	begin := time.Now()
	for _, step := range steps {
		if !s.roles.any(step.of) {
			continue
		}
		if err := step.start(s, ctx); err != nil {
			return err
		}
	}
	s.log.Info("stadtluft is up", "address", s.address(), "roles", s.roles, "version", Version(), "after", time.Since(begin).Round(time.Millisecond))
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
	release, err := lockData(s.config.Data, s.roles)
	if err != nil {
		return err
	}
	s.supervisor.closing("data folder", release)
	if s.boundary, err = LoadBoundary(s.config); err != nil {
		return ConfigError{err}
	}
	if s.districts, err = loadDistricts(s.config); err != nil {
		return ConfigError{err}
	}
	if s.people, err = loadPeople(s.config, s.boundary); err != nil {
		return ConfigError{err}
	}
	if s.basemap, err = loadBasemap(s.config); err != nil {
		return ConfigError{err}
	}
	if s.topics, err = s.config.topics(); err != nil {
		return ConfigError{err}
	}
	if s.registry, err = openRegistry(ctx, s.config, s.boundary); err != nil {
		return err
	}
	s.supervisor.closing("registry", s.registry.Close)
	return nil
}

func (s *server) startStore(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	opened, err := OpenStore(ctx, s.config)
	if err != nil {
		return err
	}
	s.store = &archive.Store{Store: opened, Archive: NewArchive(s.config, s.registry, s.log)}
	s.supervisor.closing("store", s.store.Close)
	if err := opened.Ping(ctx); err != nil {
		s.log.Error("store takes no readings, they wait in the journal", "err", err)
	} else if words := shortRetention(ctx, opened); words != "" {
		s.log.Warn(words)
	}
	return nil
}

// shortRetention says that the store lets go what averages are still corrected with; empty when it does not.
func shortRetention(ctx context.Context, s store.Store) string {
	bucket, ok := s.(interface {
		Retention(ctx context.Context) (time.Duration, error)
	})
	if !ok {
		return ""
	}
	keep, err := bucket.Retention(ctx)
	if err != nil || keep == 0 || keep >= leastRetention {
		return ""
	}
	return fmt.Sprintf("the bucket keeps data for %v only: it drops late readings and averages; set its retention to %v or more", keep, leastRetention)
}

// OpenStore opens the store that the configuration names.
func OpenStore(ctx context.Context, c Config) (store.Store, error) {
	if c.StoreKind == "influxdb" {
		return influx.Open(ctx, influx.Options{URL: c.InfluxURL, Token: c.InfluxToken, Org: c.InfluxOrg, Bucket: c.InfluxBucket})
	}
	return sqlite.Open(ctx, filepath.Join(c.Data, "readings.db"))
}

// startWatch notices what other processes change in the registry. It is above the broker, which it disconnects stations from.
func (s *server) startWatch(context.Context) error {
	s.supervisor.start("registry watch", s.registry.Run)
	return nil
}

func (s *server) startJournal(ctx context.Context) (err error) {
	options := journal.Options{URL: s.config.NATSURL, MaxBytes: journalBytes, Log: s.log}
	if s.config.NATSURL == "" {
		options.InProcess = s.broker.InProcess()
	}
	if s.journal, err = journal.Open(ctx, options); err != nil {
		return err
	}
	s.supervisor.closing("journal", func() error { s.journal.Close(); return nil })
	return nil
}
