package api

import (
	"net/http"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// shownChanges is how many changes of a station its owner sees.
const shownChanges = 50

func (s *Server) managementRoutes() map[string]handler {
	return map[string]handler{
		"PATCH /api/v1/stations/{id}":             s.patchStation,
		"DELETE /api/v1/stations/{id}":            s.deleteStation,
		"GET /api/v1/stations/{id}/manage":        s.getManage,
		"POST /api/v1/stations/{id}/token":        s.postToken,
		"POST /api/v1/stations/{id}/manage-token": s.postManageToken,
	}
}

// managed is the station of a route if the request carries its management token, or the administrator's.
func (s *Server) managed(r *http.Request) (*ingest.Station, registry.By, error) {
	st, err := s.station(r)
	if err != nil {
		return nil, "", err
	}
	switch token := bearer(r); {
	case s.Registry.Admin(token):
		return st, registry.Admin, nil
	case s.Registry.Manages(st.ID, token):
		return st, registry.Owner, nil
	}
	return nil, "", newProblem(http.StatusUnauthorized, "", "this needs the station's management token: Authorization: Bearer …")
}

// bearer is the token that a request carries; empty, which is nobody's, when it carries none.
func bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

// edit is what may change of a station; what is missing stays.
type edit struct {
	Name    *string        `json:"name"`
	Status  *ingest.Status `json:"status"`
	Height  *float64       `json:"height"`
	Side    *string        `json:"side"`
	Place   *newPlace      `json:"place"`
	Fitting *newFitting    `json:"fitting"`
}

// newPlace is where a station stands from a moment on; by default now.
type newPlace struct {
	position
	From time.Time `json:"from"`
}

// newFitting is what a station measures with from a moment on; by default now.
type newFitting struct {
	Kit     string    `json:"kit"`
	Sensors []string  `json:"sensors"`
	From    time.Time `json:"from"`
}

// patchStation changes what an owner may change. The administrator may also approve a station that waits for it.
func (s *Server) patchStation(w http.ResponseWriter, r *http.Request) error {
	st, by, err := s.managed(r)
	if err != nil {
		return err
	}
	var e edit
	if err := readBody(w, r, &e); err != nil {
		return err
	}
	change := registry.Edit{Name: e.Name, Status: e.Status, Height: e.Height, Side: e.Side}
	if p := e.Place; p != nil {
		at, err := p.point()
		if err != nil {
			return err
		}
		change.Place = &ingest.Place{From: p.From, Exact: at}
	}
	if f := e.Fitting; f != nil {
		change.Fitting = &ingest.Fitting{From: f.From, Kit: f.Kit, Sensors: f.Sensors}
	}
	if err := s.Registry.Edit(r.Context(), st.ID, by, change); err != nil {
		return err
	}
	st, _ = s.Registry.Station(st.ID)
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), s.detailed(st, time.Now().UTC()))
}

// deleteStation retires a station; its readings stay, detached from the owner, unless they are to go too.
func (s *Server) deleteStation(w http.ResponseWriter, r *http.Request) error {
	st, by, err := s.managed(r)
	if err != nil {
		return err
	}
	q := newQuery(r.URL.Query())
	end := s.Registry.Retire
	if q.choice("readings", "keep", "keep", "erase") == "erase" {
		end = s.Registry.Erase
	}
	if err := q.done(); err != nil {
		return err
	}
	if err := end(r.Context(), st.ID, by); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postToken gives a station a new token, with the settings that hold it.
func (s *Server) postToken(w http.ResponseWriter, r *http.Request) error {
	st, by, err := s.managed(r)
	if err != nil {
		return err
	}
	token, err := s.Registry.Rotate(r.Context(), st.ID, by)
	if err != nil {
		return err
	}
	answer, err := s.settings(r, st, token)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, "application/json", answer)
}

// postManageToken gives a station a new management link, for its owner or, handed over, for another person.
func (s *Server) postManageToken(w http.ResponseWriter, r *http.Request) error {
	st, by, err := s.managed(r)
	if err != nil {
		return err
	}
	var ask struct {
		HandOver bool `json:"hand_over"`
	}
	if err := readBody(w, r, &ask); err != nil {
		return err
	}
	token, err := s.Registry.Renew(r.Context(), st.ID, by, ask.HandOver)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, "application/json", map[string]string{"manage_token": token, "manage_link": s.manageLink(r, st.ID, token)})
}

// getManage shows an owner what nobody else sees of the station.
func (s *Server) getManage(w http.ResponseWriter, r *http.Request) error {
	st, _, err := s.managed(r)
	if err != nil {
		return err
	}
	changes, err := s.Registry.Changes(r.Context(), st.ID, shownChanges)
	if err != nil {
		return err
	}
	at := degrees(st.Places[len(st.Places)-1].Exact)
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, "application/json", map[string]any{
		"station": s.detailed(st, time.Now().UTC()), "lon": at[0], "lat": at[1], "email": st.Email, "changes": told(changes),
	})
}

// change is an entry of the record of changes.
type change struct {
	Time    string      `json:"time"`
	Station string      `json:"station"`
	Who     registry.By `json:"who"`
	What    string      `json:"what"`
	Before  string      `json:"before"`
	After   string      `json:"after"`
}

func told(changes []registry.Change) []change {
	list := make([]change, len(changes))
	for i, c := range changes {
		list[i] = change{c.At.Format(time.RFC3339), c.Station, c.Who, c.What, c.Before, c.After}
	}
	return list
}
