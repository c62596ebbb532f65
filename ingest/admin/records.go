package admin

import (
	"net/http"

	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/stations"
)

// listedChanges is the number of changes in an answer, the newest.
const listedChanges = 500

// stationRefusal is a refusal with the station as the message named it.
type stationRefusal struct {
	Station string `json:"station"`
	ingest.ExplainedRefusal
}

// getRefusals lists the last refusals of every station and of senders that are not registered, newest first.
func (s *Service) getRefusals(w http.ResponseWriter, r *http.Request) error {
	refusals, err := s.registry.AllRefusals(r.Context(), registry.KeptUnknown)
	if err != nil {
		return err
	}
	list := make([]stationRefusal, len(refusals))
	for i, f := range ingest.ExplainRefusals(refusals) {
		list[i] = stationRefusal{refusals[i].Station, f}
	}
	return httpapi.JSON(w, http.StatusOK, jsonType, map[string]any{"refusals": list})
}

// getChanges lists the changes of stations and who made them, newest first.
func (s *Service) getChanges(w http.ResponseWriter, r *http.Request) error {
	changes, err := s.registry.Changes(r.Context(), httpapi.NewQuery(r).Text("station"), listedChanges)
	if err != nil {
		return err
	}
	return httpapi.JSON(w, http.StatusOK, jsonType, map[string]any{"changes": stations.Changes(changes)})
}
