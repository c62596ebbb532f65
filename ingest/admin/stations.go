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

// listedStation is a station as only the administrator sees it; not even they see the exact place.
type listedStation struct {
	document any
	privatePart
}

type privatePart struct {
	Email   string `json:"email"`
	Created string `json:"created"`
	Day
}

// MarshalJSON returns one object with the members of both.
func (s listedStation) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := errors.Join(encoder.Encode(s.document), encoder.Encode(s.privatePart)); err != nil {
		return nil, err
	}
	return bytes.Replace(b.Bytes(), []byte("}\n{"), []byte(","), 1), nil
}

// getStations lists every station, whatever its status.
func (s *Service) getStations(w http.ResponseWriter, _ *http.Request) error {
	now, list := time.Now().UTC(), []listedStation{}
	for _, st := range s.registry.Stations() {
		list = append(list, listedStation{s.stations.Document.Of(st, now), privatePart{st.Email, st.Created.Format(time.RFC3339), s.stations.Day(st.ID, now)}})
	}
	return httpapi.JSON(w, http.StatusOK, jsonType, map[string]any{"stations": list})
}
