package export

import (
	"slices"

	"stadtluft/geo/aggregate"
)

// averageColumns are those of the grid that dashboards get of a cell's live average.
var averageColumns = GridColumns.Only("quantity", "unit", "mean", "eaqi", "lqi", "median", "stations", "coverage", "spread", "certainty")

// AppendAverage appends the members of a cell's live average as dashboards get it, without braces.
func AppendAverage(b []byte, r aggregate.Row) []byte { return averageColumns.appendKnown(b, &r) }

// cityColumns are those of areas that dashboards get of the city's live average.
var cityColumns = func() Columns[AreaRow] {
	columns := AreaColumns.Only("quantity", "unit", "mean", "eaqi", "lqi", "cells", "all_cells", "share", "people_share", "stations", "spread", "certainty")
	columns[slices.IndexFunc(columns, func(c Column[AreaRow]) bool { return c.Name == "all_cells" })].Name = "city_cells"
	return columns
}()

// AppendCity appends the members of the city's live average of one quantity, without braces: the mean
// over its cells, how many of them there are, and their share of the city's cells.
func AppendCity(b []byte, v AreaValue) []byte {
	return cityColumns.appendKnown(b, &AreaRow{AreaValue: v})
}
