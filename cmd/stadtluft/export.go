package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"stadtluft/export"
	"stadtluft/export/archive"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// exportCmd writes a period of the store to a file or to standard output.
type exportCmd struct {
	configFlag
	What   string `help:"readings or grid." enum:"readings,grid" default:"readings"`
	From   string `required:"" help:"Start, RFC 3339 or a date." placeholder:"T"`
	To     string `required:"" help:"End, not included." placeholder:"T"`
	Format string `help:"csv or geojson." enum:"csv,geojson" default:"csv"`
	Window string `help:"Of grid averages: 1h or 24h." enum:"1h,24h" default:"1h"`
	Source string `help:"Of readings: all, own (the city's stations), or a neighbour such as sensor-community." enum:"all,own,sensor-community" default:"all"`
	Output string `short:"o" help:"The file; it appears only when it is complete. Standard output without it." placeholder:"FILE"`
	from   time.Time
	to     time.Time
}

func (cmd *exportCmd) Run(ctx context.Context, std streams) error {
	var err error
	if cmd.from, cmd.to, err = period(cmd.From, cmd.To); err != nil {
		return configError{err}
	}
	return withArchive(ctx, cmd.configFlag, func(s *archive.Store) error {
		config, err := cmd.load()
		if err != nil {
			return err
		}
		if cmd.Output == "" {
			return cmd.write(ctx, std.out, config, s)
		}
		return writeWhole(cmd.Output, 0o644, func(w io.Writer) error { return cmd.write(ctx, w, config, s) })
	})
}

// write streams what was asked for.
func (cmd *exportCmd) write(ctx context.Context, w io.Writer, c Config, s *archive.Store) error {
	r := s.Archive.Stations
	meta := export.Meta{Licence: c.LicenceID, Attribution: c.LicenceAttribution}.From(export.FromSource(r.Stations(), cmd.Source))
	if cmd.What == "grid" {
		window, _ := aggregate.ParseWindow(cmd.Window) // one of the two
		return encode(export.NewGrid(w, export.Format(cmd.Format), meta), func(add func(aggregate.Row) error) error {
			return s.Grid(ctx, store.GridQuery{From: cmd.from, To: cmd.to, Window: window, Size: int32(c.GridResolution)}, add)
		})
	}
	return encode(export.NewReadings(w, export.Format(cmd.Format), r, meta), func(add func(ingest.Reading) error) error {
		return s.Readings(ctx, store.ReadingQuery{From: cmd.from, To: cmd.to}, func(reading ingest.Reading) error {
			if st, known := r.Station(reading.Station); cmd.Source != export.AllSources && !(known && export.IsFrom(st, cmd.Source)) {
				return nil
			}
			return add(reading)
		})
	})
}

// encode writes a whole document of rows.
func encode[T any](e interface {
	Begin() error
	Add(T) error
	End() error
}, rows func(add func(T) error) error) error {
	if err := e.Begin(); err != nil {
		return err
	}
	if err := rows(e.Add); err != nil {
		return err
	}
	return e.End()
}

// partSuffix ends the name of a file that is not whole yet.
const partSuffix = ".*.part"

// writeWhole makes a file that is complete or not there at all.
func writeWhole(path string, mode fs.FileMode, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+partSuffix)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	buffered := bufio.NewWriter(file)
	if err := write(buffered); err != nil {
		return err
	}
	if err := errors.Join(buffered.Flush(), file.Chmod(mode), file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
