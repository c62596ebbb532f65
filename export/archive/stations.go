package archive

import (
	"bytes"
	"cmp"
	"encoding/json"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/geo"
	"stadtluft/ingest"
)

// stationFeature is a station on a day.
type stationFeature struct {
	Type       string            `json:"type"`
	ID         string            `json:"id"`
	Geometry   point             `json:"geometry"`
	Properties stationProperties `json:"properties"`
}

type point struct {
	Type        string    `json:"type"`
	Coordinates orb.Point `json:"coordinates"`
}

type stationProperties struct {
	Name     string          `json:"name"`
	Kit      string          `json:"kit"`
	Sensors  []string        `json:"sensors"`
	Exposure ingest.Exposure `json:"exposure"`
	Height   *float64        `json:"height"` // metres above ground; null when not known
	Demo     bool            `json:"demo"`
	Source   string          `json:"source"`
	SourceID string          `json:"source_id"` // at that source, on that day
	Licence  string          `json:"licence"`   // of its readings
	Places   []place         `json:"places"`    // of that day, ascending; the last is the geometry
}

type place struct {
	From time.Time `json:"from"`
	Lon  float64   `json:"lon"`
	Lat  float64   `json:"lat"`
}

// stations writes the stations, each at its public place at the end of the day.
func (w *writer) stations(stations []*ingest.Station) error {
	var b bytes.Buffer
	b.WriteString(`{"type":"FeatureCollection",`)
	b.Write(export.AppendMembers(nil, w.meta))
	b.WriteString(`,"features":[`)
	for i, st := range stations {
		if i > 0 {
			b.WriteByte(',')
		}
		feature, err := json.Marshal(w.feature(st))
		if err != nil {
			return err
		}
		b.WriteByte('\n')
		b.Write(feature)
	}
	b.WriteString("\n]}\n")
	return w.whole(stationsName, b.Bytes(), len(stations))
}

func (w *writer) feature(st *ingest.Station) stationFeature {
	st = st.At(w.to.Add(-time.Second))
	f := stationFeature{Type: "Feature", ID: st.ID, Properties: stationProperties{
		Name: st.Name, Kit: st.Kit, Sensors: append([]string{}, st.Sensors...), Exposure: st.ExposureAt(w.to.Add(-time.Second)), Height: st.Height, Demo: st.Demo,
		Source: cmp.Or(st.Source, export.OwnSource), SourceID: st.SourceID(), Licence: st.Licence, Places: []place{},
	}}
	f.Geometry = point{"Point", geo.Published(st.PlaceAt(w.to.Add(-time.Second)).Public)}
	for i, p := range st.Places {
		if !p.From.Before(w.to) || i+1 < len(st.Places) && !st.Places[i+1].From.After(w.from) {
			continue // a later place, or one that it left before the day began
		}
		at := geo.Published(p.Public)
		f.Properties.Places = append(f.Properties.Places, place{p.From.UTC().Truncate(time.Second), at[0], at[1]})
	}
	return f
}
