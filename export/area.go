package export

import (
	"cmp"
	"math"
	"slices"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/airindex"
	"stadtluft/geo/coverage"
)

// Area is a part of the city, or all of it, with its averages over one window.
type Area struct {
	Name   string
	Cells  []geo.Cell       // all of its cells, sorted, of one size
	People map[geo.Cell]int // inhabitants by cell, where known; nil without a census table
	Rows   []aggregate.Row  // of one window and of its cells
	Whole  bool             // the whole city: of a pollutant with fewer than airindex.ForCity stations or cells the indices say nothing
}

// With is the area with those of the rows that are of its cells.
func (a Area) With(rows []aggregate.Row) Area {
	a.Rows = nil
	for _, r := range rows {
		if _, within := slices.BinarySearchFunc(a.Cells, r.Cell, geo.Cell.Compare); within {
			a.Rows = append(a.Rows, r)
		}
	}
	return a
}

// AreaValue is an area's average of one quantity: the mean over its cells that have a value. Values are in the
// quantity's unit.
type AreaValue struct {
	Quantity    string
	Unit        string
	Mean        Milli
	Min         Milli // the smallest of the cells' means
	Max         Milli // the largest of the cells' means
	Cells       int
	AllCells    int
	Share       Milli // of the area's cells
	Stations    int
	Readings    int
	EAQI        int
	LQI         int
	PeopleShare *Milli // of the area's inhabitants; null where they are not known
	Spread      Milli  // between the cells, or between the stations of the only cell
	Certainty   string
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
	q := rows[0].Quantity
	mean, spread, _ := aggregate.Area(rows) // there is a row
	whole := aggregate.Row{Quantity: rows[0].Quantity, Mean: mean, Spread: spread, Stations: len(rows)}
	if len(rows) == 1 {
		whole = rows[0]
	}
	v := AreaValue{
		Quantity: q.String(), Unit: q.Unit(), Mean: Milli(mean), Min: Milli(rows[0].Mean), Max: Milli(rows[0].Mean),
		Spread: Milli(whole.Spread), Certainty: Certainty(whole).OfArea(len(rows), len(a.Cells)).String(),
	}
	covered := make([]geo.Cell, len(rows))
	for i, r := range rows {
		covered[i] = r.Cell
		v.Min, v.Max = min(v.Min, Milli(r.Mean)), max(v.Max, Milli(r.Mean))
		v.Stations += r.Stations
		v.Readings += r.Readings
	}
	v.share(coverage.City{Cells: a.Cells, Covered: covered, People: a.People}.Share())
	if a.enough(v) {
		v.EAQI, v.LQI = class(airindex.European, rows[0].Window, q, mean), class(airindex.German, rows[0].Window, q, mean)
	}
	return v
}

// enough reports whether an index may speak of the area's value.
func (a Area) enough(v AreaValue) bool {
	return !a.Whole || v.Cells >= airindex.ForCity && v.Stations >= airindex.ForCity
}

func (v *AreaValue) share(s coverage.Share) {
	v.Cells, v.AllCells, v.Share = s.Covered, s.Cells, thousandths(s.OfArea())
	if people, known := s.OfPeople(); known {
		share := thousandths(people)
		v.PeopleShare = &share
	}
}

func thousandths(share float64) Milli { return Milli(math.Round(share * 1000)) }

// Indices returns both indices of an area, made of the pollutants that have enough stations.
func (a Area) Indices() IndexClasses {
	all, enough, window := map[quantity.Quantity]int64{}, map[quantity.Quantity]int64{}, aggregate.Live
	for _, v := range a.Values() {
		q, _ := quantity.Parse(v.Quantity) // one of ours
		all[q] = int64(v.Mean)
		if a.enough(v) {
			enough[q] = int64(v.Mean)
		}
		window = a.Rows[0].Window
	}
	return bothIndices(func(x airindex.Index) airindex.Value {
		known, certain := indexOf(x, window, all), indexOf(x, window, enough)
		switch {
		case certain.Reason != airindex.NoParticles:
			return certain
		case known.Class != airindex.None:
			return known.Without(airindex.TooFewStations)
		}
		return known
	})
}
