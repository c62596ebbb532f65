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
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/push"
	"stadtluft/ingest/registry"
)

const (
	chunk = 20_000 // rows that are collected and sorted at once
	batch = 400    // readings of one delivery
)

// Registry adopts stations. The registry of stations implements it.
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
	type part struct {
		station string
		rows    []Row
	}
	var parts []part
	for len(rows) > 0 { // all stations first: the server needs a moment to load new ones
		n := 1
		for n < len(rows) && rows[n].station() == rows[0].station() {
			n++
		}
		st, err := im.adopt(ctx, rows[:n])
		var field *registry.FieldError
		switch {
		case errors.As(err, &field): // such as a place outside the grid
			im.Stats.refuse(wire.Malformed, n)
			im.problem(rows[0].File, rows[0].Line, err.Error())
		case err != nil:
			return err
		default:
			parts = append(parts, part{st.ID, rows[:n]})
		}
		rows = rows[n:]
	}
	for _, p := range parts {
		im.Stats.meet(p.station)
		for rows := range slices.Chunk(p.rows, batch) {
			if err := im.deliver(ctx, p.station, rows); err != nil {
				return err
			}
		}
	}
	if im.Progress != nil {
		im.Progress()
	}
	return nil
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

func (im *Importer) deliver(ctx context.Context, station string, rows []Row) error {
	readings := make([]wire.Reading, len(rows))
	for i, r := range rows {
		readings[i] = r.Reading
	}
	a, err := im.Client.Deliver(ctx, station, wire.AppendReadings(nil, readings))
	if err != nil {
		return err
	}
	im.count(rows, a)
	return nil
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
