package archive

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/export/parquet"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Names of a day's files.
const (
	readingsParquet = "readings.parquet"
	readingsCSV     = "readings.csv.gz"
	stationsName    = "stations.geojson"
	packageName     = "datapackage.json"
	manifestName    = "manifest.json"
	sumsName        = "SHA256SUMS"
)

// writer writes the files of one day.
type writer struct {
	archive  *Archive
	folder   string
	from, to time.Time
	meta     export.Meta
	notes    map[string]string
	files    []File
}

// about returns a file's metadata.
func (w *writer) about(stem string) export.Meta {
	meta := w.meta
	meta.Quality, meta.Averaging = export.QualityRule(), w.archive.Rules.Averaging
	if stem == "readings" {
		meta.Averaging = export.Single
	}
	return meta
}

// encoder is any of the encoders of export.
type encoder[T any] interface {
	Begin() error
	Add(T) error
	End() error
}

// write writes files of the same rows, which each yields once. count returns a row's number of lines.
func write[T any](w *writer, names []string, open func(name string, to io.Writer) encoder[T], each func(add func(T) error) error, count func(T) int) (err error) {
	var outputs []*output
	defer func() {
		for _, o := range outputs {
			o.file.Close() // does nothing after success
		}
	}()
	var encoders []encoder[T]
	for _, name := range names {
		o, err := create(w.folder, name)
		if err != nil {
			return err
		}
		e := open(name, o)
		outputs, encoders = append(outputs, o), append(encoders, e)
		if err := e.Begin(); err != nil {
			return err
		}
	}
	rows := 0
	err = each(func(row T) error {
		rows += count(row)
		for _, e := range encoders {
			if err := e.Add(row); err != nil {
				return err
			}
		}
		return nil
	})
	for i := 0; err == nil && i < len(encoders); i++ {
		var file File
		if err = encoders[i].End(); err == nil {
			file, err = outputs[i].close(rows)
		}
		w.files = append(w.files, file)
	}
	return err
}

// readings writes the day's readings and returns their statistics.
func (w *writer) readings(ctx context.Context, s store.Store) (*seen, error) {
	seen := &seen{hours: map[string]*[24]int{}, flagged: map[string]int{}, checked: export.CheckedDay{From: w.from}}
	open := func(name string, to io.Writer) encoder[ingest.Reading] {
		if name == readingsParquet {
			return parquet.NewReadings(to, w.archive.Stations, w.about("readings"), w.notes)
		}
		return export.NewReadings(to, export.CSV, w.archive.Stations, w.meta)
	}
	each := func(add func(ingest.Reading) error) error {
		return s.Readings(ctx, store.ReadingQuery{From: w.from, To: w.to}, func(r ingest.Reading) error {
			seen.observe(r, w.from)
			return add(r)
		})
	}
	return seen, write(w, []string{readingsCSV, readingsParquet}, open, each, func(r ingest.Reading) int { return len(r.Values) })
}

// grid writes the day's averages.
func (w *writer) grid(ctx context.Context, s store.Store) error {
	var errs []error
	for _, window := range []aggregate.Window{aggregate.Hour, aggregate.Day} {
		name := "grid-" + window.String()
		open := func(name string, to io.Writer) encoder[aggregate.Row] {
			if strings.HasSuffix(name, ".csv.gz") {
				return export.NewGrid(to, export.CSV, w.meta)
			}
			return export.NewGrid(to, export.GeoJSON, w.about("grid"))
		}
		each := func(add func(aggregate.Row) error) error {
			return s.Grid(ctx, store.GridQuery{From: w.from, To: w.to, Window: window, Size: w.archive.Size}, add)
		}
		errs = append(errs, write(w, []string{name + ".csv.gz", name + ".geojson.gz"}, open, each, func(aggregate.Row) int { return 1 }))
	}
	return errors.Join(errs...)
}

// whole writes a small file at once.
func (w *writer) whole(name string, text []byte, rows int) error {
	o, err := create(w.folder, name)
	if err != nil {
		return err
	}
	_, err = o.Write(text)
	file, closed := o.close(rows)
	if err = errors.Join(err, closed); err != nil {
		return err
	}
	w.files = append(w.files, file)
	return nil
}
