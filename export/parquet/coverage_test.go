package parquet

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/coverage"
)

// hasColumns holds a file's columns against the table that export/README.md promises.
func hasColumns(t *testing.T, table string, b *bytes.Buffer) {
	t.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(export.Tables(), func(t export.Table) bool { return t.Name == table })
	if got, want := columnsOf(file), export.Tables()[i].Header(); got != want {
		t.Errorf("columns of %s: %s\nwant %s", table, got, want)
	}
}

func readBack[T any](t *testing.T, b *bytes.Buffer) []T {
	t.Helper()
	rows, err := parquet.Read[T](bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestCoverage(t *testing.T) {
	near, far := geo.Cell{Size: 1000, North: 3096000, East: 4107000}, geo.Cell{Size: 1000, North: 3098000, East: 4107000}
	city := coverage.City{Cells: []geo.Cell{near, far}, People: map[geo.Cell]int{far: 1000}, Covered: []geo.Cell{near}, Stations: []geo.Cell{{Size: 100, North: 3096600, East: 4107200}}}
	c := export.Coverage{City: city, Counts: map[geo.Cell]int{near: 2}, Proposals: city.Propose(1), History: []export.CoveredPeriod{
		{Start: noon, Days: []coverage.Share{{Cells: 2, Covered: 1, People: 1000}, {Cells: 2, Covered: 2, People: 1000, Reached: 1000}}}, {Start: noon, Days: []coverage.Share{{Cells: 2}}},
	}}
	var cells, then bytes.Buffer
	write(t, NewCoverage(&cells, meta), c.Rows())
	write(t, NewHistory(&then, meta), c.Then())
	hasColumns(t, "coverage", &cells)
	hasColumns(t, "history", &then)
	rows := readBack[coverageRow](t, &cells)
	if r := rows[0]; !r.Covered || r.Stations != 2 || r.People != nil || r.Rank != nil || r.DistanceM != nil || r.ReasonEN != "" {
		t.Errorf("the covered cell is %+v", r)
	}
	// From N 3096650 E 4107250 to N 3098500 E 4107500: the root of 1850² + 250².
	if r := rows[1]; r.Covered || *r.People != 1000 || *r.Rank != 1 || *r.DistanceM != 1867 || !strings.HasPrefix(r.ReasonDE, "1.000 Menschen") {
		t.Errorf("the proposed cell is %+v", r)
	}
	periods := readBack[historyRow](t, &then)
	if p := periods[0]; p.Start != noon.UnixMilli() || p.Days != 2 || p.Cells != 2 || p.Covered != 1.5 || p.Share != 0.75 || *p.People != 1000 || *p.PeopleReached != 500 || *p.PeopleShare != 0.5 {
		t.Errorf("the first period is %+v", p)
	}
	if p := periods[1]; p.Covered != 0 || p.People != nil || p.PeopleReached != nil || p.PeopleShare != nil {
		t.Errorf("the period without a census table is %+v", p)
	}
}

func TestIndices(t *testing.T) {
	cell := geo.Cell{Size: 1000, North: 3096000, East: 4107000}
	var b bytes.Buffer
	write(t, NewIndices(&b, meta), export.CellIndices([]aggregate.Row{
		{Cell: cell, Start: noon, Window: aggregate.Hour, Quantity: quantity.PM10, Mean: 15_001, Stations: 2},
		{Cell: geo.Cell{Size: 1000, North: 3097000, East: 4107000}, Start: noon, Window: aggregate.Hour, Quantity: quantity.NO2, Mean: 20_000, Stations: 1},
	}))
	hasColumns(t, "index", &b)
	rows := readBack[indexRow](t, &b)
	// PM10 of 15.001: up to 15 is EAQI 1 (ETC HE 2024/17, table 1), up to 27 is LQI 2 (UBA 2025).
	if r := rows[0]; *r.EAQI != 2 || r.EAQIPollutant != "pm10" || r.EAQIEN != "fair" || *r.LQI != 2 || r.Measured != 1 || r.Stations != 2 || r.WindowStart != noon.UnixMilli() || r.WindowSeconds != 3600 {
		t.Errorf("the cell is %+v", r)
	}
	if r := rows[1]; r.EAQI != nil || r.LQI != nil || r.EAQIEN != "no statement" || r.EAQIPollutant != "" {
		t.Errorf("the cell without a statement is %+v", r)
	}
}
