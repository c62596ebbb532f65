package ogc

import (
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"

	"stadtluft/export"
)

// feature is a feature of a collection. Members that long collections rarely need are functions.
type feature struct {
	id                string
	time              span   // for datetime
	station, quantity string // for filters
	geometry          func() orb.Geometry
	properties        func() []property
}

// fixed returns a function that returns g.
func fixed(g orb.Geometry) func() orb.Geometry { return func() orb.Geometry { return g } }

// property is a member of a feature's properties; they keep their order.
type property struct {
	name  string
	value any // for JSON: a string, a number, a bool, nil, or a list of strings
}

// append appends the feature as GeoJSON; without a member links when there are none.
func (f *feature) append(b []byte, links []link) ([]byte, error) {
	b = append(b, `{"type":"Feature","id":`...)
	b, err := export.AppendJSON(b, f.id)
	if err != nil {
		return b, err
	}
	b = export.AppendGeometry(append(b, `,"geometry":`...), f.geometry())
	b = append(b, `,"properties":{`...)
	for i, p := range f.properties() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), p.name...), `":`...) // names are ours
		if b, err = export.AppendJSON(b, p.value); err != nil {
			return b, err
		}
	}
	b = append(b, '}')
	if links != nil {
		if b, err = export.AppendJSON(append(b, `,"links":`...), links); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// within reports whether the feature's geometry meets one of the boxes (/req/core/fc-bbox-response).
func (f *feature) within(boxes boxes) bool {
	if len(boxes) == 0 {
		return true
	}
	g := f.geometry()
	if !boxes.meets(g.Bound()) {
		return false
	}
	if _, point := g.(orb.Point); point {
		return true
	}
	for _, box := range boxes {
		if !empty(clip.Geometry(box, orb.Clone(g))) {
			return true
		}
	}
	return false
}

// empty reports whether a geometry that was clipped has no points left.
func empty(g orb.Geometry) bool {
	switch g := g.(type) {
	case orb.Polygon:
		return len(g) == 0
	case orb.MultiPolygon:
		return len(g) == 0
	}
	return g == nil
}
