package stations

import (
	"net/http"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/registry"
)

// RegistrationRoutes returns the addresses that register a station.
func (s *Service) RegistrationRoutes() []openapi.Route {
	return []openapi.Route{{
		Method: "POST", Path: "/api/v1/stations", Handler: s.answer(s.postStation), Group: "stations", ID: "addStation",
		Summary: bilingual.Of("Register a station.", "Eine Station anmelden."),
		About:   bilingual.Of("The tokens in the answer are shown only once.", "Die Token in der Antwort erscheinen nur dieses eine Mal."),
		Body:    []openapi.Content{{Type: jsonType, Schema: openapi.SchemaOf(newStation{})}},
		Answers: []openapi.Answer{{Status: http.StatusCreated, Forms: []openapi.Content{{Type: jsonType, Schema: openapi.SchemaOf(registered{})}}}},
	}, {
		Method: "POST", Path: "/api/v1/cell", Handler: s.answer(s.postCell), Group: "stations", ID: "getPublicCell",
		Summary: bilingual.Of("The 100 m cell that will be public of a place. Nothing is kept.", "Die 100-m-Zelle, die von einem Ort öffentlich wird. Nichts wird behalten."),
		Body:    []openapi.Content{{Type: jsonType, Schema: openapi.SchemaOf(position{})}}, Answers: openapi.AnswerOf(geoJSON, openapi.SchemaOf(cellFeature{})),
	}}
}

// newStation is the body of a registration.
type newStation struct {
	Name string `json:"name"`
	position
	Kit            string          `json:"kit"`
	Sensors        []string        `json:"sensors"`
	Height         *float64        `json:"height"` // null when not known
	Side           string          `json:"side"`   // optional
	Exposure       ingest.Exposure `json:"exposure"`
	Email          string          `json:"email"`
	Device         *newDevice      `json:"device"` // optional
	LicenceConsent bool            `json:"licence_consent"`
}

// newDevice identifies a device in its own firmware's topics, such as an AirGradient by its serial number.
type newDevice struct {
	Family string `json:"family"`
	Key    string `json:"key"`
}

// registration returns the registry's form of the body; address is that of the request's sender.
func (n newStation) registration(address string) (registry.Registration, error) {
	place, err := n.point()
	if err != nil {
		return registry.Registration{}, err
	}
	var devices []ingest.Device
	if n.Device != nil {
		devices = []ingest.Device{{Family: n.Device.Family, Key: n.Device.Key}}
	}
	return registry.Registration{
		Name: n.Name, Point: place, Kit: n.Kit, Sensors: n.Sensors, Height: n.Height, Side: n.Side, Exposure: n.Exposure,
		Email: n.Email, Devices: devices, LicenceConsent: n.LicenceConsent, Address: address,
	}, nil
}

// postStation registers a station and answers with its credentials, once.
func (s *Service) postStation(w http.ResponseWriter, r *http.Request) error {
	var n newStation
	if err := httpapi.ReadJSON(w, r, &n); err != nil {
		return err
	}
	registration, err := n.registration(httpapi.Address(r))
	if err != nil {
		return err
	}
	credentials, st, err := s.registry.Add(r.Context(), registration)
	if err != nil {
		return err
	}
	s.welcome(r, st.ID, st.Email)
	answer, err := s.settings(r, st, credentials.Token)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/api/v1/stations/"+st.ID)
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.JSON(w, http.StatusCreated, jsonType, registered{answer, s.management(r, st.ID, credentials.ManageToken)})
}

// registered is the answer to a registration; the credentials are only in this answer.
type registered struct {
	settings
	management
}
