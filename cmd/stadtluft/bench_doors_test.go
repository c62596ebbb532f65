package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest/quality"
)

const (
	doorStations = 150
	doorEach     = 150 // messages of a station in a burst, of five values each
	doorWindow   = 10  // messages that a station has under way

	steadyEach  = 14                               // messages of a station at a steady rate,
	steadyPause = doorStations * time.Second / 100 // which is 100 messages a second of all together
)

func doorsBenchmark() benchmark {
	return benchmark{name: "doors", title: "Doors: one to three ingest processes on a NATS cluster of three, to InfluxDB", run: benchDoors}
}

// doorBench is an installation on one machine: three NATS servers, one to three ingest processes, one with write, one with
// aggregate and web, and InfluxDB.
type doorBench struct {
	*benchRun
	*machines
	doors        []*process
	write, pages *process
	senders      []storyStation
	next         int64 // time of the next first message, Unix seconds
}

// doorUse is processor time a message in µs, by part.
type doorUse struct{ doors, nats, write, pages, influx float64 }

func (u doorUse) all() float64 { return u.doors + u.nats + u.write + u.pages }

// benchDoors sends as many messages through one, two and three doors in turn, and compares the processor time that each part of
// the installation took until everything was stored. The others are not running meanwhile.
func benchDoors(b *benchRun) {
	b.Setenv("INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION", "1s") // it compresses what it has at once, not after ten minutes
	m := launchMachines(b, [3]machine{here, here, here}, here.host)
	d := &doorBench{benchRun: b, machines: m, write: m.prepare(here, writeRole, 0), pages: m.prepare(here, aggregateRole+","+webRole, 0), next: time.Now().Unix() - int64(b.rounds)*(3*doorEach+steadyEach)}
	d.write.start()
	d.pages.start()
	d.senders = registerStations(b, b.TempDir(), doorStations, d.env...)
	uses, steady := make([][]doorUse, 3), []doorUse(nil)
	var journal, influx []float64
	for round := range b.rounds {
		nats, db := d.natsBytes(), m.db.Bytes()
		for n := range uses {
			n = (n + round) % len(uses) // each is the first in its turn
			uses[n] = append(uses[n], d.measure(n+1, doorEach, 0))
		}
		steady = append(steady, d.measure(1, steadyEach, steadyPause))
		<-time.After(20 * time.Second) // in which InfluxDB compresses it
		messages := float64((len(uses)*doorEach + steadyEach) * doorStations)
		journal, influx = append(journal, float64(d.natsBytes()-nats)/messages/3), append(influx, float64(m.db.Bytes()-db)/messages)
	}
	of := func(uses []doorUse, f func(doorUse) float64) (list []float64) {
		for _, u := range uses {
			list = append(list, f(u))
		}
		return list
	}
	one := map[string][]float64{}
	for n, name := range []string{"1 door", "2 doors", "3 doors", "1 door at 100 messages a second"} {
		used := steady
		if n < len(uses) {
			used = uses[n]
		}
		row := func(what, unit string, f func(doorUse) float64) {
			r := benchRow{What: what + ", " + name, Unit: unit, Ours: of(used, f)}
			if n == 0 {
				one[what] = r.Ours
			} else {
				r.Peer, r.PeerName = one[what], "1 door"
			}
			b.add(r)
		}
		row("messages a CPU second of the doors", "messages/s", func(u doorUse) float64 { return 1e6 / u.doors })
		row("messages a CPU second of all but InfluxDB", "messages/s", func(u doorUse) float64 { return 1e6 / u.all() })
		row("CPU a message at the doors", "µs", func(u doorUse) float64 { return u.doors })
		row("CPU a message in three NATS servers", "µs", func(u doorUse) float64 { return u.nats })
		row("CPU a message in write", "µs", func(u doorUse) float64 { return u.write })
		row("CPU a message in aggregate and web, one process", "µs", func(u doorUse) float64 { return u.pages })
		row("CPU a message in InfluxDB", "µs", func(u doorUse) float64 { return u.influx })
	}
	b.add(benchRow{What: "journal of one NATS server, a message", Unit: "bytes", Ours: journal})
	b.add(benchRow{What: "InfluxDB, a message", Unit: "bytes", Ours: influx})
	memory := make([]float64, b.rounds)
	for round := range memory {
		memory[round] = averagesMemory()
	}
	b.add(benchRow{What: "memory of averages and checks, a station with five values every 145 s", Unit: "kB", Ours: memory})
}

