package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkDoor sends readings over MQTT with QoS 1, each on disk before its PUBACK, through everything into SQLite. It
// reports messages a second until the last PUBACK, their ratio to a loop of synchronous appends to a file on the same
// disk right before, and the processor time a message takes until it is stored.
func BenchmarkDoor(b *testing.B) {
	for _, connections := range []int{1, 64, 1000} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			each := min(max(100, 40_000/connections), 5000) // below the rate at which a station is slowed down
			for b.Loop() {
				b.StopTimer()
				data := b.TempDir()
				senders := registerStations(b, data, connections)
				p := launch(b, data)
				appends := appendsPerSecond(b, data)
				before := cpuTime(b, p.cmd.Process.Pid)
				b.StartTimer()
				begin := time.Now()
				sendRaw(b, strings.TrimPrefix(p.mqtt, "tcp://"), senders, each)
				perSecond := float64(connections*each) / time.Since(begin).Seconds()
				eventually(b, "everything to be stored", func() bool { return p.metric("stadtluft_stored_total") >= float64(connections*each) })
				b.StopTimer()
				b.ReportMetric(perSecond, "messages/s")
				b.ReportMetric(perSecond/appends, "messages/append")
				b.ReportMetric(float64((cpuTime(b, p.cmd.Process.Pid)-before).Microseconds())/float64(connections*each), "cpu-µs/message")
				p.kill()
				b.StartTimer()
			}
		})
	}
}

// appendsPerSecond appends 300 bytes at a time to a file, each on disk before the next.
func appendsPerSecond(b *testing.B, dir string) float64 {
	b.Helper()
	file, err := os.Create(filepath.Join(dir, "appends"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	const n = 2000
	begin := time.Now()
	for range n {
		if _, err := file.Write(make([]byte, 300)); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return n / time.Since(begin).Seconds()
}

// cpuTime returns the processor time that a process has used (proc(5), stat: utime and stime in hundredths of a second).
func cpuTime(b testing.TB, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// rawClient is a client of MQTT that costs little: it sends messages with QoS 1 and reads their PUBACKs.
type rawClient struct {
	net.Conn
	in *bufio.Reader
}

// rawWindow is the largest number of unacknowledged messages of a rawClient.
const rawWindow = 20

// rawMessage is a message of a rawClient.
type rawMessage struct{ topic, payload string }

// dialRaw logs in; with an empty token without one.
func dialRaw(addr, id, token string) (*rawClient, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	connect := mqttPacket(0x10, mqttText("MQTT"), []byte{4, 0x02, 0, 60}, mqttText(id))
	if token != "" {
		connect = mqttPacket(0x10, mqttText("MQTT"), []byte{4, 0xC2, 0, 60}, mqttText(""), mqttText(id), mqttText(token))
	}
	r := &rawClient{c, bufio.NewReaderSize(c, 256)}
	answer := make([]byte, 4)
	if _, err = c.Write(connect); err == nil {
		_, err = io.ReadFull(r.in, answer)
	}
	if err == nil && answer[3] != 0 {
		err = fmt.Errorf("log-in refused: %d", answer[3])
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return r, nil
}

// send sends messages, a window at a time, and returns when all are acknowledged.
func (r *rawClient) send(messages iter.Seq[rawMessage]) error {
	var out []byte
	n := 0
	flush := func() error {
		if _, err := r.Write(out); err != nil {
			return err
		}
		_, err := r.in.Discard(4 * n)
		out, n = out[:0], 0
		return err
	}
	for m := range messages {
		n++
		out = append(out, mqttPacket(0x32, mqttText(m.topic), []byte{0, byte(n)}, []byte(m.payload))...)
		if n == rawWindow {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// sendRaw lets every station send each readings over a connection of its own.
func sendRaw(b *testing.B, addr string, senders []storyStation, each int) {
	b.Helper()
	begin := time.Now().Add(-24 * time.Hour).Unix()
	var all sync.WaitGroup
	for _, s := range senders {
		all.Go(func() {
			c, err := dialRaw(addr, s.id, s.token)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			if err := c.send(func(yield func(rawMessage) bool) {
				for i := range int64(each) {
					payload := fmt.Sprintf(`{"t":%d,"pm2_5":12.3,"pm10":20.1,"temperature":14.2,"humidity":60.3,"pressure":1013.2}`, begin+i)
					if !yield(rawMessage{"stadtluft/v1/" + s.id + "/reading", payload}) {
						return
					}
				}
			}); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
}

// mqttText encodes a text of MQTT, mqttPacket a packet with a first byte and a body.
func mqttText(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

func mqttPacket(first byte, body ...[]byte) []byte {
	var all []byte
	for _, part := range body {
		all = append(all, part...)
	}
	return append(binary.AppendUvarint([]byte{first}, uint64(len(all))), all...)
}

// BenchmarkFairness lets one station send as fast as it can and 49 others a reading every 50 ms each, and reports the 99th
// percentile of the time until the others' PUBACK, first without the fast one.
func BenchmarkFairness(b *testing.B) {
	for b.Loop() {
		data := b.TempDir()
		senders := registerStations(b, data, 50)
		p := launch(b, data, "STADTLUFT_MQTT_BURST=1000000")
		addr := strings.TrimPrefix(p.mqtt, "tcp://")
		b.ReportMetric(p99(b, addr, senders[1:]), "p99-alone-ms")
		var fast sync.WaitGroup
		fast.Go(func() { sendRaw(b, addr, senders[:1], 60_000) })
		b.ReportMetric(p99(b, addr, senders[1:]), "p99-beside-ms")
		fast.Wait()
		p.kill()
	}
}

// p99 lets every station send 20 readings, one after the other, and returns milliseconds.
func p99(b *testing.B, addr string, senders []storyStation) float64 {
	b.Helper()
	var mu sync.Mutex // guards times
	var times []time.Duration
	var all sync.WaitGroup
	for _, s := range senders {
		all.Go(func() {
			for range 20 {
				<-time.After(50 * time.Millisecond)
				begin := time.Now()
				sendRaw(b, addr, []storyStation{s}, 1)
				mu.Lock()
				times = append(times, time.Since(begin))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(times)
	return float64(times[len(times)*99/100].Microseconds()) / 1000
}
