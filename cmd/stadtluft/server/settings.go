package server

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"stadtluft/ingest/admin"
)

// envPrefix is the prefix of every key's environment variable.
const envPrefix = "STADTLUFT_"

// maxConfigBytes is the largest size of the configuration file.
const maxConfigBytes = 1 << 20

// setting is one key of the configuration bound to its place in a Config.
type setting struct {
	key     string
	secret  bool
	process string // why a city cannot have it of its own; empty when it can
	value   reflect.Value
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
		list = append(list, setting{key: tag.Get("key"), secret: tag.Get("secret") != "", process: tag.Get("process"), value: v.Field(i)})
	}
	for _, t := range c.Quality.Thresholds() {
		list = append(list, setting{key: "quality." + t.Key, value: reflect.ValueOf(t.Value).Elem()})
	}
	return list
}

// env returns the name of the setting's environment variable.
func (s setting) env() string { return envPrefix + envName(s.key) }

// shown returns the value for people: without a secret, and without a password in a URL.
func (s setting) shown() string {
	if s.secret && !s.value.IsZero() {
		return "***"
	}
	return Mask(fmt.Sprint(s.value.Interface()))
}

// shownSettings returns the configuration for the administrator, without secrets.
func shownSettings(c Config) []admin.Setting {
	var list []admin.Setting
	for _, s := range settings(&c) {
		list = append(list, admin.Setting{Key: s.key, Value: s.shown()})
	}
	return list
}

func envName(key string) string {
	return strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
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

// setFile sets a secret from a file, without the line break at its end.
func (s setting) setFile(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s_file: %w", s.key, err)
	}
	s.value.SetString(strings.TrimRight(string(text), "\r\n"))
	return nil
}

// readFile reads what is common to all cities, and returns the cities.
func (c *Config) readFile(path string) (cities []cityNode, mistakes []error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, []error{fmt.Errorf("read the configuration: %w", err)}
	}
	if info.Size() > maxConfigBytes {
		return nil, []error{fmt.Errorf("read the configuration: %s is larger than %d bytes", path, maxConfigBytes)}
	}
	file, err := parser.ParseFile(path, 0)
	if err != nil {
		return nil, []error{fmt.Errorf("read the configuration %s: %w", path, err)}
	}
	for _, doc := range file.Docs {
		rest, found, wrong := splitCities(path, doc.Body)
		cities, mistakes = append(cities, found...), append(mistakes, wrong...)
		if len(cities) > 0 {
			c.CityName = "" // of a region, if it has one
		}
		mistakes = append(mistakes, c.readNode(path, "", rest)...)
	}
	return cities, mistakes
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
		case s.process != "" && s.key == key && c.ID != "":
			return ofProcess(key, s.process)
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

// readEnv reads the variables of a configuration: without an id those of the common part. Those of a city
// whose variables have a longer prefix are that one's: a city may be called as another with more behind.
func (c *Config) readEnv(environ []string, cities []cityNode) []error {
	known, prefix := map[string]func(string) error{}, c.envPrefix()
	for _, s := range settings(c) {
		name := prefix + envName(s.key)
		known[name] = s.set
		if s.secret {
			known[name+"_FILE"] = s.setFile
		}
		if s.process != "" && c.ID != "" {
			known[name] = func(string) error { return ofProcess(s.key, s.process) }
		}
	}
	var mistakes []error
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		ofCity := slices.ContainsFunc(cities, func(n cityNode) bool {
			of := cityEnv(n.id)
			return len(of) > len(prefix) && strings.HasPrefix(name, of)
		})
		if !strings.HasPrefix(name, prefix) || ofCity || slices.Contains(otherEnv, name) {
			continue
		}
		set, ok := known[name]
		if !ok {
			key := strings.ToLower(strings.TrimPrefix(name, prefix))
			mistakes = append(mistakes, fmt.Errorf("environment variable %s: %w", name, unknownKey(key)))
			continue
		}
		if err := set(text); err != nil {
			mistakes = append(mistakes, fmt.Errorf("environment variable %s: %w", name, err))
		}
	}
	return mistakes
}

// otherEnv are variables with our prefix that do not configure the server.
var otherEnv = []string{"STADTLUFT_CONFIG"}

// unknownKey returns an error with the most similar known key.
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

// editDistance returns the Levenshtein distance of a and b.
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
