package sta

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/httpapi"
)

// parsed returns the options of a query about observations.
func parsed(t *testing.T, query string) options {
	t.Helper()
	o, err := parseQuery(query, observations)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return o
}

// Only the readings that a filter can need are read from the store.
func TestFilterIsPushedDown(t *testing.T) {
	f := func(filter string, from, to time.Time, stations string, quantities ...quantity.Quantity) {
		t.Helper()
		w := newTestWorld(t)
		e, err := parseExpression(filter)
		if err != nil {
			t.Fatalf("%s: %v", filter, err)
		}
		r := w.scopeOf(nil, e)
		if !r.from.Equal(from) || !r.to.Equal(to) || strings.Join(r.stations, " ") != stations || !slices.Equal(r.quantities, quantities) {
			t.Errorf("%s: %+v, want %s to %s, %q %v", filter, r, from, to, stations, quantities)
		}
	}
	end := noon.Add(time.Minute).Add(ahead)
	at := noon.Add(-time.Hour)
	f("result gt 5", since, end, "")
	f("phenomenonTime ge 2026-05-01T11:00:00Z", at, end, "")
	f("2026-05-01T11:00:00Z le phenomenonTime", at, end, "")
	f("resultTime gt '2026-05-01T11:00:00Z' and result gt 5", at, end, "")
	f("phenomenonTime lt 2026-05-01T11:00:00Z", since, at.Add(time.Second), "")
	f("phenomenonTime eq 2026-05-01T11:00:00Z", at, at.Add(time.Second), "")
	f("phenomenonTime ge now() sub duration'PT1H1M'", at, end, "")
	f("phenomenonTime ge 2026-05-01T10:00:00Z and (phenomenonTime ge 2026-05-01T11:00:00Z and result gt 1)", at, end, "")
	f("phenomenonTime ge 2026-05-01T11:00:00Z or result gt 5", since, end, "") // either may hold
	f("not (phenomenonTime ge 2026-05-01T11:00:00Z)", since, end, "")
	f("during(phenomenonTime,2026-05-01T11:00:00Z/2026-05-01T11:00:30Z)", at, at.Add(31*time.Second), "")
	f("phenomenonTime ne 2026-05-01T11:00:00Z", since, end, "")
	f("Datastream/Thing/id eq 'AAAAAA1'", since, end, "AAAAAA1")
	f("Datastream/ObservedProperty/@iot.id eq 'pm10'", since, end, "", quantity.PM10)
}

