package api

import (
	"sync"
	"time"

	"stadtluft/geo/aggregate"
)

// snapshots keeps the live averages of one second, so that many readers of the map cost as much as one.
// The zero value is ready.
type snapshots struct {
	mu   sync.Mutex // guards all below; held while rows are made, so that they are made once
	at   time.Time
	rows map[int32][]aggregate.Row // by resolution; every quantity, sorted
}

// live are the live averages at a whole second. The rows are shared and not to be changed.
func (s *Server) live(at time.Time, size int32) []aggregate.Row {
	c := &s.snapshots
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.Equal(at) {
		c.at, c.rows = at, map[int32][]aggregate.Row{}
	}
	rows, known := c.rows[size]
	if !known {
		rows = s.Aggregate.Live(at, size, 0)
		c.rows[size] = rows
	}
	return rows
}
