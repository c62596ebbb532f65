// Package download turns a query into rows from the store, and rows into a document in one of the formats. The HTTP
// interface and the export command both use it and so give the same bytes.
//
// Rows are streamed: memory is bounded whatever the period, by two pages of the store and the stations of one window.
// The package does not know HTTP, and leaves out data that is only in memory, such as live averages.
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

// Store gives the stored readings; a store.Store is one.
type Store interface {
	Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error
	Grid(ctx context.Context, q store.GridQuery, yield func(aggregate.Row) error) error
}

// Stations gives the registered stations.
type Stations interface {
	Station(id string) (*ingest.Station, bool)
	Stations() []*ingest.Station
}

// Source holds the data and what documents state about it.
type Source struct {
	Store       Store
	Stations    Stations
	Licence     string
	Attribution string
	Correction  aggregate.Correction
	Corrected   string        // the correction and its parameters in a line
	DayOffset   time.Duration // a day begins at midnight UTC minus this
}

// Meta returns the licence and attribution of a document with data of these stations.
func (s Source) Meta(stations []*ingest.Station) export.Meta {
	return export.Meta{Licence: s.Licence, Attribution: s.Attribution, Quality: export.QualityRule()}.From(stations)
}

// Name returns a document's file name: its content, begin and end. Demo data is marked.
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

// NewReadings returns an encoder for any format.
func (s Source) NewReadings(w io.Writer, format export.Format, meta export.Meta) export.Encoder[ingest.Reading] {
	if format == export.Parquet {
		return parquet.NewReadings(w, s.Stations, meta, nil)
	}
	return export.NewReadings(w, format, s.Stations, meta)
}

// NewGrid returns an encoder for any format.
func NewGrid(w io.Writer, format export.Format, meta export.Meta) export.Encoder[aggregate.Row] {
	if format == export.Parquet {
		return parquet.NewGrid(w, meta, nil)
	}
	return export.NewGrid(w, format, meta)
}

// NewMeans returns an encoder for any format.
func NewMeans(w io.Writer, format export.Format, meta export.Meta) export.Encoder[aggregate.StationWindow] {
	if format == export.Parquet {
		return parquet.NewMeans(w, meta)
	}
	return export.NewMeans(w, format, meta)
}

// NewAreas returns an encoder for any format except GeoJSON.
func NewAreas(w io.Writer, format export.Format, meta export.Meta) export.Encoder[export.AreaRow] {
	if format == export.Parquet {
		return parquet.NewAreas(w, meta)
	}
	return export.NewAreas(w, format, meta)
}
