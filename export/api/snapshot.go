package api

import (
	"sync"
	"time"

	"stadtluft/geo/aggregate"
)

// snapshots caches the live averages of one second for all readers of the map. The zero value is ready to use.
type snapshots struct {
	mu       sync.Mutex // guards the fields below; held while rows are computed, so that they are computed once
	at       time.Time
	rows     map[int32][]aggregate.Row // by resolution; every quantity, sorted
	stations map[string][]aggregate.StationMean
}

// turn begins a new second. Callers hold mu.
func (c *snapshots) turn(at time.Time) {
	if !c.at.Equal(at) {
		c.at, c.rows, c.stations = at, map[int32][]aggregate.Row{}, nil
	}
}

// live returns the live averages at a whole second. The rows are shared; callers must not change them.
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

// stationMeans returns a station's means of the 60 minutes before now, to the second.
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
