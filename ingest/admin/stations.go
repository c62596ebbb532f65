package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/stations"
)

// Stations gives the facts of a station that are not in the registry.
type Stations struct {
	Document stations.Document // the public document
	Day      func(id string, now time.Time) Day
}

// Day holds the counts of a station's values in 24 hours.
type Day struct {
	Values int            `json:"values_24h"`
	Good   int            `json:"good_24h"`
	Flags  map[string]int `json:"flags_24h"` // number of values with a flag, by its name
}

// listedStation is a station as only the administrator sees it; without the exact place, which not even they see.
type listedStation struct {
	document any
	privatePart
}

type privatePart struct {
	Email   string `json:"email"`
	Created string `json:"created"`
	Day
}

// MarshalJSON returns one object with the members of the document and of the struct.
func (s listedStation) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := errors.Join(encoder.Encode(s.document), encoder.Encode(s.privatePart)); err != nil {
		return nil, err
	}
	return bytes.Replace(b.Bytes(), []byte("}\n{"), []byte(","), 1), nil
}

// getStations lists every station of any status.
func (s *Service) getStations(w http.ResponseWriter, _ *http.Request) error {
	now, list := time.Now().UTC(), []listedStation{}
	for _, st := range s.registry.Stations() {
		list = append(list, listedStation{s.stations.Document.Of(st, now), privatePart{st.Email, st.Created.Format(time.RFC3339), s.stations.Day(st.ID, now)}})
	}
	return httpapi.JSON(w, http.StatusOK, jsonType, map[string]any{"stations": list})
}
