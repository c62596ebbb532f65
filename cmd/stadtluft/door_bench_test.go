package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
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
				before := cpuTime(b, p)
				b.StartTimer()
				begin := time.Now()
				sendRaw(b, strings.TrimPrefix(p.mqtt, "tcp://"), senders, each)
				perSecond := float64(connections*each) / time.Since(begin).Seconds()
				eventually(b, "everything to be stored", func() bool { return p.metric("stadtluft_stored_total") >= float64(connections*each) })
				b.StopTimer()
				b.ReportMetric(perSecond, "messages/s")
				b.ReportMetric(perSecond/appends, "messages/append")
				b.ReportMetric(float64((cpuTime(b, p)-before).Microseconds())/float64(connections*each), "cpu-µs/message")
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
func cpuTime(b testing.TB, p *process) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
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

// sendRaw lets every station send each readings with at most 20 unacknowledged, with a client that costs little.
func sendRaw(b *testing.B, addr string, senders []storyStation, each int) {
	b.Helper()
	const window = 20
	var all sync.WaitGroup
	for _, s := range senders {
		all.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			in := bufio.NewReaderSize(c, 256)
			if _, err := c.Write(mqttPacket(0x10, mqttText("MQTT"), []byte{4, 0xC2, 0, 60}, mqttText(""), mqttText(s.id), mqttText(s.token))); err != nil {
				b.Error(err)
				return
			}
			if _, err := in.Discard(4); err != nil {
				b.Error(err)
				return
			}
			begin := time.Now().Add(-24 * time.Hour).Unix()
			for i := 0; i < each; {
				var out []byte
				n := min(window, each-i)
				for range n {
					payload := fmt.Sprintf(`{"t":%d,"pm2_5":12.3,"pm10":20.1,"temperature":14.2,"humidity":60.3,"pressure":1013.2}`, begin+int64(i))
					out = append(out, mqttPacket(0x32, mqttText("stadtluft/v1/"+s.id+"/reading"), []byte{0, byte(i%window + 1)}, []byte(payload))...)
					i++
				}
				if _, err := c.Write(out); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(in, make([]byte, 4*n)); err != nil {
					b.Error(err)
					return
				}
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
