package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"stadtluft/ingest/store/influx/influxtest"
)

// fault is something that goes wrong while readings arrive.
type fault struct {
	name      string
	mosquitto bool     // the stations' broker, with our configuration, in place of the embedded one
	influx    bool     // the store, in place of SQLite
	env       []string // settings of the program
	disk      string   // the size of the data folder's disk, if it is a small one
	quiet     bool     // it is made while all that was sent is stored
	loses     bool     // Mosquitto's documentation allows it to lose what it acknowledged
	long      bool     // left to make faults
	earlier   bool     // the program is that of FAULTS_EARLIER at first
	rounds    int      // for 50 kills; at least one
	make      func(r *faultRun)
}

// row is what a fault came to, in readings.
type row struct {
	rounds, acknowledged, stored, lost, doubled int
	equal                                       bool          // its averages are those of a run without a fault, byte by byte; where readings were lost, those of what is stored
	recovery                                    time.Duration // the longest after a fault's end until /readyz is well and nothing waits for the store
}

// faultRun is a fault while it is played.
type faultRun struct {
	*process
	t         *testing.T
	data      string
	senders   []storyStation
	flow      *flow
	round     int
	long      bool // it is played by make faults
	db        *influxtest.Server
	answers   *wrongProxy  // in front of db
	database  *faultyProxy // between the program and answers
	network   *faultyProxy // between the stations and their broker
	mosquitto *mosquitto
	recovered func() time.Duration // waits until nothing of the fault is left, and returns how long that took
	missing   int                  // readings that a copy or a backup lacks
	turns     map[string]int       // how often a file was damaged
}

// TestFaults makes one fault after another while stations send 100 numbered readings each with QoS 1, again until they
// are acknowledged. It compares what was acknowledged with what is stored, and the averages with those of a run without
// a fault. Each fault has one to three rounds; FAULTS_ROUNDS is the number of kills of the long form.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: needs Mosquitto and InfluxDB")
	}
	kills, stations, long := 2, 15, false
	if n, err := strconv.Atoi(os.Getenv("FAULTS_ROUNDS")); err == nil {
		kills, stations, long = n, 50, true
	}
	registered, calm := t.TempDir(), t.TempDir()
	senders := registerStations(t, registered, stations)
	copyRegistry(t, registered, calm)
	_, end := span()
	p := launch(t, calm)
	publishAtOnce(t, p.mqtt, senders, end)
	want := checkStory(t, p, senders)
	p.kill()
	db := influxtest.Start(t)
	fmt.Printf("| %-36s | %-9s | %-8s | rounds | acknowledged | stored | lost | doubled | averages | recovery |\n", "fault", "door", "store")
	fmt.Println("|---|---|---|--:|--:|--:|--:|--:|---|--:|")
	for _, f := range faults() {
		if f.long && !long {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			data := t.TempDir()
			if f.disk != "" {
				if runAsRoot(t) {
					return
				}
				smallDisk(t, data, f.disk)
			}
			copyRegistry(t, registered, data)
			r := f.set(t, data, senders, db)
			r.long = long
			o := f.play(r, max(1, f.rounds*kills/50))
			r.settle(&o, want, f.loses)
			o.lost += r.missing
			f.check(t, o)
		})
	}
	for _, f := range telegrafFaults() {
		if long {
			t.Run("Telegraf: "+f.name, func(t *testing.T) { f.playTelegraf(t, senders, db, max(1, f.rounds*kills/50)) })
		}
	}
}

// print prints a row of the table.
func (o row) print(name, door, store, averages, recovery string) {
	fmt.Printf("| %-36s | %-9s | %-8s | %6d | %12d | %6d | %4d | %7d | %-8s | %8s |\n",
		name, door, store, o.rounds, o.acknowledged, o.stored, o.lost, o.doubled, averages, recovery)
}

