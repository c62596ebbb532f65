package parquet

import (
	"io"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest"
)

// ReadingsTable are readings with the two columns that only this form has.
var ReadingsTable = export.ReadingsTable.With(
	export.Field{Name: "received", Type: export.DateTime, About: bilingual.Text{EN: "time of receipt, milliseconds"}},
	export.Field{Name: "time_source", Type: export.Word, About: bilingual.Text{EN: "where `time` came from: `station` (its clock), `age` (receipt minus the age it sent), `receipt`, `network`"},
		Among: []string{"station", "age", "receipt", "network"}},
)

// readingRow is a row of readings.
type readingRow struct {
	Time       int64    `parquet:"time,timestamp(millisecond),delta"`
	Station    string   `parquet:"station,dict"`
	Lon        *float64 `parquet:"lon,optional,dict"`
	Lat        *float64 `parquet:"lat,optional,dict"`
	Quantity   string   `parquet:"quantity,dict"`
	Value      float64  `parquet:"value,dict"`
	Unit       string   `parquet:"unit,dict"`
	Flags      string   `parquet:"flags,dict"`
	Received   int64    `parquet:"received,timestamp(millisecond),delta"`
	TimeSource string   `parquet:"time_source,dict"`
}

type readings struct {
	table[readingRow]
	stations ingest.Stations
	places   map[orb.Point]*[2]float64 // rounded, one for all rows
}

// NewReadings makes an encoder that writes to w. Places of stations come from stations; a station that is not
// there has none. notes are further key-value metadata, such as the rules of the checks; nil is none.
func NewReadings(w io.Writer, stations ingest.Stations, meta export.Meta, notes map[string]string) export.Readings {
	return &readings{newTable[readingRow](w, meta, notes, "time", "station"), stations, map[orb.Point]*[2]float64{}}
}

// Add writes a row for each value.
func (e *readings) Add(r ingest.Reading) error {
	row := readingRow{
		Time: r.Time.UnixMilli(), Station: r.Station, Received: r.Received.UnixMilli(), TimeSource: r.TimeSource.String(),
	}
	if station, ok := e.stations.Station(r.Station); ok {
		place := e.place(station.PlaceAt(r.Time).Public)
		row.Lon, row.Lat = &place[0], &place[1]
	}
	for _, v := range r.Values {
		row.Quantity, row.Value, row.Unit, row.Flags = v.Quantity.String(), v.Value, v.Quantity.Unit(), v.Flags.String()
		if err := e.add(row); err != nil {
			return err
		}
	}
	return nil
}

func (e *readings) place(p orb.Point) *[2]float64 {
	rounded, known := e.places[p]
	if !known {
		rounded = &[2]float64{degrees(p.Lon()), degrees(p.Lat())}
		e.places[p] = rounded
	}
	return rounded
}
