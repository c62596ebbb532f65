package api

import (
	"cmp"
	"net/http"
	"time"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/firmware-protocol/wire"
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
	Height   *float64               `json:"height"` // metres above ground; null when not known
	Side     string                 `json:"side"`   // of the building, as a compass direction; empty when unknown
	Status   ingest.Status          `json:"status" enum:"pending,active,paused,suspended,retired,erased"`
	Reason   string                 `json:"reason,omitempty"` // why it is suspended
	State    string                 `json:"state" enum:"new,ok,silent,check"`
	Demo     bool                   `json:"demo"`
	Source   string                 `json:"source"`    // "own", or the network it is imported from
	SourceID string                 `json:"source_id"` // type and id of its sensors in that network's data, such as "sds011:15092", or its own code there in lower case; empty for "own"
	Licence  string                 `json:"licence"`   // of its readings
	Official bool                   `json:"official"`  // whether an authority runs its instruments
	LastSeen *string                `json:"last_seen"`
	Interval *int64                 `json:"interval_seconds"` // between its messages; null when not known
	Rare     bool                   `json:"rare"`             // its interval is too long for hourly means
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
	Exposures     []exposure           `json:"exposures"`
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
	Sources []string `json:"source_ids"` // as source_id
}

// exposure is where a station measures from a moment on.
type exposure struct {
	From     string          `json:"from"`
	Exposure ingest.Exposure `json:"exposure"`
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
	return stationAt(st, now, s.Live.Station(st.ID, now))
}

// stationAt returns a station where it stood at a moment, in its state then. Its means are empty.
func stationAt(st *ingest.Station, now time.Time, live live.Station) stationFeature {
	at := st.PlaceAt(now).Public
	f := stationFeature{
		Type: "Feature", ID: st.ID, Geometry: point{"Point", geo.Published(at)},
		Properties: stationProperties{
			Name: st.Name, Kit: st.Kit, Sensors: append([]string{}, st.Sensors...), Exposure: st.Exposure, Height: st.Height, Side: st.Side, Status: st.Status, Reason: st.Reason,
			State: string(live.StateOf(st, now)), Demo: st.Demo, Source: cmp.Or(st.Source, export.OwnSource), SourceID: st.SourceID(), Licence: st.Licence, Official: st.Official(),
			Values: map[string]latestValue{},
		},
	}
	if cell, err := geo.CellAt(at, geo.BaseSize); err == nil {
		f.Properties.Cell = cell.String()
	}
	if !live.LastSeen.IsZero() {
		seen := live.LastSeen.Format(time.RFC3339)
		f.Properties.LastSeen = &seen
	}
	f.Properties.Interval, f.Properties.Rare = seconds(live.Interval), live.Rare(st)
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
	history := detailedProperties{f.Properties, []publicPlace{}, []installation{}, export.Calibrations(st), []exposure{}}
	for _, p := range st.Places {
		at := geo.Published(p.Public)
		history.Places = append(history.Places, publicPlace{p.From.Format(time.RFC3339), at[0], at[1]})
	}
	for _, o := range st.Installations {
		history.Installations = append(history.Installations, installation{o.From.Format(time.RFC3339), o.Kit, append([]string{}, o.Sensors...), append([]string{}, o.Sources...)})
	}
	for _, x := range st.ExposureHistory() {
		history.Exposures = append(history.Exposures, exposure{x.From.Format(time.RFC3339), x.Exposure})
	}
	return detailedStation{f.Type, f.ID, f.Geometry, history}
}

// tooRare explains to a volunteer that a station sends too rarely for hourly means.
var tooRare = wire.Explanation{
	English: "It sends less often than every 20 minutes: too rarely for hourly means. It counts in averages of the last 60 minutes only, not in those of hours and days.",
	German:  "Sie sendet seltener als alle 20 Minuten: zu selten für Stundenmittel. Sie zählt nur in Mitteln der letzten 60 Minuten, nicht in denen von Stunden und Tagen.",

	TodoEnglish: "Let the kit send every 15 minutes or more often; 2.5 to 5 minutes are best.",
	TodoGerman:  "Den Bausatz alle 15 Minuten oder öfter senden lassen; am besten sind 2,5 bis 5 Minuten.",
}

// health is a station's diagnosis.
type health struct {
	Station    string                    `json:"station"`
	Status     ingest.Status             `json:"status" enum:"pending,active,paused,suspended,retired,erased"`
	Reason     string                    `json:"reason"` // of a suspension
	State      live.StationState         `json:"state" enum:"new,ok,silent,check"`
	LastSeen   *string                   `json:"last_seen"`        // when the last value was taken; of an imported station, when it was measured
	Interval   *int64                    `json:"interval_seconds"` // between its messages; null when not known
	Rare       *wire.Explanation         `json:"rare"`             // that it sends too rarely for hourly means; null when it does not
	Heard      *heard                    `json:"heard"`            // of any kind; null when it has never reported
	Values     int                       `json:"values_24h"`
	GoodShare  *export.Milli             `json:"good_share_24h"`
	FlagCounts map[string]int            `json:"flags_24h"`
	Flags      []foundFlag               `json:"flags"`
	Checks     []checkState              `json:"checks"` // of the hours of the last day
	Refusals   []ingest.ExplainedRefusal `json:"refusals"`
}

// getHealth answers with a station's diagnosis. It needs no token, because the person who builds a station may have only
// the id; what its messages said word for word is for whoever manages it.
func (s *Server) getHealth(w http.ResponseWriter, r *http.Request) error {
	st, err := s.keys.Seen(w, r)
	if err != nil {
		return err
	}
	refusals, err := s.refusals(r.Context(), st.ID)
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
		Checks: s.checked(stats), Refusals: ingest.ExplainRefusals(refusals),
	}
	if !live.LastSeen.IsZero() {
		answer.LastSeen = new(live.LastSeen.Format(time.RFC3339))
	}
	if answer.Interval = seconds(live.Interval); live.Rare(st) {
		answer.Rare = &tooRare
	}
	if stats.Values > 0 {
		answer.GoodShare = new(export.Milli(stats.Good * 1000 / stats.Values))
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, "application/json", answer)
}

// seconds returns a duration in seconds; null for zero.
func seconds(d time.Duration) *int64 {
	if d == 0 {
		return nil
	}
	return new(int64(d / time.Second))
}

// countsOf returns the counts of flags by name.
func countsOf(stats live.DayStats) map[string]int {
	counts := map[string]int{}
	for f, n := range stats.Flags {
		counts[f.String()] = n
	}
	return counts
}
