package api

import (
	"cmp"
	"net/http"
	"time"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/geo"
	"stadtluft/ingest"
)

type point struct {
	Type        string     `json:"type" enum:"Point"`
	Coordinates [2]float64 `json:"coordinates"` // lon, lat
}

type stationFeature struct {
	Type       string            `json:"type" enum:"Feature"`
	ID         string            `json:"id"`
	Geometry   point             `json:"geometry"`
	Properties stationProperties `json:"properties"`
}

type stationProperties struct {
	Name     string                 `json:"name"`
	Kit      string                 `json:"kit"`
	Sensors  []string               `json:"sensors"`
	Exposure ingest.Exposure        `json:"exposure"`
	Height   float64                `json:"height"`
	Side     string                 `json:"side"` // of the building, as a compass direction; empty when unknown
	Status   ingest.Status          `json:"status" enum:"pending,active,paused,suspended,retired,erased"`
	Reason   string                 `json:"reason,omitempty"` // why it is suspended
	State    string                 `json:"state" enum:"new,ok,silent,check"`
	Demo     bool                   `json:"demo"`
	Source   string                 `json:"source"`   // "own", or the network it is imported from
	Licence  string                 `json:"licence"`  // of its readings
	Official bool                   `json:"official"` // whether an authority runs its instruments
	LastSeen *string                `json:"last_seen"`
	Values   map[string]latestValue `json:"values"`
	Cell     string                 `json:"cell"`

	Means map[string]stationMean `json:"means"` // of the last 60 minutes
	Index export.IndexClasses    `json:"index"` // of the means
}

// detailedStation is a station with its history.
type detailedStation struct {
	Type       string             `json:"type" enum:"Feature"`
	ID         string             `json:"id"`
	Geometry   point              `json:"geometry"`
	Properties detailedProperties `json:"properties"`
}

type detailedProperties struct {
	stationProperties
	Places        []publicPlace        `json:"places"`
	Installations []installation       `json:"fittings"`
	Calibrations  []export.Calibration `json:"calibrations,omitempty"`
}

type latestValue struct {
	Value float64  `json:"value"`
	Unit  string   `json:"unit"`
	Time  string   `json:"time"`
	Flags []string `json:"flags"`
	// Signal marks a gas without a calibration: the number can be compared with the sensor's other values and is not a
	// concentration.
	Signal bool `json:"signal,omitempty"`
}

type publicPlace struct {
	From string  `json:"from"`
	Lon  float64 `json:"lon"`
	Lat  float64 `json:"lat"`
}

// installation is what a station measures with from a moment on.
type installation struct {
	From    string   `json:"from"`
	Kit     string   `json:"kit"`
	Sensors []string `json:"sensors"`
}

// public reports whether a station is shown.
func public(st *ingest.Station) bool { return st.Shown() }

// feature returns a station with its latest values, means and indices.
func (s *Server) feature(st *ingest.Station, now time.Time) stationFeature {
	f := s.observed(st, now)
	f.Properties.addMeans(s.recentMeans(st, now))
	return f
}

// observed returns a station with its latest values, which belong to the caller.
func (s *Server) observed(st *ingest.Station, now time.Time) stationFeature {
	at := st.PlaceAt(now).Public
	live := s.Live.Station(st.ID, now)
	f := stationFeature{
		Type: "Feature", ID: st.ID, Geometry: point{"Point", geo.Published(at)},
		Properties: stationProperties{
			Name: st.Name, Kit: st.Kit, Sensors: append([]string{}, st.Sensors...), Exposure: st.Exposure, Height: st.Height, Side: st.Side, Status: st.Status, Reason: st.Reason,
			State: string(live.StateOf(st, now)), Demo: st.Demo, Source: cmp.Or(st.Source, export.OwnSource), Licence: st.Licence, Official: st.Official(), Values: map[string]latestValue{},
		},
	}
	if cell, err := geo.CellAt(at, geo.BaseSize); err == nil {
		f.Properties.Cell = cell.String()
	}
	if !live.LastSeen.IsZero() {
		seen := live.LastSeen.Format(time.RFC3339)
		f.Properties.LastSeen = &seen
	}
	for q, v := range live.Values {
		f.Properties.Values[q.String()] = latestValue{v.Value, q.Unit(), v.Time.Format(time.RFC3339), append([]string{}, v.Flags.Names()...), ingest.IsSignal(q) && !st.Calibrated(q, v.Time)}
	}
	return f
}

