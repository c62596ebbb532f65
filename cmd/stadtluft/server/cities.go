package server

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"stadtluft/export/api"
)

// citiesKey is the key below which each city of an installation with several has its own settings.
const citiesKey = "cities"

// cityID matches the ids of cities: they are parts of the names of folders, buckets, streams, topics and variables.
var cityID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

const longestCityID = 20 // characters

// several reports whether the configuration has cities. One without is itself that of its only city.
func (c *Config) several() bool { return len(c.Cities) > 0 }

// Single returns the configuration of a city: that of an id, or without one the only one that there is.
func (c Config) Single(id string) (Config, error) {
	if id == "" && !c.several() {
		return c, nil
	}
	if id == "" && len(c.Cities) == 1 {
		return c.Cities[0], nil
	}
	if i := slices.IndexFunc(c.Cities, func(city Config) bool { return city.ID == id }); i >= 0 {
		return c.Cities[i], nil
	}
	switch {
	case !c.several():
		return c, fmt.Errorf("--city %s: the configuration has no cities", id)
	case id == "":
		return c, fmt.Errorf("the configuration has several cities: say which with --city, one of %s", strings.Join(c.ids(), ", "))
	}
	return c, fmt.Errorf("--city %s: the configuration has no such city, but %s", id, strings.Join(c.ids(), ", "))
}

// ids returns the cities' ids.
func (c *Config) ids() []string {
	list := make([]string, len(c.Cities))
	for i, city := range c.Cities {
		list[i] = city.ID
	}
	return list
}

const (
	serveAll  = "all"
	serveNone = "none"
)

// served returns the configurations of the cities that this process serves; without cities the only one.
func (c Config) served() []Config {
	if !c.several() {
		return []Config{c}
	}
	var list []Config
	for _, city := range c.Cities {
		if c.Serve == serveAll || slices.Contains(c.serves(), city.ID) {
			list = append(list, city)
		}
	}
	return list
}

// serves returns the ids that the key serve names.
func (c *Config) serves() []string {
	return strings.FieldsFunc(c.Serve, func(r rune) bool { return r == ',' || r == ' ' })
}

// ProcessData returns the data folder of the process, where the embedded NATS server is: that of the only city, or the
// one with the cities' folders.
func (c *Config) ProcessData() string {
	if c.ID != "" {
		return c.common
	}
	return c.Data
}

// journals returns how many journals the embedded NATS server has: one for each city, and those that cities have left which are not
// in the configuration any more. NATS keeps their room as well, and makes nothing for the others when it has none.
func (c *Config) journals() int64 {
	names := map[string]bool{}
	for _, prefix := range c.prefixes {
		names[prefix+journalSuffix] = true
	}
	if len(names) == 0 {
		names[c.NATSPrefix+journalSuffix] = true
	}
	kept, _ := os.ReadDir(streamsFolder(c.ProcessData())) // there is none before the first start
	for _, stream := range kept {
		if strings.HasSuffix(stream.Name(), journalSuffix) {
			names[stream.Name()] = true
		}
	}
	return int64(len(names))
}

// labels returns what a city's metrics have besides, as pairs of name and value; nothing where there is only one city.
func (c *Config) labels() []string {
	if c.ID == "" && !c.several() {
		return nil
	}
	return []string{"city", c.ID} // empty for what is of no city
}

// cityNode is a city in a file.
type cityNode struct {
	id   string
	line int
	node ast.Node
}

// splitCities takes the cities out of a document.
func splitCities(path string, doc ast.Node) (rest ast.Node, cities []cityNode, mistakes []error) {
	if pair, single := doc.(*ast.MappingValueNode); single {
		doc = ast.Mapping(pair.GetToken(), false, pair)
	}
	body, ok := doc.(*ast.MappingNode)
	if !ok {
		return doc, nil, nil
	}
	body.Values = slices.DeleteFunc(body.Values, func(pair *ast.MappingValueNode) bool {
		if pair.Key.GetToken().Value != citiesKey {
			return false
		}
		for _, city := range pairs(pair.Value) {
			at := city.Key.GetToken()
			cities = append(cities, cityNode{at.Value, at.Position.Line, city.Value})
		}
		if len(cities) == 0 {
			mistakes = append(mistakes, fmt.Errorf("%s:%d: cities: name each with its settings below it", path, pair.Key.GetToken().Position.Line))
		}
		return true
	})
	return body, cities, mistakes
}

