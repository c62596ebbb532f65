package export

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo/aggregate"
	"stadtluft/geo/airindex"
)

// AreaColumns are the columns of averages of districts as CSV, one row a district, window and quantity.
const AreaColumns = "district,window_start,window_seconds,quantity,unit,mean,min,max,cells,all_cells,share,stations,readings,eaqi,lqi"

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

// WriteAreas writes areas as CSV.
func WriteAreas(w io.Writer, start time.Time, window aggregate.Window, areas []Area) error {
	buffered := bufio.NewWriter(w)
	if _, err := buffered.WriteString(AreaColumns + "\n"); err != nil {
		return err
	}
	rows := csv.NewWriter(buffered)
	for _, a := range areas {
		for _, v := range a.Values() {
			class := func(n int) string {
				if n == 0 {
					return ""
				}
				return strconv.Itoa(n)
			}
			err := rows.Write([]string{
				a.Name, start.UTC().Format(time.RFC3339), strconv.Itoa(window.Seconds()), v.Quantity, v.Unit, v.Mean.String(), v.Min.String(), v.Max.String(),
				strconv.Itoa(v.Cells), strconv.Itoa(v.AllCells), v.Share.String(), strconv.Itoa(v.Stations), strconv.Itoa(v.Readings), class(v.EAQI), class(v.LQI),
			})
			if err != nil {
				return err
			}
		}
	}
	rows.Flush()
	if err := rows.Error(); err != nil {
		return err
	}
	return buffered.Flush()
}
