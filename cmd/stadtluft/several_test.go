package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	shared "stadtluft/ingest/streams"
)

// TestSeveralMachines sends numbered readings through a balancer to two doors, and kills each process and one server of the
// NATS cluster in turn. Everything that was acknowledged must be stored, nothing twice, and both computers of averages must
// publish the same bytes. A new station can register all the time, and is known at both doors at once.
func TestSeveralMachines(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: starts ten processes")
	}
	const stations = 12
	m := launchMachines(t, [3]machine{here, here, here}, here.host, "ingest", "write", "aggregate,web")
	doors, writers, computers := m.all["ingest"], m.all["write"], m.all["aggregate,web"]
	t.Run("a change is known at both doors", func(t *testing.T) { // the aim is soon, of idle machines
		twoDoors{computers[0], doors}.knowChanges(t, 10*soon)
	})
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
			_, ok := computers[done%2].tryRegister(t.Context(), done)
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
	m.checkStreams(t)
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

// checkStreams looks at each stream and bucket on the cluster: its name, the installation's id, and how often it is kept.
func (m *machines) checkStreams(t *testing.T) {
	t.Helper()
	c, err := shared.Connect("test", m.nats[1].address(), nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var names []string
	ids, kept := map[string]bool{}, map[string]int{}
	eventually(t, "the cluster to list its streams", func() bool { // it may be choosing a leader
		list := c.JetStream.ListStreams(t.Context())
		names = nil
		for s := range list.Info() {
			names = append(names, s.Config.Name)
			ids[s.Config.Metadata["stadtluft_deployment"]] = true
			kept[s.Config.Name] = s.Config.Replicas
		}
		return list.Err() == nil
	})
	for name, replicas := range kept {
		if replicas != 3 || !strings.HasPrefix(strings.TrimPrefix(name, "KV_"), "STADTLUFT_") {
			t.Errorf("%s is kept %d times, want 3", name, replicas)
		}
	}
	if len(names) < 8 || len(ids) != 1 || ids[""] {
		t.Errorf("%v belong to %v, want one installation", names, ids)
	}
}

// tryRegister registers a station over HTTP, if the server is able to, as somebody with the n-th address.
func (p *process) tryRegister(ctx context.Context, n int) (r registered, ok bool) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/api/v1/stations", strings.NewReader(
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
