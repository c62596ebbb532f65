package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// streamBenchmark measures how long a reading takes from its PUBLISH at the embedded broker to a client of GET
// /api/v1/stream, while 1,000 stations send a message a second each, for ten seconds. A reading that does not come fails it.
func streamBenchmark() benchmark {
	return benchmark{name: "stream", title: "From a station to the map", run: func(b *benchRun) {
		registered := b.TempDir()
		senders := registerStations(b, registered, pipelineStations)
		var p50, p99 []float64
		for range b.rounds {
			times := streamRound(b, registered, senders)
			p50 = append(p50, times[len(times)/2].Seconds()*1000)
			p99 = append(p99, times[len(times)*99/100].Seconds()*1000)
		}
		b.add(benchRow{What: "PUBLISH to the stream at 1,000 messages/s, p99", Unit: "ms", Ours: p99, Aim: "≤ 100"})
		b.add(benchRow{What: "the same, median", Unit: "ms", Ours: p50})
	}}
}

// streamRound returns the times of all readings, sorted.
func streamRound(b *benchRun, registered string, senders []storyStation) []time.Duration {
	b.Helper()
	const seconds = 10
	data := b.TempDir()
	copyRegistry(b.T, registered, data)
	program := launch(b.T, data)
	defer program.kill()
	arrived := streamed(b, program, len(senders)*seconds)
	type key struct {
		station string
		t       int64
	}
	var mu sync.Mutex // guards sent
	sent := map[key]time.Time{}
	begin := time.Now().Unix() - seconds
	var all sync.WaitGroup
	for i, s := range senders {
		c, err := dialRaw(strings.TrimPrefix(program.mqtt, "tcp://"), s.id, s.token)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		all.Go(func() {
			<-time.After(time.Duration(i) * time.Second / time.Duration(len(senders)))
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for k := range int64(seconds) {
				m := rawMessage{"stadtluft/v1/" + s.id + "/reading", weather(begin+k, i, int(k))}
				mu.Lock()
				sent[key{s.id, begin + k}] = time.Now()
				mu.Unlock()
				if err := c.send(slices.Values([]rawMessage{m})); err != nil {
					b.Error(err)
					return
				}
				<-tick.C
			}
		})
	}
	all.Wait()
	var times []time.Duration
	for range len(senders) * seconds {
		select {
		case e := <-arrived:
			at, err := time.Parse(time.RFC3339, e.Time)
			if err != nil {
				b.Fatal(err)
			}
			times = append(times, e.at.Sub(sent[key{e.Station, at.Unix()}]))
		case <-time.After(patience):
			b.Fatalf("%d of %d readings have come", len(times), len(senders)*seconds)
		}
	}
	slices.Sort(times)
	return times
}

// streamedReading is a reading as it came over the stream.
type streamedReading struct {
	Station, Time string
	at            time.Time
}

// streamed connects to the live stream and returns what comes, with room for n.
func streamed(b *benchRun, p *process, n int) <-chan streamedReading {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/stream", nil)
	if err != nil {
		b.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatal(fmt.Errorf("open the stream: %v, %w", response, err))
	}
	b.Cleanup(func() { cancel(); response.Body.Close() })
	arrived := make(chan streamedReading, n)
	go func() {
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			e := streamedReading{at: time.Now()}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(data), &e) == nil && e.Station != "" {
				arrived <- e
			}
		}
	}()
	return arrived
}
