package ogc

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi/openapi"
)

// stations returns the collection of the stations that are shown, at their current places.
func (s *Service) stations() collection {
	return collection{
		id:    "stations",
		title: bilingual.Of("Stations", "Stationen"),
		about: bilingual.Of("The measuring stations, at the centre of their 100 m cell.", "Die Messstationen, in der Mitte ihrer 100-m-Zelle."),
		span:  s.sinceFirst,
		bound: s.points,
		after: afterText,
		read: func(_ context.Context, chosen selection, yield func(feature) error) error {
			for _, st := range s.Stations() {
				if !st.Shown() {
					continue
				}
				if err := yield(s.station(st, chosen.now)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// afterText returns the order of collections that are sorted by id.
func afterText(id string) (func(f *feature) bool, bool) {
	return func(f *feature) bool { return f.id > id }, true
}

func (s *Service) station(st *ingest.Station, now time.Time) feature {
	at := s.Latest(st.ID, now)
	return feature{
		id: st.ID, geometry: fixed(st.PlaceAt(now).Public), time: span{from: st.Created},
		properties: func() []property {
			return []property{
				{"name", st.Name}, {"kit", st.Kit}, {"sensors", strings.Join(st.Sensors, ", ")}, {"exposure", string(st.Exposure)}, {"height", export.Known(st.Height)},
				{"status", string(st.Status)}, {"state", string(at.StateOf(st, now))}, {"last_seen", stamp(at.LastSeen)}, {"since", stamp(st.Created)},
				{"source", cmp.Or(st.Source, export.OwnSource)}, {"source_id", st.SourceID()}, {"licence", st.Licence}, {"demo", st.Demo},
			}
		},
	}
}

// readings returns the collection of the latest value of each quantity of each station.
func (s *Service) readings() collection {
	return collection{
		id:      "readings-latest",
		title:   bilingual.Of("Latest readings", "Neueste Messwerte"),
		about:   bilingual.Of("The latest value of each quantity of each station, with the flags of the checks.", "Der neueste Wert jeder Messgröße jeder Station, mit den Markierungen der Prüfungen."),
		filters: []openapi.Parameter{byStation, byQuantity},
		span:    s.measured,
		bound:   s.points,
		after:   afterText,
		read: func(_ context.Context, chosen selection, yield func(feature) error) error {
			for _, st := range s.Stations() {
				if !st.Shown() {
					continue
				}
				values := s.Latest(st.ID, chosen.now).Values
				for _, q := range byName() {
					value, measured := values[q]
					if !measured {
						continue
					}
					if err := yield(reading(st, q, value)); err != nil {
						return err
					}
				}
			}
			return nil
		},
	}
}

// byName returns the quantities in the order of their names.
func byName() []quantity.Quantity {
	list := quantity.All()
	slices.SortFunc(list, func(a, b quantity.Quantity) int { return strings.Compare(a.String(), b.String()) })
	return list
}

func reading(st *ingest.Station, q quantity.Quantity, v live.Latest) feature {
	return feature{
		id: st.ID + "." + q.String(), geometry: fixed(st.PlaceAt(v.Time).Public), time: span{v.Time, v.Time}, station: st.ID, quantity: q.String(),
		properties: func() []property {
			return []property{
				{"station", st.ID}, {"name", st.Name}, {"quantity", q.String()}, {"value", v.Value}, {"unit", q.Unit()}, {"time", stamp(v.Time)},
				{"flags", v.Flags.String()}, {"good", v.Flags.Good()}, {"exposure", string(st.Exposure)}, {"demo", st.Demo},
			}
		},
	}
}
