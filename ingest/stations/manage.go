package stations

import (
	"net/http"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/registry"
)

// shownChanges is the number of changes that a station's owner sees.
const shownChanges = 50

// ManagementRoutes returns the addresses that a station's management token opens.
func (s *Service) ManagementRoutes() []openapi.Route {
	route := func(method, path, id string, h managedHandler, summary bilingual.Text, answers []openapi.Answer) openapi.Route {
		return openapi.Route{
			Method: method, Path: "/api/v1/stations/{id}" + path, Handler: s.answer(s.managed(h)), Group: "stations", ID: id, Login: openapi.Owner,
			Summary: summary, Parameters: []openapi.Parameter{ID}, Answers: answers,
		}
	}
	change := route("PATCH", "", "changeStation", s.patchStation, bilingual.Of("Move a station, rename it, pause it, say where and what it measures with.", "Eine Station umsetzen, umbenennen, anhalten, sagen, wo und womit sie misst."), openapi.AnswerOf(geoJSON, openapi.Ref("Station")))
	change.Body = []openapi.Content{{Type: jsonType, Schema: openapi.SchemaOf(edit{})}}
	retire := route("DELETE", "", "retireStation", s.deleteStation, bilingual.Of("Retire a station.", "Eine Station abmelden."), []openapi.Answer{{Status: http.StatusNoContent}})
	retire.Parameters = append(retire.Parameters, openapi.Parameter{Name: "readings", Choices: []string{"keep", "erase"}, Default: "keep", About: bilingual.Of(
		"whether its readings stay, detached from the owner, or go too", "ob ihre Messwerte bleiben, ohne Bezug zu ihrem Menschen, oder mitgehen")})
	renew := route("POST", "/manage-token", "renewManageToken", s.postManageToken, bilingual.Of("A new management link, for the owner or for another person.", "Ein neuer Verwaltungslink, für sich oder einen anderen Menschen."), openapi.AnswerOf(jsonType, openapi.SchemaOf(management{})))
	renew.Body = []openapi.Content{{Type: jsonType, Schema: openapi.SchemaOf(renewal{})}}
	return []openapi.Route{
		change, retire,
		route("GET", "/manage", "getManage", s.getManage, bilingual.Of("What only the owner sees of a station.", "Was nur ihr Mensch von einer Station sieht."), openapi.AnswerOf(jsonType, s.ownSchema())),
		route("POST", "/token", "rotateToken", s.postToken, bilingual.Of("A new token, with the settings that hold it.", "Ein neues Token, mit den Einstellungen dazu."), openapi.AnswerOf(jsonType, openapi.SchemaOf(settings{}))),
		renew,
	}
}

// managedHandler answers a request about a station from its owner or the administrator.
type managedHandler func(w http.ResponseWriter, r *http.Request, st *ingest.Station, by registry.By) error

// managed accepts requests with the station's management token, or the administrator's.
func (s *Service) managed(h managedHandler) httpapi.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		st, err := FromPath(r, s.registry)
		if err != nil {
			return err
		}
		by, err := s.keys.Holder(w, r, st)
		switch {
		case err != nil:
			return err
		case by != "":
			return h(w, r, st, by)
		case st.Hidden():
			return notRegistered(st.ID)
		}
		return httpapi.New(http.StatusUnauthorized, "", "this needs the station's management token: Authorization: Bearer …").
			InGerman("Dieser Verwaltungslink gilt nicht.")
	}
}

// edit holds the changes of a station; what is missing stays as it is.
type edit struct {
	Name         *string          `json:"name"`
	Status       *ingest.Status   `json:"status"`
	Reason       *string          `json:"reason"` // of a station that is or becomes suspended
	Height       *float64         `json:"height"`
	Side         *string          `json:"side"`
	Place        *newPlace        `json:"place"`
	Installation *newInstallation `json:"fitting"`
	Exposure     *newExposure     `json:"exposure"`
}

// newExposure is where a station measures from a time on; the default is now.
type newExposure struct {
	Is   ingest.Exposure `json:"is" enum:"outdoor,indoor"`
	From time.Time       `json:"from"`
}

// newPlace is a station's place from a time on; the default is now.
type newPlace struct {
	position
	From time.Time `json:"from"`
}

