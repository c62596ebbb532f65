// Package download answers questions for data: what a caller chose becomes a stream of rows from the store, and the
// rows a document in one of the formats. The HTTP interface and the export command ask the same questions here and so
// give the same bytes.
//
// Rows stream: memory is bounded whatever the period, by two pages of the store and the stations of one window. It
// knows no HTTP, and leaves out what is only in memory, such as live averages.
package download

import (
	"context"
	"io"
	"time"

	"stadtluft/export"
	"stadtluft/export/parquet"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Store is what is read; a store.Store is one.
type Store interface {
	Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error
	Grid(ctx context.Context, q store.GridQuery, yield func(aggregate.Row) error) error
}

// Stations are those that are registered.
type Stations interface {
	Station(id string) (*ingest.Station, bool)
	Stations() []*ingest.Station
}

// Source is where data comes from and what documents say of it.
type Source struct {
	Store       Store
	Stations    Stations
	Licence     string
	Attribution string
	Correction  aggregate.Correction
	Corrected   string        // the correction and its parameters in a line
	DayOffset   time.Duration // a day begins at midnight UTC minus this
}

// Meta is what a document with data of these stations says of itself.
func (s Source) Meta(stations []*ingest.Station) export.Meta {
	return export.Meta{Licence: s.Licence, Attribution: s.Attribution, Quality: export.QualityRule()}.From(stations)
}

// Name is a document's file name: what it holds and when it begins and ends. Demo data says so.
func Name(what string, from, to time.Time, format export.Format, demo bool) string {
	const layout = "20060102T150405Z"
	name := "stadtluft-" + what + "-" + from.UTC().Format(layout)
	if !to.IsZero() {
		name += "-" + to.UTC().Format(layout)
	}
	if demo {
		name = "demo-" + name
	}
	return name + "." + format.Extension()
}

// Write writes a whole document of rows.
func Write[T any](e export.Encoder[T], rows func(add func(T) error) error) error {
	if err := e.Begin(); err != nil {
		return err
	}
	if err := rows(e.Add); err != nil {
		return err
	}
	return e.End()
}

// NewReadings makes an encoder of any format.
func (s Source) NewReadings(w io.Writer, format export.Format, meta export.Meta) export.Encoder[ingest.Reading] {
	if format == export.Parquet {
		return parquet.NewReadings(w, s.Stations, meta, nil)
	}
	return export.NewReadings(w, format, s.Stations, meta)
}

// NewGrid makes an encoder of any format.
func NewGrid(w io.Writer, format export.Format, meta export.Meta) export.Encoder[aggregate.Row] {
	if format == export.Parquet {
		return parquet.NewGrid(w, meta, nil)
	}
	return export.NewGrid(w, format, meta)
}

// NewMeans makes an encoder of any format.
func NewMeans(w io.Writer, format export.Format, meta export.Meta) export.Encoder[aggregate.StationWindow] {
	if format == export.Parquet {
		return parquet.NewMeans(w, meta)
	}
	return export.NewMeans(w, format, meta)
}

// NewAreas makes an encoder of any format but GeoJSON.
func NewAreas(w io.Writer, format export.Format, meta export.Meta) export.Encoder[export.AreaRow] {
	if format == export.Parquet {
		return parquet.NewAreas(w, meta)
	}
	return export.NewAreas(w, format, meta)
}
