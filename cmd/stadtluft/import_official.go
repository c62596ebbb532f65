package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/calibration"
	"stadtluft/ingest/official"
	"stadtluft/ingest/registry"
)

// importOfficialCmd imports hourly values of authorities' stations through a running server.
type importOfficialCmd struct {
	Sources []string `arg:"" name:"file" help:"One http(s) address of an agency's interface, such as https://…/api/air_data/v3, or files: the EEA's .parquet, or .csv with time, value and perhaps station."`
	importFlags
	Every time.Duration `help:"Fetch the address again and again, at least ten minutes apart." placeholder:"1h"`

	Agency  string   `help:"Whose interface an address is." enum:"auto,uba,nrw" default:"auto"`
	Station []string `help:"Only these stations of an agency, by number or code; of a file without a column for it, its one station." placeholder:"CODE"`
	From    string   `help:"From an address: hours from then on, RFC 3339 or a date; the last two days without it." placeholder:"T"`
	To      string   `help:"Until then." placeholder:"T"`

	Places   string  `help:"Of files: a CSV with the columns station, lon, lat and perhaps name." placeholder:"FILE.csv"`
	Lon      float64 `help:"Of a file with one station: its longitude."`
	Lat      float64 `help:"Its latitude."`
	Name     string  `help:"Its name; its code without it."`
	Licence  string  `help:"Of a CSV: the licence of its values, such as dl-de/by-2-0."`
	Quantity string  `help:"Of a CSV: what it holds." default:"pm2_5"`
	Unit     string  `help:"Of a CSV: the unit. Gases in ppb or ppm are converted at 20 °C and 1,013 hPa, as the EU does." placeholder:"ppb"`
	Zone     string  `help:"Of a CSV: zone of times without an offset, such as Europe/Berlin; uba for hours stamped by their end in UTC+1." placeholder:"ZONE"`
}

const (
	// minOfficialEvery is the shortest interval at which an agency is asked: it has new values once an hour.
	minOfficialEvery = 10 * time.Minute
	// officialPast is how far back an agency is asked without --from. Averages take in values of two days.
	officialPast = 48 * time.Hour
)

func (cmd *importOfficialCmd) Run(ctx context.Context, std streams) error {
	address, err := cmd.address(cmd.Sources, cmd.Every, minOfficialEvery)
	if err != nil {
		return err
	}
	return cmd.withRegistry(ctx, func(config server.Config, r *registry.Registry) error {
		boundary, err := server.LoadBoundary(config)
		if err != nil {
			return err
		}
		im := &official.Importer{
			Registry: r, Boundary: boundary, Margin: cmd.Margin,
			Client:  cmd.client(ctx, config, r),
			Problem: func(text string) { fmt.Fprintln(std.err, server.ForPeople(text)) },
		}
		if address == "" {
			return cmd.end(std, im, cmd.files(ctx, im))
		}
		agency := &official.Agency{
			URL: address, Agent: userAgent(config), Only: cmd.Station, Problem: im.Problem,
			Within: func(p orb.Point) bool { return boundary.Distance(p) <= cmd.Margin },
		}
		if cmd.Every == 0 {
			return cmd.end(std, im, cmd.fetch(ctx, im, agency))
		}
		return cmd.watch(ctx, std, im, agency)
	})
}

// userAgent names the program and the city's site to those whose data it fetches.
func userAgent(c server.Config) string {
	return "stadtluft/" + server.Version() + " (+" + cmp.Or(c.HTTPPublicURL, c.ServerURL()) + ")"
}

// fetch imports the hours of the chosen period from an agency.
func (cmd *importOfficialCmd) fetch(ctx context.Context, im *official.Importer, a *official.Agency) error {
	to := time.Now().UTC().Truncate(time.Hour)
	from := to.Add(-officialPast)
	for _, t := range []struct {
		flag, text string
		to         *time.Time
	}{{"from", cmd.From, &from}, {"to", cmd.To, &to}} {
		if err := optionalTime(t.flag, t.text, t.to); err != nil {
			return usageError{err}
		}
	}
	read := a.UBA
	if cmd.Agency == "nrw" || cmd.Agency == "auto" && !strings.Contains(a.URL, "/air_data/") {
		read = a.NRW
	}
	return read(ctx, from, to, func(st official.Station, hours []official.Hour) error { return im.Deliver(ctx, st, hours) })
}

