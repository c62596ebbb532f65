package archive

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/export/parquet"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/comparison"
	"stadtluft/ingest/store"
)

// Names of a day's files.
const (
	readingsParquet = "readings.parquet"
	readingsCSV     = "readings.csv.gz"
	hoursParquet    = "means-1h.parquet"
	daysParquet     = "means-24h.parquet"
	stationsName    = "stations.geojson"
	stationsParquet = "installations.parquet"
	stationsCSV     = "installations.csv.gz"
	fitParquet      = "calibrations.parquet"
	fitCSV          = "calibrations.csv.gz"
	pairsParquet    = "comparison-1h.parquet"
	pairsCSV        = "comparison-1h.csv.gz"
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
	received time.Time // of the reading that came last
}

func (w *writer) about(stem string) export.Meta { return w.archive.about(stem, w.meta) }

// about returns a file's metadata.
func (a *Archive) about(stem string, meta export.Meta) export.Meta {
	meta.Quality, meta.Averaging = export.QualityRule(), a.Rules.Averaging
	switch stem {
	case "readings":
		meta.Averaging = export.Single
	case "comparison-1h":
		meta.Averaging = export.ComparisonRule + " " + meta.Averaging
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
			w.received = export.Later(w.received, r.Received)
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

// means writes the means of single stations, of hours and of the day, in the order of station, quantity's name and start.
// It holds those of one window of the day in memory.
func (w *writer) means(ctx context.Context, s store.Store) error {
	source := download.Source{Store: s, Stations: w.archive.Stations, Correction: w.archive.Correction, DayOffset: w.archive.DayOffset}
	for _, resolution := range []download.Resolution{download.Hours, download.Days} {
		var list []aggregate.StationWindow
		query := download.Readings{From: w.from, To: w.to, Resolution: resolution, Source: export.AllSources, Hidden: true}
		err := source.Means(ctx, query, func(m aggregate.StationWindow) error {
			list = append(list, m)
			return nil
		})
		if err != nil {
			return err
		}
		slices.SortFunc(list, compareMeans)
		if err := w.meansOf(resolution.Window(), list); err != nil {
			return err
		}
	}
	return nil
}

func compareMeans(a, b aggregate.StationWindow) int {
	return cmp.Or(cmp.Compare(a.Station, b.Station), cmp.Compare(a.Quantity.String(), b.Quantity.String()), a.Start.Compare(b.Start), a.Cell.Compare(b.Cell))
}

// installations writes the stations' periods and calibrations that have something of the day. What was changed after it
// is not in them, so that they stay as they are.
func (w *writer) installations(stations []*ingest.Station) error {
	periods := func(add func(export.Installed) error) error {
		return eachOf(stations, func(st *ingest.Station) []export.Installed { return export.Installations(st, w.from, w.to) }, add)
	}
	calibrations := func(add func(export.Calibrated) error) error {
		return eachOf(stations, func(st *ingest.Station) []export.Calibrated { return export.CalibratedOf(st, w.from, w.to) }, add)
	}
	return errors.Join(
		write(w, []string{stationsCSV, stationsParquet}, func(name string, to io.Writer) encoder[export.Installed] {
			if name == stationsParquet {
				return parquet.NewInstallations(to, w.about("installations"), w.notes)
			}
			return export.NewInstallations(to, export.CSV, w.meta)
		}, periods, func(export.Installed) int { return 1 }),
		write(w, []string{fitCSV, fitParquet}, func(name string, to io.Writer) encoder[export.Calibrated] {
			if name == fitParquet {
				return parquet.NewCalibrations(to, w.about("calibrations"), w.notes)
			}
			return export.NewCalibrations(to, export.CSV, w.meta)
		}, calibrations, func(export.Calibrated) int { return 1 }),
	)
}

// eachOf adds the rows of each station, by station.
func eachOf[T any](stations []*ingest.Station, rows func(*ingest.Station) []T, add func(T) error) error {
	for _, st := range slices.SortedFunc(slices.Values(stations), func(a, b *ingest.Station) int { return strings.Compare(a.ID, b.ID) }) {
		if err := eachRow(rows(st), add); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) meansOf(window aggregate.Window, list []aggregate.StationWindow) error {
	open := func(name string, to io.Writer) encoder[aggregate.StationWindow] {
		if strings.HasSuffix(name, ".parquet") {
			return parquet.NewStationMeans(to, w.about("means"), w.notes)
		}
		return export.NewMeans(to, export.CSV, w.meta)
	}
	each := func(add func(aggregate.StationWindow) error) error {
		return eachRow(list, add)
	}
	name := "means-" + window.String()
	return write(w, []string{name + ".csv.gz", name + ".parquet"}, open, each, func(aggregate.StationWindow) int { return 1 })
}

// comparison writes the day's hours beside those of official stations, if there are any. Comparisons over periods follow from
// these hours; they are not of a day, and would be others in each revision.
func (w *writer) comparison(ctx context.Context, s store.Store) error {
	if w.archive.Compare == nil {
		return nil
	}
	pairs, err := w.archive.Compare(ctx, s, w.from)
	if err != nil || len(pairs) == 0 {
		return err
	}
	open := func(name string, to io.Writer) encoder[comparison.Pair] {
		if name == pairsParquet {
			return parquet.NewPairs(to, w.about("comparison-1h"), w.notes)
		}
		return export.NewPairs(to, export.CSV, w.meta)
	}
	each := func(add func(comparison.Pair) error) error {
		return eachRow(pairs, add)
	}
	return write(w, []string{pairsCSV, pairsParquet}, open, each, func(comparison.Pair) int { return 1 })
}

// eachRow adds the rows of a list.
func eachRow[T any](list []T, add func(T) error) error {
	for _, row := range list {
		if err := add(row); err != nil {
			return err
		}
	}
	return nil
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
