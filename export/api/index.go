package api

import (
	"net/http"
	"time"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
)

// getIndex answers with both indices of each cell over a window.
func (s *Server) getIndex(w http.ResponseWriter, r *http.Request) error {
	now := time.Now().UTC()
	q := newQuery(r)
	g := gridQuery{resolution: int32(q.number("resolution"))}
	d := document{format: q.format(), meta: s.meta(now)}
	s.readWindow(q, &g, now)
	if err := q.done(); err != nil {
		return err
	}
	var rows []aggregate.Row
	err := s.gridRows(r.Context(), g, now, func(row aggregate.Row) error {
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return err
	}
	d.name, d.schema, d.from = "index-"+g.window.String(), "index.json?window="+g.window.String(), g.start()
	d.meta.Averaging = export.GridRule(g.window, s.City.Corrected)
	return sendWhole(w, r, d, export.CellIndices(rows), download.NewIndices)
}

// stationMean is a station's mean over the last 60 minutes as it enters averages.
type stationMean struct {
	Mean        export.Milli `json:"mean"`
	Raw         export.Milli `json:"raw_mean"`
	Unit        string       `json:"unit"`
	Coverage    export.Milli `json:"coverage"`
	Uncorrected bool         `json:"uncorrected"`
}

// officialHours is how old the start of an official station's latest hour may be: it takes an hour to measure and comes late.
const officialHours = 4 * time.Hour

// recentMeans returns a station's means of the 60 minutes before now; of an official station its latest hour.
func (s *Server) recentMeans(st *ingest.Station, now time.Time) []aggregate.StationMean {
	if !st.Official() {
		return s.stationMeans(st.ID, now)
	}
	var means []aggregate.StationMean
	for q, v := range s.Live.Station(st.ID, now).Values {
		if now.Sub(v.Time) <= officialHours {
			milli := averages.Milli(v.Value)
			means = append(means, aggregate.StationMean{Station: st.ID, Quantity: q, Mean: milli, Raw: milli, Readings: 1, Coverage: 1000})
		}
	}
	return means
}

// addMeans adds a station's means of the last 60 minutes, of which good values cover at least 45, and
// both indices of them.
func (p *stationProperties) addMeans(means []aggregate.StationMean) {
	p.Means = map[string]stationMean{}
	values := map[quantity.Quantity]int64{}
	for _, m := range means {
		q := m.Quantity
		values[q] = m.Mean
		p.Means[q.String()] = stationMean{export.Milli(m.Mean), export.Milli(m.Raw), q.Unit(), export.Milli(m.Coverage), m.Uncorrected}
	}
	p.Index = export.Indices(aggregate.Live, values)
}
