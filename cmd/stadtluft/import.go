package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"stadtluft/ingest/neighbours"
	"stadtluft/ingest/registry"
)

// importCmd brings neighbours' open data into the same map, through a running server.
type importCmd struct {
	SensorCommunity importSensorCommunityCmd `cmd:"" help:"Sensor.Community: archive files, folders of them, or the address of data.json."`
}

type importSensorCommunityCmd struct {
	configFlag
	From   []string      `arg:"" name:"file" help:"Files (.csv, .json, .gz, .zip), folders, or one http(s) address."`
	Server string        `help:"The running server; without it the configuration's http.listen." placeholder:"URL"`
	Margin float64       `help:"How far outside the boundary a station may stand, metres." default:"5000"`
	Every  time.Duration `help:"Fetch the address again and again, at least a minute apart." placeholder:"5m"`
	JSON   bool          `help:"Print the summary as JSON."`
}

// minEvery is how often an address is fetched at most.
const minEvery = time.Minute

func (cmd *importSensorCommunityCmd) Run(ctx context.Context, std streams) error {
	address := ""
	for _, from := range cmd.From {
		if strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://") {
			address = from
		}
	}
	switch {
	case address != "" && len(cmd.From) > 1:
		return configError{errors.New("one address at a time, or files")}
	case cmd.Every != 0 && (address == "" || cmd.Every < minEvery):
		return configError{fmt.Errorf("--every needs an address and at least %v", minEvery)}
	case !(cmd.Margin >= 0 && cmd.Margin <= registry.DefaultMargin):
		return configError{fmt.Errorf("--margin: %v is not 0 to %d metres", cmd.Margin, registry.DefaultMargin)}
	}
	config, err := cmd.load()
	if err != nil {
		return configError{err}
	}
	return withRegistry(ctx, cmd.configFlag, func(r *registry.Registry) error {
		boundary, err := loadBoundary(config)
		if err != nil {
			return configError{err}
		}
		server := cmd.Server
		if server == "" {
			pages := config.local(config.access()).HTTP
			server = pages.String()
		}
		im := &importer{registry: r, boundary: boundary, margin: cmd.Margin, data: config.Data, server: strings.TrimSuffix(server, "/"), tally: newTally()}
		if address != "" {
			return cmd.watch(ctx, std, im, &feed{url: address, agent: "stadtluft/" + version() + " (+" + server + ")"})
		}
		return cmd.files(ctx, std, im)
	})
}

// files imports files one by one.
func (cmd *importSensorCommunityCmd) files(ctx context.Context, std streams, im *importer) error {
	files, err := neighbours.Files(cmd.From)
	if err != nil {
		return err
	}
	progress := newProgress(std.err, len(files))
	for i, file := range files {
		err = im.read(ctx, func(row func(neighbours.Row) error, broken func(neighbours.Broken)) error {
			return neighbours.ReadFile(file, row, broken)
		})
		if fatal := im.note(std.err, file, err); fatal != nil {
			progress.end()
			fmt.Fprintf(std.err, "stopped in %s, the %d. of %d files; running again goes on without harm\n", file, i+1, len(files))
			return errors.Join(fatal, cmd.summary(std.out, im.tally))
		}
		progress.step(im.tally.Rows)
	}
	if fatal := im.note(std.err, "", im.flush(ctx)); fatal != nil {
		progress.end()
		fmt.Fprintln(std.err, "stopped before the last rows were delivered; running again goes on without harm")
		return errors.Join(fatal, cmd.summary(std.out, im.tally))
	}
	progress.end()
	if err := cmd.summary(std.out, im.tally); err != nil {
		return err
	}
	if im.tally.Stored+im.tally.Repeated == 0 {
		return errors.New("nothing was usable")
	}
	return nil
}