// measure starts some doors, sends so many messages of each station through them, with a pause after each, and stops the doors.
func (d *doorBench) measure(doors, each int, pause time.Duration) doorUse {
	d.benchRun.Helper()
	for len(d.doors) < doors {
		d.doors = append(d.doors, d.prepare(here, intakeRole, 0))
	}
	used := d.doors[:doors]
	for _, p := range used {
		p.start()
	}
	defer func() {
		for _, p := range used {
			p.kill()
		}
	}()
	stored := d.write.metric("stadtluft_stored_total")
	before, influx := d.times(used), d.db.CPU()
	var all sync.WaitGroup
	for i, s := range d.senders {
		all.Go(func() {
			<-time.After(pause * time.Duration(i) / doorStations)
			sendVaried(d.benchRun, strings.TrimPrefix(used[i%doors].mqtt, "tcp://"), s, d.next, each, pause)
		})
	}
	all.Wait()
	d.next += int64(each)
	messages := doorStations * each
	eventually(d.benchRun, "everything to be stored", func() bool { return d.write.metric("stadtluft_stored_total") >= stored+float64(messages) })
	eventually(d.benchRun, "everything to be in the averages", func() bool { return d.pages.metric("stadtluft_journal_unwritten") == 0 })
	after, a := d.times(used), func(t time.Duration) float64 { return float64(t.Microseconds()) / float64(messages) }
	return doorUse{a(after[0] - before[0]), a(after[1] - before[1]), a(after[2] - before[2]), a(after[3] - before[3]), a(d.db.CPU() - influx)}
}

// times returns the processor time of the doors, of NATS, of write and of the pages since their start.
func (d *doorBench) times(doors []*process) (t [4]time.Duration) {
	for _, p := range doors {
		t[0] += cpuTime(d.benchRun, p.cmd.Process.Pid)
	}
	for _, n := range d.nats {
		t[1] += cpuTime(d.benchRun, n.cmd.Process.Pid)
	}
	t[2], t[3] = cpuTime(d.benchRun, d.write.cmd.Process.Pid), cpuTime(d.benchRun, d.pages.cmd.Process.Pid)
	return t
}

// natsBytes returns what the three NATS servers have on disk.
func (d *doorBench) natsBytes() (sum int64) {
	for _, n := range d.nats {
		filepath.WalkDir(n.Dir, func(_ string, entry fs.DirEntry, err error) error {
			if err == nil {
				if info, err := entry.Info(); err == nil && !entry.IsDir() {
					sum += info.Size()
				}
			}
			return nil // files come and go
		})
	}
	return sum
}

// sendVaried sends a station's messages from a time on, Unix seconds, with values that change as measured ones do, with doorWindow of them
// unacknowledged at most.
func sendVaried(b *benchRun, addr string, s storyStation, begin int64, each int, pause time.Duration) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Error(err)
		return
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, 256)
	answer := func(bytes int) {
		if _, err := io.ReadFull(in, make([]byte, bytes)); err != nil {
			b.Errorf("station %s: no answer: %v", s.id, err)
		}
	}
	write := func(packet []byte) {
		if _, err := c.Write(packet); err != nil {
			b.Error(err)
		}
	}
	write(mqttPacket(0x10, mqttText("MQTT"), []byte{4, 0xC2, 0, 60}, mqttText(""), mqttText(s.id), mqttText(s.token)))
	answer(4)
	for i := range each {
		if i >= doorWindow {
			answer(4)
		}
		<-time.After(pause)
		write(mqttPacket(0x32, mqttText("stadtluft/v1/"+s.id+"/reading"), []byte{0, byte(i%doorWindow + 1)}, []byte(varied(begin+int64(i), i+int(s.id[0])))))
	}
	for range doorWindow {
		answer(4)
	}
}

// varied returns a message of five values.
func varied(at int64, i int) string {
	fine := float64(i*i*7919%230)/10 + 3
	return fmt.Sprintf(`{"t":%d,"pm2_5":%.1f,"pm10":%.1f,"temperature":%.2f,"humidity":%.1f,"pressure":%.2f}`,
		at, fine, fine*1.7, 8+float64(i%97)/20, 60+float64(i*31%140)/10, 1013+float64(i%61)/30)
}

// averagesMemory returns kB a station of what an aggregate keeps of 200 stations that send five values every 145 s: values of
// two days, and what the checks remember of a month.
func averagesMemory() float64 {
	const stations = 200
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sums, checks := &aggregate.Aggregate{}, quality.NewHourChecker(quality.DefaultRules())
	quantities := []quantity.Quantity{quantity.PM2_5, quantity.PM10, quantity.Temperature, quantity.Humidity, quantity.Pressure}
	cells := geo.CologneSketch().Cells(geo.BaseSize)
	now := time.Now().UTC()
	for n := range stations {
		for i := 0; i < int(aggregate.Retention/(145*time.Second)); i++ {
			at := now.Add(-time.Duration(i) * 145 * time.Second)
			for k, q := range quantities {
				sums.Add(aggregate.Sample{Station: fmt.Sprint("S", n), Cell: cells[n], Quantity: q, Time: at, Received: at, Milli: int64(12_000 + i*i*7919%9000 + k)})
			}
		}
	}
	var list []quality.StationHour
	for n := range stations {
		for _, q := range quantities {
			list = append(list, quality.StationHour{Station: fmt.Sprint("S", n), Cell: cells[n], Quantity: q, Count: 24, Resolution: 1})
		}
	}
	for hour := range 31 * 24 {
		for i := range list {
			list[i].Mean = float64(10 + hour*7%50 + i%9)
			list[i].Median = list[i].Mean
		}
		checks.Hour(now.Truncate(time.Hour).Add(time.Duration(hour-31*24)*time.Hour), list)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(sums)
	runtime.KeepAlive(checks)
	return float64(after.HeapAlloc-before.HeapAlloc) / stations / 1000
}
