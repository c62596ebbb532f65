package api

import (
	"net/http"
	"time"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// spans are the default length of a period for each resolution, and the longest one for formats that clients hold in
// memory whole. CSV and Parquet stream and have no limit.
var spans = map[download.Resolution]struct{ usual, most time.Duration }{
	download.Raw:         {time.Hour, 31 * 24 * time.Hour},
	download.FiveMinutes: {time.Hour, 31 * 24 * time.Hour},
	download.Hours:       {24 * time.Hour, 366 * 24 * time.Hour},
	download.Days:        {31 * 24 * time.Hour, 3660 * 24 * time.Hour},
}

// source returns the source of stored data.
func (s *Server) source() download.Source {
	return download.Source{
		Store: s.Store, Stations: s.Registry, Licence: s.City.Licence, Attribution: s.City.Attribution,
		Correction: s.Aggregate.Correction, Corrected: s.City.Corrected, DayOffset: s.City.DayOffset,
	}
}

// getReadings answers with every station's readings of a period.
func (s *Server) getReadings(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r)
	var ids []string
	for _, text := range q.list("station") {
		id, err := registry.ParseID(text)
		if err != nil {
			q.Fail(newProblem(http.StatusNotFound, "station", "station: %v", err).InGerman("station: %.80q ist keine Kennung einer Station.", text))
		} else if st, known := s.Registry.Station(id); !known || st.Hidden() {
			q.Fail(newProblem(http.StatusNotFound, "station", "no station %s is registered", id).InGerman("Eine Station %s gibt es nicht.", id))
		}
		ids = append(ids, id)
	}
	return s.readings(w, r, q, ids)
}

// getStationReadings answers with one station's readings of a period.
func (s *Server) getStationReadings(w http.ResponseWriter, r *http.Request) error {
	st, err := s.keys.Seen(w, r)
	if err != nil {
		return err
	}
	return s.readings(w, r, newQuery(r), []string{st.ID})
}

func (s *Server) readings(w http.ResponseWriter, r *http.Request, q *query, stations []string) error {
	asked := download.Readings{Resolution: download.Resolution(q.text("resolution")), Stations: stations}
	span := spans[asked.Resolution]
	asked.From, asked.To = q.period(time.Now().UTC(), span.usual)
	asked.Quantities, asked.Within, asked.Source = q.quantities(), q.within(s), q.text("source")
	asked.OnlyGood = q.text("flags") == "good"
	if asked.Resolution != download.Raw && q.Values.Get("flags") == "all" {
		q.Fail(wrong("flags", "means are of good values: leave flags out, or ask for resolution=raw").InGerman("Mittel gibt es aus guten Werten: Lass flags weg, oder frag mit resolution=raw."))
	}
	d := q.document(s, r, asked.From, asked.To, span.most)
	if err := q.done(); err != nil {
		return err
	}
	d.pin("from", asked.From)
	d.pin("to", asked.To)
	source := s.source()
	d.meta = source.Meta(asked.Of(s.Registry))
	d.name = "readings"
	if len(stations) == 1 {
		d.name += "-" + stations[0]
	}
	asked.From = d.start(asked.From)
	if asked.Resolution == download.Raw {
		d.schema, d.meta.Averaging = "readings.json", export.Single
		return send(w, r, d, func(add func(ingest.Reading) error) error {
			if d.format == export.JSON {
				add = download.Single(add)
			}
			return source.Readings(r.Context(), asked, add)
		}, download.AtReading, source.NewReadings)
	}
	d.name += "-" + string(asked.Resolution)
	d.schema, d.meta.Averaging = "means.json?resolution="+string(asked.Resolution), export.StationRule(asked.Resolution.Window(), source.Corrected)
	return send(w, r, d, func(add func(aggregate.StationWindow) error) error {
		return s.means(r.Context(), asked, add)
	}, download.AtMean, download.NewMeans)
}
