package averages

import (
	"reflect"
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
	var s StoredFlags
	f := func(r *ingest.Reading, left ingest.Flags, want ...Stored) {
		t.Helper()
		if got := s.Next(r); !reflect.DeepEqual(got, want) || r.Values[0].Flags != left || r.Values[1].Flags != ingest.Range {
			t.Errorf("%v, values %+v, want %v, flags %v", got, r.Values, want, left)
		}
	}
	flags := func(station string, hour, values int, flags ingest.Flags, humid ...ingest.Span) Stored {
		return Stored{ingest.HourFlags{Station: station, Hour: noon.Add(time.Duration(hour) * time.Hour), Quantity: quantity.PM10, Flags: flags, Humid: humid}, values}
	}
	ran := ingest.Flags(0).With(ingest.OutlierCheck, ingest.Checked)
	f(reading("B", 0, ran|ingest.Outlier|ingest.Humid), 0)
	f(reading("A", 1, ingest.Spike), 0)
	f(reading("B", 2, ran|ingest.Outlier|ingest.Humid), 0)
	f(reading("B", 3, ran|ingest.Outlier), 0)
	f(reading("B", 30, ingest.Range), ingest.Range) // says nothing of the hour
	f(reading("B", 59, ran|ingest.Outlier|ingest.Humid), 0)
	f(reading("C", 59, ingest.Stuck), 0)
	f(reading("A", 60, ingest.Moved), 0,
		flags("A", 0, 1, ingest.Spike),
		flags("B", 0, 4, ran|ingest.Outlier, ingest.Span{From: 0, To: 120, Values: 2}, ingest.Span{From: 59 * 60, To: 59 * 60, Values: 1}),
		flags("C", 0, 1, ingest.Stuck))
	f(reading("A", 61, 0), 0) // came after the hour was checked
	f(reading("A", 180, 0), 0, flags("A", 1, 0, ingest.Moved))
	if got := s.End(); len(got) != 0 {
		t.Errorf("at the end: %v", got)
	}
}
