package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/export"
	"stadtluft/export/archive"
	"stadtluft/export/download"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
	"stadtluft/ingest/wholefile"
)

// exportCmd writes a period of the store to a file or to standard output, with the same bytes as the HTTP interface.
type exportCmd struct {
	configFlag
	What       string   `help:"readings or grid." enum:"readings,grid" default:"readings"`
	From       string   `required:"" help:"Start, RFC 3339 or a date." placeholder:"T"`
	To         string   `required:"" help:"End, not included." placeholder:"T"`
	Format     string   `help:"csv, geojson, json or parquet." enum:"csv,geojson,json,parquet" default:"csv"`
	Delimiter  string   `help:"Of CSV: comma or semicolon." enum:"comma,semicolon" default:"comma"`
	Decimal    string   `help:"Of CSV: point, or comma for spreadsheets in German, with semicolons and a byte order mark." enum:"point,comma" default:"point"`
	Quantity   []string `help:"What was measured, such as pm2_5; several separated by commas. Without it everything." placeholder:"Q"`
	Station    []string `help:"Of readings: ids of stations, separated by commas. Without it all." placeholder:"ID"`
	Flags      string   `help:"Of readings: all, or good without values that are kept out of averages." enum:"all,good" default:"all"`
	Resolution string   `help:"Of readings: raw, or means of stations over 5m, 1h or 1d." enum:"raw,5m,1h,1d" default:"raw"`
	Window     string   `help:"Of grid averages: 1h or 24h." enum:"1h,24h" default:"1h"`
	Source     string   `help:"Of readings: all, own (the city's stations), or a neighbour such as sensor-community." enum:"all,own,sensor-community" default:"all"`
	Output     string   `short:"o" help:"The file; it appears only when it is complete. Standard output without it." placeholder:"FILE"`
	asked      download.Readings
}

func (cmd *exportCmd) Run(ctx context.Context, std streams) error {
	if err := cmd.read(); err != nil {
		return usageError{err}
	}
	return cmd.withArchive(ctx, func(config server.Config, s *archive.Store) error {
		if err := cmd.findStations(s.Archive.Stations); err != nil {
			return err
		}
		source := sourceOf(config, s.Archive.Stations, s)
		if cmd.Output == "" {
			return cmd.write(ctx, std.out, config, source)
		}
		return wholefile.Write(cmd.Output, 0o644, func(w io.Writer) error { return cmd.write(ctx, w, config, source) })
	})
}

// read parses the flags into a query.
func (cmd *exportCmd) read() (err error) {
	cmd.asked = download.Readings{Resolution: download.Resolution(cmd.Resolution), OnlyGood: cmd.Flags == "good", Source: cmd.Source}
	if cmd.asked.From, cmd.asked.To, err = period(cmd.From, cmd.To); err != nil {
		return err
	}
	for _, name := range cmd.Quantity {
		q, known := quantity.Parse(name)
		if !known {
			return fmt.Errorf("--quantity %q is none of %v", name, quantity.All())
		}
		cmd.asked.Quantities = append(cmd.asked.Quantities, q)
	}
	if (cmd.Delimiter == "semicolon" || cmd.Decimal == "comma") && cmd.Format != "csv" {
		return fmt.Errorf("--delimiter and --decimal are for --format csv, this is %s", cmd.Format)
	}
	if cmd.What == "grid" && (len(cmd.Station) > 0 || cmd.asked.Resolution != download.Raw || cmd.asked.OnlyGood) {
		return errors.New("--station, --flags and --resolution are for --what readings")
	}
	return nil
}

func (cmd *exportCmd) findStations(r download.Stations) error {
	for _, text := range cmd.Station {
		id, err := registry.ParseID(text)
		if err != nil {
			return fmt.Errorf("--station: %w", err)
		}
		if _, known := r.Station(id); !known {
			return fmt.Errorf("--station: no station %s is registered", id)
		}
		cmd.asked.Stations = append(cmd.asked.Stations, id)
	}
	return nil
}

// sourceOf returns the source of exports with a configuration.
func sourceOf(c server.Config, r download.Stations, s store.Store) download.Source {
	return download.Source{
		Store: s, Stations: r, Licence: c.LicenceID, Attribution: c.LicenceAttribution,
		Correction: averages.Correction(c.Correction(), r), Corrected: c.Corrected(), DayOffset: c.DayOffset(),
	}
}

// write streams the selected data.
func (cmd *exportCmd) write(ctx context.Context, w io.Writer, c server.Config, source download.Source) error {
	format, q := export.Format(cmd.Format), cmd.asked
	switch {
	case cmd.Decimal == "comma":
		format = export.German
	case cmd.Delimiter == "semicolon":
		format = export.Semicolon
	}
	meta := source.Meta(q.Of(source.Stations))
	if cmd.What == "grid" {
		window, _ := aggregate.ParseWindow(cmd.Window) // it is one of the two
		meta.Averaging = export.GridRule(window, source.Corrected)
		return download.Write(download.NewGrid(w, format, meta), func(add func(aggregate.Row) error) error {
			return source.Store.Grid(ctx, store.GridQuery{From: q.From, To: q.To, Window: window, Quantities: q.Quantities, Size: int32(c.GridResolution)}, add)
		})
	}
	if q.Resolution == download.Raw {
		meta.Averaging = export.Single
		return download.Write(source.NewReadings(w, format, meta), func(add func(ingest.Reading) error) error {
			return source.Readings(ctx, q, add)
		})
	}
	meta.Averaging = export.StationRule(q.Resolution.Window(), source.Corrected)
	return download.Write(download.NewMeans(w, format, meta), func(add func(aggregate.StationWindow) error) error {
		return source.Means(ctx, q, add)
	})
}
