package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 64 << 10

type point struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"` // lon, lat
}

type stationFeature struct {
	Type       string            `json:"type"`
	ID         string            `json:"id"`
	Geometry   point             `json:"geometry"`
	Properties stationProperties `json:"properties"`
}

type stationProperties struct {
	Name     string                 `json:"name"`
	Kit      string                 `json:"kit"`
	Sensors  []string               `json:"sensors"`
	Exposure ingest.Exposure        `json:"exposure"`
	Height   float64                `json:"height"`
	Status   ingest.Status          `json:"status"`
	State    string                 `json:"state"`
	Demo     bool                   `json:"demo"`
	Source   string                 `json:"source"`  // "own", or the neighbour whose station it is
	Licence  string                 `json:"licence"` // of its readings
	LastSeen *string                `json:"last_seen"`
	Values   map[string]latestValue `json:"values"`
	Cell     string                 `json:"cell"`
	Places   []publicPlace          `json:"places,omitempty"`

	Means        map[string]stationMean       `json:"means"` // of the last 60 minutes
	Index        map[string]export.IndexClass `json:"index"` // of the means, by the index's name
	Calibrations []export.Calibration         `json:"calibrations,omitempty"`
}

type latestValue struct {
	Value float64  `json:"value"`
	Unit  string   `json:"unit"`
	Time  string   `json:"time"`
	Flags []string `json:"flags"`
	// Signal marks a gas without a calibration: a number to compare the sensor with itself, and no concentration.
	Signal bool `json:"signal,omitempty"`
}

type publicPlace struct {
	From string  `json:"from"`
	Lon  float64 `json:"lon"`
	Lat  float64 `json:"lat"`
}

// public reports whether a station is shown.
func public(st *ingest.Station) bool { return st.Shown() }

func (s *Server) feature(st *ingest.Station, now time.Time) stationFeature {
	at := st.PlaceAt(now).Public
	live := s.Now.Station(st.ID, now)
	f := stationFeature{
		Type: "Feature", ID: st.ID, Geometry: point{"Point", degrees(at)},
		Properties: stationProperties{
			Name: st.Name, Kit: st.Kit, Sensors: append([]string{}, st.Sensors...), Exposure: st.Exposure, Height: st.Height, Status: st.Status,
			State: string(live.State), Demo: st.Demo, Source: cmp.Or(st.Source, export.OwnSource), Licence: st.Licence, Values: map[string]latestValue{},
		},
	}
	if cell, err := geo.CellAt(at, geo.BaseSize); err == nil {
		f.Properties.Cell = cell.String()
	}
	if !live.LastSeen.IsZero() {
		seen := live.LastSeen.Format(time.RFC3339)
		f.Properties.LastSeen = &seen
	}
	f.Properties.judge(s.stationMeans(st.ID, now))
	for q, v := range live.Values {
		f.Properties.Values[q.String()] = latestValue{v.Value, q.Unit(), v.Time.Format(time.RFC3339), append([]string{}, v.Flags.Names()...), ingest.IsSignal(q) && !st.Calibrated(q, v.Time)}
	}
	return f
}

// degrees rounds to six decimals, about 0.1 m.
func degrees(p orb.Point) [2]float64 {
	const places = 1e6
	return [2]float64{float64(int64(p[0]*places+half(p[0]))) / places, float64(int64(p[1]*places+half(p[1]))) / places}
}

func half(v float64) float64 {
	if v < 0 {
		return -0.5
	}
	return 0.5
}

// getStations answers with the public stations and their latest values.
func (s *Server) getStations(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r.URL.Query())
	source := q.choice("source", export.AllSources, export.Sources()...)
	if err := q.done(); err != nil {
		return err
	}
	now := time.Now().UTC()
	features := []stationFeature{}
	stations := export.FromSource(s.Registry.Stations(), source)
	for _, st := range stations {
		if public(st) {
			features = append(features, s.feature(st, now))
		}
	}
	meta := s.metaOf(now, stations)
	w.Header().Set("Cache-Control", "no-cache")
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), map[string]any{
		"type": "FeatureCollection", "features": features, "licence": meta.Licence, "attribution": meta.Attribution,
		"generated": now.Format(time.RFC3339), "demo": meta.Demo, "notice": export.Notice,
	})
}

