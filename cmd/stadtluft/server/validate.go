package server

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"stadtluft/export/basemap"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/geo"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/registry"
)

var (
	// frameSource matches an origin, or all subdomains of a name, as Content Security Policy Level 3 writes a
	// host-source.
	frameSource = regexp.MustCompile(`^https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]+)?$`)
	contact     = regexp.MustCompile(`^(https?://[^\s]+|[^@\s:/?]+@[^@\s:/?]+)$`)
)

// contributors is the prefix of every contributor's address in DCAT-AP.de.
const contributors = "http://dcat-ap.de/def/contributors/"

// mistakes collects the errors of a configuration.
type mistakes []error

// natsName is what a name of a bucket or a group, or the first level of topics, may hold, and maxReplicas the most that NATS keeps.
var natsName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

const maxReplicas = 5

// leastBackup is the shortest time between backups.
const leastBackup = time.Minute

// check adds an error unless ok.
func (m *mistakes) check(ok bool, format string, args ...any) {
	if !ok {
		*m = append(*m, fmt.Errorf(format, args...))
	}
}

// validate checks every rule of single keys and between keys.
func (c *Config) validate() []error {
	var m mistakes
	m.check(c.Data != "", "data: name a folder")
	taken, err := parseRoles(c.Roles)
	m.check(err == nil, "roles: %v", err)
	m.check(err != nil || taken.all() || c.NATSURL != "", "roles: %s without the others needs nats.url, a NATS server with JetStream that all processes share: the embedded journal is for one process", taken)
	c.validateHTTP(&m)
	c.validateMQTT(&m)
	c.validateStore(&m)
	c.validateArchive(&m, taken)
	c.validateCity(&m)
	c.validatePublisher(&m)
	c.validateNotices(&m)
	m.check(c.AdminToken == "" || tokenBits(c.AdminToken) >= leastBits, "admin_token: it can be guessed, take one of 128 bits such as openssl rand -hex 16 makes, or leave it out and stadtluft makes one")
	m.check(slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel), "log.level: %q is not debug, info, warn or error", c.LogLevel)
	m.check(slices.Contains([]string{"text", "json"}, c.LogFormat), "log.format: %q is neither text nor json", c.LogFormat)
	return m
}

func (c *Config) validateHTTP(m *mistakes) {
	m.check(c.HTTPListen != "", "http.listen: name an address such as 127.0.0.1:8080")
	m.check(c.HTTPPublicURL == "" || isOrigin(c.HTTPPublicURL), "http.public_url: %q is not a scheme and a host without a path, such as https://luft.example.org: the pages need a host name of their own", c.HTTPPublicURL)
	m.check((c.HTTPTLSCert == "") == (c.HTTPTLSKey == ""), "http.tls_cert and http.tls_key: set both or neither")
	_, err := httpapi.ParseProxies(c.HTTPProxies)
	m.check(err == nil, "http.trusted_proxies: %v", err)
	for _, source := range strings.Fields(c.HTTPFrames) {
		m.check(source == "*" || frameSource.MatchString(source), "http.frame_ancestors: %q is neither * nor an origin such as https://www.example.org", source)
	}
}

// isOrigin reports whether a URL is http or https and a host, and no more.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil &&
		strings.TrimSuffix(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
}

// validateMQTT checks stations' connections and the journal.
func (c *Config) validateMQTT(m *mistakes) {
	tls := c.MQTTTLSListen != ""
	m.check(tls == (c.MQTTTLSCert != "") && tls == (c.MQTTTLSKey != ""), "mqtt.tls_listen, mqtt.tls_cert and mqtt.tls_key: set all or none")
	m.check(!tls || c.MQTTListen != "", "mqtt.tls_listen: the embedded broker needs mqtt.listen as well; 127.0.0.1:1883 keeps that on this host")
	m.check(c.MQTTListen != "" || c.MQTTBroker != "", "mqtt.listen and mqtt.broker are both empty: no station could reach this server")
	if c.MQTTBroker != "" {
		u, err := url.Parse(c.MQTTBroker)
		m.check(err == nil && u.Host != "", "mqtt.broker: %q is not a URL such as tcp://127.0.0.1:1883", c.MQTTBroker)
	}
	m.check(natsName.MatchString(c.MQTTPrefix), "mqtt.prefix: %q is not letters, digits, - and _", c.MQTTPrefix)
	m.check(c.MQTTGroup == "" || natsName.MatchString(c.MQTTGroup), "mqtt.group: %q is not letters, digits, - and _", c.MQTTGroup)
	m.check(c.MQTTGroup == "" || c.NATSURL != "", "mqtt.group: a group of processes needs nats.url, a NATS server that they share")
	m.check(c.MQTTConnections > 0, "mqtt.connections: %d is not a number of connections such as %d", c.MQTTConnections, broker.DefaultConnections)
	m.check(c.RateSustained > 0 && c.RateBurst > 0, "mqtt.rate and mqtt.burst: %v and %d are not both above 0", c.RateSustained, c.RateBurst)
	_, err := c.topics()
	m.check(err == nil, "mqtt.topics: %v", err)
	_, err = kits.ParseNames(c.TTNNames)
	m.check(err == nil, "ttn.names: %v", err)
	m.check(natsName.MatchString(c.NATSPrefix), "nats.prefix: %q is not letters, digits, - and _", c.NATSPrefix)
	m.check(c.NATSReplicas >= 0 && c.NATSReplicas <= maxReplicas, "nats.replicas: %d is not 1 to %d, or 0 for what fits the cluster", c.NATSReplicas, maxReplicas)
	if c.NATSSync != "always" {
		d, err := time.ParseDuration(c.NATSSync)
		m.check(err == nil && d > 0, "nats.sync: %q is neither \"always\" nor a time such as 10s", c.NATSSync)
	}
}

