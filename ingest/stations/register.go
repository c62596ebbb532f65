package stations

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/registry"
)

// geoJSON is the media type of a feature (RFC 7946).
const geoJSON = "application/geo+json"

// RegistrationRoutes returns the addresses that register a station.
func (s *Service) RegistrationRoutes() []openapi.Route {
	return []openapi.Route{{
		Method: "POST", Path: "/api/v1/stations", Handler: s.answer(s.postStation), Group: "stations", ID: "addStation",
		Summary: text("Register a station.", "Eine Station anmelden."),
		About:   text("The tokens in the answer are shown only once.", "Die Token in der Antwort erscheinen nur dieses eine Mal."),
		Body:    []openapi.Content{{Type: "application/json", Schema: openapi.SchemaOf(newStation{})}},
		Answers: []openapi.Answer{{Status: http.StatusCreated, Forms: []openapi.Content{{Type: "application/json", Schema: openapi.SchemaOf(registered{})}}}},
	}, {
		Method: "POST", Path: "/api/v1/cell", Handler: s.answer(s.postCell), Group: "stations", ID: "getPublicCell",
		Summary: text("The 100 m cell that will be public of a place. Nothing is kept.", "Die 100-m-Zelle, die von einem Ort öffentlich wird. Nichts wird behalten."),
		Body:    []openapi.Content{{Type: "application/json", Schema: openapi.SchemaOf(position{})}}, Answers: openapi.AnswerOf(geoJSON, openapi.SchemaOf(cellFeature{})),
	}}
}

// position is a place as bodies give it, in degrees.
type position struct {
	Lon *float64 `json:"lon"`
	Lat *float64 `json:"lat"`
}

// point is the place, which must be there.
func (p position) point() (orb.Point, error) {
	if p.Lon == nil || p.Lat == nil {
		return orb.Point{}, httpapi.New(http.StatusUnprocessableEntity, "lon, lat", "lon and lat: say where the station stands, in degrees").
			InGerman("lon und lat: Sag in Grad, wo die Station steht.")
	}
	return orb.Point{*p.Lon, *p.Lat}, nil
}

// postCell shows the 100 m cell that will be public of a place, and says what is wrong with a place where no station can
// stand. Nothing of the request is kept; it is no GET, because addresses stand in proxies' logs.
func (s *Service) postCell(w http.ResponseWriter, r *http.Request) error {
	var ask position
	if err := httpapi.ReadJSON(w, r, &ask); err != nil {
		return err
	}
	p, err := ask.point()
	if err != nil {
		return err
	}
	if err := s.registry.CheckPlace(p); err != nil {
		return err
	}
	cell, err := geo.CellAt(p, geo.BaseSize)
	if err != nil {
		return err
	}
	at := geo.Published(cell.Center())
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.JSON(w, http.StatusOK, geoJSON, cellFeature{
		"Feature", cell.String(), polygon{"Polygon", cell.Polygon()}, cellProperties{cell.String(), lonLat{at[0], at[1]}, s.boundary.Contains(p)},
	})
}

// cellFeature is the public cell of a place.
type cellFeature struct {
	Type       string         `json:"type"`
	ID         string         `json:"id"`
	Geometry   polygon        `json:"geometry"`
	Properties cellProperties `json:"properties"`
}

type polygon struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

type cellProperties struct {
	Cell string `json:"cell"`
	lonLat
	Within bool `json:"within"` // of the city
}

// newStation is the body of a registration.
type newStation struct {
	Name string `json:"name"`
	position
	Kit            string          `json:"kit"`
	Sensors        []string        `json:"sensors"`
	Height         float64         `json:"height"`
	Side           string          `json:"side"` // optional
	Exposure       ingest.Exposure `json:"exposure"`
	Email          string          `json:"email"`
	Device         *newDevice      `json:"device"` // optional
	LicenceConsent bool            `json:"licence_consent"`
}

// newDevice is a station's name in its own firmware's world, such as an AirGradient's serial number.
type newDevice struct {
	Family string `json:"family"`
	Key    string `json:"key"`
}

