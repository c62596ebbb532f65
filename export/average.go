package export

import (
	"strconv"

	"stadtluft/geo/aggregate"
)

// averageColumns are those of the grid that dashboards get of a cell's live average.
var averageColumns = GridColumns.Only("quantity", "unit", "mean", "eaqi", "lqi", "median", "stations", "coverage", "spread", "certainty")

// AppendAverage appends the members of a cell's live average as dashboards get it, without braces.
func AppendAverage(b []byte, r aggregate.Row) []byte { return averageColumns.appendKnown(b, &r) }

// AppendCity appends the members of the city's live average of one quantity, without braces: the mean
// over its cells, how many of them there are, and their share of the city's cells.
func AppendCity(b []byte, v AreaValue) []byte {
	b = appendAverageHead(b, v.Quantity, v.Unit, int64(v.Mean))
	if v.EAQI > 0 {
		b = appendInt(b, "eaqi", v.EAQI)
	}
	if v.LQI > 0 {
		b = appendInt(b, "lqi", v.LQI)
	}
	b = appendInt(b, "cells", v.Cells)
	b = appendInt(b, "city_cells", v.AllCells)
	b = appendNumber(b, "share", v.Share)
	if v.PeopleShare != nil {
		b = appendNumber(b, "people_share", *v.PeopleShare)
	}
	b = appendInt(b, "stations", v.Stations)
	return appendCertainty(b, v.Spread, v.Certainty)
}

func appendAverageHead(b []byte, name, unit string, mean int64) []byte {
	b = append(b, `"quantity":"`...)
	b = append(b, name...)
	b = append(b, `","unit":`...)
	b = appendString(b, unit)
	return appendNumber(b, "mean", Milli(mean))
}

func appendCertainty(b []byte, spread Milli, certainty string) []byte {
	b = appendNumber(b, "spread", spread)
	b = append(b, `,"certainty":`...)
	return appendString(b, certainty)
}

func appendInt(b []byte, name string, n int) []byte {
	return strconv.AppendInt(appendName(b, name), int64(n), 10)
}

func appendNumber(b []byte, name string, m Milli) []byte {
	return appendMilli(appendName(b, name), int64(m))
}

// appendName begins a further member.
func appendName(b []byte, name string) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	return append(b, `":`...)
}
