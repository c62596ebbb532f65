package simulation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"stadtluft/firmware-protocol/wire"
)

const (
	// Every is the interval at which Sensor.Community's firmware sends.
	Every = 145 * time.Second
	// backlogMessage is the largest number of readings in a message after a time offline.
	backlogMessage = 50
)

// Sender is a station's connection: Send returns after the broker has acknowledged the message.
type Sender interface {
	Send(ctx context.Context, payload []byte) error
	Close()
}

// Run is a simulation and its counts.
type Run struct {
	City     *City
	Stations []Station
	Dial     func(s *Station) Sender
	Every    time.Duration // between two readings of one station
	// Backlog is the time before the start whose readings each station sends first, as if it had been offline.
	Backlog time.Duration

	sent   atomic.Int64
	failed atomic.Int64
}

// Sent returns the number of acknowledged messages, Failed that of messages given up when the run ended.
func (r *Run) Sent() int64   { return r.sent.Load() }
func (r *Run) Failed() int64 { return r.failed.Load() }

// Run runs every station until ctx ends. Their starts are spread over the first interval, at most five seconds in all,
// so that a demonstration has data at once.
func (r *Run) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	spread := min(r.Every, 5*time.Second)
	for i := range r.Stations {
		wg.Go(func() {
			if sleep(ctx, spread*time.Duration(i)/time.Duration(len(r.Stations))) {
				r.live(ctx, &r.Stations[i])
			}
		})
	}
	wg.Wait()
	return nil
}

func (r *Run) live(ctx context.Context, s *Station) {
	sender := r.Dial(s)
	defer sender.Close()
	for _, payload := range r.backlog(s, time.Now()) {
		r.send(ctx, sender, payload)
	}
	ticker := time.NewTicker(r.Every)
	defer ticker.Stop()
	for now := time.Now(); ; {
		if reading, ok := r.City.Reading(s, now.UTC()); ok {
			r.send(ctx, sender, wire.AppendReading(nil, reading))
		}
		select {
		case <-ctx.Done():
			return
		case now = <-ticker.C:
		}
	}
}

func (r *Run) send(ctx context.Context, sender Sender, payload []byte) {
	if err := sender.Send(ctx, payload); err != nil {
		r.failed.Add(1)
		return
	}
	r.sent.Add(1)
}

// backlog returns the station's readings before now, in messages of at most backlogMessage readings.
func (r *Run) backlog(s *Station, now time.Time) [][]byte {
	var messages [][]byte
	var readings []wire.Reading
	flush := func() {
		if len(readings) > 0 {
			messages = append(messages, wire.AppendReadings(nil, readings))
			readings = readings[:0]
		}
	}
	for at := now.Add(-r.Backlog).Truncate(Every); at.Before(now); at = at.Add(Every) {
		if reading, ok := r.City.Reading(s, at.UTC()); ok {
			readings = append(readings, reading)
		}
		if len(readings) == backlogMessage {
			flush()
		}
	}
	flush()
	return messages
}

// sleep waits and reports whether ctx has not ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// Interval returns the time between two readings of one station so that n stations together send rate messages per
// second; Every when rate is 0.
func Interval(n int, rate float64) (time.Duration, error) {
	if n <= 0 {
		return 0, errors.New("stations: ask for at least one")
	}
	if rate == 0 {
		return Every, nil
	}
	d := time.Duration(float64(n) / rate * float64(time.Second))
	if rate < 0 || d < time.Second {
		return 0, fmt.Errorf("rate: a station has at most one reading a second, so %v messages a second need %.0f stations, not %d", rate, math.Ceil(max(rate, 1)), n)
	}
	return d, nil
}
