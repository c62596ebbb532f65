package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// manifestFormat is the version of the manifest's members.
const manifestFormat = 1

// Manifest describes what a revision of a day holds and what is missing.
type Manifest struct {
	Format   int       `json:"format"`
	Day      string    `json:"day"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Revision int       `json:"revision"`
	Differs  []string  `json:"differs_from_previous,omitempty"` // files

	Licence     string   `json:"licence"`
	Attribution string   `json:"attribution"`
	Licences    []string `json:"licences_of_neighbours,omitempty"`
	Notice      string   `json:"notice"`
	Demo        bool     `json:"demo"`
	Rules       Rules    `json:"rules"`
	Resolution  int32    `json:"grid_resolution"` // metres

	Stations int            `json:"stations"`      // in service that day
	Silent   int            `json:"silent"`        // of them without any reading
	Readings int            `json:"readings"`      // messages
	Values   int            `json:"values"`        // rows of the readings
	Flagged  map[string]int `json:"flagged"`       // values by flag
	Late     int            `json:"late_readings"` // that came too late for the averages of their hour, unless those were rebuilt

	Checks     []export.HourChecks `json:"checks"` // by hour, which were made and which could not be
	EmptyHours []time.Time         `json:"hours_without_readings"`
	Gaps       []Gap               `json:"gaps"` // by station

	Files []File `json:"files"`
}

// Gap is a run of whole hours in which a station sent nothing.
type Gap struct {
	Station string    `json:"station"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"` // not included
}

// notes returns the rules as a file's key-value metadata.
func (r Rules) notes() map[string]string {
	quality, _ := json.Marshal(r.Quality) // strings
	return map[string]string{"averaging_rule": r.Averaging, "quality_rules": string(quality)}
}

// seen holds the statistics of a day's readings.
type seen struct {
	hours            map[string]*[24]int // readings by station and hour
	readings, values int
	late             int
	flagged          map[string]int
	checked          export.CheckedDay
}

func (s *seen) has(station string) bool { return s.hours[station] != nil }

func (s *seen) observe(r ingest.Reading, from time.Time) {
	hours := s.hours[r.Station]
	if hours == nil {
		hours = new([24]int)
		s.hours[r.Station] = hours
	}
	hours[int(r.Time.Sub(from)/time.Hour)]++
	s.checked.Add(&r)
	s.readings++
	s.values += len(r.Values)
	if r.Received.Sub(r.Time) > aggregate.Retention {
		s.late++
	}
	for _, v := range r.Values {
		for _, name := range v.Flags.Names() {
			s.flagged[name]++
		}
	}
}

// describe sets the manifest's counts, and the gaps of the stations that were in service that day.
func (s *seen) describe(m *Manifest, stations []*ingest.Station, from time.Time) {
	m.Stations, m.Readings, m.Values, m.Late, m.Flagged = len(stations), s.readings, s.values, s.late, s.flagged
	m.Checks, m.EmptyHours, m.Gaps = s.checked.Hours(), []time.Time{}, []Gap{}
	for hour := range 24 {
		if !slices.ContainsFunc(slices.Collect(maps.Values(s.hours)), func(h *[24]int) bool { return h[hour] > 0 }) {
			m.EmptyHours = append(m.EmptyHours, from.Add(time.Duration(hour)*time.Hour))
		}
	}
	for _, st := range stations {
		hours := s.hours[st.ID]
		if hours == nil {
			hours = new([24]int)
			m.Silent++
		}
		m.Gaps = append(m.Gaps, gaps(st, hours, from)...)
	}
}

// gaps returns a station's hours without a reading while it was in service.
func gaps(st *ingest.Station, hours *[24]int, from time.Time) []Gap {
	var list []Gap
	for i, n := range hours {
		start := from.Add(time.Duration(i) * time.Hour)
		switch {
		case n > 0 || start.Before(st.Places[0].From) || !st.Ended.IsZero() && start.Add(time.Hour).After(st.Ended):
		case len(list) > 0 && list[len(list)-1].To.Equal(start):
			list[len(list)-1].To = start.Add(time.Hour)
		default:
			list = append(list, Gap{st.ID, start, start.Add(time.Hour)})
		}
	}
	return list
}

// writeManifest writes the manifest, and the checksums of all files as sha256sum reads them.
func writeManifest(folder string, m Manifest) error {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	w := &writer{folder: folder, files: slices.Clone(m.Files)}
	if err := w.whole(manifestName, append(text, '\n'), 0); err != nil {
		return err
	}
	var sums strings.Builder
	for _, f := range w.files {
		fmt.Fprintf(&sums, "%s  %s\n", f.SHA256, f.Name)
	}
	return w.whole(sumsName, []byte(sums.String()), 0)
}

// Manifest reads the manifest of a revision.
func (a *Archive) Manifest(d Day, revision int) (Manifest, error) {
	path := path.Join(a.revisionFolder(d, revision), manifestName)
	text, err := fs.ReadFile(a.files(), path)
	if err != nil {
		return Manifest{}, err
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", path, err)
	}
	if m.Format > manifestFormat {
		return Manifest{}, errors.New(path + " is of a newer version: upgrade")
	}
	return m, nil
}