func (c *Config) validateStore(m *mistakes) {
	m.check(slices.Contains([]string{"sqlite", "influxdb"}, c.StoreKind), "store.kind: %q is neither sqlite nor influxdb", c.StoreKind)
	if c.StoreKind == "influxdb" {
		u, err := url.Parse(c.InfluxURL)
		m.check(err == nil && u.Host != "", "store.influxdb.url: %q is not a URL such as http://127.0.0.1:8086", c.InfluxURL)
		m.check(c.InfluxBucket != "", "store.influxdb.bucket: name the bucket (InfluxDB 1.8: the database)")
		m.check(!strings.Contains(c.InfluxBucket, "/"), "store.influxdb.bucket: %q has a slash, which InfluxDB takes for database/retention policy: choose a name without", c.InfluxBucket)
	}
	every, err := time.ParseDuration(c.BackupEvery)
	m.check(err == nil && every >= leastBackup, "backup.every: %q is not a time of %v or more, such as 24h", c.BackupEvery, leastBackup)
	m.check(c.BackupKeep >= 1, "backup.keep: %d is not a number of backups, at least 1", c.BackupKeep)
	m.check(c.Retention == "" || c.retention() > 0, "retention: %q is neither empty nor at least %d days, such as 400d", c.Retention, minRetention)
}

// validateCity checks the city, its map and its data's rules.
func (c *Config) validateCity(m *mistakes) {
	_, err := time.LoadLocation(c.CityZone)
	m.check(err == nil, "city.zone: %q is no time zone such as Europe/Berlin", c.CityZone)
	m.check(c.CityDay >= -12 && c.CityDay <= 14, "city.day_offset: %d is not hours from -12 to 14", c.CityDay)
	m.check(slices.Contains(geo.Resolutions(), int32(c.GridResolution)), "grid.resolution: %d is not one of %v", c.GridResolution, geo.Resolutions())
	_, known := indices[c.Index]
	m.check(known, "index: %q is neither eaqi nor uba", c.Index)
	if c.MapStyle != "" {
		_, err := basemap.Origin(c.MapStyle)
		m.check(err == nil, "map.style: %v", err)
	}
	m.check(c.QualityKappa >= 0 && c.QualityKappa <= 2, "quality.kappa: %v is not between 0 (no correction) and 2", c.QualityKappa)
	if err := c.Quality.Validate(); err != nil {
		*m = append(*m, err)
	}
	policies := []registry.Policy{registry.PolicyOpen, registry.PolicyApprove, registry.PolicyClosed}
	m.check(slices.Contains(policies, registry.Policy(c.Registration)), "registration: %q is not one of %v", c.Registration, policies)
}

// validatePublisher checks the publisher of the data.
func (c *Config) validatePublisher(m *mistakes) {
	m.check(c.CityContact == "" || contact.MatchString(c.CityContact), "city.contact: %q is neither an e-mail address nor a page such as https://www.example.org/luft", c.CityContact)
	u, err := url.Parse(c.PublisherURL)
	m.check(c.PublisherURL == "" || err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https"),
		"publisher.url: %q is not a URL such as https://www.example.org/", c.PublisherURL)
	for _, entry := range strings.Fields(c.CatalogDOIs) {
		m.check(yearDOI.MatchString(entry), "catalog.dois: %q is not a year and its DOI, such as 2026=10.5072/abc", entry)
	}
	m.check(c.CatalogGeocoding == "" || geocoding.MatchString(c.CatalogGeocoding),
		"catalog.geocoding: %q is not a key of DCAT-AP.de's politicalGeocoding, such as districtKey/05315 or municipalityKey/05315000", c.CatalogGeocoding)
	m.check(c.CatalogLevel == "" || slices.Contains(levels, c.CatalogLevel), "catalog.geocoding_level: %q is not one of %v", c.CatalogLevel, levels)
	m.check(c.CatalogHVD == "" || slices.Contains(highValue, c.CatalogHVD), "catalog.hvd_category: %q is not one of the categories %v", c.CatalogHVD, highValue)
	if !slices.Contains(licences, c.LicenceID) {
		m.check(false, "licence.id: %q is not one of DCAT-AP.de's licences: did you mean %q?", c.LicenceID, nearestLicence(c.LicenceID))
	}
	id, ok := strings.CutPrefix(c.CatalogContributor, contributors)
	m.check(ok && id != "" && !strings.ContainsAny(id, `/ #?<>\"`), "catalog.contributor_id: %q is not one of DCAT-AP.de's contributors, such as %sopenNRW", c.CatalogContributor, contributors)
}