// station is the station that a route names, if it is public.
func (s *Server) station(r *http.Request) (*ingest.Station, error) {
	text := r.PathValue("id")
	id, err := registry.ParseID(text)
	if err != nil {
		return nil, newProblem(http.StatusNotFound, "id", "%v", err)
	}
	st, ok := s.Registry.Station(id)
	if !ok {
		return nil, newProblem(http.StatusNotFound, "id", "no station %s is registered", id)
	}
	return st, nil
}

func (s *Server) getStation(w http.ResponseWriter, r *http.Request) error {
	st, err := s.station(r)
	if err != nil {
		return err
	}
	if err := newQuery(r.URL.Query()).done(); err != nil {
		return err
	}
	if !public(st) {
		return newProblem(http.StatusNotFound, "id", "station %s is %s and not shown", st.ID, st.Status)
	}
	f := s.feature(st, time.Now().UTC())
	f.Properties.Calibrations = export.Calibrations(st)
	for _, p := range st.Places {
		at := degrees(p.Public)
		f.Properties.Places = append(f.Properties.Places, publicPlace{p.From.Format(time.RFC3339), at[0], at[1]})
	}
	w.Header().Set("Cache-Control", "no-cache")
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), f)
}

// keptRefusal is a refusal in words a volunteer can act on.
type keptRefusal struct {
	Time   string      `json:"time"`
	Reason wire.Reason `json:"reason"`
	Field  string      `json:"field,omitempty"`
	Detail string      `json:"detail"`
	wire.Explanation
}

// getHealth answers with a station's diagnosis. It needs no token: whoever solders has only the id.
func (s *Server) getHealth(w http.ResponseWriter, r *http.Request) error {
	st, err := s.station(r)
	if err != nil {
		return err
	}
	if err := newQuery(r.URL.Query()).done(); err != nil {
		return err
	}
	refusals, err := s.Registry.Refusals(r.Context(), st.ID)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	live, tally := s.Now.Station(st.ID, now), s.Now.Tally(st.ID, now)
	counts := map[string]int{}
	for f, n := range tally.Flags {
		counts[f.String()] = n
	}
	answer := map[string]any{
		"station": st.ID, "status": st.Status, "state": live.State, "last_seen": nil, "values_24h": tally.Values, "good_share_24h": nil,
		"flags_24h": counts, "flags": found(tally), "refusals": explained(refusals),
	}
	if !live.LastSeen.IsZero() {
		answer["last_seen"] = live.LastSeen.Format(time.RFC3339)
	}
	if tally.Values > 0 {
		answer["good_share_24h"] = export.Milli(tally.Good * 1000 / tally.Values)
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, "application/json", answer)
}

func explained(refusals []ingest.Refusal) []keptRefusal {
	list := make([]keptRefusal, len(refusals))
	for i, f := range refusals {
		list[i] = keptRefusal{f.Received.Format(time.RFC3339), f.Reason, f.Field, f.Detail, f.Reason.Explain()}
	}
	return list
}

// newStation is the body of a registration.
type newStation struct {
	Name           string          `json:"name"`
	Lon            *float64        `json:"lon"`
	Lat            *float64        `json:"lat"`
	Kit            string          `json:"kit"`
	Sensors        []string        `json:"sensors"`
	Height         float64         `json:"height"`
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

// readBody reads a JSON object without unknown members.
func readBody(w http.ResponseWriter, r *http.Request, v any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("there is more than one object")
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return newProblem(http.StatusRequestEntityTooLarge, "", "the body has more than %d bytes", maxBody)
	}
	return wrong("", "the body is not the JSON object it should be: %v", err)
}

