package server

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a small server may lack the zone files

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"stadtluft/export/basemap"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/geo"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/registry"
)

// Config is everything an operator can set. The key tag is the name in the YAML file; the environment
// variable is STADTLUFT_ and the key in capitals with underscores, and wins over the file. A key
// tagged secret can also be given as KEY_file with the path of a file that holds it.
type Config struct {
	Data  string `key:"data"`
	Roles string `key:"roles"`

	HTTPListen    string `key:"http.listen"`
	HTTPPublicURL string `key:"http.public_url"`
	HTTPTLSCert   string `key:"http.tls_cert"`
	HTTPTLSKey    string `key:"http.tls_key"`
	HTTPFrames    string `key:"http.frame_ancestors"`

	MQTTListen    string `key:"mqtt.listen"`
	MQTTTLSListen string `key:"mqtt.tls_listen"`
	MQTTTLSCert   string `key:"mqtt.tls_cert"`
	MQTTTLSKey    string `key:"mqtt.tls_key"`

	MQTTBroker   string `key:"mqtt.broker"`
	MQTTUsername string `key:"mqtt.username"`
	MQTTPassword string `key:"mqtt.password" secret:"true"`
	MQTTCA       string `key:"mqtt.ca"`

	TopicsAirGradient  string `key:"mqtt.topics.airgradient"`
	TopicsESPHome      string `key:"mqtt.topics.esphome"`
	TopicsOpenAirNoise string `key:"mqtt.topics.openair_noise"`
	TopicsSmartCitizen string `key:"mqtt.topics.smartcitizen"`
	TopicsTasmota      string `key:"mqtt.topics.tasmota"`
	TopicsTTN          string `key:"mqtt.topics.ttn"`
	TTNNames           string `key:"ttn.names"`

	NATSURL  string `key:"nats.url"`
	NATSSync string `key:"nats.sync"`

	StoreKind    string `key:"store.kind"`
	InfluxURL    string `key:"store.influxdb.url"`
	InfluxToken  string `key:"store.influxdb.token" secret:"true"`
	InfluxOrg    string `key:"store.influxdb.org"`
	InfluxBucket string `key:"store.influxdb.bucket"`

	CityName      string `key:"city.name"`
	CityContact   string `key:"city.contact"`
	CityBoundary  string `key:"city.boundary"`
	CityDistricts string `key:"city.districts"`
	CityCensus    string `key:"city.census"`
	CityZone      string `key:"city.zone"`
	CityDay       int    `key:"city.day_offset"`

	GridResolution int `key:"grid.resolution"`

	MapStyle string `key:"map.style"`
	MapTiles string `key:"map.tiles"`

	QualityKappa float64       `key:"quality.kappa"`
	Quality      quality.Rules // each threshold is a key, see settings

	Registration string `key:"registration"`

	Retention string `key:"retention"`

	LicenceID          string `key:"licence.id"`
	LicenceAttribution string `key:"licence.attribution"`

	PublisherName      string `key:"publisher.name"`
	PublisherURL       string `key:"publisher.url"`
	CatalogContributor string `key:"catalog.contributor_id"`

	AdminToken string `key:"admin_token" secret:"true"`

	LogLevel  string `key:"log.level"`
	LogFormat string `key:"log.format"`
}

// defaults is the configuration of a fresh machine: everything embedded, everything on this host.
func defaults() Config {
	return Config{
		Data:               "data",
		Roles:              everyRole.String(),
		HTTPListen:         "127.0.0.1:8080",
		HTTPFrames:         "*",
		MQTTListen:         "127.0.0.1:1883",
		TopicsAirGradient:  "airgradient/readings/{key}",
		NATSSync:           "always",
		StoreKind:          "sqlite",
		InfluxURL:          "http://127.0.0.1:8086",
		InfluxBucket:       "stadtluft",
		CityName:           "Köln",
		CityZone:           "Europe/Berlin",
		CityDay:            1,
		GridResolution:     1000,
		QualityKappa:       quality.DefaultKappa,
		Quality:            quality.DefaultRules(),
		Registration:       "open",
		LicenceID:          "dl-zero-de/2.0",
		LicenceAttribution: "Stadtluft",
		CatalogContributor: contributors + "openNRW",
		LogLevel:           "info",
		LogFormat:          "text",
	}
}

// contributors begins the address of every contributor of DCAT-AP.de.
const contributors = "http://dcat-ap.de/def/contributors/"

// envPrefix begins the environment variable of every key.
const envPrefix = "STADTLUFT_"