// newInstallation is a station's kit and sensors from a time on; the default is now.
type newInstallation struct {
	Kit     string    `json:"kit"`
	Sensors []string  `json:"sensors"`
	From    time.Time `json:"from"`
}

// change returns the registry's form of the body.
func (e edit) change() (registry.Edit, error) {
	change := registry.Edit{Name: e.Name, Status: e.Status, Reason: e.Reason, Height: e.Height, Side: e.Side}
	if p := e.Place; p != nil {
		at, err := p.point()
		if err != nil {
			return registry.Edit{}, err
		}
		change.Place = &ingest.Place{From: p.From, Exact: at}
	}
	if f := e.Installation; f != nil {
		change.Installation = &ingest.Installation{From: f.From, Kit: f.Kit, Sensors: f.Sensors}
	}
	if x := e.Exposure; x != nil {
		change.Exposure = &ingest.ExposedSince{From: x.From, Exposure: x.Is}
	}
	return change, nil
}

// patchStation changes what an owner may change. The administrator may also approve a station, suspend it, and lift a
// suspension with the status active: the station then has its earlier status again.
func (s *Service) patchStation(w http.ResponseWriter, r *http.Request, st *ingest.Station, by registry.By) error {
	var e edit
	if err := httpapi.ReadJSON(w, r, &e); err != nil {
		return err
	}
	change, err := e.change()
	if err != nil {
		return err
	}
	if err := s.registry.Edit(r.Context(), st.ID, by, change); err != nil {
		return err
	}
	st, _ = s.registry.Station(st.ID)
	return httpapi.JSON(w, http.StatusOK, geoJSON, s.document.Of(st, time.Now().UTC()))
}

// deleteStation retires a station; its readings stay, detached from the owner, unless the request erases them too.
func (s *Service) deleteStation(w http.ResponseWriter, r *http.Request, st *ingest.Station, by registry.By) error {
	end := s.registry.Retire
	if httpapi.NewQuery(r).Text("readings") == "erase" {
		end = s.registry.Erase
	}
	if err := end(r.Context(), st.ID, by); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postToken replaces a station's token, and answers with the settings that contain it.
func (s *Service) postToken(w http.ResponseWriter, r *http.Request, st *ingest.Station, by registry.By) error {
	token, err := s.registry.Rotate(r.Context(), st.ID, by)
	if err != nil {
		return err
	}
	answer, err := s.settings(r, st, token)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.JSON(w, http.StatusOK, jsonType, answer)
}

// renewal is the body of a request for a new management link.
type renewal struct {
	HandOver bool `json:"hand_over"` // to another person: the owner's e-mail address is deleted
}

// postManageToken replaces a station's management link, for its owner or, with hand_over, for another person.
func (s *Service) postManageToken(w http.ResponseWriter, r *http.Request, st *ingest.Station, by registry.By) error {
	var ask renewal
	if err := httpapi.ReadJSON(w, r, &ask); err != nil {
		return err
	}
	token, err := s.registry.Renew(r.Context(), st.ID, by, ask.HandOver)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.JSON(w, http.StatusOK, jsonType, s.management(r, st.ID, token))
}

// getManage answers with what only the owner sees of a station.
func (s *Service) getManage(w http.ResponseWriter, r *http.Request, st *ingest.Station, _ registry.By) error {
	changes, err := s.registry.Changes(r.Context(), st.ID, shownChanges)
	if err != nil {
		return err
	}
	at := geo.Published(st.Places[len(st.Places)-1].Exact)
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.JSON(w, http.StatusOK, jsonType, ownView{s.document.Of(st, time.Now().UTC()), ownPart{lonLat{at[0], at[1]}, st.Email, Changes(changes), s.noticesOf(st.ID)}})
}

// ownView is a station as only its owner sees it.
type ownView struct {
	Station any `json:"station"` // its Document
	ownPart
}

type ownPart struct {
	lonLat              // the exact place
	Email   string      `json:"email"`
	Changes []Change    `json:"changes"`
	Notices noticesView `json:"notices"`
}

func (s *Service) ownSchema() openapi.Schema {
	return openapi.Schema{"type": "object"}.With("station", s.document.Schema).And(openapi.SchemaOf(ownPart{}))
}
