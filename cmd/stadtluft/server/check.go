package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/comparison"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/mqtt"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
	"stadtluft/ingest/streams"
)

const (
	// checkTime bounds the attempt of one connection.
	checkTime = 20 * time.Second
	// spaceNeeded is the disk space for a full journal and what else the embedded NATS server keeps, in bytes.
	spaceNeeded = journalBytes + otherBytes
	// certificateSoon is the time before a certificate's end from which Check warns.
	certificateSoon = 14 * 24 * time.Hour
)

// Severity is the result of a check.
type Severity string

const (
	Fine    Severity = "ok"
	Warning Severity = "warn"  // works, but an operator should know
	Wrong   Severity = "wrong" // the server does not work with it
)

// Finding is the result of the check of one part.
type Finding struct {
	Severity   Severity
	Part, Text string
}

// Check tries every setting and connection. It changes only what a start would change too: it makes a missing data
// folder or database.
func Check(ctx context.Context, config Config) []Finding {
	c := &inspection{config: config}
	c.roles, _ = parseRoles(config.Roles) // validated with the configuration
	if config.several() {
		return c.cities(ctx)
	}
	c.steps(ctx, c.data, c.disk, c.clock, c.city, c.basemap, c.http, c.mqttListen, c.mqttBroker, c.nats, c.registry, c.store, c.archive, c.backup, c.comparison, c.smtp)
	return c.findings
}

func (c *inspection) steps(ctx context.Context, steps ...func(context.Context)) {
	for _, step := range steps {
		step(ctx)
	}
}

// cities tries what the process's cities share, then each city.
func (c *inspection) cities(ctx context.Context) []Finding {
	var each []*inspection
	for _, config := range c.config.served() {
		city := &inspection{config: config, roles: c.roles}
		city.data(ctx)
		c.serving = c.serving || city.serving
		each = append(each, city)
	}
	c.steps(ctx, c.disk, c.clock, c.http, c.mqttListen, c.nats)
	for _, city := range each {
		city.away = c.away
		city.steps(ctx, city.city, city.basemap, city.mqttBroker, city.registry, city.store, city.archive, city.backup, city.comparison, city.smtp)
		for _, f := range city.findings {
			f.Part = city.config.ID + ": " + f.Part
			c.findings = append(c.findings, f)
		}
	}
	return c.findings
}

// inspection collects the findings.
type inspection struct {
	config   Config
	roles    roles
	serving  bool   // a server with these roles runs on the data folder, and uses its addresses
	away     bool   // nats.url does not answer
	ours     string // the installation's id; empty where there is none yet
	findings []Finding
}

func (c *inspection) say(v Severity, part, format string, args ...any) {
	c.findings = append(c.findings, Finding{v, part, ForPeople(fmt.Sprintf(format, args...))})
}

// tried adds the finding of an attempt.
func (c *inspection) tried(part string, err error, otherwise string) {
	if err != nil {
		c.say(Wrong, part, "%v", err)
		return
	}
	c.say(Fine, part, "%s", otherwise)
}

func (c *inspection) data(context.Context) {
	if err := makeDataFolder(c.config.Data); err != nil {
		c.say(Wrong, "data", "%v", err)
		return
	}
	if err := checkOwner(c.config.Data); err != nil {
		c.say(Wrong, "data", "%v", err)
		return
	}
	release, err := lockData(c.config.Data, c.roles)
	switch {
	case errors.Is(err, fs.ErrPermission):
		c.say(Wrong, "data", "%v: may this user write there?", err)
		return
	case err != nil:
		c.serving = true
		c.say(Fine, "data", "%s: a stadtluft serves from it now", c.config.Data)
	default:
		c.tried("data", release(), c.config.Data+" can be written")
	}
}

// disk looks at the room for the journals.
func (c *inspection) disk(context.Context) {
	var disk syscall.Statfs_t
	if !exists(c.config.Data) {
		return // reported already, or no city is served
	}
	if err := syscall.Statfs(c.config.Data, &disk); err != nil {
		c.say(Wrong, "disk", "%s: %v", c.config.Data, err)
		return
	}
	free, needed, v := int64(disk.Bavail)*int64(disk.Bsize), c.config.journals()*spaceNeeded, Fine
	switch {
	case free < otherBytes:
		v = Wrong
	case free < needed:
		v = Warning
	}
	c.say(v, "disk", "%.1f GB free where %s lies; the journal and the broker may take %.1f GB", float64(free)/1e9, c.config.Data, float64(needed)/1e9)
}

