package ogc

import (
	"time"

	"github.com/paulmach/orb"

	"stadtluft/geo"
	"stadtluft/ingest"
)

// extent is the place and time of all features of a collection (/req/core/fc-md-extent).
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

// words returns a period for people; an open end is left empty.
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

// points returns the bounds of the city and of the places of stations, which may lie outside its boundary.
func (s *Service) points() orb.Bound {
	return s.around(func(p orb.Point) orb.Bound { return p.Bound() })
}

// cells returns the bounds of the city and of the cells in which stations stand.
func (s *Service) cells() orb.Bound {
	return s.around(func(p orb.Point) orb.Bound {
		cell, err := geo.CellAt(p, s.Resolution)
		if err != nil { // no cell, no average
			return p.Bound()
		}
		return cell.Polygon().Bound()
	})
}

// around returns the bounds of the city and of what returns for each place that was ever published.
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

// outlines returns the bounds of the districts.
func (s *Service) outlines() orb.Bound {
	b := s.Districts[0].Geometry().Bound()
	for _, d := range s.Districts[1:] {
		b = b.Union(d.Geometry().Bound())
	}
	return b
}

// hourBefore returns the time span of live averages.
func hourBefore(now time.Time) span { return span{now.Add(-time.Hour), now} }

// sinceFirst returns the time span since the first station was registered.
func (s *Service) sinceFirst(now time.Time) span {
	first := now
	for _, st := range s.Stations() {
		if st.Shown() && st.Created.Before(first) {
			first = st.Created
		}
	}
	return span{from: first}
}

// measured returns the time span of the latest values; imported ones can be older than their station, and some are ahead
// of our clock.
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