// watch fetches an address once, or again and again until ctx ends.
func (cmd *importSensorCommunityCmd) watch(ctx context.Context, std streams, im *importer, f *feed) error {
	for {
		wait := cmd.Every
		body, err := f.fetch(ctx)
		switch {
		case err == nil && body == nil: // as it was
		case err == nil:
			err = im.read(ctx, func(row func(neighbours.Row) error, broken func(neighbours.Broken)) error {
				return neighbours.Read(f.url, body, row, broken)
			})
			err = errors.Join(err, im.flush(ctx))
			err = errors.Join(im.note(std.err, f.url, err), body.Close())
			if printed := cmd.summary(std.out, im.tally); printed != nil {
				return printed
			}
			used := im.tally.Stored + im.tally.Repeated
			im.tally = newTally()
			if cmd.Every == 0 && err == nil && used == 0 {
				return errors.New("nothing was usable")
			}
		}
		if cmd.Every == 0 {
			return err
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintf(std.err, "%v; trying again\n", err)
			wait = max(wait, f.retryAfter)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// tally counts what became of rows: each is in exactly one of the others.
type tally struct {
	Rows     int            `json:"rows"`
	Stored   int            `json:"stored"`
	Repeated int            `json:"repeated"` // known already
	Outside  int            `json:"outside"`  // beyond the boundary and its margin
	Refused  map[string]int `json:"refused"`  // by reason
	Values   struct {
		Stored  int            `json:"stored"`
		Refused map[string]int `json:"refused"` // by reason, of rows whose other values were stored too
	} `json:"values"`
	Stations map[string]bool `json:"-"`
	Files    int             `json:"files"`
	Problems []string        `json:"problems,omitempty"`
	Broken   int             `json:"broken"` // lines that are no rows
}

func newTally() *tally {
	t := &tally{Refused: map[string]int{}, Stations: map[string]bool{}}
	t.Values.Refused = map[string]int{}
	return t
}

func (cmd *importSensorCommunityCmd) summary(w io.Writer, t *tally) error {
	if cmd.JSON {
		return printJSON(w, struct {
			*tally
			Stations int `json:"stations"`
		}{t, len(t.Stations)})
	}
	refused := 0
	for _, n := range t.Refused {
		refused += n
	}
	fmt.Fprintf(w, "%d rows of %d files: %d stored, %d known already, %d outside the city, %d refused\n", t.Rows, t.Files, t.Stored, t.Repeated, t.Outside, refused)
	for _, reason := range slices.Sorted(maps.Keys(t.Refused)) {
		fmt.Fprintf(w, "  refused as %s: %d rows\n", reason, t.Refused[reason])
	}
	for _, reason := range slices.Sorted(maps.Keys(t.Values.Refused)) {
		fmt.Fprintf(w, "  refused as %s: %d values of rows that were stored without them\n", reason, t.Values.Refused[reason])
	}
	_, err := fmt.Fprintf(w, "%d values of %d stations; their licence is ODbL 1.0 with DbCL 1.0, Sensor.Community\n", t.Values.Stored, len(t.Stations))
	return err
}

// progress is a bar on a terminal, and nothing elsewhere.
type progress struct {
	w           io.Writer
	done, total int
}

func newProgress(w io.Writer, total int) *progress {
	file, ok := w.(*os.File)
	if !ok || total == 0 {
		return &progress{}
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{}
	}
	return &progress{w: w, total: total}
}

func (p *progress) step(rows int) {
	if p.w == nil {
		return
	}
	const width = 30
	p.done++
	full := width * p.done / p.total
	fmt.Fprintf(p.w, "\r[%s%s] %d of %d files, %d rows", strings.Repeat("#", full), strings.Repeat(" ", width-full), p.done, p.total, rows)
}

func (p *progress) end() {
	if p.w != nil {
		fmt.Fprintln(p.w)
	}
}

// feed is an address that is fetched politely: only when it has changed, and saying who asks.
type feed struct {
	url, agent     string
	etag, modified string
	retryAfter     time.Duration
}

// fetch returns the body; nil when nothing has changed.
func (f *feed) fetch(ctx context.Context) (io.ReadCloser, error) {
	f.retryAfter = 0
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", f.agent)
	for name, value := range map[string]string{"If-None-Match": f.etag, "If-Modified-Since": f.modified} {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	client := &http.Client{Timeout: 2 * time.Minute}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		f.etag, f.modified = response.Header.Get("ETag"), response.Header.Get("Last-Modified")
		return response.Body, nil
	}
	response.Body.Close()
	if response.StatusCode == http.StatusNotModified {
		return nil, nil
	}
	if seconds, err := time.ParseDuration(response.Header.Get("Retry-After") + "s"); err == nil {
		f.retryAfter = min(seconds, time.Hour)
	}
	return nil, fmt.Errorf("fetch %s: %s", f.url, response.Status)
}
