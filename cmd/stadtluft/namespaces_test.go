package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
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
// balancer, 100,000 in all, and others register, one each second. It prints a row for each: what was acknowledged up to then, what
// of it is stored, for how long nobody could register, and how long stations and all processes took to be well again.
// STADTLUFT_MACHINES_STATIONS is another number of stations, and STADTLUFT_MACHINES_FAULT a part of the names of what is played.
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
	faults := slices.DeleteFunc(r.faults(), func(f machineFault) bool { return !strings.Contains(f.name, os.Getenv("STADTLUFT_MACHINES_FAULT")) })
	fmt.Printf("| %-35s | acknowledged | stored  | lost | doubled | no registration for | sent      | well      |\n", "several machines")
	share := storyReadings * stations / (len(faults) + 1)
	stop := r.registerAlways()
	defer stop()
	for i, f := range faults {
		r.flow.allow(i*share + share/2)
		eventually(t, "the stations to have sent their share", r.flow.still)
		r.flow.allow((i + 1) * share)
		f.make()
		r.row(f.name)
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

	mu      sync.Mutex    // guards what follows
	last    time.Time     // when a station registered last
	longest time.Duration // without a registration, since the row before
}

// registerAlways registers a station each second at one of the webs that answers, as a proxy passes requests on, until stop is
// called, and notes the longest time in which none could.
func (r *machineRun) registerAlways() (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	var running sync.WaitGroup
	r.last = time.Now()
	running.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for n := 0; ; n++ {
			for _, p := range r.all[webRole] {
				request, done := context.WithTimeout(ctx, 5*time.Second)
				_, ok := p.tryRegister(request, n/8) // an address may register ten
				if done(); ok {
					r.registered()
					break
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return func() { cancel(); running.Wait() }
}

func (r *machineRun) registered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.longest, r.last = max(r.longest, now.Sub(r.last)), now
}

// gap returns the longest time without a registration since it was last called, or since the last registration.
func (r *machineRun) gap() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	longest := max(r.longest, time.Since(r.last))
	r.longest = 0
	return longest
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
func (r *machineRun) row(name string) {
	r.t.Helper()
	begin := time.Now()
	seconds := func() float64 { return time.Since(begin).Seconds() }
	r.waitFor("a station to register", func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.last.After(begin) {
			return ""
		}
		return "none since " + r.last.Format(time.TimeOnly)
	})
	r.waitFor("the stations to have sent their share", func() string {
		if r.flow.still() {
			return ""
		}
		return "some wait"
	})
	sent := seconds()
	r.waitFor("all processes to be well", r.unwell)
	well, gap := seconds(), r.gap().Seconds()
	acknowledged := 0
	for _, n := range r.flow.first() {
		acknowledged += n
	}
	stored, lost, doubled := r.stored(acknowledged)
	line := fmt.Sprintf("| %-35s | %12d | %7d | %4d | %7d | %17.1f s | %7.1f s | %7.1f s |", name, acknowledged, stored, lost, doubled, gap, sent, well)
	fmt.Println(line)
	if lost > 0 || doubled > 0 {
		r.t.Error(line)
	}
}

// waitFor waits until nothing is missing, and starts what has ended meanwhile. When it takes too long it says what is missing,
// and has the processes print what they do.
func (r *machineRun) waitFor(what string, missing func() string) {
	r.t.Helper()
	last := ""
	if within(patience, func() bool {
		r.restart()
		last = missing()
		return last == ""
	}) {
		return
	}
	for _, p := range r.processes() {
		p.cmd.Process.Signal(syscall.SIGQUIT)
		<-p.done
	}
	r.t.Fatalf("waited %v for %s: %s", patience, what, last)
}

// unwell returns which process is not ready and why; empty when all are, and everything is stored.
func (r *machineRun) unwell() string {
	for _, p := range r.processes() {
		if status, words := p.ready(); status != http.StatusOK {
			return fmt.Sprintf("%s %v: %d %s", p.url, p.env, status, words)
		}
	}
	if n := r.all[webRole][0].metric("stadtluft_journal_unwritten"); n != 0 {
		return fmt.Sprintf("%v entries are not stored", n)
	}
	return ""
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