// watch imports at intervals until ctx ends.
func (cmd *importOfficialCmd) watch(ctx context.Context, std streams, im *official.Importer, a *official.Agency) error {
	for {
		err := cmd.fetch(ctx, im, a)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			fmt.Fprintf(std.err, "%s; trying again\n", server.ForPeople(err.Error()))
		}
		if err := cmd.summary(std.out, &im.Stats); err != nil {
			return err
		}
		im.Stats = official.Stats{}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(cmd.Every):
		}
	}
}

// files imports files one by one.
func (cmd *importOfficialCmd) files(ctx context.Context, im *official.Importer) error {
	for _, path := range cmd.Sources {
		if err := cmd.file(ctx, im, path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func (cmd *importOfficialCmd) file(ctx context.Context, im *official.Importer, path string) error {
	parquet := strings.EqualFold(filepath.Ext(path), ".parquet")
	like := official.European()
	if !parquet {
		if like = official.Own(cmd.Licence); cmd.Licence == "" {
			return usageError{errors.New("a table says nothing of its licence: name it with --licence, such as dl-de/by-2-0")}
		}
	}
	table, err := cmd.table(like, im)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	yield := func(st official.Station, hours []official.Hour) error { return im.Deliver(ctx, st, hours) }
	if !parquet {
		return table.ReadCSV(file, yield)
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return table.ReadParquet(file, info.Size(), yield)
}

// table returns how files are read.
func (cmd *importOfficialCmd) table(like official.Station, im *official.Importer) (t official.Table, err error) {
	t = official.Table{Station: like, Unit: cmd.Unit, Problem: im.Problem}
	var ok bool
	if t.Quantity, ok = quantity.Parse(cmd.Quantity); !ok {
		return t, usageError{fmt.Errorf("--quantity %q is no quantity such as pm2_5", cmd.Quantity)}
	}
	if t.Format, err = formatOf(cmd.Zone); err != nil {
		return t, usageError{err}
	}
	if cmd.Places != "" {
		places, err := os.Open(cmd.Places)
		if err != nil {
			return t, err
		}
		defer places.Close()
		t.Places, err = official.ReadPlaces(places, like)
		return t, err
	}
	if len(cmd.Station) != 1 || cmd.Lon == 0 || cmd.Lat == 0 {
		return t, usageError{errors.New("where does it stand? name --places, or --station with --lon and --lat")}
	}
	t.Station.Key, t.Station.Point = cmd.Station[0], orb.Point{cmd.Lon, cmd.Lat}
	t.Station.Name = cmp.Or(cmd.Name, cmd.Station[0])
	return t, nil
}

// formatOf returns how times are written, by a flag --zone.
func formatOf(zone string) (f calibration.Format, err error) {
	switch zone {
	case "":
	case "uba":
		f = calibration.UBA()
	default:
		if f.Zone, err = time.LoadLocation(zone); err != nil {
			return f, fmt.Errorf("--zone %q is neither a time zone such as Europe/Berlin nor uba", zone)
		}
	}
	return f, nil
}

// end prints the summary. An import fails when it stopped, or when no hour was usable.
func (cmd *importOfficialCmd) end(std streams, im *official.Importer, err error) error {
	if im.Stats.Hours == 0 && err != nil {
		return err // there is nothing to summarize
	}
	if printed := cmd.summary(std.out, &im.Stats); err == nil {
		err = printed
	}
	if err == nil && im.Stats.Used() == 0 {
		err = errors.New("nothing was usable")
	}
	return err
}

func (cmd *importOfficialCmd) summary(w io.Writer, s *official.Stats) error {
	if cmd.JSON {
		return printJSON(w, struct {
			*official.Stats
			Stations int `json:"stations"`
		}{s, len(s.Stations)})
	}
	refused := 0
	for _, n := range s.Refused {
		refused += n
	}
	_, err := fmt.Fprintf(w, "%d hours of %d stations: %d are in the store, %d outside the city, %d refused\n", s.Hours, len(s.Stations), s.Used(), s.Outside, refused)
	for _, reason := range slices.Sorted(maps.Keys(s.Refused)) {
		_, err = fmt.Fprintf(w, "  refused as %s: %d hours\n", reason, s.Refused[reason])
	}
	if s.Refused["conflict"] > 0 {
		_, err = fmt.Fprintln(w, "  a conflict is a value that the authority has corrected since: the first stays")
	}
	return err
}
