package averages

import (
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"time"
)

// StationHours returns the stations' means over the hour that starts at start for quality.HourChecker, at the public
// places where the stations stood when it began. Of a station that was moved to another cell within the hour only the
// part in the first one is checked.
func StationHours(stations ingest.Stations, start time.Time, hours []aggregate.StationHour) []quality.StationHour {
	list := make([]quality.StationHour, 0, len(hours))
	var last string
	var cell geo.Cell
	for _, h := range hours {
		if h.Station != last {
			last, cell = h.Station, geo.Cell{}
			if st, ok := stations.Station(h.Station); ok {
				cell, _ = geo.CellAt(st.PlaceAt(start).Public, geo.BaseSize)
			}
		}
		if h.Cell == cell {
			list = append(list, quality.StationHour{
				Station: h.Station, Cell: cell, Quantity: h.Quantity, Mean: float64(h.Mean) / 1000, Median: float64(h.Median) / 1000, Count: h.Count,
			})
		}
	}
	return list
}