// clock asks the system whether its clock follows a time server: readings without a time of their own get the time of receipt,
// and all others are refused when it is off by more than some minutes.
func (c *inspection) clock(context.Context) {
	const unsynchronized = 0x40 // STA_UNSYNC, adjtimex(2)
	var state syscall.Timex
	if _, err := syscall.Adjtimex(&state); err != nil {
		c.say(Warning, "clock", "whether it follows a time server is not known: %v", err)
	} else if now := time.Now().UTC().Format(time.RFC3339); state.Status&unsynchronized != 0 {
		c.say(Warning, "clock", "it says %s and follows no time server, see timedatectl: readings are refused when it is off by more than some minutes", now)
	} else {
		c.say(Fine, "clock", "%s, after a time server", now)
	}
}

func (c *inspection) city(context.Context) {
	boundary, err := LoadBoundary(c.config)
	switch {
	case err != nil:
		c.say(Wrong, "boundary", "%v", err)
	case c.config.sketched():
		c.say(Warning, "boundary", "city.boundary is not set: a coarse sketch of Cologne is used, with its districts, places and the Rhine")
	default:
		c.say(Fine, "boundary", "%s: %d cells of 1 km", c.config.CityBoundary, len(boundary.Cells(1000)))
	}
	if c.config.CityDistricts != "" {
		districts, err := loadDistricts(c.config)
		c.tried("districts", err, fmt.Sprintf("%s: %d districts", c.config.CityDistricts, len(districts)))
	}
	if c.config.CityWater != "" {
		water, err := loadWater(c.config)
		c.tried("water", err, fmt.Sprintf("%s: %d rivers and lakes", c.config.CityWater, len(water)))
	}
	if boundary == nil {
		return
	}
	names, err := loadPlaces(c.config, boundary)
	c.tried("places", err, fmt.Sprintf("%d names of places in and around the city", len(names)))
	if err == nil && len(names) == 0 {
		c.say(Warning, "places", "the map has no names: set city.places, or build the pages, which bring GeoNames'")
	}
}

func (c *inspection) http(context.Context) {
	c.listen("http", "http.listen", c.config.HTTPListen)
	public, _ := url.Parse(c.config.HTTPPublicURL)
	if c.config.HTTPTLSCert != "" {
		c.certificate("http", c.config.HTTPTLSCert, c.config.HTTPTLSKey)
	} else if !loopback(c.config.HTTPListen) && (public == nil || public.Scheme != "https") {
		c.say(Warning, "http", "without TLS passwords of kits and management links cross the network in the clear: set http.tls_cert and http.tls_key, or use a proxy and set http.public_url to its https address")
	}
}

func (c *inspection) certificate(part, certFile, keyFile string) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		c.say(Wrong, part, "%[1]s.tls_cert and %[1]s.tls_key: %[2]v", part, err)
		return
	}
	end, v := pair.Leaf.NotAfter, Fine
	switch left := time.Until(end); {
	case left <= 0:
		c.say(Wrong, part, "%v", expired(certFile, end))
		return
	case left < certificateSoon:
		v = Warning
	}
	c.say(v, part, "%s is valid until %s", certFile, end.UTC().Format(time.RFC3339))
}

func (c *inspection) mqttListen(context.Context) {
	if c.config.MQTTListen == "" || !c.roles.has(intakeRole) {
		return
	}
	c.listen("mqtt", "mqtt.listen", c.config.MQTTListen)
	if c.config.MQTTTLSListen != "" {
		c.listen("mqtt", "mqtt.tls_listen", c.config.MQTTTLSListen)
		c.certificate("mqtt", c.config.MQTTTLSCert, c.config.MQTTTLSKey)
	}
	if !loopback(c.config.MQTTListen) {
		c.say(Warning, "mqtt", "the tokens of stations that use %s cross the network in the clear: see mqtt.tls_listen", c.config.MQTTListen)
	}
}

// listen tries an address, unless a running server of ours uses it.
func (c *inspection) listen(part, key, address string) {
	if c.serving {
		return
	}
	l, err := net.Listen("tcp", address)
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", key, err)
	}
	c.tried(part, err, address+" is free")
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

func (c *inspection) mqttBroker(ctx context.Context) {
	if c.config.MQTTBroker == "" || !c.roles.has(intakeRole, aggregateRole) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	version, err := c.visit(ctx)
	if err != nil {
		c.say(Wrong, "mqtt.broker", "%s: %v", c.config.MQTTBroker, err)
		return
	}
	c.say(Fine, "mqtt.broker", "%s takes us in and lets us read the stations' topics", strings.TrimSpace(c.config.MQTTBroker+" "+version))
	if strings.Contains(version, "mosquitto") {
		c.say(Warning, "mqtt.broker", "unless it is configured otherwise, a Mosquitto keeps 1,000 messages while we are away and acknowledges and loses the rest: deploy/mosquitto/stadtluft.conf keeps them all")
	}
}

