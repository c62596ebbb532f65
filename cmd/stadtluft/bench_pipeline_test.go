package main

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"stadtluft/ingest/store/influx/influxtest"
)

// pipelineBenchmark compares what a message costs on its way into a store: 100,000 messages with QoS 1 of five values
// (BENCH_MESSAGES for another number) from 1,000 stations, sent as fast as the broker takes them. Everything of ours is on:
// checks, journal, averages, live values. Telegraf reads JSON and writes it to InfluxDB. The bare subscribers are paho,
// which throws all away, once as it is and once with our connection under it. A run that has not stored everything fails.
func pipelineBenchmark() benchmark {
	return benchmark{
		name: "pipeline", title: "From a station's broker into a store",
		versions: []string{"Mosquitto 2.0.11", "InfluxDB 1.8.10", "Telegraf 1.37.2", "paho.mqtt.golang 1.5.1"},
		run: func(b *benchRun) {
			p := newPipelineBench(b)
			all := map[string][]figures{}
			ways := []struct {
				name string
				run  func() figures
			}{{"ours", p.ours}, {"telegraf", p.telegraf}, {"bare", p.bare}, {"buffered", p.buffered}, {"door", p.door}}
			for range b.rounds {
				for _, way := range ways {
					if only := os.Getenv("BENCH_WAYS"); only == "" || strings.Contains(only, way.name) {
						f := way.run()
						b.Logf("%s: %+v", way.name, f)
						all[way.name] = append(all[way.name], f)
					}
				}
			}
			if os.Getenv("BENCH_WAYS") == "" {
				p.rows(all)
			}
		},
	}
}

// pipelineStations is the number of stations that send.
const pipelineStations = 1000

// pipelineFields are what a message holds beside its time.
var pipelineFields = []string{"pm2_5", "pm10", "temperature", "humidity", "pressure"}

// figures are what a program took for the messages.
type figures struct {
	cpu  float64 // microseconds a message, user and system
	peak float64 // MB resident
	last float64 // seconds until the last was stored
	db   float64 // microseconds a message, of InfluxDB
}

// pipelineBench is what the rounds have in common.
type pipelineBench struct {
	*benchRun
	senders  []storyStation
	registry string // data folder in which they are registered
	binary   string // our program as it is shipped; empty when it is to write a profile
	each     int    // messages of a station
	count    int    // of all
	db       *influxtest.Server
}

func newPipelineBench(b *benchRun) *pipelineBench {
	b.Helper()
	n, _ := strconv.Atoi(os.Getenv("BENCH_MESSAGES"))
	each := max(1, cmp.Or(n, 100_000)/pipelineStations)
	p := &pipelineBench{benchRun: b, registry: b.TempDir(), each: each, count: each * pipelineStations, db: influxtest.Start(b)}
	p.senders = registerStations(b, p.registry, pipelineStations)
	if os.Getenv("BENCH_PROFILE") == "" {
		p.binary = filepath.Join(b.TempDir(), "stadtluft")
		if out, err := exec.Command("go", "build", "-o", p.binary, ".").CombinedOutput(); err != nil {
			b.Fatalf("go build: %v: %s", err, out)
		}
	}
	return p
}

// messages returns what each station sends: a reading for each of the last seconds.
func (p *pipelineBench) messages() [][]rawMessage {
	all, begin := make([][]rawMessage, len(p.senders)), time.Now().Unix()-int64(p.each)
	for i, s := range p.senders {
		for k := range p.each {
			all[i] = append(all[i], rawMessage{"stadtluft/v1/" + s.id + "/reading", weather(begin+int64(k), i, k)})
		}
	}
	return all
}

// weather returns the payload of a station's k-th message, with values that change as those of a real station.
func weather(t int64, station, k int) string {
	day := 2 * math.Pi * (float64(t%86400)/86400 + float64(station)/5000)
	noise := func(n int) float64 { return float64((station*7919+k*104729+n*1299709)%1000)/1000 - 0.5 }
	fine := 12 + 5*math.Sin(day) + 2*noise(1)
	return fmt.Sprintf(`{"t":%d,"pm2_5":%.1f,"pm10":%.1f,"temperature":%.2f,"humidity":%.1f,"pressure":%.2f}`,
		t, fine, fine*1.6+noise(2), 14-6*math.Cos(day)+noise(3)/2, 65+15*math.Cos(day)+noise(4), 1013+2*math.Sin(day/2)+noise(5)/5)
}

