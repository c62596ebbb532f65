package ogc

import (
	"time"

	"github.com/paulmach/orb"

	"stadtluft/geo"
	"stadtluft/ingest"
)

// extent is where and when a collection's features are, all of them (/req/core/fc-md-extent).
type extent struct {
	Spatial struct {
		BBox [][4]float64 `json:"bbox"`
		CRS  string       `json:"crs"`
	} `json:"spatial"`
	Temporal period `json:"temporal"`
}

type period struct {
	Interval [][2]*string `json:"interval"`
	TRS      string       `json:"trs"`
}

// words is a period for people; an end that is open has none.
func (p period) words() string {
	from, to := p.Interval[0][0], p.Interval[0][1]
	if to == nil {
		return *from + " –"
	}
	return *from + " – " + *to
}

func (c collection) extent(now time.Time) extent {
	var e extent
	b := c.bound()
	e.Spatial.BBox = [][4]float64{{b.Min.Lon(), b.Min.Lat(), b.Max.Lon(), b.Max.Lat()}}
	e.Spatial.CRS = crs84
	span := c.span(now)
	e.Temporal = period{[][2]*string{{stamp(span.from), stamp(span.to)}}, "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"}
	return e
}

// points are the city and the places of stations, which may lie beyond its boundary.
func (s *Service) points() orb.Bound {
	return s.around(func(p orb.Point) orb.Bound { return p.Bound() })
}

// cells are the city and the cells that stations stand in.
func (s *Service) cells() orb.Bound {
	return s.around(func(p orb.Point) orb.Bound {
		cell, err := geo.CellAt(p, s.Resolution)
		if err != nil { // no cell, no average
			return p.Bound()
		}
		return cell.Polygon().Bound()
	})
}

// around are the city and what is around each place that was ever published.
func (s *Service) around(what func(orb.Point) orb.Bound) orb.Bound {
	b := s.Bound
	for _, st := range s.Stations() {
		if !st.Shown() && st.Status != ingest.Retired {
			continue
		}
		for _, place := range st.Places {
			b = b.Union(what(place.Public))
		}
	}
	return b
}

// outlines are the districts.
func (s *Service) outlines() orb.Bound {
	b := s.Districts[0].Geometry().Bound()
	for _, d := range s.Districts[1:] {
		b = b.Union(d.Geometry().Bound())
	}
	return b
}

// hourBefore is the time of live averages.
func hourBefore(now time.Time) span { return span{now.Add(-time.Hour), now} }

// sinceFirst is from when the first station was registered on.
func (s *Service) sinceFirst(now time.Time) span {
	first := now
	for _, st := range s.Stations() {
		if st.Shown() && st.Created.Before(first) {
			first = st.Created
		}
	}
	return span{from: first}
}

// measured is the time of the latest values, which can be older than their station, as imported ones are, and ahead of our clock.
func (s *Service) measured(now time.Time) span {
	of := span{now, now}
	for _, st := range s.Stations() {
		if !st.Shown() {
			continue
		}
		for _, value := range s.Latest(st.ID, now).Values {
			if value.Time.Before(of.from) {
				of.from = value.Time
			}
			if value.Time.After(of.to) {
				of.to = value.Time
			}
		}
	}
	return of
}
