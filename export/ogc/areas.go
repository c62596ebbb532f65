package ogc

import (
	"context"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/httpapi/openapi"
)

// grid returns the collection of the stored hourly averages of the last Days days.
func (s *Service) grid() collection {
	return collection{
		id:    "grid-1h",
		title: bilingual.Of("Hourly grid averages", "Stundenmittel im Raster"),
		about: bilingual.Of(
			"Averages of full UTC hours, stamped by their start, over cells of the European statistical grid (EPSG:3035), of the last seven days.",
			"Mittel voller Stunden (UTC, nach ihrem Beginn benannt) über die Zellen des europäischen statistischen Rasters (EPSG:3035), der letzten sieben Tage.",
		),
		filters: []openapi.Parameter{byQuantity},
		span:    week,
		bound:   s.cells,
		after: func(id string) (func(f *feature) bool, bool) {
			last, ok := parseHourID(id)
			return func(f *feature) bool {
				row, _ := parseHourID(f.id) // it is one of ours
				return compareHours(row, last) > 0
			}, ok
		},
		read: func(ctx context.Context, chosen selection, yield func(feature) error) error {
			period := week(chosen.now)
			from, to := period.from, period.to
			if chosen.time.from.After(from.Add(time.Hour)) {
				from = chosen.time.from.Add(-time.Hour) // the hour that has begun before
			}
			if last, ok := parseHourID(chosen.from); ok && last.Start.After(from) {
				from = last.Start
			}
			if !chosen.time.to.IsZero() && chosen.time.to.Before(to) {
				to = chosen.time.to.Add(time.Second)
			}
			if !from.Before(to) {
				return nil
			}
			var quantities []quantity.Quantity
			if q, ok := quantity.Parse(chosen.quantity); ok {
				quantities = []quantity.Quantity{q}
			}
			outlines := map[geo.Cell]orb.Polygon{}
			return s.Hours(ctx, from, to, quantities, func(r aggregate.Row) error { return yield(hour(r, outlines)) })
		},
	}
}

// week returns the time span of the stored hourly averages.
func week(now time.Time) span {
	now = now.Truncate(time.Hour)
	return span{now.Add(-Days * 24 * time.Hour), now}
}

// hour returns an hourly average as a feature. It keeps cells' outlines in outlines for the hours after it.
func hour(r aggregate.Row, outlines map[geo.Cell]orb.Polygon) feature {
	end := r.Start.Add(time.Duration(r.Window.Seconds())*time.Second - time.Nanosecond) // both ends are included, so the hour ends before the next begins
	return feature{
		id: hourID(r), time: span{r.Start, end}, quantity: r.Quantity.String(),
		geometry: func() orb.Geometry {
			if outlines[r.Cell] == nil {
				outlines[r.Cell] = r.Cell.Polygon()
			}
			return outlines[r.Cell]
		},
		properties: func() []property { return hourly(r) },
	}
}

// hourColumns are the grid's but the place, which is the geometry. Here both indices stand side by side.
var hourColumns = func() export.Columns[aggregate.Row] {
	columns := export.GridColumns.Without("lon", "lat", "lqi")
	behind := 1 + slices.IndexFunc(columns, func(c export.Column[aggregate.Row]) bool { return c.Name == "eaqi" })
	return slices.Concat(columns[:behind], export.GridColumns.Only("lqi"), columns[behind:])
}()

func hourly(r aggregate.Row) []property {
	properties := make([]property, len(hourColumns))
	for i := range hourColumns {
		properties[i] = property{hourColumns[i].Name, hourColumns[i].Value(&r)}
	}
	return properties
}

// class returns an index's class, or nil without one.
func class[C ~int | ~uint8](class C, ok bool) any {
	if !ok {
		return nil
	}
	return int(class)
}

// districts returns the collection of the live averages of the city's districts.
func (s *Service) districts() collection {
	return collection{
		id:    "districts",
		title: bilingual.Of("Districts", "Stadtbezirke"),
		about: bilingual.Of(
			"The average of the last 60 minutes in each district: the mean over its cells, with the share of its cells that have a value.",
			"Das Mittel der letzten 60 Minuten in jedem Bezirk: über seine Zellen, mit dem Anteil der Zellen, die einen Wert haben.",
		),
		span:  hourBefore,
		bound: s.outlines,
		after: afterText,
		read: func(ctx context.Context, chosen selection, yield func(feature) error) error {
			areas, err := s.Areas(ctx, chosen.now)
			if err != nil {
				return err
			}
			for i, area := range areas {
				f := feature{id: area.Name, geometry: fixed(s.Districts[i].Geometry()), time: hourBefore(chosen.now), properties: func() []property { return district(area) }}
				if err := yield(f); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// district returns the quantities as flat members, by which geographic information systems can colour. Every district
// has the same members.
func district(area export.Area) []property {
	values := area.Values()
	indices := area.Indices()
	list := []property{{"name", area.Name}, {"cells", len(area.Cells)}}
	european, german := indices.European.Class, indices.German.Class
	list = append(list, property{"eaqi", class(european, european > 0)}, property{"lqi", class(german, german > 0)})
	list = append(list, property{"eaqi_name", indices.European.NameEnglish}, property{"lqi_name", indices.German.NameEnglish})
	means := map[string]export.AreaValue{}
	for _, v := range values {
		means[v.Quantity] = v
	}
	for _, q := range areaQuantities {
		var mean, share any
		if v, measured := means[q.String()]; measured {
			mean, share = v.Mean, v.Share
		}
		list = append(list, property{q.String(), mean}, property{q.String() + "_share", share})
	}
	return list
}

// areaQuantities are the quantities that have averages and by which districts are compared.
var areaQuantities = []quantity.Quantity{quantity.PM1, quantity.PM2_5, quantity.PM10, quantity.Temperature, quantity.Humidity, quantity.Pressure, quantity.NoiseLAeq}
