package sta

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

var (
	dom     = orb.Point{6.9583, 50.9413}
	deutz   = orb.Point{6.9750, 50.9370}
	private = orb.Point{6.958345, 50.941321}
)

// town has two stations that are shown, of which the first has moved, one that is not, and what they measured.
type town struct {
	stations []*ingest.Station
	readings []ingest.Reading // ascending by time, then station
	asked    []store.ReadingQuery
	yielded  int
}

// noon is when the town's last readings are; the world's now is a minute later.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func newTown() *town {
	created := noon.AddDate(0, -2, 0)
	station := func(id, name string, status ingest.Status, places ...ingest.Place) *ingest.Station {
		return &ingest.Station{
			ID: id, Name: name, Kit: "sds011/bme280 o'hara", Sensors: []string{"sds011"}, Exposure: ingest.Outdoor, Height: new(3.0), Status: status,
			Licence: "dl-by-de/2.0", Email: "owner@example.org", Created: created, Places: places,
		}
	}
	return &town{stations: []*ingest.Station{
		station("AAAAAA1", "Dom", ingest.Active, ingest.Place{From: created, Exact: private, Public: deutz}, ingest.Place{From: noon.Add(-30 * time.Minute), Exact: private, Public: dom}),
		station("BBBBBB2", "Deutz", ingest.Paused, ingest.Place{From: created, Exact: private, Public: deutz}),
		station("CCCCCC3", "Hidden", ingest.Pending, ingest.Place{From: created, Exact: private, Public: private}),
	}}
}

// measured fills the town with n readings at an interval up to noon.
func (w *town) measured(n int, every time.Duration) *town {
	w.readings = slices.Grow(w.readings, n*len(w.stations))
	for i := n - 1; i >= 0; i-- {
		at := noon.Add(-time.Duration(i) * every)
		for _, st := range w.stations {
			w.readings = append(w.readings, ingest.Reading{Station: st.ID, Time: at, Received: at, Values: []ingest.Value{
				{Quantity: quantity.PM2_5, Value: float64(i % 50)}, {Quantity: quantity.PM10, Value: float64(i%50) + 10, Flags: ingest.Stuck},
			}})
		}
	}
	return w
}

func (w *town) Stations() []*ingest.Station { return w.stations }

func (w *town) Station(id string) (*ingest.Station, bool) {
	i := slices.IndexFunc(w.stations, func(s *ingest.Station) bool { return s.ID == id })
	if i < 0 {
		return nil, false
	}
	return w.stations[i], true
}

func (w *town) Latest(id string, _ time.Time) live.Station {
	s := live.Station{State: live.OK, LastSeen: noon, Values: map[quantity.Quantity]live.Latest{}}
	for _, r := range slices.Backward(w.readings) {
		if r.Station == id {
			for _, v := range r.Values {
				s.Values[v.Quantity] = live.Latest{Value: v.Value, Time: r.Time, Flags: v.Flags}
			}
			break
		}
	}
	return s
}

func (w *town) Readings(_ context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	w.asked = append(w.asked, q)
	first, _ := slices.BinarySearchFunc(w.readings, q.From, func(r ingest.Reading, at time.Time) int { return r.Time.Compare(at) })
	for _, r := range w.readings[first:] {
		if !r.Time.Before(q.To) {
			break
		}
		if len(q.Stations) > 0 && !slices.Contains(q.Stations, r.Station) {
			continue
		}
		r.Values = slices.DeleteFunc(slices.Clone(r.Values), func(v ingest.Value) bool {
			return len(q.Quantities) > 0 && !slices.Contains(q.Quantities, v.Quantity)
		})
		if len(r.Values) == 0 {
			continue
		}
		w.yielded++
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

func (w *town) Meta(at time.Time) export.Meta {
	return export.Meta{Licence: "dl-by-de/2.0", Attribution: "Stadt Köln", Generated: at}
}

// world returns the town during one request, a minute after noon.
func (w *town) world(t testing.TB) *world {
	t.Helper()
	return newWorld(context.Background(), w, "http://test"+Root, noon.Add(time.Minute))
}

func newTestWorld(t testing.TB) *world { return newTown().measured(100, time.Minute).world(t) }

// sample returns one observation.
func (w *world) sample() *entity {
	e, err := w.find(observations, "AAAAAA1-pm2_5-"+unix(noon.Add(-time.Minute)))
	if err != nil || e == nil {
		panic("the town has no such observation")
	}
	return e
}

// ids returns the ids of entities, separated by spaces.
func ids(entities []*entity) string {
	var list []string
	for _, e := range entities {
		list = append(list, e.id)
	}
	return strings.Join(list, " ")
}