func (c *inspection) visit(ctx context.Context) (version string, err error) {
	options := c.config.externalBroker("stadtluft-check-" + rand.Text()[:8])
	options.Out, options.Log = make(chan ingest.Message), slog.New(slog.DiscardHandler)
	topics, err := c.config.topics()
	if err != nil {
		return "", err
	}
	options.Topics = filters(topics)
	subscriber, err := mqtt.New(options)
	if err != nil {
		return "", err
	}
	return subscriber.Check(ctx)
}

func (c *inspection) nats(ctx context.Context) {
	if c.config.NATSURL == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	err := journal.Check(ctx, journal.Options{URL: c.config.NATSURL})
	c.away = err != nil
	c.tried("nats.url", err, c.config.NATSURL+" answers and has JetStream")
	if c.config.NATSSync != defaults().NATSSync {
		c.say(Warning, "nats.sync", "%s is of the embedded server, which does not run with nats.url: what those servers acknowledge is on disk when each has jetstream { sync_interval: always }", c.config.NATSSync)
	}
}

// registry opens what there is of the registry and the journal, which say whose they are. A new installation has neither.
func (c *inspection) registry(ctx context.Context) {
	begun := c.config.ID == "" && exists(filepath.Join(c.config.Data, natsFolder)) || exists(filepath.Join(c.config.Data, registry.SnapshotFile))
	if c.away || !begun {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	err := withRegistry(ctx, c.config, func(r *registry.Registry, nats registry.InProcess) error {
		c.ours = r.Deployment()
		c.say(Fine, "registry", "%d stations of installation %s", len(r.Stations()), c.ours)
		nc, err := streams.Connect("check", c.config.NATSURL, nats, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		defer nc.Close()
		_, err = nc.Has(ctx, c.config.NATSPrefix+journalSuffix, c.ours)
		return err
	})
	if err != nil {
		c.say(Wrong, "registry", "%v", err)
	}
}

// archive looks whether an archive on another machine can be used, and whose it is.
func (c *inspection) archive(ctx context.Context) {
	a := NewArchive(c.config, nil, slog.New(slog.DiscardHandler))
	if place, ok := a.Files.(interface {
		Check(ctx context.Context, write bool) error
	}); ok {
		writes := c.roles.has(writeRole, aggregateRole)
		if err := place.Check(ctx, writes); err != nil {
			c.say(Wrong, "archive", "%v", err)
			return
		}
		c.say(Fine, "archive", "%s can be read%s", a.Place(), map[bool]string{true: " and written"}[writes])
	}
	if c.ours == "" {
		return
	}
	if err := a.Belongs(c.ours); err != nil {
		c.say(Wrong, "archive", "%v", err)
	}
}

func (c *inspection) store(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if _, err := os.Stat(c.config.Data); err != nil {
		return // reported already
	}
	s, err := OpenStore(ctx, c.config)
	if err == nil {
		defer s.Close()
		err = s.Ping(ctx)
	}
	if err == nil {
		var of string
		if of, err = s.Deployment(ctx); err == nil && of != "" && c.ours != "" && of != c.ours {
			err = fmt.Errorf("the store belongs to installation %s, not to %s: %w", of, c.ours, store.ErrForeign)
		}
	}
	c.tried("store", err, c.config.StoreKind+" takes readings and answers")
	if err != nil {
		return
	}
	if words := shortRetention(ctx, s); words != "" {
		c.say(Warning, "store", "%s", words)
	}
}

func (c *inspection) backup(context.Context) {
	if c.config.BackupFolder == "" || !c.roles.has(writeRole) {
		return
	}
	same, err := c.config.tryBackupFolder()
	c.tried("backup", err, fmt.Sprintf("%s can be written; every %s, the last %d are kept", c.config.BackupFolder, c.config.BackupEvery, c.config.BackupKeep))
	if same {
		c.say(Warning, "backup", "%s is on the same disk as the data folder: copy the backups elsewhere", c.config.BackupFolder)
	}
}

// comparison warns while the humidity correction is not the city's own.
func (c *inspection) comparison(context.Context) {
	r, err := comparison.Load(filepath.Join(c.config.Data, comparisonFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.say(Warning, "comparison", "%v", err)
		return
	}
	if text := uncompared(c.config.QualityKappa, r); text != "" {
		c.say(Warning, "comparison", "%s", text)
		return
	}
	c.say(Fine, "comparison", "quality.kappa %v agrees with the official instruments", c.config.QualityKappa)
}
