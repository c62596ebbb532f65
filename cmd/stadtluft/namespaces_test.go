package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	// gateHost is this machine's address at the bridge to the others.
	gateHost = "10.77.0.254"
	// cutFor is how long a machine is cut off.
	cutFor = 30 * time.Second
)

// namespaces makes three machines: network namespaces with an address each, on a bridge.
func namespaces(t *testing.T) (on [3]machine) {
	t.Helper()
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	ip("link", "add", "sl-gate", "type", "bridge")
	t.Cleanup(func() { exec.Command("ip", "link", "del", "sl-gate").Run() })
	ip("addr", "add", gateHost+"/24", "dev", "sl-gate")
	ip("link", "set", "sl-gate", "up")
	for i := range on {
		space, outer := fmt.Sprintf("sl-m%d", i+1), link(i)
		on[i] = machine{host: fmt.Sprintf("10.77.0.%d", i+1), with: []string{"ip", "netns", "exec", space}}
		ip("netns", "add", space)
		t.Cleanup(func() { exec.Command("ip", "netns", "del", space).Run() })
		ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", space)
		ip("link", "set", outer, "master", "sl-gate", "up")
		ip("-n", space, "addr", "add", on[i].host+"/24", "dev", "eth0")
		ip("-n", space, "link", "set", "eth0", "up")
		ip("-n", space, "link", "set", "lo", "up")
	}
	return on
}

// link is the end of a machine's cable at the bridge.
func link(machine int) string { return fmt.Sprintf("sl-v%d", machine+1) }

// cable plugs a machine in, or cuts it off: nothing is refused, nothing arrives.
func cable(t *testing.T, machine int, state string) {
	t.Helper()
	if out, err := exec.Command("ip", "link", "set", link(machine), state).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestMachinesApart plays what goes wrong on several machines while stations send 100 numbered readings each through a
// balancer, 100,000 in all, and prints a row for each: what was acknowledged up to then, what of it is stored, and how long
// registration, stations and all processes took to be well again.
func TestMachinesApart(t *testing.T) {
	if os.Getenv("FAULTS_ROUNDS") == "" {
		t.Skip("played by make faults")
	}
	if os.Geteuid() != 0 {
		t.Fatal("network namespaces need root")
	}
	stations := 1000
	if n, err := strconv.Atoi(os.Getenv("STADTLUFT_MACHINES_STATIONS")); err == nil {
		stations = n
	}
	m := launchMachines(t, namespaces(t), gateHost, intakeRole, writeRole, aggregateRole, webRole)
	senders := registerStations(t, t.TempDir(), stations, m.env...)
	_, end := span()
	r := &machineRun{machines: m, t: t, senders: senders, flow: newFlow(stations)}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		publish(t, t.Context(), "tcp://"+m.balancer.listener.Addr().String(), true, senders, end, r.flow.wait)
	}()
	t.Cleanup(func() { r.flow.allow(storyReadings * stations); <-sent })
	faults := r.faults()
	fmt.Printf("| %-35s | acknowledged | stored  | lost | doubled | registered | sent      | well      |\n", "several machines")
	share := storyReadings * stations / (len(faults) + 1)
	for i, f := range faults {
		r.flow.allow(i*share + share/2)
		eventually(t, "the stations to have sent their share", r.flow.still)
		r.flow.allow((i + 1) * share)
		f.make()
		r.row(f.name, i)
	}
	r.flow.allow(storyReadings * stations)
	<-sent
	r.settle()
}

type machineRun struct {
	*machines
	t       *testing.T
	senders []storyStation
	flow    *flow
}

type machineFault struct {
	name string
	make func()
}

