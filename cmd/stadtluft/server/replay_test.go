package server

import (
	"slices"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// TestStoredFlags reads two hours: flags of hours are taken from their values, others stay.
func TestStoredFlags(t *testing.T) {
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	reading := func(station string, minute int, flags ingest.Flags) *ingest.Reading {
		return &ingest.Reading{Station: station, Time: noon.Add(time.Duration(minute) * time.Minute), Values: []ingest.Value{
			{Quantity: quantity.PM10, Flags: flags}, {Quantity: quantity.Humidity, Flags: ingest.Range},
		}}
	}
	var s storedFlags
	f := func(r *ingest.Reading, left ingest.Flags, want ...ingest.HourFlags) {
		t.Helper()
		if got := s.next(r); !slices.Equal(got, want) || r.Values[0].Flags != left || r.Values[1].Flags != ingest.Range {
			t.Errorf("%v, values %+v, want %v, flags %v", got, r.Values, want, left)
		}
	}
	flags := func(station string, hour int, flags ingest.Flags) ingest.HourFlags {
		return ingest.HourFlags{Station: station, Hour: noon.Add(time.Duration(hour) * time.Hour), Quantity: quantity.PM10, Flags: flags}
	}
	f(reading("B", 0, ingest.Outlier|ingest.Humid), ingest.Humid)
	f(reading("A", 1, ingest.Spike), 0)
	f(reading("B", 59, ingest.Outlier|ingest.Moved), 0)
	f(reading("C", 59, ingest.Stuck), ingest.Stuck)
	f(reading("A", 60, ingest.Moved), 0, flags("A", 0, ingest.Spike), flags("B", 0, ingest.Outlier|ingest.Moved))
	f(reading("A", 180, 0), 0, flags("A", 1, ingest.Moved))
	if got := s.end(); len(got) != 0 {
		t.Errorf("at the end: %v", got)
	}
}