// check prints a row of the table and reports what must not be in it.
func (f fault) check(t *testing.T, o row) {
	t.Helper()
	door, store, averages := "embedded", "sqlite", "equal"
	if f.mosquitto {
		door = "mosquitto"
	}
	if f.influx {
		store = "influxdb"
	}
	if !o.equal {
		averages = "differ"
	} else if o.lost > 0 {
		averages = "of these"
	}
	o.print(f.name, door, store, averages, fmt.Sprintf("%.1fs", o.recovery.Seconds()))
	if o.doubled > 0 || !f.loses && (o.lost > 0 || !o.equal) {
		t.Errorf("%d lost, %d doubled, averages %s", o.lost, o.doubled, averages)
	}
}

// set starts the program with what a fault needs around it.
func (f fault) set(t *testing.T, data string, senders []storyStation, db *influxtest.Server) *faultRun {
	t.Helper()
	r := &faultRun{t: t, data: data, senders: senders, db: db, flow: newFlow(len(senders)), turns: map[string]int{}}
	env := f.env
	if f.influx {
		r.answers = newWrongProxy(t, db.URL)
		r.database = newFaultyProxy(t, strings.TrimPrefix(r.answers.URL, "http://"))
		env = append(env, "STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL=http://"+r.database.addr(),
			"STADTLUFT_STORE_INFLUXDB_BUCKET="+strings.ReplaceAll(f.name, " ", "_"))
	}
	if f.mosquitto {
		r.mosquitto = startMosquitto(t, restartable(t, senders))
		env = append(env, "STADTLUFT_MQTT_LISTEN=", "STADTLUFT_MQTT_BROKER=tcp://"+r.mosquitto.addr,
			"STADTLUFT_MQTT_USERNAME=stadtluft", "STADTLUFT_MQTT_PASSWORD=secret")
	}
	r.process = prepare(t, data, env...)
	if f.earlier {
		r.binary = os.Getenv("FAULTS_EARLIER")
	}
	r.process.start()
	broker := strings.TrimPrefix(r.mqtt, "tcp://")
	if f.mosquitto {
		broker = r.mosquitto.addr
	}
	r.network = newFaultyProxy(t, broker)
	r.recovered = r.well
	return r
}

// well waits until /readyz is well and nothing waits for the store.
func (r *faultRun) well() time.Duration {
	r.t.Helper()
	return eventually(r.t, "the program to be well", func() bool {
		status, _ := r.ready()
		return status == http.StatusOK && r.metric("stadtluft_journal_unwritten") == 0
	})
}

// play makes the fault in each round when the stations have sent half of the round's share, which is the same for all
// rounds and for what they send after the last.
func (f fault) play(r *faultRun, rounds int) row {
	r.t.Helper()
	_, end := span()
	ctx, cancel := context.WithCancel(r.t.Context())
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		publish(r.t, ctx, "tcp://"+r.network.addr(), true, r.senders, end, r.flow.wait)
	}()
	r.t.Cleanup(func() { cancel(); r.flow.allow(storyReadings * len(r.senders)); <-sent })
	share := storyReadings * len(r.senders) / (rounds + 1)
	o := row{rounds: rounds}
	for r.round = range rounds {
		r.flow.allow(r.round*share + share/2)
		eventually(r.t, "the stations to have sent their share", r.flow.still)
		if !f.quiet {
			r.flow.allow((r.round + 1) * share)
		}
		f.make(r)
		o.recovery = max(o.recovery, r.recovered())
	}
	r.flow.allow(storyReadings * len(r.senders))
	<-sent
	o.acknowledged = storyReadings * len(r.senders)
	return o
}

// settle fills in what is stored when that and the averages are as expected. Where a loss is allowed, it waits two seconds
// for the rest, and compares the averages with those of what is stored.
func (r *faultRun) settle(o *row, grid string, loses bool) {
	r.t.Helper()
	from, end := span()
	want := strings.Split(wantReadings(r.senders, end), "\n")
	begin := time.Now()
	within(patience/2, func() bool {
		table := r.stored(r.process)
		if table == nil {
			return false
		}
		counts := map[string]int{}
		for _, line := range table {
			counts[line]++
		}
		lost := 0
		for _, line := range want {
			if counts[line]--; counts[line] < 0 {
				lost++
			}
		}
		o.stored, o.lost, o.doubled = len(table)/2, lost/2, (len(table)-len(want)+lost)/2
		got, difference := compareStory(r.t, r.process, from, end, strings.Join(table, "\n"))
		o.equal = difference == "" && (got == grid || o.lost > 0 && loses)
		if !o.equal {
			r.t.Logf("averages: %s", cmp.Or(difference, firstDifference(got, grid)))
		}
		return o.equal && (o.lost == 0 || loses && time.Since(begin) > 2*time.Second)
	})
}

