package averages

import (
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest"
)

// TestCheckedWhereItStood has a station that moved at a quarter past: the hour is checked at the old place with the
// values from there, the next at the new one. Unregistered stations are not checked. The cells are those of PROJ's
// places (cs2cs EPSG:4326 EPSG:3035).
func TestCheckedWhereItStood(t *testing.T) {
	a := newAverages(nil)
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	stations := register{"M": {ID: "M", Exposure: ingest.Outdoor, Places: []ingest.Place{
		place(start.AddDate(0, 0, -1), 6.9583, 50.9413), place(start.Add(15*time.Minute), 5, 50),
	}}}
	a.Stations = stations
	for minute := range 120 {
		a.Observe(reading("M", start.Add(time.Duration(minute)*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: float64(minute)}))
	}
	f := func(hour time.Time, east, north int32, mean, median float64, count int) {
		t.Helper()
		got := StationHours(stations, hour, a.Aggregate.StationHours(hour))
		if len(got) != 1 || got[0].Quantity != quantity.PM10 || got[0].Cell != (geo.Cell{Size: 100, North: north, East: east}) || got[0].Mean != mean || got[0].Median != median || got[0].Count != count {
			t.Errorf("%v: %+v, want %v %v, mean %v, median %v, %d values", hour, got, east, north, mean, median, count)
		}
	}
	f(start, 4107200, 3096600, 7, 7, 15)                      // 0 to 14
	f(start.Add(time.Hour), 3962700, 2999700, 89.5, 89.5, 60) // 60 to 119
	if got := StationHours(register{}, start, a.Aggregate.StationHours(start)); len(got) != 0 {
		t.Errorf("of nobody: %+v", got)
	}
}
