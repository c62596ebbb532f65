package ogc

import (
	"cmp"
	"strings"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
)

const hourLayout = "20060102T15Z"

// hourID returns an hourly average's id, such as 20260501T12Z.pm2_5.CRS3035RES1000mN3096000E4107000.
func hourID(r aggregate.Row) string {
	return r.Start.UTC().Format(hourLayout) + "." + r.Quantity.String() + "." + r.Cell.String()
}

// parseHourID is the inverse of hourID; the row has only its key.
func parseHourID(id string) (aggregate.Row, bool) {
	hour, rest, _ := strings.Cut(id, ".")
	name, code, _ := strings.Cut(rest, ".")
	start, err := time.Parse(hourLayout, hour)
	q, known := quantity.Parse(name)
	cell, wrong := geo.ParseCell(code)
	row := aggregate.Row{Start: start, Window: aggregate.Hour, Quantity: q, Cell: cell}
	return row, err == nil && wrong == nil && known && hourID(row) == id
}

// compareHours compares in the order of rows in a store.
func compareHours(a, b aggregate.Row) int {
	return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Quantity, b.Quantity), a.Cell.Compare(b.Cell))
}
