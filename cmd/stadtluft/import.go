package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"stadtluft/cmd/stadtluft/progress"
	"stadtluft/cmd/stadtluft/server"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/push"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/sensorcommunity"
)

// importCmd imports other networks' open data through a running server.
type importCmd struct {
	SensorCommunity importSensorCommunityCmd `cmd:"" help:"Sensor.Community: archive files, folders of them, or the address of data.json."`
	Official        importOfficialCmd        `cmd:"" help:"Authorities' stations, hour by hour: an agency's interface, or files."`
}

type importSensorCommunityCmd struct {
	From []string `arg:"" name:"file" help:"Files (.csv, .json, .gz, .zip), folders, or one http(s) address."`
	importFlags
	Every time.Duration `help:"Fetch the address again and again, at least a minute apart." placeholder:"5m"`
}

// importFlags are shared by all imports.
type importFlags struct {
	configFlag
	Server string  `help:"The running server; without it the configuration's http.listen." placeholder:"URL"`
	Margin float64 `help:"How far outside the boundary a station may stand, metres." default:"5000"`
	JSON   bool    `help:"Print the summary as JSON."`
}

// address returns the http(s) address among sources, empty for files. An address that is fetched again is so at intervals of
// least or more.
func (f importFlags) address(sources []string, every, least time.Duration) (address string, err error) {
	for _, from := range sources {
		if strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://") {
			address = from
		}
	}
	switch {
	case address != "" && len(sources) > 1:
		return "", usageError{errors.New("one address at a time, or files")}
	case every != 0 && (address == "" || every < least):
		return "", usageError{fmt.Errorf("--every needs an address and at least %v", least)}
	case !(f.Margin >= 0 && f.Margin <= registry.DefaultMargin):
		return "", usageError{fmt.Errorf("--margin: %v is not 0 to %d metres", f.Margin, registry.DefaultMargin)}
	}
	return address, nil
}

// client returns what delivers to the running server. It keeps the connections of deliveries at once.
func (f importFlags) client(ctx context.Context, c server.Config, r *registry.Registry) *push.Client {
	kept := http.DefaultTransport.(*http.Transport).Clone()
	kept.MaxIdleConnsPerHost = sensorcommunity.AtOnce
	client := &push.Client{
		URL: strings.TrimSuffix(f.Server, "/"), HTTP: &http.Client{Transport: kept},
		Password: func() (string, error) { return server.ImportToken(ctx, c, r) },
	}
	if f.Server == "" {
		client.URL, client.HTTP.Transport = c.ServerURL(), c.Transport(kept)
	}
	return client
}

// minEvery is the shortest interval at which an address is fetched.
const minEvery = time.Minute

func (cmd *importSensorCommunityCmd) Run(ctx context.Context, std streams) error {
	address, err := cmd.address(cmd.From, cmd.Every, minEvery)
	if err != nil {
		return err
	}
	return cmd.withRegistry(ctx, func(config server.Config, r *registry.Registry) error {
		boundary, err := server.LoadBoundary(config)
		if err != nil {
			return err
		}
		im := &sensorcommunity.Importer{
			Registry: r, Boundary: boundary, Margin: cmd.Margin,
			Client: cmd.client(ctx, config, r),
		}
		if address == "" {
			return cmd.files(ctx, std, im)
		}
		return cmd.fetch(ctx, std, im, &sensorcommunity.Feed{URL: address, Agent: userAgent(config)})
	})
}

// files imports files one by one.
func (cmd *importSensorCommunityCmd) files(ctx context.Context, std streams, im *sensorcommunity.Importer) error {
	files, err := sensorcommunity.Files(ctx, cmd.From)
	if err != nil {
		return err
	}
	done, bar := 0, progress.New(std.err, len(files))
	im.Problem = func(text string) { fmt.Fprintln(bar.Line(), server.ForPeople(text)) }
	im.Progress = func() { bar.Step(done, fmt.Sprintf("%d of %d files, %d rows", done, len(files), im.Stats.Rows)) }
	for _, path := range files {
		if err = importFile(ctx, im, path); err != nil {
			break
		}
		done++
		im.Progress()
	}
	if err == nil {
		err = im.Flush(ctx)
	}
	if err != nil {
		fmt.Fprintf(bar.Line(), "stopped after %d of %d files; running again goes on without harm\n", done, len(files))
	}
	bar.Line()
	return cmd.end(std, im, err)
}

func importFile(ctx context.Context, im *sensorcommunity.Importer, path string) error {
	file, err := sensorcommunity.Open(ctx, path)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		im.Problem(err.Error())
		return nil
	}
	defer file.Close()
	return im.Import(ctx, path, file)
}

// fetch imports from an address once, or at intervals until ctx ends.
func (cmd *importSensorCommunityCmd) fetch(ctx context.Context, std streams, im *sensorcommunity.Importer, f *sensorcommunity.Feed) error {
	im.Problem = func(text string) { fmt.Fprintln(std.err, server.ForPeople(text)) }
	if cmd.Every == 0 {
		_, err := f.Import(ctx, im)
		if im.Stats.Files == 0 && err != nil {
			return err // there is nothing to summarize
		}
		return cmd.end(std, im, err)
	}
	var printed error
	f.Watch(ctx, im, cmd.Every, func(changed bool, err error) {
		if err != nil {
			fmt.Fprintf(std.err, "%s; trying again\n", server.ForPeople(err.Error()))
		}
		if changed {
			printed = cmd.summary(std.out, &im.Stats)
			im.Stats = sensorcommunity.ImportStats{}
		}
	})
	return printed
}

// end prints the summary. An import fails when it stopped, or when no row was usable.
func (cmd *importSensorCommunityCmd) end(std streams, im *sensorcommunity.Importer, err error) error {
	if printed := cmd.summary(std.out, &im.Stats); err == nil {
		err = printed
	}
	if err == nil && im.Stats.Used() == 0 {
		err = errors.New("nothing was usable")
	}
	return err
}

func (cmd *importSensorCommunityCmd) summary(w io.Writer, t *sensorcommunity.ImportStats) error {
	if cmd.JSON {
		return printJSON(w, struct {
			*sensorcommunity.ImportStats
			Stations int `json:"stations"`
		}{t, len(t.Stations)})
	}
	refused := 0
	for _, n := range t.Refused {
		refused += n
	}
	fmt.Fprintf(w, "%d rows of %d files: %d are in the store, %d outside the city, %d refused\n", t.Rows, t.Files, t.Used(), t.Outside, refused)
	for _, reason := range slices.Sorted(maps.Keys(t.Refused)) {
		fmt.Fprintf(w, "  refused as %s: %d rows\n", reason, t.Refused[reason])
	}
	for _, reason := range slices.Sorted(maps.Keys(t.Values.Refused)) {
		fmt.Fprintf(w, "  refused as %s: %d values of rows that were stored without them\n", reason, t.Values.Refused[reason])
	}
	if t.BadLines > 0 {
		fmt.Fprintf(w, "%d lines are bad, each is named above\n", t.BadLines)
	}
	_, err := fmt.Fprintf(w, "%d stations; their licence is ODbL 1.0 with DbCL 1.0, Sensor.Community\n", len(t.Stations))
	if t.Stored > 0 && time.Since(t.First) > aggregate.AllowedLateness {
		_, err = fmt.Fprintln(w, "what is older than two days is unchecked for about a minute: then the server sets its flags and averages")
	}
	return err
}
