package sensorcommunity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paulmach/orb"
	"golang.org/x/sync/errgroup"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/push"
	"stadtluft/ingest/registry"
)

const (
	chunk = 20_000 // rows that are collected and sorted at once
	batch = 400    // readings of one delivery

	// AtOnce is how many stations are adopted, or delivered to, at once: the server appends together what arrives together.
	AtOnce = 16
)

// Registry adopts stations, several at once. The registry of stations implements it.
type Registry interface {
	Adopt(ctx context.Context, f registry.Foreign) (*ingest.Station, error)
}

// Importer delivers rows to a running server as readings of adopted stations. Importing the same rows again changes
// nothing.
type Importer struct {
	Registry Registry
	Boundary *geo.Boundary
	Margin   float64 // metres that a station may stand outside the boundary
	Client   *push.Client
	Problem  func(text string) // is called with what is wrong with a file, and with each of its lines
	Progress func()            // is called from time to time; may be nil

	Stats ImportStats

	box       orb.Bound // around everything within Margin; zero until it is computed
	rows      []Row
	unweighed int // rows of the current file that are no masses, see row
}

// ImportStats counts the outcome of rows: each is in exactly one of Stored, Duplicates, Outside and Refused.
type ImportStats struct {
	Files      int            `json:"files"`
	Rows       int            `json:"rows"`
	Stored     int            `json:"stored"`    // perhaps again: the server remembers only the latest
	Duplicates int            `json:"repeated"`  // already known to the server
	Outside    int            `json:"outside"`   // beyond the boundary and its margin
	Refused    map[string]int `json:"refused"`   // by reason
	Broken     int            `json:"broken"`    // of those refused, lines that are not rows
	BadLines   int            `json:"bad_lines"` // lines and records that are not rows or have a value that is none; Problem named each
	Values     struct {
		Stored  int            `json:"stored"`
		Refused map[string]int `json:"refused"` // by reason, of rows whose other values were stored
	} `json:"values"`
	Stations map[string]bool `json:"-"`
	First    time.Time       `json:"-"` // of the stored rows; zero when there are none
	Last     time.Time       `json:"-"`
}

// Used returns the number of rows that are in the store now.
func (t *ImportStats) Used() int { return t.Stored + t.Duplicates }

func (t *ImportStats) refuse(reason wire.Reason, rows int) { add(&t.Refused, string(reason), rows) }

func add(counts *map[string]int, name string, n int) {
	if *counts == nil {
		*counts = map[string]int{}
	}
	(*counts)[name] += n
}

func (t *ImportStats) meet(station string) {
	if t.Stations == nil {
		t.Stations = map[string]bool{}
	}
	t.Stations[station] = true
}

func (t *ImportStats) store(at time.Time, values int) {
	t.Stored++
	t.Values.Stored += values
	if t.First.IsZero() || at.Before(t.First) {
		t.First = at
	}
	if at.After(t.Last) {
		t.Last = at
	}
}

// Import imports the rows of a file; the last ones may wait for Flush. It passes what is wrong with the file to
// Problem; the error is one that other files would have as well, such as a server that does not answer.
func (im *Importer) Import(ctx context.Context, name string, file *os.File) error {
	im.Stats.Files++
	im.unweighed = 0
	var fatal error
	err := ReadFile(ctx, name, file, func(r Row) error {
		fatal = im.row(ctx, r)
		return fatal
	}, im.broken)
	if im.unweighed > 0 {
		im.Problem(fmt.Sprintf("%s: %d rows of particle counters, which do not weigh particles", name, im.unweighed))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if fatal != nil {
		return fatal
	}
	if err != nil {
		im.Problem(err.Error())
	}
	return nil
}

func (im *Importer) row(ctx context.Context, r Row) error {
	im.Stats.Rows++
	if !im.within(r.Point) {
		im.Stats.Outside++
		return nil
	}
	im.refused(r)
	switch {
	case len(r.Reading.Values) == 0:
		reason := wire.NoValues
		if len(r.Refused) > 0 {
			reason = r.Refused[0].Reason
		}
		im.Stats.refuse(reason, 1)
	default:
		for _, f := range r.Refused {
			add(&im.Stats.Values.Refused, string(f.Reason), 1)
		}
		im.rows = append(im.rows, r)
	}
	if len(im.rows) < chunk {
		return nil
	}
	return im.Flush(ctx)
}

// within reports whether a place is in the city or within Margin. Most of a neighbour's places are far away, which a
// box detects at once.
func (im *Importer) within(p orb.Point) bool {
	if im.box.IsZero() {
		im.box = expand(im.Boundary.Bound(), im.Margin)
	}
	return im.box.Contains(p) && im.Boundary.Distance(p) <= im.Margin
}

// expand returns a box around b that contains everything within metres of it, and a little more.
func expand(b orb.Bound, metres float64) orb.Bound {
	const degree = 110_000 // metres of latitude; nowhere less than 110,574
	north := metres / degree
	farthest := min(89, max(math.Abs(b.Min.Lat()), math.Abs(b.Max.Lat()))+north)
	east := north / math.Cos(farthest*math.Pi/180)
	return orb.Bound{Min: orb.Point{b.Min.Lon() - east, b.Min.Lat() - north}, Max: orb.Point{b.Max.Lon() + east, b.Max.Lat() + north}}
}

// refused names the values of a row that are refused. Those of particle counters are in every row of a file and named at its
// end.
func (im *Importer) refused(r Row) {
	var details []string
	for _, f := range r.Refused {
		if f.Reason == wire.Unsupported {
			im.unweighed++
			return
		}
		details = append(details, f.Detail)
	}
	if len(details) > 0 {
		im.problem(r.File, r.Line, strings.Join(details, "; "))
	}
}

func (im *Importer) broken(b Broken) {
	im.Stats.Rows++
	im.Stats.Broken++
	im.Stats.refuse(b.Reason, 1)
	im.problem(b.File, b.Line, b.Detail)
}

func (im *Importer) problem(file string, line int, detail string) {
	im.Stats.BadLines++
	im.Problem(fmt.Sprintf("%s:%d: %s", file, line, detail))
}

// Flush delivers the collected rows, by station and time, so that two rows of one second are adjacent.
func (im *Importer) Flush(ctx context.Context) error {
	rows := im.rows
	im.rows = im.rows[:0]
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(strings.Compare(a.station(), b.station()), a.Reading.Time.Compare(b.Reading.Time))
	})
	parts := byStation(rows)
	// All stations first: the server needs a moment to load new ones.
	err := im.each(ctx, parts, func(ctx context.Context, p *part) (err error) {
		p.station, err = im.adopt(ctx, p.rows)
		if errors.As(err, &p.refused) { // such as a place outside the grid
			return nil
		}
		return err
	})
	parts = slices.DeleteFunc(parts, im.refusedStation)
	if err != nil {
		return err
	}
	var mu sync.Mutex // guards im.Stats
	err = im.each(ctx, parts, func(ctx context.Context, p *part) error {
		for rows := range slices.Chunk(p.rows, batch) {
			answer, err := im.deliver(ctx, p.station.ID, rows)
			if err != nil {
				return err
			}
			mu.Lock()
			im.Stats.meet(p.station.ID)
			im.count(rows, answer)
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return err
	}
	if im.Progress != nil {
		im.Progress()
	}
	return nil
}

// part is the rows of one station, by time.
type part struct {
	rows    []Row
	station *ingest.Station
	refused *registry.FieldError // why the station cannot be adopted; nil when it can
}

// byStation splits rows that are sorted by station.
func byStation(rows []Row) (parts []*part) {
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].station() == rows[0].station() {
			n++
		}
		parts, rows = append(parts, &part{rows: rows[:n]}), rows[n:]
	}
	return parts
}

