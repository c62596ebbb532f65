package stations

import (
	"net/http"
	"net/url"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
)

// settings is what an owner needs to set up a station.
type settings struct {
	ID       string        `json:"id"`
	Token    string        `json:"token"`
	Status   ingest.Status `json:"status"`
	Public   lonLat        `json:"public"`
	Cell     string        `json:"cell"`
	MQTT     mqttAccess    `json:"mqtt"`
	Settings []kits.Recipe `json:"settings"`
}

type mqttAccess struct {
	Host  string `json:"host"`
	Port  int    `json:"port"`
	Topic string `json:"topic"`
}

// management holds the address and token of a station's management page.
type management struct {
	Token string `json:"manage_token"`
	Link  string `json:"manage_link"`
}

// settings returns a station's settings with its token, which cannot be read again later.
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
		MQTT: mqttAccess{access.MQTTHost, access.MQTTPort, wire.WithRoot(access.Root, wire.ReadingTopic(st.ID))}, Settings: kits.Recipes(access),
	}, nil
}

// management returns the address of a station's page with its token in the fragment, which browsers do not send: it is
// in no server log and no Referer.
func (s *Service) management(r *http.Request, id, token string) management {
	link := AccessFor(r, s.access).HTTP
	link.Path, link.Fragment = "/stations/"+id, "manage="+token
	return management{token, link.String()}
}

// AccessFor returns how stations reach the city, as the sender of the request sees it: empty hosts are the request's.
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