// postStation registers a station and answers with its credentials, once.
func (s *Server) postStation(w http.ResponseWriter, r *http.Request) error {
	var n newStation
	if err := readBody(w, r, &n); err != nil {
		return err
	}
	if n.Lon == nil || n.Lat == nil {
		return newProblem(http.StatusUnprocessableEntity, "lon, lat", "lon and lat: say where the station stands, in degrees")
	}
	var devices []ingest.Device
	if n.Device != nil {
		devices = []ingest.Device{{Family: n.Device.Family, Key: n.Device.Key}}
	}
	credentials, st, err := s.Registry.Add(r.Context(), registry.Registration{
		Name: n.Name, Point: orb.Point{*n.Lon, *n.Lat}, Kit: n.Kit, Sensors: n.Sensors, Height: n.Height, Exposure: n.Exposure,
		Email: n.Email, Devices: devices, LicenceConsent: n.LicenceConsent, Address: address(r),
	})
	if err != nil {
		return err
	}
	at := degrees(st.Places[0].Public)
	cell, err := geo.CellAt(st.Places[0].Public, geo.BaseSize)
	if err != nil {
		return err
	}
	access := s.access(r)
	access.Station, access.Token = credentials.ID, credentials.Token
	access.Serial = st.Device("airgradient")
	w.Header().Set("Location", "/api/v1/stations/"+st.ID)
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusCreated, "application/json", map[string]any{
		"id": credentials.ID, "token": credentials.Token, "manage_token": credentials.ManageToken, "status": st.Status,
		"public": map[string]float64{"lon": at[0], "lat": at[1]}, "cell": cell.String(),
		"mqtt":     map[string]any{"host": access.MQTTHost, "port": access.MQTTPort, "topic": wire.ReadingTopic(st.ID)},
		"settings": kits.Recipes(access),
	})
}

// access is how stations reach the city, as whoever asks sees it.
func (s *Server) access(r *http.Request) kits.Access {
	a := s.City.Access
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

// managed is the station of a route if the request carries its management token, or the administrator's.
func (s *Server) managed(r *http.Request) (st *ingest.Station, admin bool, err error) {
	st, err = s.station(r)
	if err != nil {
		return nil, false, err
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	admin = ok && s.Registry.Admin(token)
	if !admin && (!ok || !s.Registry.Manages(st.ID, token)) {
		return nil, false, newProblem(http.StatusUnauthorized, "", "this needs the station's management token: Authorization: Bearer …")
	}
	return st, admin, nil
}

// patchStation changes what an owner may change: the name, and whether the station pauses. The
// administrator may also approve a station that waits for it.
func (s *Server) patchStation(w http.ResponseWriter, r *http.Request) error {
	st, admin, err := s.managed(r)
	if err != nil {
		return err
	}
	var change struct {
		Name   *string        `json:"name"`
		Status *ingest.Status `json:"status"`
	}
	if err := readBody(w, r, &change); err != nil {
		return err
	}
	if change.Status != nil {
		moves := st.Status == ingest.Active && *change.Status == ingest.Paused ||
			(st.Status == ingest.Paused || admin && st.Status == ingest.Pending) && *change.Status == ingest.Active
		if !moves && *change.Status != st.Status {
			p := wrongChoice("status", string(*change.Status), []string{string(ingest.Active), string(ingest.Paused)})
			p.Detail = "an owner can pause an active station and let it go on; this one is " + string(st.Status)
			return p
		}
		if err := s.Registry.SetStatus(r.Context(), st.ID, *change.Status); err != nil {
			return err
		}
	}
	if change.Name != nil {
		if err := s.Registry.Rename(r.Context(), st.ID, *change.Name); err != nil {
			return err
		}
	}
	st, _ = s.Registry.Station(st.ID)
	return writeJSON(w, http.StatusOK, export.GeoJSON.MediaType(), s.feature(st, time.Now().UTC()))
}

// deleteStation retires a station; its readings stay, detached from the owner.
func (s *Server) deleteStation(w http.ResponseWriter, r *http.Request) error {
	st, _, err := s.managed(r)
	if err != nil {
		return err
	}
	if err := s.Registry.Retire(r.Context(), st.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
