package export

import (
	"strconv"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo/aggregate"
)

// AppendAverage appends the members of a cell's live average as dashboards get it, without braces.
func AppendAverage(b []byte, r aggregate.Row) []byte {
	b = appendAverageHead(b, wire.Quantity(r.Quantity), r.Mean)
	b = append(b, `,"median":`...)
	b = appendMilli(b, r.Median)
	b = append(b, `,"stations":`...)
	b = strconv.AppendInt(b, int64(r.Stations), 10)
	b = append(b, `,"coverage":`...)
	return appendMilli(b, r.Coverage)
}

// AppendCity appends the members of the city's live average of one quantity, without braces: the mean
// over its cells, how many of them there are, and their share of the city's cells.
func AppendCity(b []byte, q wire.Quantity, rows []aggregate.Row, cityCells int) []byte {
	mean, ok := aggregate.City(rows)
	if !ok {
		return b
	}
	stations := 0
	for _, r := range rows {
		stations += r.Stations
	}
	b = appendAverageHead(b, q, mean)
	b = append(b, `,"cells":`...)
	b = strconv.AppendInt(b, int64(len(rows)), 10)
	b = append(b, `,"city_cells":`...)
	b = strconv.AppendInt(b, int64(cityCells), 10)
	b = append(b, `,"share":`...)
	b = appendMilli(b, min(1000, int64(len(rows))*1000/int64(max(1, cityCells))))
	b = append(b, `,"stations":`...)
	return strconv.AppendInt(b, int64(stations), 10)
}

func appendAverageHead(b []byte, q wire.Quantity, mean int64) []byte {
	b = append(b, `"quantity":"`...)
	b = append(b, q.String()...)
	b = append(b, `","unit":`...)
	b = appendString(b, q.Unit())
	b = append(b, `,"mean":`...)
	b = appendMilli(b, mean)
	if class, ok := EAQI(q, mean); ok {
		b = append(b, `,"eaqi":`...)
		b = strconv.AppendInt(b, int64(class), 10)
	}
	return b
}
