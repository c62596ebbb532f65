package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"stadtluft/firmware-protocol/wire"
)

const (
	fleetStations  = 15_000 // as many as Sensor.Community has
	fleetEvery     = 145 * time.Second
	fleetKeepAlive = 60 // seconds, as paho's
	fleetLookEvery = 10 * time.Second
)

// benchFleet connects all of Sensor.Community's stations to the door, each of which sends a message every 145 s and a ping
// between them, for BENCH_FLEET (30 minutes). Where the machine permits too few open files for that, fewer stations send as many
// messages. A run of half an hour or more has the end of an hour in it.
func benchFleet(b *benchRun) {
	duration, err := time.ParseDuration(cmp.Or(os.Getenv("BENCH_FLEET"), "30m"))
	if err != nil {
		b.Fatal(err)
	}
	n := cmp.Or(envNumber("BENCH_STATIONS"), min(fleetStations, descriptors(b)/2-100))
	every := (fleetEvery * time.Duration(n) / fleetStations).Truncate(time.Second)
	s := newScaled(b.T, n, every)
	now := time.Now()
	s.fill(b.T, now.Add(-2*time.Hour), now)
	p := launch(b, s.data)
	f := s.connect(b, strings.TrimPrefix(p.mqtt, "tcp://"))
	defer f.end()
	b.Logf("%d stations are connected, %+v", n, p.usage(b))
	if duration >= 30*time.Minute {
		time.Sleep(untilWindow(time.Now(), duration))
	}
	eventually(b, "what was read at the start to be checked", func() bool {
		return exists(filepath.Join(s.data, "checks.state")) && p.metric("stadtluft_journal_unwritten") < 20
	})
	begin, before, sent, acknowledged := time.Now(), p.usage(b), f.sent.Load(), f.acknowledged.Load()
	var written []float64 // MB in each fleetLookEvery
	for last := before.written; time.Since(begin) < duration; {
		time.Sleep(fleetLookEvery)
		u := p.usage(b)
		written, last = append(written, u.written-last), u.written
	}
	after := p.usage(b)
	took := time.Since(begin)
	sent, acknowledged = f.sent.Load()-sent, f.acknowledged.Load()-acknowledged
	b.Logf("%d messages, %d acknowledged, %.1f/s, %.3f ms CPU each, %+v", sent, acknowledged, float64(sent)/took.Seconds(), (after.cpu-before.cpu).Seconds()*1000/float64(sent), after)
	b.Logf("MB written every %v: %.1f", fleetLookEvery, written)
	archived := s.archivedPerDay(b)
	perDay := writtenPerDay(written)
	b.add(benchRow{What: fmt.Sprintf("share of one core, %d stations connected, %.0f messages/s, %v", n, float64(n)/every.Seconds(), duration), Unit: "%", Ours: []float64{100 * (after.cpu - before.cpu).Seconds() / took.Seconds()}, Aim: "≤ 4"})
	b.add(benchRow{What: "CPU a message", Unit: "µs", Ours: []float64{1e6 * (after.cpu - before.cpu).Seconds() / float64(sent)}})
	b.add(benchRow{What: "memory at its peak", Unit: "MB", Ours: []float64{after.peak}, Aim: "≤ 500"})
	b.add(benchRow{What: "memory at the end", Unit: "MB", Ours: []float64{after.memory}})
	b.add(benchRow{What: "written to the disk in a day, against the archive's files of it", Unit: "MB", Ours: []float64{perDay}, Peer: []float64{archived}, PeerName: "archive", Aim: "≤ 3"})
	b.add(benchRow{What: "written to the disk a message", Unit: "bytes", Ours: []float64{1e6 * perDay / (float64(n) * 86_400 / every.Seconds())}})
	if acknowledged < sent*99/100 {
		b.Errorf("%d of %d messages were acknowledged", acknowledged, sent)
	}
}

// untilWindow returns how long to wait until a run has the checks of one whole hour in it, which begin five minutes after it.
func untilWindow(now time.Time, duration time.Duration) time.Duration {
	turn := now.Truncate(time.Hour).Add(5 * time.Minute)
	if !now.Before(turn) {
		turn = turn.Add(time.Hour)
	}
	return max(0, turn.Add(10*time.Minute).Sub(now)-duration)
}

// writtenPerDay returns the MB of a day from those of equal parts of a window: a day has the median part all the time, and what
// is more in one hour's end 24 times. Windows longer than an hour have more of them.
func writtenPerDay(parts []float64) float64 {
	const partsPerDay, partsPerHour = float64(24 * time.Hour / fleetLookEvery), float64(time.Hour / fleetLookEvery)
	usual, more := median(parts), 0.0
	for _, part := range parts {
		more += part - usual
	}
	return usual*partsPerDay + more*24/max(1, float64(len(parts))/partsPerHour)
}