// postStation registers a station and answers with its credentials, once.
func (s *Service) postStation(w http.ResponseWriter, r *http.Request) error {
	var n newStation
	if err := httpapi.ReadJSON(w, r, &n); err != nil {
		return err
	}
	place, err := n.point()
	if err != nil {
		return err
	}
	var devices []ingest.Device
	if n.Device != nil {
		devices = []ingest.Device{{Family: n.Device.Family, Key: n.Device.Key}}
	}
	credentials, st, err := s.registry.Add(r.Context(), registry.Registration{
		Name: n.Name, Point: place, Kit: n.Kit, Sensors: n.Sensors, Height: n.Height, Side: n.Side, Exposure: n.Exposure,
		Email: n.Email, Devices: devices, LicenceConsent: n.LicenceConsent, Address: address(r),
	})
	if err != nil {
		return err
	}
	answer, err := s.settings(r, st, credentials.Token)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/api/v1/stations/"+st.ID)
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.JSON(w, http.StatusCreated, "application/json", registered{answer, s.management(r, st.ID, credentials.ManageToken)})
}

// settings is what an owner needs to set a station up.
type settings struct {
	ID       string        `json:"id"`
	Token    string        `json:"token"`
	Status   ingest.Status `json:"status"`
	Public   lonLat        `json:"public"`
	Cell     string        `json:"cell"`
	MQTT     mqttAccess    `json:"mqtt"`
	Settings []kits.Recipe `json:"settings"`
}

type lonLat struct {
	Lon float64 `json:"lon"`
	Lat float64 `json:"lat"`
}

type mqttAccess struct {
	Host  string `json:"host"`
	Port  int    `json:"port"`
	Topic string `json:"topic"`
}

// management is how an owner gets at a station's management.
type management struct {
	Token string `json:"manage_token"`
	Link  string `json:"manage_link"`
}

// registered is what a new owner gets, once.
type registered struct {
	settings
	management
}

// settings are a station's; the token is to be had only now.
func (s *Service) settings(r *http.Request, st *ingest.Station, token string) (settings, error) {
	public := st.Places[len(st.Places)-1].Public
	cell, err := geo.CellAt(public, geo.BaseSize)
	if err != nil {
		return settings{}, err
	}
	at, access := geo.Published(public), AccessFor(r, s.access)
	access.Station, access.Token, access.Serial = st.ID, token, st.Device("airgradient")
	return settings{
		ID: st.ID, Token: token, Status: st.Status, Public: lonLat{at[0], at[1]}, Cell: cell.String(),
		MQTT: mqttAccess{access.MQTTHost, access.MQTTPort, wire.ReadingTopic(st.ID)}, Settings: kits.Recipes(access),
	}, nil
}

func (s *Service) management(r *http.Request, id, token string) management {
	return management{token, s.manageLink(r, id, token)}
}

// manageLink is the station's page with its key in the fragment, which browsers keep to themselves: it reaches no
// server's log and no Referer.
func (s *Service) manageLink(r *http.Request, id, token string) string {
	link := AccessFor(r, s.access).HTTP
	link.Path, link.Fragment = "/stations/"+id, "manage="+token
	return link.String()
}

// AccessFor returns how stations reach the city, as whoever sent the request sees it: hosts that are empty are the request's.
func AccessFor(r *http.Request, a kits.Access) kits.Access {
	if a.HTTP.Host == "" {
		a.HTTP = url.URL{Scheme: "http", Host: r.Host}
		if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
			a.HTTP.Scheme = "https"
		}
	}
	if a.MQTTHost == "" {
		a.MQTTHost = a.HTTP.Hostname()
	}
	return a
}

// address is who asks. Behind a proxy on this host it is the last address the proxy saw. Of an IPv6
// address only the network counts: whoever has one has all of its addresses.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip := net.ParseIP(host)
	if seen := r.Header.Get("X-Forwarded-For"); seen != "" && ip != nil && ip.IsLoopback() {
		host = strings.TrimSpace(seen[strings.LastIndexByte(seen, ',')+1:])
		ip = net.ParseIP(host)
	}
	if ip != nil && ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return host
}
