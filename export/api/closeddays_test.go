package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/storetest"
)

// TestClosedDays asks for 40 days, of which the last three are not over.
func TestClosedDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClosedDays(func(at time.Time) time.Time { return at })
		today := time.Now().UTC().Truncate(day)
		first := today.AddDate(0, 0, -39)
		a, b := daySeries{station: &ingest.Station{ID: "A"}}, daySeries{station: &ingest.Station{ID: "A"}}
		empty := first.AddDate(0, 0, 5)
		var fail error
		f := func(what string, of daySeries, from time.Time, want ...string) {
			t.Helper()
			var computed []string
			var got, all []time.Time
			err := c.each(t.Context(), of, from, today.Add(day), func(_ context.Context, from, to time.Time) (list []time.Time, err error) {
				computed = append(computed, fmt.Sprintf("%d-%d", from.Sub(first)/day, to.Sub(first)/day))
				for at := from; at.Before(to); at = at.Add(day) {
					if !at.Equal(empty) {
						list = append(list, at)
					}
				}
				return list, fail
			}, func(at time.Time) error { got = append(got, at); return nil })
			for at := from; !at.After(today); at = at.Add(day) {
				if !at.Equal(empty) {
					all = append(all, at)
				}
			}
			if !slices.Equal(computed, want) || !errors.Is(err, fail) || fail == nil && !slices.Equal(got, all) {
				t.Errorf("%s: computed %q, %v, %d days, want %q, %v and %d days", what, computed, err, len(got), want, fail, len(all))
			}
		}
		fail = errors.New("the disk is gone")
		f("a store that fails", a, first, "0-31")
		fail = nil
		f("the last week", a, first.AddDate(0, 0, 33), "33-40")
		f("all", a, first, "0-31", "31-33", "37-40")
		f("again", a, first, "37-40")
		f("a station that was changed", b, first, "0-31", "31-40")
		time.Sleep(keptFor - time.Second)
		f("just before they are old", a, first, "37-40")
		time.Sleep(time.Second)
		f("when they are old", a, first, "0-31", "31-40")

		c.turn <- struct{}{} // another series is computed
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.each(ctx, a, today, today.Add(day), nil, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while others are computed: %v, want %v", err, context.DeadlineExceeded)
		}
		<-c.turn
		for i := range keptDays + 10 {
			c.keep(a, first.Add(time.Duration(i)*day), today, nil)
		}
		if c.days > keptDays || len(c.series[a]) != c.days {
			t.Errorf("%d days are counted and %d kept, want at most %d", c.days, len(c.series[a]), keptDays)
		}
	})
}

// countingStore counts the readings and rows that are read.
type countingStore struct {
	*storetest.Memory
	read int
}

func (s *countingStore) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	return s.Memory.Readings(ctx, q, func(r ingest.Reading) error { s.read++; return yield(r) })
}

func (s *countingStore) Grid(ctx context.Context, q store.GridQuery, yield func(aggregate.Row) error) error {
	return s.Memory.Grid(ctx, q, func(r aggregate.Row) error { s.read++; return yield(r) })
}

// TestAYearOfTheCityIsReadOnce expects the same days, and those of a city that are not districts'.
func TestAYearOfTheCityIsReadOnce(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	counted := &countingStore{Memory: h.store}
	h.server.Store = counted
	today := time.Now().UTC().Truncate(day)
	cell, err := geo.CellAt(h.station.Places[0].Public, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for at := today.AddDate(0, 0, -100); at.Before(today); at = at.Add(day) {
		h.store.Rows = append(h.store.Rows, aggregate.Row{Start: at, Window: aggregate.Day, Cell: cell, Quantity: quantity.PM10, Mean: 20_000, Stations: 1})
	}
	route := "/api/v1/city?window=24h&format=csv&quantity=pm10&from=" + today.AddDate(0, 0, -100).Format(time.RFC3339)
	first := h.get(route)
	counted.read = 0
	if again := h.get(route); !bytes.Equal(first, again) || counted.read > 3 || bytes.Count(first, []byte("\nKöln,")) < 97 {
		t.Errorf("%d rows were read the second time, want at most those of three days; the same answer of at least 97 days: %v, %s", counted.read, bytes.Equal(first, again), first)
	}
}

// TestAYearIsReadOnce expects the same answers, with what came within the time for late readings, and of the station as it
// is now.
func TestAYearIsReadOnce(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	counted := &countingStore{Memory: h.store}
	h.server.Store = counted
	today := time.Now().UTC().Truncate(day)
	for at := today.AddDate(0, 0, -100); at.Before(today); at = at.Add(5 * time.Minute) {
		h.store.Held = append(h.store.Held, ingest.Reading{Station: h.station.ID, Time: at, Values: []ingest.Value{value(quantity.PM10, 20), value(quantity.Humidity, 50)}})
	}
	period := "?quantity=pm10&from=" + today.AddDate(0, 0, -100).Format(time.RFC3339) + "&to=" + today.Format(time.RFC3339)
	for _, route := range []string{"/series" + period + "&window=24h", "/readings" + period + "&resolution=1d", "/readings?resolution=1d&from=" + today.AddDate(0, 0, -100).Format(time.RFC3339)} {
		route = "/api/v1/stations/" + h.station.ID + route
		first := h.get(route)
		counted.read = 0
		if again := h.get(route); !bytes.Equal(first, again) || counted.read > 2*3*288 {
			t.Errorf("%s: %d readings were read the second time, want at most those of three days twice; same answer: %v", route, counted.read, bytes.Equal(first, again))
		}
	}
	route := "/api/v1/stations/" + h.station.ID + "/readings" + period + "&resolution=1d"
	rows := len(h.lines(route, meansHeader, ','))
	last := len(h.store.Held) - 1
	h.store.Held[last].Values = []ingest.Value{value(quantity.PM10, 2900)} // the mean of the last hour is 260, of the day 30
	if got := h.lines(route, meansHeader, ','); len(got) != rows || got[rows-1][7] != "30.000" {
		t.Errorf("after a late value the last day is %q", got[rows-1])
	}
	counted.read = 0
	if err := h.server.Registry.Edit(t.Context(), h.station.ID, registry.Owner, registry.Edit{Height: new(7.0)}); err != nil {
		t.Fatal(err)
	}
	if h.get(route); counted.read < 100*288 {
		t.Errorf("after a change of the station %d readings were read, want those of all days", counted.read)
	}
}
