// Package admin answers a city's administrator over HTTP: how the program is, its configuration without secrets, every station
// with its contact, what was refused, who changed what, and a backup. It changes nothing: approving and suspending a station is
// a change of the station, which package stations takes.
package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"stadtluft/ingest/registry"
	"stadtluft/ingest/stations"
)

// Service answers the administrator.
type Service struct {
	registry *registry.Registry
	program  Program
	stations Stations
	backup   Backup
	log      *slog.Logger
}

// New returns a Service.
func New(r *registry.Registry, program Program, stations Stations, backup Backup, log *slog.Logger) *Service {
	return &Service{r, program, stations, backup, log}
}

// Program is the program that the administrator asks about.
type Program struct {
	Version  string
	Problems func(context.Context) []Problem
	Status   func(context.Context) (Status, error)
}

// Problem is something that keeps the program from working as it should.
type Problem struct {
	Part    string `json:"part"`
	Problem string `json:"problem"`
	Do      string `json:"do"`
}

// Stations tells of a station what is not in the registry.
type Stations struct {
	Document stations.Document // what everyone may see
	Day      func(id string, now time.Time) Day
}

// Day is what came from a station in 24 hours.
type Day struct {
	Values int            `json:"values_24h"`
	Good   int            `json:"good_24h"`
	Flags  map[string]int `json:"flags_24h"` // how many values have a flag, by its name
}

// Backup makes copies of the files that a restore needs.
type Backup struct {
	Folder string // which has room for them
	Copies func() []Copy
}

type private struct {
	Email   string `json:"email"`
	Created string `json:"created"`
	Day
}

// MarshalJSON returns one object with the members of both.
func (s adminStation) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := errors.Join(encoder.Encode(s.document), encoder.Encode(s.private)); err != nil {
		return nil, err
	}
	return bytes.Replace(b.Bytes(), []byte("}\n{"), []byte(","), 1), nil
}