// archivedPerDay returns the MB that the archive takes for a day of the stations: those of a tenth of them, ten times.
func (s *scaled) archivedPerDay(b *benchRun) float64 {
	b.Helper()
	const share = 10
	tenth := &scaled{data: b.TempDir(), every: s.every, city: s.city}
	copyRegistry(b.T, s.data, tenth.data)
	for i := 0; i < len(s.models); i += share {
		tenth.models, tenth.stations = append(tenth.models, s.models[i]), append(tenth.stations, s.stations[i])
	}
	end := time.Now().UTC().Truncate(24 * time.Hour).Add(-4 * 24 * time.Hour)
	tenth.fill(b.T, end.Add(-26*time.Hour), end)
	status, out, messages := runCommand(b, os.Environ(), "archive", "build", "--data", tenth.data, "--from", end.Add(-24*time.Hour).Format(time.DateOnly), "--to", end.Add(-24*time.Hour).Format(time.DateOnly))
	if status != 0 {
		b.Fatalf("%d %s %s", status, out, messages)
	}
	bytes := int64(0)
	err := filepath.WalkDir(filepath.Join(tenth.data, "archive"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return err
	})
	if err != nil || bytes == 0 {
		b.Fatalf("the archive has %d bytes, %v: %s", bytes, err, out)
	}
	b.Logf("archive of a tenth: %d bytes: %s", bytes, out)
	return share * float64(bytes) / 1e6
}

// descriptors returns how many files the program may open; its broker takes at most half of them.
func descriptors(b *benchRun) int {
	b.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		b.Fatal(err)
	}
	return int(limit.Cur)
}

// fleet is connected stations that send.
type fleet struct {
	sent, acknowledged atomic.Int64
	stop               chan struct{}
	running            sync.WaitGroup
}

// end ends all connections.
func (f *fleet) end() {
	close(f.stop)
	f.running.Wait()
}

// connect connects all stations. Each sends a message in its part of the interval, and pings in between.
func (s *scaled) connect(b *benchRun, addr string) *fleet {
	b.Helper()
	f := &fleet{stop: make(chan struct{})}
	var connecting sync.WaitGroup
	gate := make(chan struct{}, 64)
	for i := range s.models {
		gate <- struct{}{}
		connecting.Add(1)
		f.running.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				defer c.Close()
				_, err = c.Write(mqttPacket(0x10, mqttText("MQTT"), []byte{4, 0xC2, 0, fleetKeepAlive}, mqttText(""), mqttText(s.stations[i].id), mqttText(s.stations[i].token)))
			}
			in := bufio.NewReaderSize(c, 16)
			if err == nil {
				_, err = in.Discard(4)
			}
			<-gate
			connecting.Done()
			if err != nil {
				b.Errorf("station %d: %v", i, err)
				return
			}
			f.running.Go(func() { f.hear(in) })
			s.send(f, c, i)
		})
	}
	connecting.Wait()
	return f
}

// hear counts acknowledgements of messages; those of pings are two bytes.
func (f *fleet) hear(in *bufio.Reader) {
	for {
		first, err := in.ReadByte()
		if err != nil {
			return
		}
		length, err := in.ReadByte()
		if err != nil {
			return
		}
		if _, err := in.Discard(int(length)); err != nil {
			return
		}
		if first == 0x40 {
			f.acknowledged.Add(1)
		}
	}
}

// send sends a station's messages until the end, and two pings between one and the next.
func (s *scaled) send(f *fleet, c net.Conn, i int) {
	third, offset := s.every/3, time.Duration(int64(i)*int64(s.every)/int64(len(s.models)))
	next := time.Now().Add(offset % third) // the keep-alive is shorter than the interval
	for part, id := 0, uint16(1); ; part++ {
		select {
		case <-f.stop:
			return
		case <-time.After(time.Until(next)):
		}
		next = next.Add(third)
		packet := []byte{0xC0, 0} // PINGREQ
		if part%3 == int(offset/third) {
			r, ok := s.city.Reading(&s.models[i], time.Now())
			if !ok {
				continue
			}
			packet = mqttPacket(0x32, mqttText(wire.StationPrefix(s.stations[i].id)+"reading"), []byte{byte(id >> 8), byte(id)}, payloadOf(r))
			id = max(1, id+1)
			f.sent.Add(1)
		}
		if _, err := c.Write(packet); err != nil {
			return
		}
	}
}

// payloadOf returns a reading as a station sends it.
func payloadOf(r wire.Reading) []byte {
	text := fmt.Appendf(nil, `{"t":%d`, r.Time.Unix())
	for _, v := range r.Values {
		text = fmt.Appendf(text, `,"%s":%v`, v.Quantity, v.Value)
	}
	return append(text, '}')
}

// TestWrittenPerDay has half an hour of a usual megabyte every ten seconds, and one hour's end that writes ten more.
func TestWrittenPerDay(t *testing.T) {
	parts := slices.Repeat([]float64{1}, 180)
	parts[100] = 11
	if got, want := writtenPerDay(parts), 8640.0+240; got != want {
		t.Errorf("%v MB a day, want %v", got, want)
	}
}
