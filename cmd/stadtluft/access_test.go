package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// accessRoles are the columns of testdata/access.txt.
var accessRoles = [...]string{"anyone", "other", "station", "manager", "admin"}

// access asks a running server what is in the table.
type access struct {
	*process
	admin    string // token
	requests int
	other    registered // a station whose tokens must not help
}

// accessRow is a line of the table.
type accessRow struct {
	method, address, body string
	want                  [len(accessRoles)]string
}

func readAccess(t *testing.T) (rows []accessRow) {
	text, err := os.ReadFile(filepath.Join("testdata", "access.txt"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`^(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*(.*)$`)
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "# ") || line == "#" {
			continue
		}
		parts := row.FindStringSubmatch(line)
		if parts == nil {
			t.Fatalf("access.txt: line %d is no method, address and five answers: %s", i+1, line)
		}
		rows = append(rows, accessRow{parts[1], parts[2], parts[8], [len(accessRoles)]string(parts[3:8])})
	}
	return rows
}

// TestAccess holds a running server against the table of who may do what, for every operation that it describes.
func TestAccess(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: asks some hundred questions of a server")
	}
	const token = "7k2m9qx4vbt8w3hn5c0rz6jdpg"
	a := &access{process: launch(t, t.TempDir(), "STADTLUFT_ADMIN_TOKEN="+token), admin: token}
	a.other = a.newStation(t, false)
	rows := readAccess(t)
	for _, row := range rows {
		for i, role := range accessRoles {
			if got := a.ask(t, row, role); got != row.want[i] {
				t.Errorf("%s %s %s as %s: %s, want %s", row.method, row.address, row.body, role, got, row.want[i])
			}
		}
	}
	a.knowsAll(t, rows)
}

// knowsAll expects a line for each operation of the description.
func (a *access) knowsAll(t *testing.T, rows []accessRow) {
	var description struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(a.get("/api/openapi.json"), &description); err != nil {
		t.Fatal(err)
	}
	operations := 0
	for path, methods := range description.Paths {
		pattern := regexp.MustCompile("^" + regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + `(\?.*)?$`)
		for method := range methods {
			if method = strings.ToUpper(method); method == "PARAMETERS" {
				continue
			}
			operations++
			found := false
			for _, row := range rows {
				found = found || row.method == method && pattern.MatchString(row.address)
			}
			if !found {
				t.Errorf("testdata/access.txt does not say who may %s %s", method, path)
			}
		}
	}
	if operations < 40 {
		t.Errorf("the description has %d operations", operations)
	}
}

// send sends a request from an address that has sent none, so that no limit of an address is in the way.
func (a *access) send(t *testing.T, method, address, body string, login func(*http.Request)) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, a.url+address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	a.requests++
	request.Header.Set("X-Forwarded-For", fmt.Sprintf("10.1.%d.%d", a.requests>>8, a.requests&0xff))
	if strings.HasPrefix(body, "{") {
		request.Header.Set("Content-Type", "application/json")
	}
	if login(request); strings.HasSuffix(address, "/stream") {
		request.Header.Set("Accept", "text/event-stream")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// newStation registers a station, and suspends it if it is to be hidden.
func (a *access) newStation(t *testing.T, hidden bool) (made registered) {
	t.Helper()
	response := a.send(t, "POST", "/api/v1/stations", `{"name":"Hof","lon":6.9583,"lat":50.9413,"kit":"sds011-bme280","height":3,"exposure":"outdoor","licence_consent":true}`, func(*http.Request) {})
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || made.ID == "" {
		t.Fatalf("registration: %s %v", response.Status, err)
	}
	if hidden {
		if r := a.send(t, "PATCH", "/api/v1/stations/"+made.ID, `{"status":"suspended","reason":"for the test"}`, bearer(a.admin)); r.StatusCode != http.StatusOK {
			t.Fatalf("suspend: %s", r.Status)
		}
	}
	return made
}

// ask returns the answer to a role's request about a station of its own.
func (a *access) ask(t *testing.T, row accessRow, role string) string {
	t.Helper()
	hidden := strings.Contains(row.address, "{hidden}")
	of := a.other
	if hidden || strings.Contains(row.address, "{id}") || row.method == "POST" || row.method == "PUBLISH" || row.method == "SUBSCRIBE" {
		of = a.newStation(t, hidden)
	}
	address := strings.NewReplacer("{id}", of.ID, "{hidden}", of.ID).Replace(row.address)
	switch row.method {
	case "PUBLISH", "SUBSCRIBE":
		return a.speak(t, row, address, role, of)
	}
	basic := strings.HasPrefix(row.address, "/api/v1/push/") || row.address == "/write"
	response := a.send(t, row.method, address, row.body, func(r *http.Request) {
		token := a.tokenOf(role, of, basic)
		switch {
		case role == "anyone":
		case basic:
			r.SetBasicAuth(of.ID, token)
		default:
			r.Header.Set("Authorization", "Bearer "+token)
		}
	})
	if response.StatusCode >= 400 {
		if body, _ := io.ReadAll(response.Body); !strings.Contains(string(body), `"detail"`) {
			t.Errorf("%s %s as %s: %s without a sentence: %s", row.method, address, role, response.Status, body)
		}
	}
	return fmt.Sprint(response.StatusCode)
}

// tokenOf returns a role's token; of another station its own, as the log-in asks for a station's or a manager's.
func (a *access) tokenOf(role string, of registered, stations bool) string {
	switch {
	case role == "other" && stations:
		return a.other.Token
	case role == "other":
		return a.other.Manage
	case role == "station":
		return of.Token
	case role == "manager":
		return of.Manage
	}
	return a.admin
}

// speak publishes or subscribes over MQTT. Another station logs in as itself.
func (a *access) speak(t *testing.T, row accessRow, topic, role string, of registered) string {
	t.Helper()
	options := mqtt.NewClientOptions().AddBroker(a.mqtt).SetClientID("access-" + of.ID).SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(patience)
	as := of
	if role == "other" {
		as = a.newStation(t, false)
		options.SetUsername(as.ID).SetPassword(as.Token)
	} else if role != "anyone" {
		options.SetUsername(of.ID).SetPassword(a.tokenOf(role, of, true))
	}
	client := mqtt.NewClient(options)
	defer client.Disconnect(0)
	if done := client.Connect(); !done.WaitTimeout(patience) || done.Error() != nil {
		return "refused"
	}
	if row.method == "SUBSCRIBE" {
		done := client.Subscribe(topic, 1, nil).(*mqtt.SubscribeToken)
		if !done.WaitTimeout(patience) || done.Result()[topic] == 0x80 {
			return "denied"
		}
		return "granted"
	}
	outcome, before := "", a.metric("stadtluft_broker_denied_total")
	client.Publish(topic, 1, false, row.body)
	eventually(t, "an outcome of "+topic+" as "+role, func() bool {
		if rows := string(a.get("/api/v1/stations/" + of.ID + "/readings")); strings.Count(rows, "\n") > 1 {
			outcome = "taken"
		} else if !strings.Contains(string(a.get("/api/v1/stations/"+as.ID+"/health")), `"refusals":[]`) || role == "anyone" && a.metric("stadtluft_broker_denied_total") > before {
			outcome = "denied"
		}
		return outcome != ""
	})
	return outcome
}