// maxConfigBytes bounds the configuration file.
const maxConfigBytes = 1 << 20

// setting is one key of the configuration bound to its place in a Config.
type setting struct {
	key    string
	secret bool
	value  reflect.Value
}

// settings binds every key to c: one for each field, and for each threshold of the checks.
func settings(c *Config) []setting {
	v := reflect.ValueOf(c).Elem()
	list := make([]setting, 0, v.NumField())
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if tag.Get("key") == "" {
			continue
		}
		list = append(list, setting{key: tag.Get("key"), secret: tag.Get("secret") != "", value: v.Field(i)})
	}
	for _, t := range c.Quality.Thresholds() {
		list = append(list, setting{key: "quality." + t.Key, value: reflect.ValueOf(t.Value).Elem()})
	}
	return list
}

// env is the name of the setting's environment variable.
func (s setting) env() string { return envName(s.key) }

// shown is the value as people may see it: no secret, and no password within a URL.
func (s setting) shown() string {
	if s.secret && !s.value.IsZero() {
		return "***"
	}
	text := fmt.Sprint(s.value.Interface())
	if u, err := url.Parse(text); err == nil && u.User != nil {
		return u.Redacted()
	}
	return text
}

func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func (s setting) set(text string) error {
	if s.value.Kind() == reflect.String {
		s.value.SetString(text)
		return nil
	}
	if s.value.Kind() == reflect.Float64 {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%s: %q is not a number", s.key, text)
		}
		s.value.SetFloat(n)
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%s: %q is not a whole number", s.key, text)
	}
	s.value.SetInt(int64(n))
	return nil
}

// setFile sets a secret from a file, without the line end that editors add.
func (s setting) setFile(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s_file: %w", s.key, err)
	}
	s.value.SetString(strings.TrimRight(string(text), "\r\n"))
	return nil
}

// LoadConfig reads the file (none when path is empty), then the environment, and validates. All
// mistakes come back together.
func LoadConfig(path string, environ []string) (Config, error) {
	c := defaults()
	var mistakes []error
	if path != "" {
		mistakes = append(mistakes, c.readFile(path)...)
	}
	mistakes = append(mistakes, c.readEnv(environ)...)
	mistakes = append(mistakes, c.validate()...)
	return c, errors.Join(mistakes...)
}

func (c *Config) readFile(path string) []error {
	info, err := os.Stat(path)
	if err != nil {
		return []error{fmt.Errorf("read the configuration: %w", err)}
	}
	if info.Size() > maxConfigBytes {
		return []error{fmt.Errorf("read the configuration: %s is larger than %d bytes", path, maxConfigBytes)}
	}
	file, err := parser.ParseFile(path, 0)
	if err != nil {
		return []error{fmt.Errorf("read the configuration %s: %w", path, err)}
	}
	var mistakes []error
	for _, doc := range file.Docs {
		mistakes = append(mistakes, c.readNode(path, "", doc.Body)...)
	}
	return mistakes
}

// readNode walks the YAML tree down to its scalars, joining names with dots.
func (c *Config) readNode(path, prefix string, node ast.Node) []error {
	switch n := node.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return nil
	case *ast.MappingNode:
		var mistakes []error
		for _, pair := range n.Values {
			mistakes = append(mistakes, c.readNode(path, prefix, pair)...)
		}
		return mistakes
	case *ast.MappingValueNode:
		key := n.Key.GetToken().Value
		if prefix != "" {
			key = prefix + "." + key
		}
		if scalar, ok := n.Value.(ast.ScalarNode); ok {
			if err := c.setKey(key, scalar); err != nil {
				return []error{fmt.Errorf("%s:%d: %w", path, n.Key.GetToken().Position.Line, err)}
			}
			return nil
		}
		return c.readNode(path, key, n.Value)
	}
	line := node.GetToken().Position.Line
	return []error{fmt.Errorf("%s:%d: %s holds a list or something else that is no setting", path, line, prefix)}
}

func (c *Config) setKey(key string, scalar ast.ScalarNode) error {
	text := scalar.GetToken().Value
	if _, null := scalar.(*ast.NullNode); null {
		text = ""
	}
	for _, s := range settings(c) {
		switch {
		case s.key == key && text == "" && s.value.Kind() != reflect.String:
			return fmt.Errorf("%s is empty", key)
		case s.key == key:
			return s.set(text)
		case s.secret && s.key+"_file" == key:
			return s.setFile(text)
		}
	}
	return unknownKey(key)
}