func (r *machineRun) faults() []machineFault {
	again := func(p *process) { p.kill(); p.begin() }
	list := []machineFault{
		{"a door killed", func() { again(r.all[intakeRole][0]) }},
		{"the other door killed", func() { again(r.all[intakeRole][1]) }},
		{"the writer killed", func() { p, _ := leader(r.t, r.all[writeRole]); again(p) }},
		{"the writer that took over killed", func() { p, _ := leader(r.t, r.all[writeRole]); again(p) }},
		{"the aggregate killed", func() { p, _ := leader(r.t, r.all[aggregateRole]); again(p) }},
		{"the pages killed", func() { again(r.all[webRole][0]) }},
	}
	for i, n := range r.nats {
		list = append(list, machineFault{fmt.Sprintf("NATS server %d killed", i+1), func() { n.kill(); n.start(r.t) }})
	}
	for _, i := range []int{2, 0} {
		what := []string{"a machine of each role", "", "a NATS server"}[i]
		list = append(list, machineFault{fmt.Sprintf("%s cut off 30 s", what), func() {
			cable(r.t, i, "down")
			<-time.After(cutFor)
			cable(r.t, i, "up")
		}})
	}
	return append(list, machineFault{"all restarted", func() {
		for _, p := range r.processes() {
			p.kill()
		}
		for _, n := range r.nats {
			n.kill()
		}
		for _, n := range r.nats {
			n.start(r.t)
		}
		for _, p := range r.processes() {
			p.begin()
		}
	}})
}

// row waits until everything is well after a fault, and prints what it came to.
func (r *machineRun) row(name string, round int) {
	r.t.Helper()
	begin := time.Now()
	seconds := func() float64 { return time.Since(begin).Seconds() }
	eventually(r.t, "a station to register", func() bool {
		r.restart()
		_, ok := r.all[webRole][round%2].tryRegister(round)
		return ok
	})
	registered := seconds()
	eventually(r.t, "the stations to have sent their share", r.flow.still)
	sent := seconds()
	eventually(r.t, "all processes to be well", func() bool {
		r.restart()
		for _, p := range r.processes() {
			if status, _ := p.ready(); status != http.StatusOK {
				return false
			}
		}
		return r.all[webRole][0].metric("stadtluft_journal_unwritten") == 0
	})
	well := seconds()
	acknowledged := 0
	for _, n := range r.flow.first() {
		acknowledged += n
	}
	stored, lost, doubled := r.stored(acknowledged)
	line := fmt.Sprintf("| %-35s | %12d | %7d | %4d | %7d | %8.1f s | %7.1f s | %7.1f s |", name, acknowledged, stored, lost, doubled, registered, sent, well)
	fmt.Println(line)
	if lost > 0 || doubled > 0 {
		r.t.Error(line)
	}
}

// restart starts processes that have ended, as a service manager does: one that finds no NATS server ends.
func (r *machineRun) restart() {
	for _, p := range r.processes() {
		select {
		case <-p.done:
			p.begin()
		default:
		}
	}
}

// stored counts readings in the store, of which each has two values.
func (r *machineRun) stored(acknowledged int) (stored, lost, doubled int) {
	from, end := span()
	table := string(r.all[webRole][1].get(fmt.Sprintf("/api/v1/readings?format=csv&from=%s&to=%s", from.Format(time.RFC3339), end.Format(time.RFC3339))))
	seen := map[string]bool{}
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "time,") {
			continue
		}
		if seen[line] {
			doubled++
		}
		seen[line] = true
	}
	return len(seen) / 2, max(0, acknowledged-len(seen)/2), doubled
}

// settle compares everything with what was sent, at both webs, and again when the other aggregate has taken over.
func (r *machineRun) settle() {
	r.t.Helper()
	from, end := span()
	want := wantReadings(r.senders, end)
	grid := func(p *process) (bytes string) {
		var difference string
		eventually(r.t, "readings and averages to be what was sent", func() bool {
			bytes, difference = compareStory(r.t, p, from, end, want)
			return difference == ""
		})
		return bytes
	}
	first := grid(r.all[webRole][0])
	if second := grid(r.all[webRole][1]); first != second {
		r.t.Errorf("averages at both webs differ: %s", firstDifference(first, second))
	}
	p, other := leader(r.t, r.all[aggregateRole])
	p.kill()
	eventually(r.t, "the other aggregate to take over", func() bool { return other.metric("stadtluft_lease_held") == 1 })
	<-time.After(25 * time.Second) // in which it checks and writes every hour
	if again := grid(r.all[webRole][0]); again != first {
		r.t.Errorf("averages of both aggregates differ: %s", firstDifference(first, again))
	}
	fmt.Printf("%d readings stored once, averages as computed from them, equal bytes from both webs and both aggregates\n", len(r.senders)*storyReadings)
}
