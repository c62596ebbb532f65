package stations

import (
	"net/http"

	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/registry"
)

// Keys checks management tokens and the administrator's, and slows down who guesses them. All services of a server
// share one.
type Keys struct {
	registry *registry.Registry
	guesses  httpapi.Guesses
}

// NewKeys returns the Keys of a registry.
func NewKeys(r *registry.Registry) *Keys { return &Keys{registry: r} }

// Admin returns a problem with status 401 or 429 unless a request has the administrator's token.
func (k *Keys) Admin(w http.ResponseWriter, r *http.Request) error {
	right, err := k.guesses.Right(w, r, k.registry.Admin)
	if err == nil && !right {
		err = httpapi.New(http.StatusUnauthorized, "", "this needs the administrator's token: Authorization: Bearer …").
			InGerman("Das ist nicht das Token der Verwaltung.")
	}
	return err
}

// Holder returns who sends a request about a station; empty when it has neither token.
func (k *Keys) Holder(w http.ResponseWriter, r *http.Request, st *ingest.Station) (by registry.By, err error) {
	_, err = k.guesses.Right(w, r, func(token string) bool {
		switch {
		case k.registry.Admin(token):
			by = registry.Admin
		case k.registry.Manages(st.ID, token):
			by = registry.Owner
		}
		return by != ""
	})
	return by, err
}

// Seen returns the station that a request's path names. One that waits for approval or is suspended is there only for
// its owner and the administrator: to others the error is that of a station that does not exist.
func (k *Keys) Seen(w http.ResponseWriter, r *http.Request) (*ingest.Station, error) {
	st, err := FromPath(r, k.registry)
	if err != nil || !st.Hidden() {
		return st, err
	}
	by, err := k.Holder(w, r, st)
	if err == nil && by == "" {
		err = notRegistered(st.ID)
	}
	return st, err
}

// notRegistered is the problem of an id that no station has.
func notRegistered(id string) *httpapi.Problem {
	return httpapi.New(http.StatusNotFound, "id", "no station %s is registered", id).InGerman("Eine Station %s gibt es nicht.", id)
}
