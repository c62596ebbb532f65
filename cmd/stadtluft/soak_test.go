package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	soakStations = 200 // each sends one message a second
	soakShort    = 5 * time.Second

	overloadMemory = 1 << 30     // bytes that the program may take while it is overloaded
	overloadPage   = time.Second // longest time for a page meanwhile
)

// TestSoak lets 200 stations send a message a second each, for SOAK (five seconds without it), and compares what was acknowledged with what
// is stored. The times of the readings count up from a day ago. It prints what the program takes of the machine at the start and at the end.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: sends for some seconds")
	}
	duration, err := time.ParseDuration(cmp.Or(os.Getenv("SOAK"), soakShort.String()))
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	senders := registerStations(t, data, soakStations)
	p := launch(t, data)
	begin, from := time.Now(), time.Now().Add(-24*time.Hour)
	fmt.Println("| time | acknowledged | memory MB | goroutines | descriptors | disk MB |\n|---|---|---|---|---|---|")
	ctx, stop := context.WithTimeout(t.Context(), duration)
	defer stop()
	var acknowledged atomic.Int64
	var sending sync.WaitGroup
	for _, s := range senders {
		sending.Go(func() {
			station := newSender(p.mqtt, s)
			defer station.hangUp()
			second := time.NewTicker(time.Second)
			for n := from.Unix(); ctx.Err() == nil && station.send(t.Context(), "stadtluft/v1/"+s.id+"/reading", fmt.Sprintf(`{"t":%d,"pm10":12.5}`, n)); n++ {
				acknowledged.Add(1)
				select {
				case <-second.C:
				case <-ctx.Done():
				}
			}
		})
	}
	for every := time.NewTicker(max(duration/10, soakShort/2)); ctx.Err() == nil; {
		p.printUsage(data, begin, acknowledged.Load())
		select {
		case <-every.C:
		case <-ctx.Done():
		}
	}
	sending.Wait()
	eventually(t, "everything to be stored", func() bool { return p.metric("stadtluft_journal_unwritten") == 0 })
	p.printUsage(data, begin, acknowledged.Load())
	stored := p.countReadings(from.Add(-time.Minute), from.Add(2*duration))
	fmt.Printf("acknowledged %d, stored %d\n", acknowledged.Load(), stored)
	if stored != acknowledged.Load() || stored < int64(soakStations*duration.Seconds()/2) {
		t.Errorf("%d messages were acknowledged, %d are stored, want as many, and at least half of a message a second and station", acknowledged.Load(), stored)
	}
}

func newSender(broker string, s storyStation) *sender {
	return &sender{options: mqtt.NewClientOptions().AddBroker(broker).SetClientID(s.id).SetProtocolVersion(4).SetUsername(s.id).SetPassword(s.token)}
}

// printUsage prints a row about what the program takes of the machine.
func (p *process) printUsage(data string, begin time.Time, acknowledged int64) {
	p.t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	disk := int64(0)
	filepath.WalkDir(data, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil {
			if info, err := entry.Info(); err == nil {
				disk += info.Size()
			}
		}
		return nil // files come and go
	})
	fmt.Printf("| %v | %d | %.1f | %.0f | %d | %.1f |\n", time.Since(begin).Round(time.Second), acknowledged, float64(p.memory())/1e6, p.metric("go_goroutines"), len(files), float64(disk)/1e6)
}

// memory returns the bytes of the program that are in memory (proc(5), VmRSS).
func (p *process) memory() (bytes int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			fmt.Sscan(rest, &bytes)
		}
	}
	return bytes << 10
}

// countReadings returns how many values are stored in a period.
func (p *process) countReadings(from, to time.Time) (n int64) {
	p.t.Helper()
	response, err := http.Get(fmt.Sprintf("%s/api/v1/readings?format=csv&from=%s&to=%s", p.url, from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339)))
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	rows := csv.NewReader(bufio.NewReader(response.Body))
	for rows.ReuseRecord = true; ; n++ {
		if _, err := rows.Read(); err == io.EOF {
			return n - 1 // without the header
		} else if err != nil {
			p.t.Fatal(err)
		}
	}
}

// overloaded lets ten more stations send as fast as they can, each over four connections with 20 messages under way, for a minute of the long form. The program's memory
// stays bounded, and its pages answer within a second.
func (r *faultRun) overloaded() {
	r.t.Helper()
	duration := 3 * time.Second
	if r.long {
		duration = time.Minute
	}
	ctx, stop := context.WithTimeout(r.t.Context(), duration)
	defer stop()
	var sent atomic.Int64
	var flooding sync.WaitGroup
	for range 10 {
		s := r.register(r.t, "")
		for n := range 4 {
			flooding.Go(func() { flood(ctx, r.mqtt, storyStation{id: s.ID, token: s.Token}, n, &sent) })
		}
	}
	slowest, most := time.Duration(0), int64(0)
	for ctx.Err() == nil {
		for _, page := range []string{"/", "/api/v1/stations", "/api/v1/grid?quantity=pm10"} {
			begin := time.Now()
			if status, body := r.ask(page); status != http.StatusOK {
				r.t.Errorf("%s while the program is overloaded: %d %.200s", page, status, body)
			}
			slowest, most = max(slowest, time.Since(begin)), max(most, r.memory())
		}
		<-time.After(100 * time.Millisecond)
	}
	flooding.Wait()
	r.t.Logf("%d messages more in %v, the slowest page took %v, at most %d MB of memory", sent.Load(), duration, slowest.Round(time.Millisecond), most>>20)
	if slowest > overloadPage || most > overloadMemory {
		r.t.Errorf("the slowest page took %v, want at most %v; memory was %d MB, want at most %d", slowest, overloadPage, most>>20, overloadMemory>>20)
	}
}

// flood publishes as a station without a pause until ctx ends.
func flood(ctx context.Context, broker string, s storyStation, n int, sent *atomic.Int64) {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker).SetClientID(fmt.Sprint(s.id, n)).SetProtocolVersion(4).SetUsername(s.id).SetPassword(s.token))
	if token := client.Connect(); !token.WaitTimeout(5*time.Second) || token.Error() != nil {
		return
	}
	defer client.Disconnect(0)
	window := make(chan struct{}, 20)
	for ctx.Err() == nil {
		window <- struct{}{}
		token := client.Publish("stadtluft/v1/"+s.id+"/reading", 1, false, fmt.Sprintf(`{"t":%d,"pm10":12.5}`, time.Now().Unix()))
		go func() {
			select {
			case <-token.Done():
				sent.Add(1)
			case <-ctx.Done():
			}
			<-window
		}()
	}
}
