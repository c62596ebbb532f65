package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"stadtluft/ingest/httpapi"
)

// statusTime bounds how long the status of all parts may take.
const statusTime = 3 * time.Second

// Program gives the state of the running program.
type Program struct {
	Version string
	State   func(context.Context) State
	Status  func(context.Context) (Status, error)
}

// Problem is something that keeps the program from working as it should, or a notice: something to look at while it
// works.
type Problem struct {
	Part    string `json:"part"`
	Problem string `json:"problem"`
	Do      string `json:"do"`
	Notice  bool   `json:"notice,omitempty"`
}

// State is what /readyz says of a city or of a process. A process with several cities is ready when what they share is, and one of
// them: who asks would else take a city's fault for that of all.
type State struct {
	Ready    bool        `json:"ready"`
	Problems []Problem   `json:"problems"`
	Cities   []CityState `json:"cities,omitempty"` // of a process with several
}

// CityState says whether a city of a process is ready.
type CityState struct {
	City  string `json:"city"`
	Ready bool   `json:"ready"`
}

// StateOf returns the state of what has the problems: it is ready when they are notices at most.
func StateOf(problems []Problem) State {
	return State{Ready: !slices.ContainsFunc(problems, func(p Problem) bool { return !p.Notice }), Problems: append([]Problem{}, problems...)}
}

// Add adds a city to the state of a process. Parts of the city bear its name.
func (s *State) Add(city string, of State) {
	for _, p := range of.Problems {
		p.Part = city + ": " + p.Part
		s.Problems = append(s.Problems, p)
	}
	s.Cities = append(s.Cities, CityState{city, of.Ready})
}

// Setting is one key of the configuration in force. A secret's value is "***", or empty when it is not set.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Status is the state of the program for the administrator.
type Status struct {
	Store       string    `json:"store"` // its kind
	Entries     uint64    `json:"journal_entries"`
	Bytes       uint64    `json:"journal_bytes"`
	Unwritten   uint64    `json:"journal_unwritten"` // entries that wait for the store
	Lag         float64   `json:"journal_lag_seconds"`
	Undecodable uint64    `json:"journal_undecodable"`
	Connected   int       `json:"broker_connected"`      // stations at the embedded broker
	Refused     uint64    `json:"broker_logins_refused"` // since the start
	Denied      uint64    `json:"broker_denied"`         // publishes and subscriptions outside a station's topics
	Settings    []Setting `json:"settings"`
}

// statusAnswer is the answer with the state of the program.
type statusAnswer struct {
	Version  string    `json:"version"`
	Problems []Problem `json:"problems"`
	Status   Status    `json:"inside"`
}

// getStatus answers with the state of the program and the configuration in force.
func (s *Service) getStatus(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), statusTime)
	defer cancel()
	status, err := s.program.Status(ctx)
	problems := s.program.State(ctx).Problems
	if err != nil {
		problems = append(problems, Problem{Part: "journal", Problem: err.Error(), Do: "look at the log"})
	}
	return httpapi.JSON(w, http.StatusOK, jsonType, statusAnswer{s.program.Version, problems, status})
}
