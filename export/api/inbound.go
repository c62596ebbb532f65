package api

import (
	"time"

	"stadtluft/ingest/admin"
	"stadtluft/ingest/stations"
)

// stations returns the service that registers and manages stations.
func (s *Server) stations() *stations.Service {
	service := stations.New(s.Registry, s.keys, s.City.Boundary, s.City.Access, stations.DocumentOf(s.detailed), s.Log)
	service.Notices = s.Notices
	return service
}

// admin returns the service for the administrator.
func (s *Server) admin() *admin.Service {
	program := admin.Program{Version: s.Version, State: s.State, Status: s.AdminStatus}
	return admin.New(s.Registry, s.keys, program, admin.Stations{Document: stations.DocumentOf(s.feature), Day: s.day}, s.Backup, s.Log)
}

// day returns the counts of a station's values in the 24 hours before now.
func (s *Server) day(id string, now time.Time) admin.Day {
	stats := s.Live.DayStats(id, now)
	return admin.Day{Values: stats.Values, Good: stats.Good, Flags: countsOf(stats)}
}