func (c *Config) readEnv(environ []string) []error {
	known := map[string]func(string) error{}
	for _, s := range settings(c) {
		known[s.env()] = s.set
		if s.secret {
			known[s.env()+"_FILE"] = s.setFile
		}
	}
	var mistakes []error
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(otherEnv, name) {
			continue
		}
		set, ok := known[name]
		if !ok {
			key := strings.ToLower(strings.TrimPrefix(name, envPrefix))
			mistakes = append(mistakes, fmt.Errorf("environment variable %s: %w", name, unknownKey(key)))
			continue
		}
		if err := set(text); err != nil {
			mistakes = append(mistakes, fmt.Errorf("environment variable %s: %w", name, err))
		}
	}
	return mistakes
}

// otherEnv are variables with our prefix that are no configuration of the server.
var otherEnv = []string{"STADTLUFT_CONFIG"}

// unknownKey names the nearest known key.
func unknownKey(key string) error {
	best, bestDistance := "", len(key)
	for _, s := range settings(&Config{}) {
		names := []string{s.key}
		if s.secret {
			names = append(names, s.key+"_file")
		}
		for _, name := range names {
			if d := editDistance(strings.ReplaceAll(key, ".", "_"), strings.ReplaceAll(name, ".", "_")); d < bestDistance {
				best, bestDistance = name, d
			}
		}
	}
	if best == "" {
		return fmt.Errorf("unknown key %q", key)
	}
	return fmt.Errorf("unknown key %q: did you mean %q?", key, best)
}

// editDistance is Levenshtein's: the insertions, deletions and substitutions between a and b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

var (
	// frameSource is an origin, or all below a name, as Content Security Policy Level 3 writes a host-source.
	frameSource = regexp.MustCompile(`^https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]+)?$`)
	contact     = regexp.MustCompile(`^(https?://[^\s]+|[^@\s:/?]+@[^@\s:/?]+)$`)
)

// validate holds every rule between and within keys.
func (c *Config) validate() []error {
	var mistakes []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	check(c.Data != "", "data: name a folder")
	taken, err := parseRoles(c.Roles)
	check(err == nil, "roles: %v", err)
	check(err != nil || taken.all() || c.NATSURL != "", "roles: %s without the others needs nats.url, a NATS server with JetStream that all processes share: the embedded journal is for one process", taken)
	check(c.HTTPListen != "", "http.listen: name an address such as 127.0.0.1:8080")
	check((c.HTTPTLSCert == "") == (c.HTTPTLSKey == ""), "http.tls_cert and http.tls_key: set both or neither")
	tls := c.MQTTTLSListen != ""
	check(tls == (c.MQTTTLSCert != "") && tls == (c.MQTTTLSKey != ""), "mqtt.tls_listen, mqtt.tls_cert and mqtt.tls_key: set all or none")
	check(!tls || c.MQTTListen != "", "mqtt.tls_listen: the embedded broker needs mqtt.listen as well; 127.0.0.1:1883 keeps that on this host")
	for _, source := range strings.Fields(c.HTTPFrames) {
		check(source == "*" || frameSource.MatchString(source), "http.frame_ancestors: %q is neither * nor an origin such as https://www.example.org", source)
	}
	check(c.CityContact == "" || contact.MatchString(c.CityContact), "city.contact: %q is neither an e-mail address nor a page such as https://www.example.org/luft", c.CityContact)
	check(c.MQTTListen != "" || c.MQTTBroker != "", "mqtt.listen and mqtt.broker are both empty: no station could reach this server")
	if c.MQTTBroker != "" {
		u, err := url.Parse(c.MQTTBroker)
		check(err == nil && u.Host != "", "mqtt.broker: %q is not a URL such as tcp://127.0.0.1:1883", c.MQTTBroker)
	}
	_, err = c.topics()
	check(err == nil, "mqtt.topics: %v", err)
	_, err = kits.ParseNames(c.TTNNames)
	check(err == nil, "ttn.names: %v", err)
	if c.NATSSync != "always" {
		d, err := time.ParseDuration(c.NATSSync)
		check(err == nil && d > 0, "nats.sync: %q is neither \"always\" nor a time such as 10s", c.NATSSync)
	}
	check(slices.Contains([]string{"sqlite", "influxdb"}, c.StoreKind), "store.kind: %q is neither sqlite nor influxdb", c.StoreKind)
	if c.StoreKind == "influxdb" {
		u, err := url.Parse(c.InfluxURL)
		check(err == nil && u.Host != "", "store.influxdb.url: %q is not a URL such as http://127.0.0.1:8086", c.InfluxURL)
		check(c.InfluxBucket != "", "store.influxdb.bucket: name the bucket (InfluxDB 1.8: the database)")
		check(!strings.Contains(c.InfluxBucket, "/"), "store.influxdb.bucket: %q has a slash, which InfluxDB takes for database/retention policy: choose a name without", c.InfluxBucket)
	}
	_, err = time.LoadLocation(c.CityZone)
	check(err == nil, "city.zone: %q is no time zone such as Europe/Berlin", c.CityZone)
	check(c.CityDay >= -12 && c.CityDay <= 14, "city.day_offset: %d is not hours from -12 to 14", c.CityDay)
	check(slices.Contains(geo.Resolutions(), int32(c.GridResolution)), "grid.resolution: %d is not one of %v", c.GridResolution, geo.Resolutions())
	if c.MapStyle != "" {
		_, err := basemap.Origin(c.MapStyle)
		check(err == nil, "map.style: %v", err)
	}
	check(c.QualityKappa >= 0 && c.QualityKappa <= 2, "quality.kappa: %v is not between 0 (no correction) and 2", c.QualityKappa)
	if err := c.Quality.Validate(); err != nil {
		mistakes = append(mistakes, err)
	}
	policies := []registry.Policy{registry.PolicyOpen, registry.PolicyApprove, registry.PolicyClosed}
	check(slices.Contains(policies, registry.Policy(c.Registration)), "registration: %q is not one of %v", c.Registration, policies)
	c.validatePublisher(check)
	check(c.Retention == "" || c.retention() > 0, "retention: %q is neither empty nor at least %d days, such as 400d", c.Retention, minRetention)
	check(slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel), "log.level: %q is not debug, info, warn or error", c.LogLevel)
	check(slices.Contains([]string{"text", "json"}, c.LogFormat), "log.format: %q is neither text nor json", c.LogFormat)
	return mistakes
}

