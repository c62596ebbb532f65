package averages

import (
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
)

// stationHours returns the means of an hour that are checked, of stations outdoors and indoors.
func (a *Averages) stationHours(start time.Time) []quality.StationHour {
	hours := StationHours(a.Stations, start, a.Aggregate.StationHours(start))
	for _, s := range StationHours(a.Stations, start, a.indoors.StationHours(start)) {
		s.Indoors = true
		hours = append(hours, s)
	}
	return hours
}

// StationHours returns the stations' means over the hour that starts at start for quality.HourChecker, at the public
// places where the stations stood when it began and with the sensors that they had then. Of a station that was moved to
// another cell within the hour only the part in the first one is checked.
func StationHours(stations ingest.Stations, start time.Time, hours []aggregate.StationHour) []quality.StationHour {
	list := make([]quality.StationHour, 0, len(hours))
	var last string
	var like quality.StationHour // the part that a station's quantities share
	for i := range hours {
		h := &hours[i]
		if h.Station != last {
			last, like = h.Station, quality.StationHour{Station: h.Station}
			if st, ok := stations.Station(h.Station); ok {
				like.Cell, _ = geo.CellAt(st.PlaceAt(start).Public, geo.BaseSize)
				like.Installation, like.Resolution = st.InstallationAt(start), quality.Resolution(st.At(start))
			}
		}
		if h.Cell != like.Cell {
			continue
		}
		s := like
		s.Quantity, s.Mean, s.Median = h.Quantity, float64(h.Mean)/1000, float64(h.Median)/1000
		s.Count, s.Steady = len(h.Values), h.Steady()
		switch h.Quantity {
		case quantity.PM1, quantity.PM2_5, quantity.PM4, quantity.PM10, quantity.Humidity:
			s.Samples = samples(h.Values)
		}
		list = append(list, s)
	}
	return list
}

func samples(values []aggregate.StationValue) []quality.Sample {
	list := make([]quality.Sample, len(values))
	for i, v := range values {
		list[i] = quality.Sample{Second: v.Second, Value: float64(v.Milli) / 1000}
	}
	return list
}
