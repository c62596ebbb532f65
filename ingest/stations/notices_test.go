package stations

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"stadtluft/ingest/registry"
)

// TestNotices sets notices with the management token and follows the links of mails without one.
func TestNotices(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	var made struct {
		ID     string
		Manage string `json:"manage_token"`
	}
	h.ask("POST", "/api/v1/stations", strings.Replace(registration, "{", `{"email":"anna@example.org",`, 1), http.StatusCreated, &made)
	bearer := []string{"Authorization", "Bearer " + made.Manage, "Accept-Language", "de-DE,de;q=0.9"}
	route := "/api/v1/stations/" + made.ID + "/notices"
	if w := h.registry.Notices(made.ID).Wanted; w != (registry.Wanted{Email: "anna@example.org", Language: "en", Silent: true, Check: true}) {
		t.Errorf("a registration with an address wants %+v", w)
	}
	f := func(status int, body, words string, header ...string) {
		t.Helper()
		response, answer := h.Do("PUT", route, body, header...)
		if response.StatusCode != status || !strings.Contains(string(answer), words) {
			t.Errorf("%s: %s %s, want %d and %q", body, response.Status, answer, status, words)
		}
	}
	f(http.StatusUnauthorized, `{}`, "Verwaltungslink", "Accept-Language", "de")
	f(http.StatusUnprocessableEntity, `{"email":"anna","silent":true}`, "keine E-Mail-Adresse", bearer...)
	f(http.StatusUnprocessableEntity, `{"hook":"http://127.0.0.1/","hook_kind":"json","silent":true}`, "öffentliche Netz", bearer...)
	f(http.StatusUnprocessableEntity, `{"hook":"https://example.org/","hook_kind":"json"}`, "Nichts ist angekreuzt", bearer...)
	f(http.StatusBadRequest, `{"mail":"a@example.org"}`, "JSON-Objekt", bearer...)
	f(http.StatusOK, `{"email":"berta@example.org","hook":"https://ntfy.sh/berta","hook_kind":"ntfy","silent":true,"week":true}`,
		`{"mail":true,"hooks":true,"confirmed":false,"asked":true,"email":"berta@example.org","hook":"https://ntfy.sh/berta","hook_kind":"ntfy","silent":true,"check":false,"week":true}`, bearer...)
	n := h.registry.Notices(made.ID)
	if n.Wanted.Language != "de" {
		t.Errorf("the language is %q, want that of the page", n.Wanted.Language)
	}
	g := func(status int, action, token, body string) {
		t.Helper()
		response, answer := h.Do("POST", "/notices/"+action+"/"+made.ID+"/"+token, body, "Content-Type", "application/x-www-form-urlencoded")
		if response.StatusCode != status {
			t.Errorf("%s: %s %s, want %d", action, response.Status, answer, status)
		}
	}
	g(http.StatusNotFound, "confirm", "wrong", "")
	g(http.StatusOK, "confirm", n.Token, "")
	var managed struct {
		Notices map[string]any
	}
	if _, answer := h.Do("GET", "/api/v1/stations/"+made.ID+"/manage", "", bearer...); json.Unmarshal(answer, &managed) != nil || managed.Notices["confirmed"] != true {
		t.Errorf("managed %v", managed)
	}
	g(http.StatusNotFound, "unsubscribe", "wrong", "List-Unsubscribe=One-Click")
	g(http.StatusOK, "unsubscribe", n.Token, "List-Unsubscribe=One-Click")
	g(http.StatusNotFound, "unsubscribe", n.Token, "List-Unsubscribe=One-Click")
	if w := h.registry.Notices(made.ID).Wanted; w.Email != "" || w.Hook == "" {
		t.Errorf("after the click there is %+v", w)
	}
	for i := range registry.MailsPerStation {
		h.Do("PUT", route, `{"email":"c`+string(rune('a'+i))+`@example.org","silent":true}`, bearer...)
	}
	f(http.StatusTooManyRequests, `{"email":"last@example.org","silent":true}`, "morgen wieder", bearer...)
}

// TestWhatAServerDoesNotOffer asks a server without SMTP and webhooks.
func TestWhatAServerDoesNotOffer(t *testing.T) {
	for words, ask := range map[string]wanted{"no mails": {Email: "a@example.org", Silent: true}, "no webhooks": {Hook: "https://ntfy.sh/a", Silent: true}} {
		if err := (Notices{}).offers(ask); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%+v: %v", ask, err)
		}
	}
	if err := (Notices{}).offers(wanted{Email: "a@example.org"}); err != nil {
		t.Errorf("an address for the city alone: %v", err)
	}
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{"192.0.2.77": "192.0.2.0/24", "2001:db8:1:2::": "2001:db8:1::/48", "somewhere": "somewhere"} {
		if got := network(address); got != want {
			t.Errorf("network(%s) = %s, want %s", address, got, want)
		}
	}
}
