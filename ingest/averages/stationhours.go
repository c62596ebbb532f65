package averages

import (
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"time"
)

// StationHours returns the stations' means over the hour that starts at start for quality.HourChecker, at the exact
// places where the stations stood when it began. Of a station that was moved within the hour only the part at that
// place is checked.
func StationHours(stations ingest.Stations, start time.Time, hours []aggregate.StationHour) []quality.StationHour {
	list := make([]quality.StationHour, 0, len(hours))
	var last string
	var at quality.StationHour
	var cell geo.Cell
	for _, h := range hours {
		if h.Station != last {
			last, at, cell = h.Station, quality.StationHour{Station: h.Station}, geo.Cell{}
			if st, ok := stations.Station(h.Station); ok {
				place := st.PlaceAt(start).Exact
				var err error
				if at.East, at.North, err = geo.Project(place); err == nil {
					cell, _ = geo.CellAt(place, geo.BaseSize)
				}
			}
		}
		if h.Cell == cell {
			at.Quantity, at.Mean, at.Median, at.Count = h.Quantity, float64(h.Mean)/1000, float64(h.Median)/1000, h.Count
			list = append(list, at)
		}
	}
	return list
}
