package api

import (
	"sync"
	"time"

	"stadtluft/geo/aggregate"
)

// snapshots keeps the live averages of one second, so that many readers of the map cost as much as one.
// The zero value is ready.
type snapshots struct {
	mu       sync.Mutex // guards all below; held while rows are made, so that they are made once
	at       time.Time
	rows     map[int32][]aggregate.Row // by resolution; every quantity, sorted
	stations map[string][]aggregate.StationMean
}

// turn begins a new second. It needs mu.
func (c *snapshots) turn(at time.Time) {
	if !c.at.Equal(at) {
		c.at, c.rows, c.stations = at, map[int32][]aggregate.Row{}, nil
	}
}

// live are the live averages at a whole second. The rows are shared and not to be changed.
func (s *Server) live(at time.Time, size int32) []aggregate.Row {
	c := &s.snapshots
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(at)
	rows, known := c.rows[size]
	if !known {
		rows = s.Aggregate.Live(at, size, 0)
		c.rows[size] = rows
	}
	return rows
}

// stationMeans are a station's means of the 60 minutes before now, to the second.
func (s *Server) stationMeans(id string, now time.Time) []aggregate.StationMean {
	c := &s.snapshots
	c.mu.Lock()
	defer c.mu.Unlock()
	at := now.Truncate(time.Second)
	c.turn(at)
	if c.stations == nil {
		c.stations = map[string][]aggregate.StationMean{}
		for _, m := range s.Aggregate.LiveStationMeans(at) {
			c.stations[m.Station] = append(c.stations[m.Station], m)
		}
	}
	return c.stations[id]
}
