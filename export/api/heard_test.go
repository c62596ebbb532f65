package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// diagnosis is a part of a station's health.
type diagnosis struct {
	State    string
	LastSeen *string `json:"last_seen"`
	Heard    *heard
	Refusals []ingest.ExplainedRefusal
}

// healthOf returns a station's diagnosis; a key is a management token, or empty.
func (h *fixture) healthOf(key string) (found diagnosis) {
	h.t.Helper()
	var header []string
	if key != "" {
		header = []string{"Authorization", "Bearer " + key}
	}
	response, body := h.do("GET", "/api/v1/stations/"+h.station.ID+"/health", "", header...)
	if err := json.Unmarshal(body, &found); err != nil || response.StatusCode != 200 {
		h.t.Fatalf("%s %s: %v", response.Status, body, err)
	}
	return found
}

// TestHeard expects the last contact of a station beside its last value, from what the process heard, and else from
// readings and refusals that others have left.
func TestHeard(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	now := time.Now().UTC().Truncate(time.Second)
	f := func(what string, seen bool, at time.Time, over string, taken bool, want string) {
		t.Helper()
		found := h.healthOf("")
		if (found.LastSeen != nil) != seen {
			t.Errorf("%s: last seen %v, want %v", what, found.LastSeen, seen)
		}
		got := found.Heard
		if got == nil || got.Time != at.Format(time.RFC3339) || got.Over != over || got.Taken != taken || got.EN != want || got.DE == "" {
			t.Errorf("%s: heard %+v, want %v, %q, %v, %q", what, got, at, over, taken, want)
		}
	}
	if found := h.healthOf(""); found.Heard != nil || found.State != "new" {
		t.Errorf("a new station: %+v", found)
	}
	var contact ingest.Contact
	h.server.Heard = func(string) (ingest.Contact, bool) { return contact, !contact.At.IsZero() }
	contact = ingest.Contact{At: now.Add(-3*time.Minute + 1500*time.Microsecond), Over: ingest.HTTP, Ignored: []string{"temp", "ecda3b1e0000"}}
	f("unknown names", false, now.Add(-3*time.Minute), "http", false, `nothing usable: unknown names "temp", did you mean "temperature"?; "…"`)
	if err := h.server.Registry.KeepRefusals(t.Context(), []ingest.Refusal{
		{Station: h.station.ID, Received: now.Add(-4 * time.Minute), Reason: wire.Malformed}, {Station: h.station.ID, Received: now.Add(-3*time.Minute + time.Millisecond), Reason: wire.UnknownMember},
	}); err != nil {
		t.Fatal(err)
	}
	f("the refusal of the same", false, now.Add(-3*time.Minute), "http", false, `nothing usable: unknown names "temp", did you mean "temperature"?; "…"`)
	h.measure(now.Add(-2*time.Minute), value(quantity.PM10, 20))
	f("a reading by another process", true, now.Add(-2*time.Minute), "", true, "values taken")
	if err := h.server.Registry.KeepRefusals(t.Context(), []ingest.Refusal{
		{Station: h.station.ID, Received: now.Add(-time.Minute), Reason: wire.NotANumber, Field: "pm10"}, {Station: h.station.ID, Received: now.Add(-time.Minute), Reason: wire.Clock},
	}); err != nil {
		t.Fatal(err)
	}
	f("a refusal by another process", true, now.Add(-time.Minute), "", false, "nothing usable. "+wire.Clock.Explain().English)
	contact = ingest.Contact{At: now, Over: ingest.MQTT, Taken: true}
	f("values", true, now, "mqtt", true, "values taken")
	h.server.Heard = nil
	f("without the intake", true, now.Add(-time.Minute), "", false, "nothing usable. "+wire.Clock.Explain().English)
}

// TestHealthForEveryone expects no topic, payload and serial number in public, in the diagnosis as in the feed, and all
// of them for the owner and the administrator.
func TestHealthForEveryone(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	admin, err := h.server.Registry.EnsureAdmin(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	const serial = "ecda3b1e0000"
	h.server.Heard = func(string) (ingest.Contact, bool) {
		return ingest.Contact{At: time.Now(), Ignored: []string{serial + "_pm"}}, true
	}
	if err := h.server.Registry.KeepRefusals(t.Context(), []ingest.Refusal{{
		Station: h.station.ID, Received: time.Now().Add(-time.Minute), Reason: wire.Forbidden, Field: serial, Detail: `publish to "airgradient/readings/` + serial + `" is not allowed`,
	}}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{h.owner.ManageToken, admin} {
		found := h.healthOf(key)
		if !strings.Contains(found.Refusals[0].Detail, serial) || found.Refusals[0].Field != serial || !strings.Contains(found.Heard.EN, serial) {
			t.Errorf("whoever manages it reads %+v, %+v", found.Refusals, found.Heard)
		}
	}
	for _, key := range []string{"", "wrong", h.owner.Token} {
		found := h.healthOf(key)
		if found.Refusals[0].Detail != `publish to "…" is not allowed` || found.Refusals[0].Field != "" || found.Heard.EN != `nothing usable: unknown names "…"` {
			t.Errorf("with the key %q one reads %+v, %+v", key, found.Refusals, found.Heard)
		}
	}
	route := "/api/v1/stations/" + h.station.ID
	for _, address := range []string{route, route + "/health", "/feeds/stations/" + h.station.ID + ".atom", "/sta/v1.1/Things", "/ogc/collections/stations/items"} {
		if body := h.get(address); strings.Contains(string(body), serial) {
			t.Errorf("%s has the serial number: %s", address, body)
		}
	}
}
