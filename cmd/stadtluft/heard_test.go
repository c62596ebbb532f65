package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// health is a part of a station's diagnosis.
type health struct {
	State    string  `json:"state"`
	LastSeen *string `json:"last_seen"`
	Heard    *struct {
		Time, Over, EN string
		Taken          bool
	} `json:"heard"`
	Refusals []struct{ Reason, Field, Detail string } `json:"refusals"`
}

// health returns a station's diagnosis; the key is its management token, or empty.
func (p *process) health(station, key string) (found health, text string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+"/api/v1/stations/"+station+"/health", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || json.Unmarshal(body, &found) != nil {
		p.t.Fatalf("health of %s: %s %v", station, body, err)
	}
	return found, string(body)
}

// useless are messages of firmware that a volunteer has set up nearly right, with what becomes of them.
var useless = []struct{ family, part, payload, want string }{
	{"ttn", "", `{"uplink_message":{"frm_payload":"AC0=","decoded_payload":{"temperature_1":20,"temperature_2":21}}}`, `nothing usable: unknown names "temperature_1", "temperature_2", which of them is "temperature"?`},
	{"airrohr", "", `{"sensordatavalues":[{"value_type":"PM25","value":"6.1"}]}`, `nothing usable: unknown names "PM25", did you mean "pm2_5"?`},
	{"tasmota", "/tele/SENSOR", `{"Time":"2026-05-01T10:00:00","MYSENSOR":{"Temperature":20}}`, `nothing usable: unknown names "MYSENSOR.Temperature", did you mean "temperature"?`},
	{"airgradient", "", `{"boot":1}`, `nothing usable: unknown names "boot"`},
	{"smartcitizen", "", `{t:2026-05-01T10:00:00Z,14:33}`, `nothing usable: unknown names "14"`},
	{"esphome", "/sensor/uptime/state", `300`, `nothing usable: unknown names "uptime"`},
}

// TestAStationIsHeard has each firmware send something useless, over MQTT and HTTP: nobody reads that the station has
// never reported.
func TestAStationIsHeard(t *testing.T) {
	p := launch(t, t.TempDir())
	for _, u := range useless {
		r := p.register(t, "")
		if found, text := p.health(r.ID, ""); found.Heard != nil || found.State != "new" {
			t.Fatalf("before its first message: %s", text)
		}
		topic := "stadtluft/v1/" + r.ID + "/"
		station, told := client(t, p.mqtt, r, topic+"feedback")
		eventually(t, u.family+" over MQTT to be heard", func() bool {
			if !says(station, topic+"kit/"+u.family+u.part, u.payload) {
				return false
			}
			found, _ := p.health(r.ID, "")
			return found.Heard != nil && found.Heard.Over == "mqtt" && !found.Heard.Taken && found.Heard.EN == u.want && found.LastSeen == nil && found.State == "new"
		})
		if u.family != "esphome" { // a single value is a part of a reading: the owner is told after a minute
			if words := next(told, patience); !strings.Contains(words, `"unknown_member"`) {
				t.Errorf("%s: feedback %q, want the unknown names", u.family, words)
			}
		}
		if u.family == "esphome" {
			continue // its topic is a part of what it says
		}
		status, answer := deliver(t, p.url+"/api/v1/push/"+u.family, r.ID, r.Token, []byte(u.payload))
		if found, text := p.health(r.ID, ""); found.Heard == nil || found.Heard.Over != "http" || found.Heard.EN != u.want {
			t.Errorf("%s over HTTP is answered %d %s, health is %s, want %s", u.family, status, answer, text, u.want)
		}
	}
}

// TestSerialNumbersStayPrivate has a kit publish on another's topic: the owner reads on which, everybody else does not.
func TestSerialNumbersStayPrivate(t *testing.T) {
	const serial = "ecda3b1e0000"
	p := launch(t, t.TempDir())
	r := p.register(t, "")
	station, _ := client(t, p.mqtt, r, "stadtluft/v1/"+r.ID+"/feedback")
	eventually(t, "the refusal", func() bool {
		says(station, "airgradient/readings/"+serial, `{"pm02":9}`)
		found, _ := p.health(r.ID, r.Manage)
		return len(found.Refusals) > 0 && strings.Contains(found.Refusals[0].Detail, serial)
	})
	for _, route := range []string{"/api/v1/stations/" + r.ID + "/health", "/feeds/stations/" + r.ID + ".atom", "/api/v1/stations/" + r.ID} {
		if body := p.get(route); bytes.Contains(body, []byte(serial)) {
			t.Errorf("%s has the serial number: %s", route, body)
		}
	}
}

// TestAnEmptyDeliveryIsHeard expects the owner to read of a delivery that nobody could take for a message.
func TestAnEmptyDeliveryIsHeard(t *testing.T) {
	p := launch(t, t.TempDir())
	r := p.register(t, "")
	begin := time.Now().UTC().Truncate(time.Second)
	if status, answer := deliver(t, p.url+"/api/v1/push/native", r.ID, r.Token, nil); status != http.StatusBadRequest {
		t.Fatalf("an empty delivery is answered %d %s", status, answer)
	}
	eventually(t, "the refusal", func() bool {
		found, _ := p.health(r.ID, "")
		if found.Heard == nil || found.Heard.Over != "http" || len(found.Refusals) == 0 {
			return false
		}
		at, err := time.Parse(time.RFC3339, found.Heard.Time)
		return err == nil && !at.Before(begin) && found.Refusals[0].Detail == "the request has no body"
	})
}

// TestTooManyDeliveries expects a station that sends more than it may to wait, and its owner to read why.
func TestTooManyDeliveries(t *testing.T) {
	p := launch(t, t.TempDir(), "STADTLUFT_MQTT_RATE=0.01", "STADTLUFT_MQTT_BURST=2")
	r := p.register(t, "")
	var statuses []int
	for range 3 {
		status, _ := deliver(t, p.url+"/api/v1/push/native", r.ID, r.Token, []byte(`{"pm10":20}`))
		statuses = append(statuses, status)
	}
	if want := []int{202, 202, 429}; !slices.Equal(statuses, want) {
		t.Errorf("answered %v, want %v", statuses, want)
	}
	eventually(t, "the owner to read why", func() bool {
		found, _ := p.health(r.ID, "")
		return len(found.Refusals) == 1 && found.Refusals[0].Reason == "too_fast"
	})
}
