package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/geo"
	"stadtluft/ingest"
)

// station registers the balcony.
func station(t *testing.T, r *Registry) Credentials {
	t.Helper()
	n := balcony()
	n.Email = "me@example.org"
	c, _, err := r.Add(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWrongEditsChangeNothing(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	c := station(t, r)
	before, _ := r.Station(c.ID)
	now := time.Now()
	f := func(by By, e Edit, field, problem string) {
		t.Helper()
		e.Height = new(9.0) // a change that could be made
		err := r.Edit(t.Context(), c.ID, by, e)
		var wrong *FieldError
		if !errors.As(err, &wrong) || wrong.Field != field || !strings.Contains(wrong.Problem, problem) || wrong.German == "" {
			t.Errorf("%+v: %v, want field %s and %q", e, err, field, problem)
		}
		if after, _ := r.Station(c.ID); after != before {
			t.Errorf("%+v changed the station to %+v", e, after)
		}
	}
	place := func(p orb.Point, from time.Time) Edit { return Edit{Place: &ingest.Place{Exact: p, From: from}} }
	installation := func(kit string, from time.Time, sensors ...string) Edit {
		return Edit{Installation: &ingest.Installation{Kit: kit, Sensors: sensors, From: from}}
	}
	f(Owner, Edit{Name: new("")}, "name", "empty")
	f(Owner, Edit{Side: new("up")}, "side", "nw")
	f(Owner, Edit{Status: new(ingest.Retired)}, "status", "retired")
	f(Owner, Edit{Status: new(ingest.Pending)}, "status", "pending")
	f(Admin, Edit{Status: new(ingest.Erased)}, "status", "erased")
	f(Admin, Edit{Status: new(ingest.Pending)}, "status", "pending")
	f(Owner, Edit{Status: new(ingest.Suspended), Reason: new("x")}, "status", "suspended")
	f(Admin, Edit{Status: new(ingest.Suspended)}, "reason", "empty")
	f(Admin, Edit{Status: new(ingest.Suspended), Reason: new(strings.Repeat("ü", 201))}, "reason", "200")
	f(Admin, Edit{Reason: new("x")}, "reason", "nothing else")
	f(Owner, Edit{Status: new(ingest.Paused), Reason: new("x")}, "reason", "nothing else")
	f(Owner, place(orb.Point{}, time.Time{}), "lon, lat", "Atlantic")
	f(Owner, place(cathedral, now.Add(time.Hour)), "place.from", "future")
	f(Owner, place(cathedral, now.Add(-31*24*time.Hour)), "place.from", "30 days")
	f(Owner, place(cathedral, now.Add(-time.Hour)), "place.from", "last change")
	f(Owner, installation("", time.Time{}), "kit", "empty")
	f(Owner, installation("x", time.Time{}, "a b"), "sensors", "a b")
	f(Owner, installation("x", now.Add(time.Hour)), "fitting.from", "future")
	f(Owner, Edit{Exposure: &ingest.ExposedSince{Exposure: "cellar"}}, "exposure", "cellar")
	f(Owner, Edit{Exposure: &ingest.ExposedSince{Exposure: ingest.Indoor, From: now.Add(time.Hour)}}, "exposure.from", "future")
	if err := r.Edit(t.Context(), "0000000", Owner, Edit{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("an edit of nobody: %v", err)
	}
}

func TestAStationMovesAndGetsOtherSensors(t *testing.T) {
	nats := startNATS(t)
	r := open(t, nats, PolicyOpen)
	c := station(t, r)
	day := time.Now().UTC().Truncate(time.Second).Add(-24 * time.Hour)
	begin := day.Add(-24 * time.Hour)
	rewrite(t, r, c.ID, func(rec *record) { rec.Places[0].From, rec.Installations[0].From = begin, begin })
	mill := orb.Point{6.99, 50.95}
	err := r.Edit(t.Context(), c.ID, Owner, Edit{
		Name: new("Mühle"), Side: new("sw"), Height: new(7.5), Status: new(ingest.Paused),
		Place: &ingest.Place{Exact: mill, From: day}, Installation: &ingest.Installation{Kit: "sps30-bme280", From: day},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		st, _ := r.Station(c.ID)
		if st.Name != "Mühle" || st.Side != "sw" || *st.Height != 7.5 || st.Status != ingest.Paused || st.Kit != "sps30-bme280" {
			t.Errorf("station = %+v", st)
		}
		if got := st.PlaceAt(day.Add(-time.Second)).Exact; got != cathedral {
			t.Errorf("before the move it stood at %v", got)
		}
		if got := st.PlaceAt(day).Exact; got != mill {
			t.Errorf("after the move it stands at %v", got)
		}
		if got := fmt.Sprint(st.At(day.Add(-time.Second)).Sensors, st.At(day).Sensors, st.At(time.Time{}).Sensors); got != "[sds011 bme280] [sps30 bme280] [sds011 bme280]" {
			t.Errorf("sensors before, after and at first: %s", got)
		}
		r = open(t, nats, PolicyOpen) // and after a restart
	}
	waiting := r.Recomputations()
	if len(waiting) != 1 || !waiting[0].From.Equal(day) || waiting[0].Station.ID != c.ID {
		t.Fatalf("recomputations %+v, want one from %v", waiting, day)
	}
	if err := r.Edit(t.Context(), c.ID, Owner, Edit{Place: &ingest.Place{Exact: cathedral}}); err != nil {
		t.Fatal(err)
	}
	if err := r.Recomputed(t.Context(), waiting[0]); err != nil {
		t.Fatal(err)
	}
	if again := r.Recomputations(); len(again) != 1 {
		t.Errorf("a move while the last was worked on: %+v, want it to be done again", again)
	}
}

// TestExposureHasAHistory changes where a station measures, twice; what it measured before stays what it was.
func TestExposureHasAHistory(t *testing.T) {
	nats := startNATS(t)
	r := open(t, nats, PolicyOpen)
	c := station(t, r)
	begin := time.Now().UTC().Truncate(time.Second).Add(-48 * time.Hour)
	rewrite(t, r, c.ID, func(rec *record) { rec.Places[0].From = begin })
	in, out := begin.Add(12*time.Hour), begin.Add(24*time.Hour)
	for _, x := range []ingest.ExposedSince{{From: in, Exposure: ingest.Indoor}, {From: out, Exposure: ingest.Outdoor}, {Exposure: ingest.Outdoor}} {
		if err := r.Edit(t.Context(), c.ID, Owner, Edit{Exposure: &x}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		st, _ := r.Station(c.ID)
		var got []ingest.Exposure
		for _, at := range []time.Time{{}, begin, in.Add(-time.Second), in, out.Add(-time.Second), out, time.Now()} {
			got = append(got, st.ExposureAt(at))
		}
		if fmt.Sprint(got) != "[outdoor outdoor outdoor indoor indoor outdoor outdoor]" || st.Exposure != ingest.Outdoor || len(st.Exposures) != 3 {
			t.Errorf("exposures %v, %+v", got, st)
		}
		r = open(t, nats, PolicyOpen) // and after a restart
	}
	if waiting := r.Recomputations(); len(waiting) != 1 || !waiting[0].From.Equal(in) {
		t.Errorf("recomputations %+v, want one from %v", waiting, in)
	}
	changes, err := r.Changes(t.Context(), c.ID, 2)
	if err != nil || len(changes) != 2 || changes[1].What != "exposure" || changes[1].Before != "outdoor" || !strings.HasPrefix(changes[1].After, "indoor since ") {
		t.Errorf("changes %+v, %v", changes, err)
	}
	err = r.Edit(t.Context(), c.ID, Owner, Edit{Exposure: &ingest.ExposedSince{From: in, Exposure: ingest.Indoor}})
	var wrong *FieldError
	if !errors.As(err, &wrong) || wrong.Field != "exposure.from" {
		t.Errorf("a change before the last: %v", err)
	}
}

// TestEarlierSensorsAreComputedAgain tells that the sensors are others since yesterday, and once more while that is worked on.
func TestEarlierSensorsAreComputedAgain(t *testing.T) {
	nats := startNATS(t)
	r := open(t, nats, PolicyOpen)
	c := station(t, r)
	since := time.Now().UTC().Truncate(time.Second).Add(-24 * time.Hour)
	rewrite(t, r, c.ID, func(rec *record) {
		rec.Installations[0].From, rec.Places[0].From = since.Add(-time.Hour), since.Add(-time.Hour)
	})
	change := func(e Edit) {
		t.Helper()
		if err := r.Edit(t.Context(), c.ID, Owner, e); err != nil {
			t.Fatal(err)
		}
	}
	change(Edit{Installation: &ingest.Installation{Kit: "sds011-bme280", From: since}})
	if waiting := r.Recomputations(); len(waiting) != 0 {
		t.Errorf("the same sensors: %+v", waiting)
	}
	change(Edit{Installation: &ingest.Installation{Kit: "pms5003-bme280", Sensors: []string{ingest.CF1Sensor, "bme280"}, From: since}})
	waiting := r.Recomputations()
	if len(waiting) != 1 || !waiting[0].From.Equal(since) {
		t.Fatalf("recomputations %+v, want one from %v", waiting, since)
	}
	for what, e := range map[string]Edit{
		"sensors":  {Installation: &ingest.Installation{Kit: "sps30", From: since.Add(time.Hour)}},
		"exposure": {Exposure: &ingest.ExposedSince{Exposure: ingest.Indoor, From: since.Add(time.Hour)}},
	} {
		before := r.Recomputations()[0]
		change(e)
		if err := r.Recomputed(t.Context(), before); err != nil {
			t.Fatal(err)
		}
		if again := r.Recomputations(); len(again) != 1 {
			t.Fatalf("other %s while the last were worked on: %+v, want it to be done again", what, again)
		}
	}
	under := r.Recomputations()
	change(Edit{Installation: &ingest.Installation{Kit: "sds011-bme280", From: since.Add(2 * time.Hour)}})
	if err := r.RecomputedUntil(t.Context(), under, since.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if again := r.Recomputations(); len(again) != 1 || again[0].From.After(since.Add(2*time.Hour)) {
		t.Errorf("other sensors two hours on while three hours were worked on: %+v, want the third to be done again", again)
	}
}

func TestChangesAreRecorded(t *testing.T) {
	nats := startNATS(t)
	r := open(t, nats, PolicyOpen)
	c := station(t, r)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(r.Edit(t.Context(), c.ID, Owner, Edit{Name: new("Hof"), Place: &ingest.Place{Exact: orb.Point{6.99, 50.95}}}))
	must(r.Edit(t.Context(), c.ID, Owner, Edit{Name: new("Hof")})) // changes nothing
	must(r.Edit(t.Context(), c.ID, Admin, Edit{Status: new(ingest.Suspended), Reason: new("hangs in a kitchen")}))
	token, err := r.Rotate(t.Context(), c.ID, Owner)
	must(err)
	manage, err := r.Renew(t.Context(), c.ID, Owner, true)
	must(err)
	if st, _ := r.Station(c.ID); st.Email != "" || r.Manages(c.ID, c.ManageToken) || !r.Manages(c.ID, manage) {
		t.Errorf("after handing over: address %q, old link %v, new link %v", st.Email, r.Manages(c.ID, c.ManageToken), r.Manages(c.ID, manage))
	}
	if st, _ := r.Station(c.ID); slices.ContainsFunc(st.Places, func(p ingest.Place) bool { return geo.Distance(p.Exact, p.Public) > 0.01 }) {
		t.Errorf("after handing over the new owner sees the places %v", st.Places)
	}
	must(r.AddDevice(t.Context(), c.ID, Shell, ingest.Device{Family: "ttn", Key: "eui-1"}))
	must(r.Retire(t.Context(), c.ID, Shell))
	changes, err := r.Changes(t.Context(), c.ID, 100)
	must(err)
	var got []string
	all := ""
	for _, c := range changes {
		got = append(got, fmt.Sprintf("%s %s", c.Who, c.What))
		all += fmt.Sprintf("%+v\n", c)
	}
	want := "shell status, shell device, owner handed over, owner management link, owner token, admin reason, admin status, owner place, owner name, shell registered"
	if strings.Join(got, ", ") != want {
		t.Errorf("changes %s\nwant    %s", strings.Join(got, ", "), want)
	}
	if last := changes[0]; last.Before != "suspended" || last.After != "retired" || time.Since(last.At) > time.Minute {
		t.Errorf("the last change is %+v", last)
	}
	for _, secret := range []string{token, manage, "me@example.org", "50.95", "6.99", "eui-1"} {
		if strings.Contains(all, secret) {
			t.Errorf("the record holds %q:\n%s", secret, all)
		}
	}
	if few, err := r.Changes(t.Context(), "", 2); err != nil || len(few) != 2 {
		t.Errorf("%d of all changes, %v, want 2", len(few), err)
	}
}

func TestAnErasedStationGoes(t *testing.T) {
	nats := startNATS(t)
	r := open(t, nats, PolicyOpen)
	c := station(t, r)
	if err := r.Erase(t.Context(), c.ID, Owner); err != nil {
		t.Fatal(err)
	}
	if st, _ := r.Station(c.ID); st.Status != ingest.Erased || st.Email != "" || r.Authenticate(c.ID, c.Token) || r.Manages(c.ID, c.ManageToken) {
		t.Errorf("an erased station: %+v, log-in %v, managed %v", st, r.Authenticate(c.ID, c.Token), r.Manages(c.ID, c.ManageToken))
	}
	waiting := r.Recomputations()
	if len(waiting) != 1 || waiting[0].From.Unix() != 0 {
		t.Fatalf("recomputations %+v", waiting)
	}
	if err := r.Recomputed(t.Context(), waiting[0]); err != nil {
		t.Fatal(err)
	}
	if st, ok := r.Station(c.ID); ok {
		t.Errorf("left is %+v", st)
	}
	for _, again := range []*Registry{r, open(t, nats, PolicyOpen)} {
		if all := again.Stations(); len(all) != 0 {
			t.Errorf("left are %+v", all)
		}
	}
	if changes, err := r.Changes(t.Context(), c.ID, 9); err != nil || len(changes) != 1 || changes[0].What != "status" {
		t.Errorf("changes %+v, %v, want the end", changes, err)
	}
}

// TestARecomputationGoesOn is interrupted after some of its days, and asked for again from before and from after where it is.
func TestARecomputationGoesOn(t *testing.T) {
	nats := startNATS(t)
	r := open(t, nats, PolicyOpen)
	c := station(t, r)
	ask := func(daysAgo int) {
		t.Helper()
		at := time.Now().UTC().Truncate(time.Hour).AddDate(0, 0, -daysAgo)
		if err := r.change(t.Context(), c.ID, Admin, func(e *edit) { e.queueRecomputation(at) }); err != nil {
			t.Fatal(err)
		}
	}
	waiting := func() []Recomputation {
		t.Helper()
		list := r.Recomputations()
		if len(list) != 1 {
			t.Fatalf("%v, want one recomputation", list)
		}
		return list
	}
	until := time.Now().UTC().Truncate(time.Hour).AddDate(0, 0, -10)
	ask(20)
	under := waiting()
	if err := r.RecomputedUntil(t.Context(), under, until); err != nil {
		t.Fatal(err)
	}
	r = open(t, nats, PolicyOpen)
	if got := waiting()[0].From; !got.Equal(until) {
		t.Errorf("after a restart it goes on at %v, want %v", got, until)
	}
	ask(5)
	if got := waiting()[0].From; !got.Equal(until) {
		t.Errorf("asked for from later on it goes on at %v, want %v", got, until)
	}
	ask(15)
	earlier := waiting()[0].From
	if !earlier.Before(until) {
		t.Errorf("asked for from earlier on it goes on at %v", earlier)
	}
	if err := errors.Join(r.RecomputedUntil(t.Context(), under, until.AddDate(0, 0, 5)), r.Recomputed(t.Context(), under[0])); err != nil {
		t.Fatal(err)
	}
	if got := waiting()[0].From; !got.Equal(earlier) {
		t.Errorf("what was asked for meanwhile begins at %v, want %v", got, earlier)
	}
}

func TestWrongTokensAreTold(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	c := station(t, r)
	var told []string
	r.OnWrongToken(func(id string) { told = append(told, id) })
	r.Authenticate(c.ID, c.Token)
	r.Authenticate("0000000", "x")
	for range 5 {
		r.Authenticate(c.ID, "wrong")
	}
	if fmt.Sprint(told) != fmt.Sprint([]string{c.ID}) {
		t.Errorf("told of %v, want once of %s", told, c.ID)
	}
}

// TestASuspendedStation: only who suspended it lets it go on, and only with words that its owner reads.
func TestASuspendedStation(t *testing.T) {
	nats := startNATS(t)
	r := open(t, nats, PolicyOpen)
	c := station(t, r)
	edit := func(by By, e Edit) error { return r.Edit(t.Context(), c.ID, by, e) }
	is := func(status ingest.Status, reason string) {
		t.Helper()
		for range 2 {
			st, _ := r.Station(c.ID)
			if st.Status != status || st.Reason != reason || st.Shown() != (status == ingest.Active) {
				t.Errorf("%s for %q, shown %v, want %s for %q", st.Status, st.Reason, st.Shown(), status, reason)
			}
			r = open(t, nats, PolicyOpen) // and after a restart
		}
	}
	if err := edit(Admin, Edit{Status: new(ingest.Suspended), Reason: new(" hangs in\na kitchen ")}); err != nil {
		t.Fatal(err)
	}
	is(ingest.Suspended, "hangs in a kitchen")
	if !r.Manages(c.ID, c.ManageToken) {
		t.Error("its owner cannot see why")
	}
	for _, next := range []ingest.Status{ingest.Active, ingest.Paused, ingest.Pending} {
		if err := edit(Owner, Edit{Status: &next}); err == nil || !strings.Contains(err.Error(), "alone can let it go on") {
			t.Errorf("its owner makes it %s: %v", next, err)
		}
	}
	if err := edit(Owner, Edit{Reason: new("none")}); err == nil {
		t.Error("its owner changes the reason")
	}
	if err := edit(Owner, Edit{Name: new("Küche")}); err != nil {
		t.Errorf("its owner mends it: %v", err)
	}
	if err := edit(Admin, Edit{Reason: new("stands at a stove")}); err != nil {
		t.Error(err)
	}
	is(ingest.Suspended, "stands at a stove")
	if err := edit(Admin, Edit{Status: new(ingest.Active)}); err != nil {
		t.Error(err)
	}
	is(ingest.Active, "")
	changes, err := r.Changes(t.Context(), c.ID, 2)
	if err != nil || changes[0].What != "reason" || changes[0].Before != "stands at a stove" || changes[1].Before != "suspended" || changes[1].After != "active" {
		t.Errorf("changes %+v, %v", changes, err)
	}
	for _, e := range []Edit{{Status: new(ingest.Suspended), Reason: new("again")}, {Status: new(ingest.Active)}} {
		if err := edit(Shell, e); err != nil {
			t.Errorf("from a shell: %v", err)
		}
	}
}

// TestALiftedSuspensionLeavesNoTrace: what was paused is paused again, and what nobody approved waits again.
func TestALiftedSuspensionLeavesNoTrace(t *testing.T) {
	r := open(t, startNATS(t), PolicyApprove)
	n := balcony()
	n.Address = "192.0.2.1"
	c, _, err := r.Add(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	become := func(by By, status, want ingest.Status, reason *string) {
		t.Helper()
		if err := r.Edit(t.Context(), c.ID, by, Edit{Status: &status, Reason: reason}); err != nil {
			t.Fatal(err)
		}
		if st, _ := r.Station(c.ID); st.Status != want || st.Reason != "" && want != ingest.Suspended {
			t.Errorf("%s by %s: it is %s for %q, want %s", status, by, st.Status, st.Reason, want)
		}
	}
	const active, paused, pending, suspended = ingest.Active, ingest.Paused, ingest.Pending, ingest.Suspended
	become(Admin, suspended, suspended, new("who is that?"))
	become(Admin, active, pending, nil)
	become(Admin, active, active, nil)
	become(Owner, paused, paused, nil)
	become(Admin, suspended, suspended, new("stands at a stove"))
	become(Admin, active, paused, nil)
	become(Owner, active, active, nil)
	become(Shell, suspended, suspended, new("again"))
	become(Shell, active, active, nil)
}
