package ogc

import (
	"testing"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
)

// TestDistrictsSayWhatTheirIndexIsMadeOf looks at a district in which PM2.5 alone is measured: 12 µg/m³ is fair (ETC HE Report
// 2024/17) and gut (UBA 2025).
func TestDistrictsSayWhatTheirIndexIsMadeOf(t *testing.T) {
	cell := geo.Cell{Size: 1000, North: 3096000, East: 4107000}
	area := export.Area{Name: "Mitte", Cells: []geo.Cell{cell}, Rows: []aggregate.Row{{Cell: cell, Quantity: quantity.PM2_5, Mean: 12_000, Stations: 1}}}
	got := map[string]any{}
	for _, p := range district(area) {
		got[p.name] = p.value
	}
	for name, want := range map[string]any{"eaqi": 2, "lqi": 2, "eaqi_name": "European index, from PM only", "lqi_name": "German index (UBA), from PM only"} {
		if got[name] != want {
			t.Errorf("%s = %v, want %v", name, got[name], want)
		}
	}
}
