package export

import (
	"slices"
	"strings"

	"stadtluft/ingest"
)

// Sources that can be asked for; beside them each neighbour's name is one.
const (
	AllSources = "all"
	OwnSource  = "own" // the city's own stations, simulated ones among them
)

// neighbours are whom to name for data that is not the city's, and under which licence it is. The licence of an authority
// without an entry is that of each of its stations.
var neighbours = map[string]struct{ name, licence, url string }{
	"sensor-community": {"Sensor.Community", "ODbL-1.0, DbCL-1.0", "https://opendatacommons.org/licenses/odbl/1-0/"},
	ingest.UBA:         {"Umweltbundesamt", "dl-de/by-2-0", "https://www.govdata.de/dl-de/by-2-0"},
	ingest.NRW:         {"LANUK NRW", "dl-de/by-2-0", "https://www.govdata.de/dl-de/by-2-0"},
	ingest.EEA:         {"European Environment Agency", "CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"},
	ingest.Authority:   {name: "official stations"},
}

// From completes what a document says of itself by the stations its data may come from: whether simulated ones
// are among them, and whom else to name.
func (m Meta) From(stations []*ingest.Station) Meta {
	for _, source := range sources(stations) {
		n := neighbours[source]
		if n.licence == "" {
			n.licence = strings.Join(licencesOf(stations, source), ", ")
		}
		m.Attribution += "; " + n.name + " (" + n.licence + ")"
		if n.url != "" && !slices.Contains(m.Licences, n.url) {
			m.Licences = append(m.Licences, n.url)
		}
	}
	m.Demo = slices.ContainsFunc(stations, func(s *ingest.Station) bool { return s.Demo })
	return m
}

// licencesOf are the licences of a source's stations, each once, sorted.
func licencesOf(stations []*ingest.Station, source string) []string {
	var list []string
	for _, s := range stations {
		if s.Source == source {
			list = append(list, s.Licence)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// sources are the neighbours among the stations, each once, sorted.
func sources(stations []*ingest.Station) []string {
	var list []string
	for _, s := range stations {
		if _, known := neighbours[s.Source]; known && !slices.Contains(list, s.Source) {
			list = append(list, s.Source)
		}
	}
	slices.SortFunc(list, strings.Compare)
	return list
}

// Sources lists what can be asked for.
func Sources() []string {
	list := []string{AllSources, OwnSource}
	for name := range neighbours {
		list = append(list, name)
	}
	slices.Sort(list[2:])
	return list
}

// FromSource is the stations of one of Sources.
func FromSource(stations []*ingest.Station, source string) []*ingest.Station {
	return slices.DeleteFunc(slices.Clone(stations), func(s *ingest.Station) bool { return !IsFrom(s, source) })
}

// IsFrom reports whether a station is of one of Sources. "official" takes in every authority.
func IsFrom(s *ingest.Station, source string) bool {
	return source == AllSources || source == ingest.Authority && s.Official() || s.Source == source || s.Source == "" && source == OwnSource
}

// Known returns what v points to, for properties; nil for a nil pointer.
func Known[T any](v *T) any {
	if v == nil {
		return nil
	}
	return *v
}
