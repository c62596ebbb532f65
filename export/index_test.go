package export

import (
	"slices"
	"testing"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
)

// cellOfCity returns a row of one of the city's cells.
func cellOfCity(window aggregate.Window, cell int, q quantity.Quantity, mean int64, stations int) aggregate.Row {
	return aggregate.Row{Cell: geo.Cell{Size: 1000, North: 3096000, East: 4107000 + int32(cell)*1000}, Start: noon, Window: window, Quantity: q, Mean: mean, Stations: stations}
}

func TestACityNeedsThreeStationsInThreeCells(t *testing.T) {
	type rows = []aggregate.Row
	pm := func(cell, stations int) aggregate.Row {
		return cellOfCity(aggregate.Hour, cell, quantity.PM2_5, 12_000, stations)
	}
	f := func(whole bool, rows rows, class int, reason, name string) {
		t.Helper()
		a := Area{Name: "Köln", Whole: whole, Rows: rows}
		for _, r := range rows {
			if !slices.Contains(a.Cells, r.Cell) {
				a.Cells = append(a.Cells, r.Cell)
			}
		}
		if got := a.Indices().European; got.Class != class || string(got.Reason) != reason || got.NameEnglish != name {
			t.Errorf("index of %d rows = %+v, want class %d, %q, %q", len(rows), got, class, reason, name)
		}
		if v := a.Values()[0]; v.EAQI != class || (v.LQI == 0) != (class == 0) {
			t.Errorf("classes of %d rows = %d and %d, want %d", len(rows), v.EAQI, v.LQI, class)
		}
	}
	const fromPM = "European index, from PM only"
	f(true, rows{pm(0, 1)}, 0, "too_few_stations", fromPM)
	f(true, rows{pm(0, 9), pm(1, 9)}, 0, "too_few_stations", fromPM)
	f(true, rows{pm(0, 1), pm(1, 1), pm(2, 1)}, 2, "", fromPM)
	f(false, rows{pm(0, 1)}, 2, "", fromPM)
	// One station of NO2, however bad its air, does not speak for the city.
	f(true, rows{pm(0, 1), pm(1, 1), pm(2, 1), cellOfCity(aggregate.Hour, 0, quantity.NO2, 900_000, 1)}, 2, "", fromPM)
	// 12 µg/m³ of PM2.5 over a day: no class, as neither index has one for a day.
	day := func(cell int) aggregate.Row { return cellOfCity(aggregate.Day, cell, quantity.PM2_5, 12_000, 1) }
	f(true, rows{day(0), day(1), day(2)}, 0, "not_hourly", fromPM)
	f(true, rows{day(0)}, 0, "not_hourly", fromPM)
	f(false, rows{day(0)}, 0, "not_hourly", fromPM)
}

func TestDaysHaveNoIndex(t *testing.T) {
	for _, window := range []aggregate.Window{aggregate.Live, aggregate.Hour, aggregate.Day} {
		r := cellOfCity(window, 0, quantity.PM2_5, 12_000, 4)
		for _, name := range []string{"eaqi", "lqi"} {
			value := GridColumns.Only(name)[0].Value(&r)
			if (value == nil) != (window == aggregate.Day) {
				t.Errorf("%s of %s = %v", name, window, value)
			}
		}
		c := CellIndices([]aggregate.Row{r})[0].European
		if (c.Class == 0) != (window == aggregate.Day) || !slices.Equal(c.Pollutants, []string{"pm2_5"}) {
			t.Errorf("index of a cell over %s = %+v", window, c)
		}
	}
}