// stored returns the sorted readings of a program in the lines of wantReadings; none while it does not answer.
func (r *faultRun) stored(p *process) []string {
	r.t.Helper()
	from, end := span()
	status, table := p.ask(fmt.Sprintf("/api/v1/readings?format=csv&from=%s&to=%s", from.Format(time.RFC3339), end.Format(time.RFC3339)))
	if status != http.StatusOK {
		return nil
	}
	return strings.Split(sortedLines(r.t, []byte(table)), "\n")
}

// values returns the same without flags, which change while hours are not complete.
func (r *faultRun) values(p *process) []string {
	r.t.Helper()
	lines := r.stored(p)
	for i, line := range lines {
		lines[i] = line[:strings.LastIndexByte(line, ',')+1]
	}
	return lines
}

// holds starts a copy of the data folder, and counts what it lacks of the first readings of each station.
func (r *faultRun) holds(data string, first []int) {
	r.t.Helper()
	p := launch(r.t, data)
	defer p.kill()
	_, end := span()
	eventually(r.t, "the copy to be written", func() bool { return p.metric("stadtluft_journal_unwritten") == 0 })
	wanted := map[string]bool{}
	for line := range strings.SplitSeq(wantReadings(r.senders, end), "\n") {
		wanted[line] = true
	}
	for i, n := range first {
		for _, m := range plan(i, end)[n:] {
			for _, v := range []string{fmt.Sprintf("pm2_5,%v", m.pm25), fmt.Sprintf("pm10,%v", m.pm10)} {
				s := r.senders[i]
				delete(wanted, fmt.Sprintf("%s,%s,%.6f,%.6f,%s,µg/m³,", m.time.Format(time.RFC3339), s.id, s.public.Lon(), s.public.Lat(), v))
			}
		}
	}
	var lacking map[string]bool
	if within(5*time.Second, func() bool {
		lacking = maps.Clone(wanted)
		for _, line := range r.values(p) {
			delete(lacking, line)
		}
		return len(lacking) == 0
	}) {
		return
	}
	r.missing += (len(lacking) + 1) / 2
	r.t.Errorf("round %d: the copy lacks %d values that were acknowledged before; its log:\n%s", r.round, len(lacking), p.log)
}

// pause waits for a random time up to a limit, so that a fault meets the program at any moment.
func (r *faultRun) pause(limit time.Duration) { <-time.After(rand.N(limit)) }

// flow lets the stations of publish send up to a number of messages, and counts what was acknowledged.
type flow struct {
	mu           sync.Mutex // guards all below
	changed      *sync.Cond
	acknowledged []int // by station
	sum          int
	limit        int
	waiting      int
}

func newFlow(stations int) *flow {
	f := &flow{acknowledged: make([]int, stations)}
	f.changed = sync.NewCond(&f.mu)
	return f
}

// wait is called before message k of station i, when those before it are acknowledged.
func (f *flow) wait(i, k int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sum += k - f.acknowledged[i]
	f.acknowledged[i] = k
	f.waiting++
	for f.sum >= f.limit {
		f.changed.Wait()
	}
	f.waiting--
}

func (f *flow) allow(limit int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.limit = limit
	f.changed.Broadcast()
}

// still reports whether no message that was allowed is under way.
func (f *flow) still() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := 0
	for _, k := range f.acknowledged {
		if k == storyReadings-1 {
			last++
		}
	}
	return f.sum >= f.limit && f.waiting >= len(f.acknowledged)-last
}

// total returns the number of readings that are acknowledged.
func (f *flow) total() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sum
}

// first returns the number of readings of each station that are acknowledged.
func (f *flow) first() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]int(nil), f.acknowledged...)
}
