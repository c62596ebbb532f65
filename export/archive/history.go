package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"stadtluft/export"
	"stadtluft/export/parquet"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// historyAddress matches the files of single stations below Root: of a year, or of all days.
var historyAddress = regexp.MustCompile(`^(?:(\d{4})/)?stations/([A-Z0-9]{1,32})/means-(1h|24h)\.(parquet|csv\.gz)$`)

// turn lets one at a time make the file of a station. The zero value is ready.
type turn struct {
	once sync.Once
	free chan struct{}
}

// take waits for its turn, until ctx ends, and returns what ends it.
func (t *turn) take(ctx context.Context) (end func(), err error) {
	t.once.Do(func() { t.free = make(chan struct{}, 1) })
	select {
	case t.free <- struct{}{}:
		return func() { <-t.free }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// history is the means of a station over one window, of the newest revisions of days.
type history struct {
	archive *Archive
	station *ingest.Station
	window  aggregate.Window
	gzip    bool     // csv.gz, else Parquet
	parts   []served // the days' files, ascending
	tag     string   // changes with the content
	latest  time.Time
}

// serveHistory answers with a station's means as one file; parts are those of historyAddress.
func (a *Archive) serveHistory(w http.ResponseWriter, r *http.Request, parts []string) error {
	h, err := a.history(parts)
	if err != nil {
		return err
	}
	end, err := a.turn.take(r.Context())
	if err != nil {
		return err
	}
	file, err := a.writeHistory(r.Context(), h)
	end()
	if err != nil {
		return err
	}
	defer file.Close()
	meta := a.Meta.From([]*ingest.Station{h.station})
	name := "means-" + parts[3] + "." + parts[4]
	if parts[1] != "" {
		name = parts[1] + "-" + name
	}
	head(w, meta.Licence, meta.Licences, mediaType(name), fileName(h.station.ID+"-"+name, meta.Demo), h.tag)
	http.ServeContent(w, r, "", h.latest, file)
	return nil
}

func (a *Archive) history(parts []string) (*history, error) {
	station, known := a.Stations.Station(parts[2])
	if !known || station.Hidden() {
		return nil, fs.ErrNotExist
	}
	first, last, err := span(parts[1], "", "")
	if err != nil {
		return nil, fs.ErrNotExist
	}
	days, err := a.Days(first, last)
	if err != nil {
		return nil, err
	}
	window, _ := aggregate.ParseWindow(parts[3]) // matched
	h, sum := &history{archive: a, station: station, window: window, gzip: parts[4] != "parquet"}, sha256.New()
	fmt.Fprintln(sum, parts[2:])
	for _, d := range days {
		files, err := a.filesOf(d, 0)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(files, func(f served) bool { return f.Name == "means-"+parts[3]+".parquet" }); i >= 0 {
			h.parts = append(h.parts, files[i])
			h.latest = export.Later(h.latest, files[i].modified)
			fmt.Fprintln(sum, d, files[i].SHA256)
		}
	}
	if len(h.parts) == 0 {
		return nil, fs.ErrNotExist
	}
	h.tag = hex.EncodeToString(sum.Sum(nil))
	return h, nil
}

// writeHistory writes the file into one without a name, which is gone when it is closed. Memory is bounded by a group of rows.
func (a *Archive) writeHistory(ctx context.Context, h *history) (file *os.File, err error) {
	if file, err = os.CreateTemp("", "stadtluft-"); err != nil {
		return nil, err
	}
	err = os.Remove(file.Name())
	if err == nil {
		err = a.encodeHistory(ctx, h, file)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("means of %s: %w", h.station.ID, err)
	}
	return file, nil
}

func (a *Archive) encodeHistory(ctx context.Context, h *history, to io.Writer) error {
	meta := a.Meta.From([]*ingest.Station{h.station})
	meta.Quality, meta.Averaging = export.QualityRule(), a.Rules.Averaging
	if !h.gzip {
		return h.encode(ctx, parquet.NewMeans(to, meta))
	}
	compressed := gzip.NewWriter(to)
	compressed.ModTime = time.Unix(0, 0) // none
	return errors.Join(h.encode(ctx, export.NewMeans(compressed, export.CSV, meta)), compressed.Close())
}

// encode writes the rows, ascending by start and quantity.
func (h *history) encode(ctx context.Context, e encoder[aggregate.StationWindow]) error {
	if err := e.Begin(); err != nil {
		return err
	}
	for _, part := range h.parts {
		rows, err := h.rows(part)
		for i := 0; err == nil && i < len(rows); i++ {
			err = e.Add(rows[i])
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
	return e.End()
}

// rows returns the station's rows of a day.
func (h *history) rows(part served) (rows []aggregate.StationWindow, err error) {
	file, err := h.archive.open(part.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	err = parquet.ReadStationMeans(file, part.Bytes, h.window, h.station.ID, func(m aggregate.StationWindow) error {
		rows = append(rows, m)
		return nil
	})
	slices.SortStableFunc(rows, func(x, y aggregate.StationWindow) int {
		if c := x.Start.Compare(y.Start); c != 0 {
			return c
		}
		return strings.Compare(x.Quantity.String(), y.Quantity.String())
	})
	return rows, err
}
