package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSeveralMachines sends numbered readings through a balancer to two doors, and kills each process and one server of the
// NATS cluster in turn. Everything that was acknowledged must be stored, nothing twice, and both computers of averages must
// publish the same bytes. A new station can register all the time.
func TestSeveralMachines(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: starts ten processes")
	}
	const stations = 12
	m := launchMachines(t, [3]machine{here, here, here}, here.host, "ingest", "write", "aggregate,web")
	doors, writers, computers := m.all["ingest"], m.all["write"], m.all["aggregate,web"]
	senders := registerStations(t, t.TempDir(), stations, m.env...)
	from, end := span()
	f := newFlow(stations)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		publish(t, t.Context(), "tcp://"+m.balancer.listener.Addr().String(), true, senders, end, f.wait)
	}()
	t.Cleanup(func() { f.allow(storyReadings * stations); <-sent })
	share, done := storyReadings*stations/6, 0
	round := func(what string, fault func()) {
		t.Helper()
		f.allow(done*share + share/2)
		eventually(t, "the stations to have sent their share", f.still)
		done++
		f.allow(done * share)
		fault()
		registered := eventually(t, "a station to register", func() bool {
			_, ok := computers[done%2].tryRegister(done)
			return ok
		})
		sent := eventually(t, "the stations to have sent their share", f.still)
		t.Logf("%s: a station registered after %v, the rest sent after %v", what, registered.Round(time.Millisecond), sent.Round(time.Millisecond))
	}
	round("door killed", func() { doors[0].kill(); doors[0].begin() })
	round("writer killed", func() {
		first, other := leader(t, writers)
		first.kill()
		took := eventually(t, "the other to write", func() bool { return other.metric("stadtluft_lease_held") == 1 })
		if took > 10*time.Second {
			t.Errorf("the other writer takes over after %v", took)
		}
		first.begin()
	})
	round("computer killed", func() {
		first, other := leader(t, computers)
		first.kill()
		eventually(t, "the other to compute", func() bool { return other.metric("stadtluft_lease_held") == 1 })
		first.start()
	})
	round("NATS server killed", func() { m.nats[0].kill(); m.nats[0].start(t) })
	round("other door killed", func() { doors[1].kill(); doors[1].begin() })
	f.allow(storyReadings * stations)
	<-sent
	want := wantReadings(senders, end)
	var grids [2]string
	for i, p := range computers {
		var difference string
		eventually(t, "readings and averages to be what was sent", func() bool {
			grids[i], difference = compareStory(t, p, from, end, want)
			return difference == ""
		})
	}
	if grids[0] != grids[1] {
		t.Errorf("averages differ: %s", firstDifference(grids[0], grids[1]))
	}
}

// tryRegister registers a station over HTTP, if the server is able to, as somebody with the n-th address.
func (p *process) tryRegister(n int) (r registered, ok bool) {
	request, err := http.NewRequest(http.MethodPost, p.url+"/api/v1/stations", strings.NewReader(
		`{"name":"Kit","lon":6.9583,"lat":50.9413,"kit":"other","licence_consent":true}`))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Forwarded-For", fmt.Sprintf("192.0.2.%d", n))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return r, false
	}
	defer response.Body.Close()
	return r, response.StatusCode == http.StatusCreated && json.NewDecoder(response.Body).Decode(&r) == nil
}