func TestNewestFirstStopsEarly(t *testing.T) {
	w := newTown().measured(30_000, time.Minute)
	page, err := w.world(t).observationsOf(nil, parsed(t, "$top=3"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "BBBBBB2-pm10-" + unix(noon) + " BBBBBB2-pm2_5-" + unix(noon) + " AAAAAA1-pm10-" + unix(noon); ids(page.entities) != want {
		t.Errorf("newest three: %s, want %s", ids(page.entities), want)
	}
	if w.yielded > maxWindow {
		t.Errorf("%d readings were looked at for three", w.yielded)
	}
}

// Reading backwards yields the same as reading forwards, with many or few readings and with gaps.
func TestReadBack(t *testing.T) {
	f := func(name string, w *town) {
		t.Helper()
		world := w.world(t)
		world.budget.looked = 10_000_000 // the bound has its own test
		r := world.scopeOf(nil, nil)
		var forwards, backwards []string
		if err := world.read(r, func(e *entity) error { forwards = append(forwards, e.id); return nil }); err != nil {
			t.Fatal(err)
		}
		if err := world.readBack(r, func(e *entity) error { backwards = append(backwards, e.id); return nil }); err != nil {
			t.Fatal(err)
		}
		slices.Reverse(backwards)
		if !slices.Equal(forwards, backwards) {
			t.Errorf("%s: %d forwards, %d backwards", name, len(forwards), len(backwards))
		}
	}
	f("nothing", newTown())
	f("one", newTown().measured(1, time.Minute))
	f("every second", newTown().measured(30_000, time.Second))
	f("every month", newTown().measured(100, 30*24*time.Hour))
	gap := newTown().measured(30_000, time.Second)
	for i := range gap.readings[:len(gap.readings)-90] {
		gap.readings[i].Time = gap.readings[i].Time.AddDate(-2, 0, 0) // dense, then two years of nothing
	}
	f("a gap", gap)
}

// Following the next page yields every observation once, in every order.
func TestObservationPages(t *testing.T) {
	w := newTown().measured(40, time.Minute)
	f := func(query string, of string, want int) {
		t.Helper()
		var got []string
		o := parsed(t, query)
		for range 200 {
			world := w.world(t)
			var from *entity
			if of != "" {
				from, _ = world.find(datastreams, of)
			}
			page, err := world.observationsOf(from, o)
			if err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			for _, e := range page.entities {
				got = append(got, e.id)
			}
			next := o.next(page)
			if next == "" {
				break
			}
			o = parsed(t, next)
		}
		unique := slices.Compact(slices.Sorted(slices.Values(got)))
		if len(got) != want || len(unique) != want {
			t.Errorf("%s of %q: %d observations, %d of them different, want %d", query, of, len(got), len(unique), want)
		}
	}
	f("$top=7", "", 160)
	f("$top=7&$orderby=phenomenonTime%20asc", "", 160)
	f("$top=7&$orderby=phenomenonTime%20desc", "", 160)
	f("$top=7&$orderby=result%20desc", "", 160)
	f("$top=7&$count=true", "", 160)
	f("$top=7&$skip=10", "", 150)
	f("$top=7&$filter=result%20lt%205", "", 10)
	f("$top=1", "AAAAAA1-pm10", 40) // the newest is in memory
	f("$top=7&$orderby=resultTime%20asc,id", "AAAAAA1-pm10", 40)
}

func TestOrderAndCount(t *testing.T) {
	w := newTown().measured(60, time.Minute)
	f := func(query, of, want string, wantCount int) {
		t.Helper()
		world := w.world(t)
		from, err := world.find(datastreams, of)
		if err != nil {
			t.Fatal(err)
		}
		page, err := world.observationsOf(from, parsed(t, query))
		var got []string
		for _, e := range page.entities {
			got = append(got, strings.TrimPrefix(e.id, of+"-"))
		}
		if err != nil || strings.Join(got, " ") != want || page.count != wantCount {
			t.Errorf("%s: %v of %d, %v, want %s of %d", query, got, page.count, err, want, wantCount)
		}
	}
	at := func(minutes int) string { return unix(noon.Add(-time.Duration(minutes) * time.Minute)) }
	const of = "AAAAAA1-pm2_5" // its values are the minutes before noon modulo 50
	f("$top=2", of, at(0)+" "+at(1), -1)
	f("$top=2&$count=true", of, at(0)+" "+at(1), 60)
	f("$top=2&$orderby=phenomenonTime", of, at(59)+" "+at(58), -1)
	f("$top=3&$orderby=result%20desc,phenomenonTime%20desc", of, at(49)+" "+at(48)+" "+at(47), -1)
	f("$top=2&$skip=1&$orderby=result,phenomenonTime%20desc", of, at(50)+" "+at(1), -1)
	f("$top=5&$filter=result%20eq%203&$count=true", of, at(3)+" "+at(53), 2)
	f("$top=0&$count=true", of, "", 60)
}

func TestBounds(t *testing.T) {
	w := newTown().measured(maxLooked/3+1, time.Second)
	f := func(query, want string) {
		t.Helper()
		_, err := w.world(t).observationsOf(nil, parsed(t, query))
		var p *httpapi.Problem
		if want == "" && err == nil {
			return
		}
		if !errors.As(err, &p) || p.Status != 400 || want == "" || !strings.Contains(p.Detail, want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
	f("$count=true&$top=1", "looks at more than 300000 readings")
	f("$orderby=result&$top=1", "looks at more than 300000 readings")
	f("$filter=result%20gt%201000&$top=1", "looks at more than 300000 readings")
	f("$top=1", "")
	f("$orderby=phenomenonTime&$top=1", "")
	f("$count=true&$top=1&$filter=phenomenonTime%20gt%202026-05-01T11:00:00Z", "")
	f("$skiptoken=x", "is no observation")
	f("$skiptoken=AAAAAA1-pm10-1&$orderby=result", "goes with an order by phenomenonTime")
}

// Nothing of a station that is not shown is ever sent.
func TestHiddenStations(t *testing.T) {
	w := newTown().measured(10, time.Minute)
	world := w.world(t)
	page, err := world.observationsOf(nil, parsed(t, "$top=1000"))
	if err != nil || len(page.entities) != 40 || strings.Contains(ids(page.entities), "CCCCCC3") {
		t.Errorf("%s, %v", ids(page.entities), err)
	}
	for k, id := range map[*kind]string{
		things: "CCCCCC3", locations: "CCCCCC3-1", features: "CCCCCC3-1", datastreams: "CCCCCC3-pm10", observations: "CCCCCC3-pm10-" + unix(noon),
	} {
		if e, err := world.find(k, id); e != nil || err != nil {
			t.Errorf("%s %s: %v, %v", k.singular, id, e, err)
		}
	}
}
