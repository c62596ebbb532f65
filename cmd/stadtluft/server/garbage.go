package server

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// garbageRoom is how many bytes garbage may take before it is collected, where what is in use is more than that: Go's own
	// rule, as much again as is in use, has the state of many stations take twice its memory.
	garbageRoom = 64 << 20
	// leastGarbage is the least room, in per cent of what is in use: with less the collector would run too often.
	leastGarbage = 50
	// garbageEvery is the interval at which the room is set.
	garbageEvery = 10 * time.Second
)

// garbageCollector returns the part that bounds the room for garbage, after a start: while the store is read Go's own rule is faster.
// Whoever sets GOGC decides for themselves.
func garbageCollector() part {
	return part{name: "garbage collector", run: func(ctx context.Context) error {
		if os.Getenv("GOGC") != "" {
			return untilDone(ctx)
		}
		ticker := time.NewTicker(garbageEvery)
		defer ticker.Stop()
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		for set := goGarbage; ; {
			metrics.Read(live)
			if percent := garbagePercent(live[0].Value.Uint64()); percent != set {
				debug.SetGCPercent(percent)
				set = percent
			}
			select {
			case <-ctx.Done():
				debug.SetGCPercent(goGarbage)
				return nil
			case <-ticker.C:
			}
		}
	}}
}

// goGarbage is the room that Go gives garbage, in per cent.
const goGarbage = 100

// garbagePercent returns the room for garbage beside so many bytes in use, in per cent of them, in steps of five.
func garbagePercent(live uint64) int {
	return max(leastGarbage, int(min(goGarbage, garbageRoom*100/max(live, 1)))/5*5)
}
