package server

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a small server may not have the time zone files

	"stadtluft/export/archive"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo/airindex"
	"stadtluft/ingest"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/notices"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/registry"
)

// Config is everything an operator can set. The key tag is the name in the YAML file; the environment
// variable is STADTLUFT_ and the key in capitals with underscores, and wins over the file. A key
// tagged secret can also be given as KEY_file with the path of a file that holds it. A key tagged process is the same for all
// cities of a process, for the reason that the tag gives.
type Config struct {
	ID       string        // of a city; empty where there is only one
	Cities   []Config      // of an installation with several, by id; what is outside of it is then each city's default
	common   string        // the data folder of an installation, for its cities
	prefixes []string      // nats.prefix of each city of an installation
	openTime time.Duration // how long a start waits for the store

	Data    string `key:"data"`
	Archive string `key:"archive"`
	Roles   string `key:"roles" process:"a process has the same roles for each of its cities"`
	Serve   string `key:"serve" process:"it says which cities a process serves"`

	S3Endpoint  string `key:"archive.s3.endpoint"`
	S3Region    string `key:"archive.s3.region"`
	S3AccessKey string `key:"archive.s3.access_key"`
	S3SecretKey string `key:"archive.s3.secret_key" secret:"true"`

	HTTPListen    string `key:"http.listen" process:"one address serves all cities, each at its host name"`
	HTTPPublicURL string `key:"http.public_url"`
	HTTPTLSCert   string `key:"http.tls_cert" process:"one certificate has the names of all cities"`
	HTTPTLSKey    string `key:"http.tls_key" process:"one certificate has the names of all cities"`
	HTTPFrames    string `key:"http.frame_ancestors"`
	HTTPProxies   string `key:"http.trusted_proxies" process:"they are in front of all cities"`

	MQTTListen      string  `key:"mqtt.listen" process:"one broker serves all cities, each to its stations"`
	MQTTConnections int     `key:"mqtt.connections" process:"they are those of the process"`
	RateSustained   float64 `key:"mqtt.rate"`
	RateBurst       int     `key:"mqtt.burst"`
	MQTTTLSListen   string  `key:"mqtt.tls_listen" process:"one broker serves all cities, each to its stations"`
	MQTTTLSCert     string  `key:"mqtt.tls_cert" process:"one certificate has the names of all cities"`
	MQTTTLSKey      string  `key:"mqtt.tls_key" process:"one certificate has the names of all cities"`

	MQTTBroker   string `key:"mqtt.broker"`
	MQTTUsername string `key:"mqtt.username"`
	MQTTPassword string `key:"mqtt.password" secret:"true"`
	MQTTCA       string `key:"mqtt.ca"`
	MQTTGroup    string `key:"mqtt.group"`
	MQTTPrefix   string `key:"mqtt.prefix"`

	TopicsAirGradient  string `key:"mqtt.topics.airgradient"`
	TopicsESPHome      string `key:"mqtt.topics.esphome"`
	TopicsOpenAirNoise string `key:"mqtt.topics.openair_noise"`
	TopicsSmartCitizen string `key:"mqtt.topics.smartcitizen"`
	TopicsTasmota      string `key:"mqtt.topics.tasmota"`
	TopicsTTN          string `key:"mqtt.topics.ttn"`
	TTNNames           string `key:"ttn.names"`

	NATSURL      string `key:"nats.url" process:"all cities of a process use one NATS"`
	NATSSync     string `key:"nats.sync" process:"all cities of a process use one NATS"`
	NATSPrefix   string `key:"nats.prefix"`
	NATSReplicas int    `key:"nats.replicas" process:"all cities of a process use one NATS"`

	StoreKind    string `key:"store.kind"`
	InfluxURL    string `key:"store.influxdb.url"`
	InfluxToken  string `key:"store.influxdb.token" secret:"true"`
	InfluxOrg    string `key:"store.influxdb.org"`
	InfluxBucket string `key:"store.influxdb.bucket"`

	CityName      string `key:"city.name"`
	CityContact   string `key:"city.contact"`
	CityBoundary  string `key:"city.boundary"`
	CityDistricts string `key:"city.districts"`
	CityPlaces    string `key:"city.places"`
	CityWater     string `key:"city.water"`
	CityCensus    string `key:"city.census"`
	CityZone      string `key:"city.zone"`
	CityDay       int    `key:"city.day_offset"`

	GridResolution int `key:"grid.resolution"`

	Index string `key:"index"`

	MapStyle string `key:"map.style"`
	MapTiles string `key:"map.tiles"`

	QualityKappa float64       `key:"quality.kappa"`
	Quality      quality.Rules // each threshold is a key, see settings

	Registration string `key:"registration"`

	SMTPHost     string `key:"smtp.host"`
	SMTPPort     int    `key:"smtp.port"`
	SMTPTLS      string `key:"smtp.tls"`
	SMTPUser     string `key:"smtp.user"`
	SMTPPassword string `key:"smtp.password" secret:"true"`
	SMTPFrom     string `key:"smtp.from"`

	NoticesPerDay    int    `key:"notices.per_day"`
	NoticesPerHour   int    `key:"notices.per_hour"`
	NoticesWebhooks  string `key:"notices.webhooks"`
	NoticesHookHosts string `key:"notices.webhook_hosts"`

	Retention string `key:"retention"`

	BackupFolder string `key:"backup.folder"`
	BackupEvery  string `key:"backup.every"`
	BackupKeep   int    `key:"backup.keep"`

	LicenceID          string `key:"licence.id"`
	LicenceAttribution string `key:"licence.attribution"`

	PublisherName      string `key:"publisher.name"`
	PublisherURL       string `key:"publisher.url"`
	CatalogContributor string `key:"catalog.contributor_id"`
	CatalogDOIs        string `key:"catalog.dois"`
	CatalogGeocoding   string `key:"catalog.geocoding"`
	CatalogLevel       string `key:"catalog.geocoding_level"`
	CatalogHVD         string `key:"catalog.hvd_category"`

	AdminToken string `key:"admin_token" secret:"true"`

	LogLevel  string `key:"log.level" process:"a process writes one log"`
	LogFormat string `key:"log.format" process:"a process writes one log"`
}