// ours runs our program between Mosquitto and InfluxDB.
func (p *pipelineBench) ours() figures {
	p.Helper()
	m := p.broker()
	defer m.stop()
	p.db.Empty()
	program := p.launch("STADTLUFT_MQTT_LISTEN=", "STADTLUFT_MQTT_BROKER=tcp://"+m.addr, "STADTLUFT_STORE_KIND=influxdb",
		"STADTLUFT_STORE_INFLUXDB_URL="+p.db.URL, "STADTLUFT_STORE_INFLUXDB_BUCKET=bench")
	defer program.kill()
	eventually(p, "the subscription", func() bool { return strings.Contains(program.log.String(), "connected to the MQTT broker") })
	return p.measure(program.cmd, p.sender(m.addr), func() int { return countReadings(p.db, "bench") })
}

// telegraf runs Telegraf in its place, with limits as high as ours.
func (p *pipelineBench) telegraf() figures {
	p.Helper()
	binary := os.Getenv("BENCH_TELEGRAF")
	if binary == "" {
		p.Fatal("BENCH_TELEGRAF is not set: run make bench")
	}
	m := p.broker()
	defer m.stop()
	p.db.Empty()
	queryInflux(p.db, "bench", `CREATE DATABASE "bench"`)
	sessionFor(p.T, m.addr, "telegraf", "stadtluft/v1/+/reading")
	config := telegrafFile(p.T, m.addr, p.db.URL, "bench", pipelineFields, "  metric_batch_size = 5000\n  metric_buffer_limit = 100000", "  max_undelivered_messages = 10000")
	t := &process{t: p.T, args: []string{"--config", config}, env: []string{asProgram + "=1"}, log: &syncBuffer{}, binary: binary}
	t.begin()
	defer t.kill()
	eventually(p, "Telegraf to connect", func() bool { return strings.Contains(t.log.String(), "Connected") })
	return p.measure(t.cmd, p.sender(m.addr), func() int { return countReadings(p.db, "bench") })
}

// bare runs a subscriber that throws all away, buffered one with our connection.
func (p *pipelineBench) bare() figures     { p.Helper(); return p.subscriber("bare") }
func (p *pipelineBench) buffered() figures { p.Helper(); return p.subscriber("buffered") }

func (p *pipelineBench) subscriber(kind string) figures {
	p.Helper()
	m := p.broker()
	defer m.stop()
	program, err := os.Executable()
	if err != nil {
		p.Fatal(err)
	}
	s := &process{t: p.T, env: []string{"", asSubscriber + "=" + kind + " " + m.addr + " " + strconv.Itoa(p.count)}, log: &syncBuffer{}, binary: program}
	s.begin()
	defer s.kill()
	eventually(p, "the subscription", func() bool { return strings.Contains(s.log.String(), "subscribed") })
	return p.measure(s.cmd, p.sender(m.addr), func() int {
		if strings.Contains(s.log.String(), "all have come") {
			return p.count
		}
		return 0
	})
}

// door runs our program with its own broker and SQLite. Stations have logged in before.
func (p *pipelineBench) door() figures {
	p.Helper()
	program := p.launch()
	defer program.kill()
	clients := make([]*rawClient, len(p.senders))
	for i, s := range p.senders {
		var err error
		if clients[i], err = dialRaw(strings.TrimPrefix(program.mqtt, "tcp://"), s.id, s.token); err != nil {
			p.Fatal(err)
		}
		defer clients[i].Close()
	}
	messages := p.messages()
	f := p.measure(program.cmd, func() {
		p.beside(len(clients), func(i int) error { return clients[i].send(slices.Values(messages[i])) })
	}, func() int { return int(program.metric("stadtluft_stored_total")) })
	from := time.Now().Add(-24 * time.Hour).UTC().Format(time.RFC3339)
	table := program.get("/api/v1/readings?format=csv&from=" + from + "&to=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	if rows := bytes.Count(table, []byte("\n")) - 1; rows != p.count*len(pipelineFields) {
		p.Fatalf("SQLite has %d values, want %d", rows, p.count*len(pipelineFields))
	}
	return f
}

// broker starts a Mosquitto that never waits for its subscriber.
func (p *pipelineBench) broker() *mosquitto {
	p.Helper()
	return startMosquitto(p.T, "listener PORT 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 10000\nmax_queued_messages 0\nlog_dest none\n")
}

// launch starts our program on a data folder of its own.
func (p *pipelineBench) launch(env ...string) *process {
	p.Helper()
	data := p.TempDir()
	copyRegistry(p.T, p.registry, data)
	program := prepare(p.T, data, append(env, asProfile+"="+os.Getenv("BENCH_PROFILE"))...)
	if program.binary = p.binary; p.binary != "" {
		program.env = program.env[:len(program.env)-1]
	}
	program.start()
	return program
}

