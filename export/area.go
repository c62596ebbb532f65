package export

import (
	"cmp"
	"slices"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/airindex"
)

// Area is the average of a part of the city over one window: the mean over its cells that have a value.
type Area struct {
	Name     string
	AllCells int             // cells of it
	Rows     []aggregate.Row // of one window
}

// AreaValue is an area's average of one quantity. Values are in the quantity's unit.
type AreaValue struct {
	Quantity string `json:"quantity"`
	Unit     string `json:"unit"`
	Mean     Milli  `json:"mean"`
	Min      Milli  `json:"min"` // the smallest of the cells' means
	Max      Milli  `json:"max"` // the largest of the cells' means
	Cells    int    `json:"cells"`
	AllCells int    `json:"all_cells"`
	Share    Milli  `json:"share"` // of the area's cells
	Stations int    `json:"stations"`
	Readings int    `json:"readings"`
	EAQI     int    `json:"eaqi,omitempty"`
	LQI      int    `json:"lqi,omitempty"`
}

// Values are the area's averages by quantity, in the order of their numbers.
func (a Area) Values() []AreaValue {
	rows := slices.Clone(a.Rows)
	slices.SortStableFunc(rows, func(x, y aggregate.Row) int { return cmp.Compare(x.Quantity, y.Quantity) })
	values := []AreaValue{}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].Quantity == rows[0].Quantity {
			n++
		}
		values = append(values, a.value(rows[:n]))
		rows = rows[n:]
	}
	return values
}

func (a Area) value(rows []aggregate.Row) AreaValue {
	q := wire.Quantity(rows[0].Quantity)
	mean, _ := aggregate.City(rows) // there is a row
	v := AreaValue{
		Quantity: q.String(), Unit: q.Unit(), Mean: Milli(mean), Min: Milli(rows[0].Mean), Max: Milli(rows[0].Mean), Cells: len(rows), AllCells: a.AllCells,
		Share: Milli(min(1000, len(rows)*1000/max(1, a.AllCells))),
	}
	for _, r := range rows {
		v.Min, v.Max = min(v.Min, Milli(r.Mean)), max(v.Max, Milli(r.Mean))
		v.Stations += r.Stations
		v.Readings += r.Readings
	}
	if class, ok := EAQI(q, mean); ok {
		v.EAQI = int(class)
	}
	if class, ok := LQI(q, mean); ok {
		v.LQI = int(class)
	}
	return v
}

// IndexClass is what an index says, in words. Class 0 is no statement.
type IndexClass struct {
	Class     int    `json:"class"`
	Pollutant string `json:"pollutant,omitempty"` // the one that decides
	English   string `json:"en"`
	German    string `json:"de"`
	Colour    string `json:"colour,omitempty"`
}

// Indices are both indices of an area: the worst pollutant of each decides. They are made for hourly means; of another
// window they say how an hour of that air would be.
func Indices(values []AreaValue) map[string]IndexClass {
	means := map[string]float64{}
	for _, v := range values {
		means[v.Quantity] = float64(v.Mean) / 1000
	}
	indices := map[string]IndexClass{}
	for _, index := range []airindex.Index{airindex.European, airindex.German} {
		v := index.Of(means)
		label := v.Label()
		indices[index.String()] = IndexClass{int(v.Class), v.Pollutant, label.English, label.German, label.Colour}
	}
	return indices
}