// defaults returns the configuration of a new machine: everything embedded, everything on this host.
func defaults() Config {
	return Config{
		Data:               "data",
		Roles:              everyRole.String(),
		Serve:              serveAll,
		openTime:           openTime,
		HTTPListen:         "127.0.0.1:8080",
		HTTPFrames:         "*",
		HTTPProxies:        httpapi.LocalProxies,
		MQTTListen:         "127.0.0.1:1883",
		MQTTConnections:    broker.DefaultConnections,
		MQTTPrefix:         wire.Root,
		RateSustained:      ingest.DefaultRate,
		RateBurst:          ingest.DefaultBurst,
		TopicsAirGradient:  "airgradient/readings/{key}",
		NATSSync:           "always",
		NATSPrefix:         registry.DefaultPrefix,
		StoreKind:          "sqlite",
		InfluxURL:          "http://127.0.0.1:8086",
		InfluxBucket:       "stadtluft",
		CityName:           "Köln",
		CityZone:           "Europe/Berlin",
		CityDay:            1,
		GridResolution:     1000,
		Index:              "eaqi",
		QualityKappa:       quality.DefaultKappa,
		Quality:            quality.DefaultRules(),
		Registration:       "open",
		SMTPPort:           587,
		SMTPTLS:            string(notices.StartTLS),
		NoticesPerDay:      4,
		NoticesPerHour:     200,
		NoticesWebhooks:    "on",
		BackupEvery:        "24h",
		BackupKeep:         7,
		LicenceID:          "dl-zero-de/2.0",
		LicenceAttribution: "Stadtluft",
		CatalogContributor: contributors + "openNRW",
		LogLevel:           "info",
		LogFormat:          "text",
	}
}

// LoadConfig reads the file (none when path is empty), then the environment, and validates. All
// mistakes come back together, as a ConfigError.
func LoadConfig(path string, environ []string) (Config, error) {
	c := defaults()
	var mistakes []error
	var cities []cityNode
	if path != "" {
		cities, mistakes = c.readFile(path)
	}
	mistakes = append(mistakes, c.readEnv(environ, cities)...)
	mistakes = append(mistakes, c.readCities(path, cities, environ)...)
	mistakes = append(mistakes, c.validateAll()...)
	if err := errors.Join(mistakes...); err != nil {
		return c, ConfigError{errors.New(Mask(err.Error()))}
	}
	return c, nil
}

// topics returns the topics of other firmware that are configured.
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

// proxies returns the proxies that are believed about who sent a request.
func (c *Config) proxies() httpapi.Proxies {
	list, _ := httpapi.ParseProxies(c.HTTPProxies) // validated with the configuration
	return list
}

// DayOffset returns the time before midnight UTC at which a day begins.
func (c *Config) DayOffset() time.Duration { return time.Duration(c.CityDay) * time.Hour }

// minRetention is the smallest number of days that the store keeps readings: a day must be closed and archived before.
const minRetention = int(archive.LeastRetention / (24 * time.Hour))

// indices are the values of the key index. The German index goes by the name of the office that defines it.
var indices = map[string]airindex.Index{"eaqi": airindex.European, "uba": airindex.German}

// retention returns how long the store keeps readings of archived days; 0 is for ever.
func (c *Config) retention() time.Duration {
	digits, ok := strings.CutSuffix(c.Retention, "d")
	days, err := strconv.Atoi(digits)
	if !ok || err != nil || days < minRetention || days > 36500 {
		return 0
	}
	return time.Duration(days) * 24 * time.Hour
}

// Correction returns the humidity correction of particle means.
func (c *Config) Correction() quality.Correction {
	return quality.Correction{Method: quality.KappaKohler, Kappa: c.QualityKappa}
}

// Corrected returns how particle means are corrected, in a line for documents.
func (c *Config) Corrected() string {
	return c.Correction().String() + "; pm2_5 of " + ingest.CF1Sensor + " by " + quality.Correction{Method: quality.EPACF1}.String()
}

// ConfigError is an error in the configuration, which no retry fixes.
type ConfigError struct{ Err error }

func (e ConfigError) Error() string { return e.Err.Error() }
func (e ConfigError) Unwrap() error { return e.Err }
