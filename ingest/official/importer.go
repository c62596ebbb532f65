package official

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/push"
	"stadtluft/ingest/registry"
)

// batch is the number of readings of one delivery.
const batch = 400

// kit is what stations say they measure with.
const kit = "official instrument"

// Registry adopts stations. The registry of stations implements it.
type Registry interface {
	Adopt(ctx context.Context, f registry.Foreign) (*ingest.Station, error)
}

// Importer delivers hours to a running server as readings of adopted stations. Importing the same again changes
// nothing.
type Importer struct {
	Registry Registry
	Boundary *geo.Boundary
	Margin   float64 // metres that a station may stand outside the boundary
	Client   *push.Client
	Problem  func(text string)

	Stats Stats
}

// Stats counts the outcome of hours of stations, which may have several values.
type Stats struct {
	Hours    int             `json:"hours"`
	Stored   int             `json:"stored"`  // perhaps again: the server remembers only the latest
	Known    int             `json:"known"`   // already known to the server
	Refused  map[string]int  `json:"refused"` // by reason
	Outside  int             `json:"outside"` // of stations beyond the boundary and its margin
	Stations map[string]bool `json:"-"`
	First    time.Time       `json:"-"` // of the stored hours; zero when there are none
	Last     time.Time       `json:"-"`
}

// Used returns the number of hours that are in the store now.
func (s *Stats) Used() int { return s.Stored + s.Known }

// Deliver delivers hours of a station, and adopts it if needed; it is a Yield once ctx is bound.
func (im *Importer) Deliver(ctx context.Context, st Station, hours []Hour) error {
	readings := join(hours)
	im.Stats.Hours += len(readings)
	if len(readings) == 0 {
		return nil
	}
	if im.Boundary.Distance(st.Point) > im.Margin {
		im.Stats.Outside += len(readings)
		return nil
	}
	adopted, err := im.Registry.Adopt(ctx, registry.Foreign{
		Source: st.Source, Key: st.Key, Name: st.Name, Point: st.Point, Since: readings[0].Time, Kit: kit, Exposure: ingest.Outdoor, Licence: st.Licence,
	})
	var field *registry.FieldError
	if errors.As(err, &field) {
		im.refuse(string(wire.Malformed), len(readings))
		im.Problem(fmt.Sprintf("station %s: %v", st.Name, err))
		return nil
	}
	if err != nil {
		return err
	}
	im.meet(adopted.ID)
	for part := range slices.Chunk(readings, batch) {
		answer, err := im.Client.Deliver(ctx, adopted.ID, wire.AppendReadings(nil, part))
		if err != nil {
			return err
		}
		im.count(part, answer)
	}
	return nil
}

// join returns the hours as readings, ascending by time: quantities of one hour are one reading. Of two values of one the
// first stays.
func join(hours []Hour) []wire.Reading {
	hours = slices.Clone(hours)
	slices.SortStableFunc(hours, func(a, b Hour) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Quantity, b.Quantity)) })
	hours = slices.CompactFunc(hours, func(a, b Hour) bool { return a.Start.Equal(b.Start) && a.Quantity == b.Quantity })
	var readings []wire.Reading
	for _, h := range hours {
		if n := len(readings); n == 0 || !readings[n-1].Time.Equal(h.Start) {
			readings = append(readings, wire.Reading{Time: h.Start})
		}
		last := &readings[len(readings)-1]
		last.Values = append(last.Values, wire.Value{Quantity: h.Quantity, Value: h.Value})
	}
	return readings
}

// count counts the outcome of a delivery. The server keeps the order of readings, so accepted ones are found from the
// front; of the others those that a refusal quotes were refused, and the rest are already known.
func (im *Importer) count(readings []wire.Reading, a push.Answer) {
	accepted := a.Accepted
	for _, r := range readings {
		at := r.Time.Format(time.RFC3339)
		if len(accepted) > 0 && accepted[0].Is(r, at) {
			accepted = accepted[1:]
			im.Stats.Stored++
			if im.Stats.First.IsZero() || r.Time.Before(im.Stats.First) {
				im.Stats.First = r.Time
			}
			if r.Time.After(im.Stats.Last) {
				im.Stats.Last = r.Time
			}
		} else if reason := a.ReasonOf(r, at); reason != "" {
			im.refuse(string(reason), 1)
		} else {
			im.Stats.Known++
		}
	}
}

func (im *Importer) refuse(reason string, n int) {
	if im.Stats.Refused == nil {
		im.Stats.Refused = map[string]int{}
	}
	im.Stats.Refused[reason] += n
}

func (im *Importer) meet(station string) {
	if im.Stats.Stations == nil {
		im.Stats.Stations = map[string]bool{}
	}
	im.Stats.Stations[station] = true
}