// sender returns a function that sends all messages over 20 connections, each with stations of its own that take turns.
func (p *pipelineBench) sender(addr string) func() {
	messages := p.messages()
	return func() {
		p.Helper()
		const connections = 20
		p.beside(connections, func(i int) error {
			c, err := dialRaw(addr, "publisher-"+strconv.Itoa(i), "")
			if err != nil {
				return err
			}
			defer c.Close()
			return c.send(turns(messages[i*pipelineStations/connections : (i+1)*pipelineStations/connections]))
		})
	}
}

// turns yields the first message of each station, then the second of each.
func turns(stations [][]rawMessage) iter.Seq[rawMessage] {
	return func(yield func(rawMessage) bool) {
		for k := range stations[0] {
			for _, messages := range stations {
				if !yield(messages[k]) {
					return
				}
			}
		}
	}
}

// beside runs n senders beside each other.
func (p *pipelineBench) beside(n int, send func(i int) error) {
	p.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := send(i); err != nil {
				p.Errorf("sender %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if p.Failed() {
		p.FailNow()
	}
}

// measure sends, waits until everything is stored, and returns what the program took for that.
func (p *pipelineBench) measure(cmd *exec.Cmd, send func(), stored func() int) figures {
	p.Helper()
	pid := cmd.Process.Pid
	profile := os.Getenv("BENCH_PROFILE") // of our program alone
	if !slices.Contains(cmd.Env, asProfile+"="+profile) {
		profile = ""
	}
	if profile != "" {
		_ = os.Remove(profile)
		_ = cmd.Process.Signal(syscall.SIGUSR1)
	}
	before, dbBefore, begin := cpuTime(p, pid), p.db.CPU(), time.Now()
	send()
	for end := time.Now().Add(patience); stored() < p.count; <-time.After(200 * time.Millisecond) {
		if time.Now().After(end) {
			p.Fatalf("%d of %d messages are stored after %v", stored(), p.count, patience)
		}
	}
	a := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(p.count) }
	f := figures{cpu: a(cpuTime(p, pid) - before), last: time.Since(begin).Seconds(), db: a(p.db.CPU() - dbBefore), peak: peakMemory(p, pid)}
	if profile != "" {
		_ = cmd.Process.Signal(syscall.SIGUSR1)
		eventually(p, "the profile", func() bool { _, err := os.Stat(profile); return err == nil })
	}
	return f
}

// peakMemory returns the most memory that a process had resident so far, in MB (proc(5), status: VmHWM in KiB).
func peakMemory(t testing.TB, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib * 1024 / 1e6
}

// rows adds the rows of the table.
func (p *pipelineBench) rows(all map[string][]figures) {
	list := func(way string, of func(figures) float64) (figures []float64) {
		for _, f := range all[way] {
			figures = append(figures, of(f))
		}
		return figures
	}
	cpu := func(f figures) float64 { return f.cpu }
	last := func(f figures) float64 { return f.last }
	peak := func(f figures) float64 { return f.peak }
	db := func(f figures) float64 { return f.db }
	const way = ", Mosquitto to InfluxDB"
	p.add(benchRow{What: "CPU a message" + way, Unit: "µs", Ours: list("ours", cpu), Peer: list("telegraf", cpu), PeerName: "Telegraf", Aim: "≤ 0.8"})
	p.add(benchRow{What: "CPU a message" + way, Unit: "µs", Ours: list("ours", cpu), Peer: list("bare", cpu), PeerName: "bare paho subscriber", Aim: "≤ 1.0"})
	p.add(benchRow{What: "CPU a message" + way, Unit: "µs", Ours: list("ours", cpu), Peer: list("buffered", cpu), PeerName: "bare subscriber, buffered", Aim: "≤ 1.5"})
	p.add(benchRow{What: "CPU a message, embedded broker to SQLite", Unit: "µs", Ours: list("door", cpu), Peer: list("telegraf", cpu), PeerName: "Telegraf, to InfluxDB", Aim: "≤ 0.8"})
	p.add(benchRow{What: "Peak memory" + way, Unit: "MB", Ours: list("ours", peak), Peer: list("telegraf", peak), PeerName: "Telegraf", Aim: "≤ 1.5"})
	p.add(benchRow{What: "Peak memory, embedded broker to SQLite", Unit: "MB", Ours: list("door", peak)})
	p.add(benchRow{What: "From the first message to the last stored" + way, Unit: "s", Ours: list("ours", last), Peer: list("telegraf", last), PeerName: "Telegraf"})
	p.add(benchRow{What: "From the first message to the last stored, embedded broker to SQLite", Unit: "s", Ours: list("door", last)})
	p.add(benchRow{What: "InfluxDB's CPU a message", Unit: "µs", Ours: list("ours", db), Peer: list("telegraf", db), PeerName: "Telegraf"})
}