// pairs returns the keys and values of a mapping; none of anything else.
func pairs(node ast.Node) []*ast.MappingValueNode {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// readCities makes the configuration of each city: what the common part says, but for what would be shared by accident,
// then what the file and the environment say of the city.
func (c *Config) readCities(path string, nodes []cityNode, environ []string) (mistakes []error) {
	for _, n := range nodes {
		if !cityID.MatchString(n.id) || len(n.id) > longestCityID {
			mistakes = append(mistakes, fmt.Errorf("%s:%d: cities: %q is no id of a city: at most %d lower-case letters, digits and single hyphens between them", path, n.line, n.id, longestCityID))
			continue
		}
		city := c.cityDefaults(n.id)
		found := city.readNode(path, "", n.node)
		found = append(found, city.readEnv(environ, nodes)...)
		for _, err := range found {
			mistakes = append(mistakes, fmt.Errorf("cities.%s: %w", n.id, err))
		}
		c.Cities = append(c.Cities, city)
	}
	for _, city := range c.Cities {
		c.prefixes = append(c.prefixes, city.NATSPrefix)
	}
	for i := range c.Cities {
		c.Cities[i].prefixes = c.prefixes
	}
	slices.SortFunc(c.Cities, func(a, b Config) int { return strings.Compare(a.ID, b.ID) })
	return mistakes
}

// cityDefaults returns the settings of a city that says nothing of its own.
func (c *Config) cityDefaults(id string) Config {
	city := *c
	city.Cities, city.ID, city.common = nil, id, c.Data
	city.Data = filepath.Join(c.Data, id)
	city.Archive = c.cityArchive(id)
	city.NATSPrefix, city.MQTTPrefix, city.InfluxBucket = c.NATSPrefix+"-"+id, c.MQTTPrefix+"-"+id, c.InfluxBucket+"-"+id
	city.CityName, city.HTTPPublicURL = "", "" // each has its own
	return city
}

// DataHasCities returns an error when a city has its data outside of a data folder that was given to a command: its registry would
// be in one of them and the streams in the other.
func (c *Config) DataHasCities() error {
	for _, city := range c.Cities {
		if way, err := filepath.Rel(absolute(c.Data), absolute(city.Data)); err != nil || !filepath.IsLocal(way) {
			return fmt.Errorf("cities.%s: data: %s is outside of --data %s: leave --data out, or change the configuration", city.ID, city.Data, c.Data)
		}
	}
	return nil
}

// envPrefix returns the prefix of the environment variables with a configuration's keys.
func (c *Config) envPrefix() string {
	if c.ID == "" {
		return envPrefix
	}
	return cityEnv(c.ID)
}

func cityEnv(id string) string {
	return envPrefix + strings.ToUpper(citiesKey+"_"+strings.ReplaceAll(id, "-", "_")) + "_"
}

// validateAll checks the configuration: the only city's, or those of all cities and what they share.
func (c *Config) validateAll() []error {
	var m mistakes
	c.validateServe(&m)
	if !c.several() {
		return append(c.validate(), m...)
	}
	m.check(c.HTTPPublicURL == "" || isOrigin(c.HTTPPublicURL), "http.public_url: %q is not a scheme and a host without a path, such as https://luft.example.org", c.HTTPPublicURL)
	m = append(m, c.validateEach()...)
	const plain = "http.public_url: %s is not what browsers send: write it with xn--"
	m.check(isASCII(hostOf(c.HTTPPublicURL)), plain, hostOf(c.HTTPPublicURL))
	for _, city := range c.Cities {
		m.check(isASCII(hostOf(city.HTTPPublicURL)), "cities.%s: "+plain, city.ID, hostOf(city.HTTPPublicURL))
		m.check(city.CityName != "", "cities.%s: city.name: name the city", city.ID)
		m.check(city.HTTPPublicURL != "", "cities.%s: http.public_url: give the city a host name of its own, such as https://%[1]s.example.org", city.ID)
	}
	c.validateShared(&m)
	return m
}

// validateEach checks each city by itself. What is wrong with all of them is said once: it is most likely the common part.
func (c *Config) validateEach() (m mistakes) {
	count := map[string]int{}
	found := make([][]error, len(c.Cities))
	for i := range c.Cities {
		found[i] = c.Cities[i].validate()
		for _, err := range found[i] {
			count[err.Error()]++
		}
	}
	for i, city := range c.Cities {
		for _, err := range found[i] {
			switch of := count[err.Error()]; {
			case of < len(c.Cities):
				m = append(m, fmt.Errorf("cities.%s: %w", city.ID, err))
			case i == 0:
				m = append(m, err)
			}
		}
	}
	return m
}

func (c *Config) validateServe(m *mistakes) {
	if c.Serve == serveAll || c.Serve == serveNone && c.several() {
		return
	}
	if !c.several() {
		m.check(false, "serve: %q: there are no cities, see cities", c.Serve)
		return
	}
	m.check(len(c.serves()) > 0, "serve: name cities, %s or %s", serveAll, serveNone)
	for _, id := range c.serves() {
		m.check(slices.Contains(c.ids(), id), "serve: there is no city %q, but %s; %s serves none, but the page of all", id, strings.Join(c.ids(), ", "), serveNone)
	}
}

// validateShared refuses what two cities, or a city and the page of all, have in common and must not.
func (c *Config) validateShared(m *mistakes) {
	taken := map[string]string{"host " + hostOf(c.HTTPPublicURL): "the page of all cities"}
	taken["folder "+absolute(filepath.Join(c.Data, natsFolder))] = "the embedded NATS server"
	for _, city := range c.Cities {
		for _, own := range city.owned() {
			if own.value == "" {
				continue
			}
			thing := own.what + " " + own.value
			m.check(taken[thing] == "", "cities.%s: %s: %s is also that of %s", city.ID, own.key, thing, taken[thing])
			taken[thing] = "city " + city.ID
		}
	}
}

type owned struct{ key, what, value string }

// owned returns what a city has for itself alone.
func (c *Config) owned() []owned {
	list := []owned{
		{"http.public_url", "host", hostOf(c.HTTPPublicURL)},
		{"city.name", "name", c.CityName},
		{"data", "folder", absolute(c.Data)},
		{"archive", "folder", absolute(c.archiveFolder())},
		{"nats.prefix", "prefix", c.NATSPrefix},
		{"mqtt.prefix", "first level of topics", c.MQTTPrefix},
	}
	if c.archiveElsewhere() && !c.archiveOverHTTP() {
		list = append(list, owned{"archive", "place", strings.TrimSuffix(c.Archive, "/") + " at " + c.S3Endpoint})
	}
	if c.StoreKind == "influxdb" {
		list = append(list, owned{"store.influxdb.bucket", "bucket", c.InfluxBucket + " at " + c.InfluxURL})
	}
	if c.MQTTBroker != "" {
		topics, _ := c.topics() // validated before
		for _, t := range topics {
			list = append(list, owned{"mqtt.topics." + strings.ReplaceAll(t.Family, "-", "_"), "topic", t.Filter() + " at " + c.MQTTBroker})
		}
	}
	return list
}

// hostOf returns the host name of a URL; empty when it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return api.HostName(u.Host)
}

func isASCII(host string) bool {
	return !strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf })
}

// absolute returns a folder's path in one form.
func absolute(folder string) string {
	if full, err := filepath.Abs(folder); err == nil {
		return full
	}
	return folder
}

// ofProcess returns an error for a key that a city cannot have of its own.
func ofProcess(key, reason string) error {
	return errors.New(key + " is not for one city: " + reason)
}