// validatePublisher checks who answers for the data.
func (c *Config) validatePublisher(check func(ok bool, format string, args ...any)) {
	u, err := url.Parse(c.PublisherURL)
	check(c.PublisherURL == "" || err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https"),
		"publisher.url: %q is not a URL such as https://www.example.org/", c.PublisherURL)
	id, ok := strings.CutPrefix(c.CatalogContributor, contributors)
	check(ok && id != "" && !strings.ContainsAny(id, `/ #?<>\"`), "catalog.contributor_id: %q is not one of DCAT-AP.de's contributors, such as %sopenNRW", c.CatalogContributor, contributors)
}

// topics are other firmware's own, as far as they are set.
func (c *Config) topics() ([]kits.Topic, error) {
	var topics []kits.Topic
	var mistakes []error
	for _, t := range []struct{ family, pattern string }{
		{"airgradient", c.TopicsAirGradient}, {"esphome", c.TopicsESPHome}, {"openair-noise", c.TopicsOpenAirNoise},
		{"smartcitizen", c.TopicsSmartCitizen}, {"tasmota", c.TopicsTasmota}, {"ttn", c.TopicsTTN},
	} {
		if t.pattern == "" {
			continue
		}
		topic, err := kits.ParseTopic(t.family, t.pattern)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", t.family, err))
			continue
		}
		topics = append(topics, topic)
	}
	return topics, errors.Join(mistakes...)
}

// DayOffset is how far before midnight UTC a day begins.
func (c *Config) DayOffset() time.Duration { return time.Duration(c.CityDay) * time.Hour }

// minRetention is the least number of days that the store keeps readings: a day must be closed and archived before.
const minRetention = 7

// retention is how long the store keeps readings of archived days; 0 is for ever.
func (c *Config) retention() time.Duration {
	digits, ok := strings.CutSuffix(c.Retention, "d")
	days, err := strconv.Atoi(digits)
	if !ok || err != nil || days < minRetention || days > 36500 {
		return 0
	}
	return time.Duration(days) * 24 * time.Hour
}

// Correction is how particle means are corrected for humidity.
func (c *Config) Correction() quality.Correction {
	return quality.Correction{Method: quality.KappaKohler, Kappa: c.QualityKappa}
}

// ConfigError marks a mistake of the operator's that no retry mends.
type ConfigError struct{ Err error }

func (e ConfigError) Error() string { return e.Err.Error() }
func (e ConfigError) Unwrap() error { return e.Err }
