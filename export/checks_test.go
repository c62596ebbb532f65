package export

import (
	"reflect"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
)

// TestCheckedDay counts the hours of two stations: one is compared, one is alone, one hour is not checked yet, and a value
// that is excluded by itself says nothing.
func TestCheckedDay(t *testing.T) {
	d := CheckedDay{From: time.Date(2026, 4, 30, 23, 0, 0, 0, time.UTC)}
	add := func(station string, after time.Duration, flags ...ingest.Flags) {
		r := ingest.Reading{Station: station, Time: d.From.Add(after)}
		for i, f := range flags {
			r.Values = append(r.Values, ingest.Value{Quantity: []quantity.Quantity{quantity.PM10, quantity.NO2}[i], Flags: f})
		}
		d.Add(&r)
	}
	ran := ingest.Flags(0).With(ingest.SpikeCheck, ingest.NoHistory).With(ingest.OutlierCheck, ingest.Checked)
	alone := ingest.Flags(0).With(ingest.OutlierCheck, ingest.NoNeighbours)
	add("A", 0, ran, 0)
	add("A", time.Minute, ran|ingest.Outlier, 0)
	add("A", 2*time.Minute, ingest.Range, 0)
	add("A", 23*time.Hour, 0)
	add("B", 59*time.Minute, alone)
	hours := d.Hours()
	first := HourChecks{d.From, 1, []CheckCounts{{"spike", 0, 0, 1}, {"outlier", 1, 1, 0}}}
	last := HourChecks{d.From.Add(23 * time.Hour), 1, []CheckCounts{}}
	if len(hours) != 24 || !reflect.DeepEqual(hours[0], first) || !reflect.DeepEqual(hours[23], last) || hours[5].Unchecked != 0 {
		t.Errorf("hours: %+v, want %+v first, %+v last", hours, first, last)
	}
	want := []StationChecks{
		{"A", "no2", 1, 1, []CheckCounts{}},
		{"A", "pm10", 2, 1, []CheckCounts{{"spike", 0, 0, 1}, {"outlier", 1, 0, 0}}},
		{"B", "pm10", 1, 0, []CheckCounts{{"outlier", 0, 1, 0}}},
	}
	if got := d.Stations(); !reflect.DeepEqual(got, want) {
		t.Errorf("stations: %+v, want %+v", got, want)
	}
}

func TestWhyUnchecked(t *testing.T) {
	rules := quality.DefaultRules()
	f := func(check ingest.Check, result ingest.Result, en, de string) {
		t.Helper()
		if got := WhyUnchecked(check, result, &rules); got.EN != en || got.DE != de {
			t.Errorf("%v: %+v, want %q, %q", check, got, en, de)
		}
	}
	f(ingest.OutlierCheck, ingest.NoNeighbours, "not compared: fewer than five neighbours", "nicht verglichen: weniger als fünf Nachbarn")
	f(ingest.SpikeCheck, ingest.NoNeighbours, "not compared: fewer than three neighbours", "nicht verglichen: weniger als drei Nachbarn")
	f(ingest.MovedCheck, ingest.NoHistory, "not checked: too little is known of the time before", "nicht geprüft: über die Zeit davor ist zu wenig bekannt")
	rules.OutlierNeighbours = 12
	f(ingest.OutlierCheck, ingest.NoNeighbours, "not compared: fewer than 12 neighbours", "nicht verglichen: weniger als 12 Nachbarn")
}