// each calls f for each part, for AtOnce of them at once. It returns the first error, which ends the others.
func (im *Importer) each(ctx context.Context, parts []*part, f func(context.Context, *part) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(AtOnce)
	for _, p := range parts {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return f(ctx, p)
		})
	}
	return g.Wait()
}

// refusedStation counts and names the rows of a station that is refused.
func (im *Importer) refusedStation(p *part) bool {
	if p.refused == nil {
		return false
	}
	im.Stats.refuse(wire.Malformed, len(p.rows))
	im.problem(p.rows[0].File, p.rows[0].Line, p.refused.Error())
	return true
}

// fitted returns the sensors of a station's rows, which are in the order of time, with the periods of their values.
func fitted(rows []Row) (list []registry.Fitted) {
	for _, r := range rows {
		f := registry.Fitted{ID: strings.ToLower(r.Sensor), Type: strings.ToLower(r.Type), Kind: kinds[sensorOf(r.Type)], From: r.Reading.Time}
		i := slices.IndexFunc(list, func(o registry.Fitted) bool { return o.ID == f.ID && o.Type == f.Type })
		if i < 0 {
			i, list = len(list), append(list, f)
		}
		list[i].Until = r.Reading.Time
	}
	return list
}

// adopt finds or registers the station of one location. Its sensors are those of its rows.
func (im *Importer) adopt(ctx context.Context, rows []Row) (st *ingest.Station, err error) {
	name, exposure := "Sensor.Community "+rows[0].Location, ingest.Outdoor
	if rows[0].Indoor {
		name, exposure = name+" (indoor)", ingest.Indoor
	}
	sensors := fitted(rows)
	for i, r := range rows {
		if i > 0 && r.Point == rows[i-1].Point {
			continue
		}
		st, err = im.Registry.Adopt(ctx, registry.Foreign{
			Source: registry.SensorCommunity, Key: r.station(), Name: name, Point: r.Point, Since: r.Reading.Time,
			Kit: "Sensor.Community", Fitted: sensors, Exposure: exposure, Licence: "ODbL-1.0",
		})
		if err != nil {
			return nil, err
		}
	}
	return st, nil
}

func (im *Importer) deliver(ctx context.Context, station string, rows []Row) (push.Answer, error) {
	readings := make([]wire.Reading, len(rows))
	for i, r := range rows {
		readings[i] = r.Reading
	}
	return im.Client.Deliver(ctx, station, wire.AppendReadings(nil, readings))
}

// count counts the outcome of a delivery's rows. The server keeps their order, so the accepted ones are found from
// the front; of the others those that a refusal quotes were refused, and the rest are already known.
func (im *Importer) count(rows []Row, a push.Answer) {
	accepted := a.Accepted
	for _, r := range rows {
		at := r.Reading.Time.Format(time.RFC3339)
		if len(accepted) > 0 && accepted[0].Is(r.Reading, at) {
			im.Stats.store(r.Reading.Time, len(accepted[0].Values))
			accepted = accepted[1:]
		} else if reason := a.ReasonOf(r.Reading, at); reason != "" {
			im.Stats.refuse(reason, 1)
		} else {
			im.Stats.Duplicates++
		}
	}
}
