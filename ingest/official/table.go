package official

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/calibration"
)

// Table describes a file of hours.
type Table struct {
	Station  Station            // of a file without a column for it
	Places   map[string]Station // by the name in that column, in upper case
	Quantity quantity.Quantity
	Unit     string // empty means the quantity's
	Format   calibration.Format
	Problem  func(text string) // is called with what is wrong with one station
}

// ReadCSV reads a table as calibration.ReadReference does.
func (t *Table) ReadCSV(r io.Reader, yield Yield) error {
	rows, err := calibration.ReadReference(r, t.Format)
	if err != nil {
		return err
	}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].Station == rows[0].Station {
			n++
		}
		part := rows[:n]
		rows = rows[n:]
		st, ok := t.station(part[0].Station)
		if !ok {
			continue
		}
		hours := make([]Hour, n)
		for i, h := range part {
			value, ok := quantity.Convert(t.Quantity, t.Unit, h.Value)
			if !ok {
				return fmt.Errorf("%q is no unit of %s", t.Unit, t.Quantity)
			}
			hours[i] = Hour{h.Start, t.Quantity, value}
		}
		if err := yield(st, hours); err != nil {
			return err
		}
	}
	return nil
}

// station returns the station with a name in the table: the one whose name it is, or is part of it, as a station's code is
// of its sampling points'.
func (t *Table) station(name string) (Station, bool) {
	if name == "" {
		return t.Station, t.Station.Key != ""
	}
	upper := strings.ToUpper(name)
	if st, ok := t.Places[upper]; ok {
		return st, true
	}
	for code, st := range t.Places {
		if slices.Contains(strings.FieldsFunc(upper, func(r rune) bool { return r == '_' || r == '/' || r == '.' || r == '-' }), code) {
			return st, true
		}
	}
	if len(t.Places) == 0 && t.Station.Key != "" {
		return t.Station, true
	}
	t.Problem(fmt.Sprintf("station %.80q has no place: add it to --places", name))
	return Station{}, false
}

// ReadPlaces reads a CSV with the columns station, lon and lat, and perhaps name. Each station gets the source and licence
// of like.
func ReadPlaces(r io.Reader, like Station) (map[string]Station, error) {
	table := csv.NewReader(r)
	header, err := table.Read()
	if err != nil {
		return nil, fmt.Errorf("places: %w", err)
	}
	column := func(name string) int {
		return slices.IndexFunc(header, func(h string) bool {
			return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")), name)
		})
	}
	station, lon, lat, name := column("station"), column("lon"), column("lat"), column("name")
	if station < 0 || lon < 0 || lat < 0 {
		return nil, fmt.Errorf("places: the columns are %q, want station, lon, lat and perhaps name", header)
	}
	places := map[string]Station{}
	for {
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			return places, nil
		}
		if err != nil {
			return nil, fmt.Errorf("places: %w", err)
		}
		st := like
		st.Key = strings.TrimSpace(row[station])
		if st.Name = st.Key; name >= 0 && row[name] != "" {
			st.Name = row[name] + " (" + st.Key + ")"
		}
		x, errX := strconv.ParseFloat(strings.TrimSpace(row[lon]), 64)
		y, errY := strconv.ParseFloat(strings.TrimSpace(row[lat]), 64)
		if st.Key == "" || errX != nil || errY != nil {
			line, _ := table.FieldPos(0)
			return nil, fmt.Errorf("places: line %d: %q is not a station with degrees of longitude and latitude", line, row)
		}
		st.Point = orb.Point{x, y}
		places[strings.ToUpper(st.Key)] = st
	}
}

// Own returns what a station of an authority's own table is like.
func Own(licence string) Station { return Station{Source: ingest.Authority, Licence: licence} }

// European returns what a station of the European Environment Agency's files is like.
func European() Station { return Station{Source: ingest.EEA, Licence: licenceEU} }
