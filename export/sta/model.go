package sta

import (
	"slices"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// kind is one of the eight kinds of entities (OGC 18-088, section 8.2).
type kind struct{ plural, singular string }

// property is a member of an entity. Its value is a string, float64, bool, time.Time, orb.Geometry, map[string]any,
// a span, or nil.
type property struct {
	name string
	of   func(w *world, e *entity) any
	open bool // an object whose members are not fixed, or a geometry
	like any  // an example of its type; nil for a text
	may  bool // may lack, and is left out then
}

// link leads to related entities.
type link struct {
	name string
	to   *kind
	many bool
}

// entity is an entity of any kind. Of the members after kind, those that its kind has are set.
type entity struct {
	kind     *kind
	id       string
	station  *ingest.Station
	place    int // index in station.Places
	quantity quantity.Quantity
	kit      string
	at       time.Time // of an observation; of a Datastream that of the latest one, zero where none is known
	value    ingest.Value
}

func (k *kind) property(name string) (property, bool) {
	for _, p := range schema[k].properties {
		if p.name == name {
			return p, true
		}
	}
	return property{}, false
}

func (k *kind) link(name string) (link, bool) {
	for _, l := range schema[k].links {
		if l.name == name {
			return l, true
		}
	}
	return link{}, false
}

// isID reports whether a name is that of an entity's id.
func isID(name string) bool { return name == "id" || name == "@iot.id" }

var (
	things              = &kind{plural: "Things", singular: "Thing"}
	locations           = &kind{plural: "Locations", singular: "Location"}
	historicalLocations = &kind{plural: "HistoricalLocations", singular: "HistoricalLocation"}
	datastreams         = &kind{plural: "Datastreams", singular: "Datastream"}
	sensors             = &kind{plural: "Sensors", singular: "Sensor"}
	observedProperties  = &kind{plural: "ObservedProperties", singular: "ObservedProperty"}
	observations        = &kind{plural: "Observations", singular: "Observation"}
	features            = &kind{plural: "FeaturesOfInterest", singular: "FeatureOfInterest"}

	kinds = []*kind{things, locations, historicalLocations, datastreams, sensors, observedProperties, observations, features}
)

// one and many return links named after their kind.
func one(k *kind) link  { return link{name: k.singular, to: k} }
func many(k *kind) link { return link{name: k.plural, to: k, many: true} }

// schema lists the properties and links of each kind, and the optional ones of the standard that ours do not have (OGC
// 18-088, section 8.2 and figure 2): a client may select those and gets nothing.
var schema = map[*kind]struct {
	properties []property
	links      []link
	untold     []string
}{
	things:    {thingProperties(), []link{many(locations), many(historicalLocations), many(datastreams)}, nil},
	locations: {locationProperties(), []link{many(things), many(historicalLocations)}, []string{"properties"}},
	historicalLocations: {
		[]property{{name: "time", like: time.Time{}, of: func(_ *world, e *entity) any { return e.from() }}},
		[]link{one(things), many(locations)}, nil,
	},
	datastreams: {
		datastreamProperties(), []link{one(things), one(sensors), one(observedProperties), many(observations)},
		[]string{"resultTime", "observedArea"},
	},
	sensors:            {sensorProperties(), []link{many(datastreams)}, []string{"properties"}},
	observedProperties: {observedPropertyProperties(), []link{many(datastreams)}, nil},
	observations:       {observationProperties(), []link{one(datastreams), one(features)}, []string{"resultQuality", "validTime"}},
	features:           {featureProperties(), []link{many(observations)}, []string{"properties"}},
}

// leavesOut reports whether the standard has a member of a kind that our entities do not have.
func (k *kind) leavesOut(name string) bool { return slices.Contains(schema[k].untold, name) }

// from returns the time from which a place is valid.
func (e *entity) from() time.Time { return e.station.Places[e.place].From }

// point returns a place's public coordinates.
func (e *entity) point() orb.Geometry { return e.station.Places[e.place].Public }
