package ogc

import (
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"

	"stadtluft/export"
)

// feature is a feature of a collection.
type feature struct {
	id         string
	geometry   orb.Geometry
	time       span // for datetime
	properties []property
}

// property is a member of a feature's properties; they keep their order.
type property struct {
	name  string
	value any // for JSON: a text, a number, a truth, nil, or a list of texts
}

// append appends the feature as GeoJSON; links may be none.
func (f *feature) append(b []byte, links []link) ([]byte, error) {
	b = append(b, `{"type":"Feature","id":`...)
	b, err := export.AppendJSON(b, f.id)
	if err != nil {
		return b, err
	}
	b = export.AppendGeometry(append(b, `,"geometry":`...), f.geometry)
	b = append(b, `,"properties":{`...)
	for i, p := range f.properties {
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
	if !boxes.meets(f.geometry.Bound()) {
		return false
	}
	if _, point := f.geometry.(orb.Point); point || len(boxes) == 0 {
		return true
	}
	for _, box := range boxes {
		if !empty(clip.Geometry(box, orb.Clone(f.geometry))) {
			return true
		}
	}
	return false
}

// empty reports whether clipping left nothing.
func empty(g orb.Geometry) bool {
	switch g := g.(type) {
	case orb.Polygon:
		return len(g) == 0
	case orb.MultiPolygon:
		return len(g) == 0
	}
	return g == nil
}