func (s *Server) getStation(w http.ResponseWriter, r *http.Request) error {
	st, err := s.keys.Seen(w, r)
	if err != nil {
		return err
	}
	if !st.Shown() && !st.Hidden() {
		return newProblem(http.StatusNotFound, "id", "station %s is %s and not shown", st.ID, st.Status).InGerman("Die Station %s wird gerade nicht gezeigt.", st.ID)
	}
	w.Header().Set("Cache-Control", "no-cache")
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), s.detailed(st, time.Now().UTC()))
}

// detailed returns a station with its history.
func (s *Server) detailed(st *ingest.Station, now time.Time) detailedStation {
	f := s.feature(st, now)
	history := detailedProperties{f.Properties, []publicPlace{}, []installation{}, export.Calibrations(st)}
	for _, p := range st.Places {
		at := geo.Published(p.Public)
		history.Places = append(history.Places, publicPlace{p.From.Format(time.RFC3339), at[0], at[1]})
	}
	for _, o := range st.Installations {
		history.Installations = append(history.Installations, installation{o.From.Format(time.RFC3339), o.Kit, append([]string{}, o.Sensors...)})
	}
	return detailedStation{f.Type, f.ID, f.Geometry, history}
}

// health is a station's diagnosis.
type health struct {
	Station    string                    `json:"station"`
	Status     ingest.Status             `json:"status" enum:"pending,active,paused,suspended,retired,erased"`
	Reason     string                    `json:"reason"` // of a suspension
	State      live.StationState         `json:"state" enum:"new,ok,silent,check"`
	LastSeen   *string                   `json:"last_seen"` // when the last value was taken
	Heard      *heard                    `json:"heard"`     // of any kind; null when it has never reported
	Values     int                       `json:"values_24h"`
	GoodShare  *export.Milli             `json:"good_share_24h"`
	FlagCounts map[string]int            `json:"flags_24h"`
	Flags      []foundFlag               `json:"flags"`
	Refusals   []ingest.ExplainedRefusal `json:"refusals"`
}

// getHealth answers with a station's diagnosis. It needs no token, because the person who builds a station may have only
// the id; what its messages said word for word is for whoever manages it.
func (s *Server) getHealth(w http.ResponseWriter, r *http.Request) error {
	st, err := s.keys.Seen(w, r)
	if err != nil {
		return err
	}
	refusals, err := s.Registry.Refusals(r.Context(), st.ID)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	live, stats := s.Live.Station(st.ID, now), s.Live.DayStats(st.ID, now)
	contact := s.lastContact(st.ID, live.LastSeen, refusals)
	by, err := s.keys.Holder(w, r, st)
	if err != nil {
		return err
	}
	if by == "" {
		refusals = ingest.Public(refusals)
		if contact != nil {
			contact = new(contact.Public())
		}
	}
	answer := health{
		Station: st.ID, Status: st.Status, Reason: st.Reason, State: live.StateOf(st, now), Heard: newHeard(contact), Values: stats.Values, FlagCounts: countsOf(stats), Flags: found(stats),
		Refusals: ingest.ExplainRefusals(refusals),
	}
	if !live.LastSeen.IsZero() {
		answer.LastSeen = new(live.LastSeen.Format(time.RFC3339))
	}
	if stats.Values > 0 {
		answer.GoodShare = new(export.Milli(stats.Good * 1000 / stats.Values))
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, "application/json", answer)
}

// countsOf returns the counts of flags by name.
func countsOf(stats live.DayStats) map[string]int {
	counts := map[string]int{}
	for f, n := range stats.Flags {
		counts[f.String()] = n
	}
	return counts
}
