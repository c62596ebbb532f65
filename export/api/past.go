package api

import (
	"context"
	"net/http"
	"time"

	"stadtluft/export/live"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/store"
)

// pastHour is how long before a moment a station's values tell what it was like then.
const pastHour = time.Hour

// past returns the stations that stood at a moment, as they were then, and the state of each by the stored readings of the
// hour before.
func (s *Server) past(ctx context.Context, all []*ingest.Station, at time.Time, quantities []quantity.Quantity) ([]*ingest.Station, map[string]live.Station, error) {
	state := live.NewState()
	state.Imported = func(string) bool { return true } // the receipt of old readings tells nothing of that time
	err := s.Store.Readings(ctx, store.ReadingQuery{From: at.Add(-pastHour), To: at, Quantities: quantities}, func(r ingest.Reading) error {
		state.Observe(r)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var stood []*ingest.Station
	states := map[string]live.Station{}
	for _, st := range all {
		then := state.Station(st.ID, at)
		sent := then.State != live.New // in that hour, perhaps before it was registered
		if st.Hidden() || st.Status == ingest.Erased || !sent && st.Places[0].From.After(at) || !st.Ended.IsZero() && !at.Before(st.Ended) {
			continue
		}
		stood = append(stood, st.At(at))
		if !sent { // it may have before
			then.State = live.Silent
		}
		states[st.ID] = then
	}
	return stood, states, nil
}

// noMeans are those of a station of the past.
func noMeans() []aggregate.StationMean { return nil }

// addPastStations adds the stations as they were at a moment.
func (s *Server) addPastStations(w http.ResponseWriter, r *http.Request, q *query, list *stationList, all []*ingest.Station, at time.Time) error {
	address := httpapi.Address(r)
	if !s.work.acquire(r.Context(), address, 1) {
		return busyAnswer(w, r)
	}
	defer s.work.release(address, 1)
	stations, states, err := s.past(r.Context(), all, at, q.quantities())
	if err != nil {
		return err
	}
	for _, st := range stations {
		if err := list.add(st, at, states[st.ID], noMeans); err != nil {
			return err
		}
	}
	return nil
}
