package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// nothingCrosses looks in a city for anything of another.
func nothingCrosses(t *testing.T, own, other *citySite) {
	t.Helper()
	routesHoldTheirOwn(t, own, other)
	streamHoldsItsOwn(t, own, other)
	tokensDoNotHelp(t, own, other)
}

// without fails when a text holds anything of a city.
func (c *citySite) without(t *testing.T, what, text string) {
	t.Helper()
	for _, secret := range c.secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%s holds %q of %s:\n%.2000s", what, secret, c.name, text)
		}
	}
}

// shells are pages that are the same for every station: what they show comes from the API.
var shells = regexp.MustCompile(`^(/stations/|/notices/)`)

// routesHoldTheirOwn asks for every route that access.txt lists, as the administrator, with the city's own station and with the
// other's.
func routesHoldTheirOwn(t *testing.T, own, other *citySite) {
	t.Helper()
	asked := 0
	for _, row := range readAccess(t) {
		if row.method != http.MethodGet || strings.HasSuffix(row.address, "/stream") || strings.HasSuffix(row.address, "/backup") || strings.Contains(row.address, "{hidden}") {
			continue
		}
		asked++
		about := strings.ReplaceAll(row.address, "{id}", own.station.ID)
		_, body := own.ask(t, "GET", about, own.admin, "")
		other.without(t, own.name+" "+about, body)
		if foreign := strings.ReplaceAll(row.address, "{id}", other.station.ID); foreign != about && !shells.MatchString(row.address) {
			status, body := own.ask(t, "GET", foreign, own.admin, "")
			if status != http.StatusNotFound {
				t.Errorf("%s %s: %d, want 404", own.name, foreign, status)
			}
			other.without(t, own.name+" "+foreign, strings.ReplaceAll(body, other.station.ID, "")) // which the question had
		}
	}
	if asked < 50 {
		t.Errorf("only %d routes", asked)
	}
	_, metrics := own.ask(t, "GET", "/metrics", "", "")
	if strings.Contains(metrics, `"`+other.id+`"`) || !strings.Contains(metrics, `city="`+own.id+`"`) {
		t.Errorf("metrics of %s are not its own: %s", own.name, metrics)
	}
}

// streamHoldsItsOwn follows the live stream while both stations send: the other's first.
func streamHoldsItsOwn(t *testing.T, own, other *citySite) {
	t.Helper()
	stream := own.request(t, "GET", "/api/v1/stream", "", "")
	defer stream.Body.Close()
	says(mustLogIn(t, other), other.topic(), `{"pm2_5":`+other.value+`,"pm10":41.5}`)
	client := mustLogIn(t, own)
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stream.Body); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	own.saysUntil(t, client, "41.5", "the stream of "+own.name+" to tell of its station", func() bool {
		for {
			select {
			case line := <-lines:
				other.without(t, "the stream of "+own.name, line)
				if strings.Contains(line, own.station.ID) {
					return true
				}
			default:
				return false
			}
		}
	})
}

// topic returns where a city's station publishes.
func (c *citySite) topic() string { return "stadtluft-" + c.id + "/v1/" + c.station.ID + "/reading" }

// saysUntil sends a reading every second, since two of one second are one, until a condition is met.
func (c *citySite) saysUntil(t *testing.T, client mqtt.Client, pm10, what string, condition func() bool) {
	t.Helper()
	var last time.Time
	eventually(t, what, func() bool {
		if time.Since(last) > time.Second {
			last = time.Now()
			says(client, c.topic(), `{"pm2_5":`+c.value+`,"pm10":`+pm10+`}`)
		}
		return condition()
	})
}

// tokensDoNotHelp uses everything that opens something in the other city.
func tokensDoNotHelp(t *testing.T, own, other *citySite) {
	t.Helper()
	f := func(want int, method, route, token, body string) {
		t.Helper()
		if status, answer := own.ask(t, method, route, token, body); status != want {
			t.Errorf("%s %s at %s with what is of %s: %d %s, want %d", method, route, own.name, other.name, status, answer, want)
		} else {
			other.without(t, own.name+" "+route, strings.ReplaceAll(answer, other.station.ID, ""))
		}
	}
	for _, route := range []string{"status", "stations", "refusals", "changes", "backup"} {
		f(http.StatusUnauthorized, "GET", "/api/v1/admin/"+route, other.admin, "")
	}
	for _, token := range []string{other.station.Manage, other.station.Token, other.admin} {
		f(http.StatusUnauthorized, "PATCH", "/api/v1/stations/"+own.station.ID, token, `{"name":"Mine"}`)
		f(http.StatusUnauthorized, "DELETE", "/api/v1/stations/"+own.station.ID, token, "")
		f(http.StatusNotFound, "PATCH", "/api/v1/stations/"+other.station.ID, token, `{"name":"Mine"}`)
	}
	for _, of := range []registered{{ID: other.station.ID, Token: other.station.Token}, {ID: own.station.ID, Token: other.station.Token}} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, own.url+"/api/v1/push/native", strings.NewReader(`{"pm2_5":77.77}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = own.host
		r.Header.Set("X-Forwarded-For", own.stranger())
		r.SetBasicAuth(of.ID, of.Token)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("push to %s as %s: %s", own.name, of.ID, response.Status)
		}
	}
}

// topicsDoNotCross subscribes and publishes over sessions of one city, and of nobody, to topics of the other.
func topicsDoNotCross(t *testing.T, own, other *citySite) {
	t.Helper()
	foreign := "stadtluft-" + other.id + "/v1/"
	nobody, err := logIn(own.mqtt, registered{})
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Disconnect(0)
	session := mustLogIn(t, own)
	denied := func(client mqtt.Client, filters ...string) {
		t.Helper()
		for _, filter := range filters {
			token := client.Subscribe(filter, 1, nil).(*mqtt.SubscribeToken)
			if !token.WaitTimeout(patience) || token.Result()[filter] != 0x80 {
				t.Errorf("subscription at %s to %s: %v", own.name, filter, token.Result())
			}
		}
	}
	never := []string{"#", "+/#", foreign + "#", foreign + "+/reading", foreign + other.station.ID + "/feedback", foreign + other.station.ID + "/status"}
	denied(session, append(never, foreign+"city/#", "stadtluft/v1/"+other.station.ID+"/feedback")...)
	denied(nobody, append(never, "stadtluft/v1/+/reading", "stadtluft-"+own.id+"/v1/"+own.station.ID+"/feedback")...)
	for _, topic := range []string{
		foreign + other.station.ID + "/reading", "stadtluft/v1/" + other.station.ID + "/reading", foreign + other.station.ID + "/kit/tasmota", foreign + "city/pm2_5", "airgradient/readings/serial" + other.id,
	} {
		for _, client := range []mqtt.Client{session, nobody} {
			if !says(client, topic, `{"pm2_5":66.66,"pm02":66.66}`) {
				t.Errorf("%s: no acknowledgement", topic)
			}
		}
	}
	own.saysUntil(t, session, "42.5", "the last message of "+own.name, func() bool {
		_, rows := own.ask(t, "GET", "/api/v1/stations/"+own.station.ID+"/readings?format=csv", "", "")
		return strings.Contains(rows, "42.5")
	})
	for _, c := range []*citySite{own, other} {
		if _, rows := c.ask(t, "GET", "/api/v1/readings?format=csv", "", ""); strings.Contains(rows, "66.66") {
			t.Errorf("%s has what was sent to topics of another: %s", c.name, rows)
		}
	}
}

// foldersHoldTheirOwn archives a day of one city, makes a backup of each and looks into the files. It comes before anybody names
// the stations of one city to the other, which that keeps as refused.
func foldersHoldTheirOwn(t *testing.T, config, data string, koeln, bonn *citySite) {
	t.Helper()
	run := func(args ...string) {
		t.Helper()
		if status, out, messages := command(t, args...); status != 0 {
			t.Fatalf("%v: %d %s %s", args, status, out, messages)
		}
	}
	day := "2019-04-20"
	run("archive", "build", "--from", day, "--to", day, "--config", config, "--data", data, "--city", "koeln")
	if days, _ := filepath.Glob(filepath.Join(data, "bonn/archive/2019/*")); len(days) > 0 {
		t.Errorf("the archive of bonn has days of koeln: %v", days)
	}
	for _, c := range []*citySite{koeln, bonn} {
		other := map[*citySite]*citySite{koeln: bonn, bonn: koeln}[c]
		file, restored := filepath.Join(t.TempDir(), "b.tar.gz"), filepath.Join(t.TempDir(), "data")
		run("backup", file, "--config", config, "--data", data, "--city", c.id)
		t.Setenv("STADTLUFT_NATS_PREFIX", "STADTLUFT-"+c.id)
		run("restore", file, "--data", restored)
		if err := os.Unsetenv("STADTLUFT_NATS_PREFIX"); err != nil {
			t.Fatal(err)
		}
		var theirs, ours [][]byte
		for i := range c.secrets[:4] { // values are binary
			theirs, ours = append(theirs, []byte(other.secrets[i])), append(ours, []byte(c.secrets[i]))
		}
		for _, folder := range []string{restored, filepath.Join(data, c.id)} {
			if where := holds(t, folder, theirs); where != "" {
				t.Errorf("%s of %s holds what is of %s:\n%s", folder, c.name, other.name, where)
			}
			if where := holds(t, folder, ours); !strings.Contains(where, c.station.ID) {
				t.Errorf("%s of %s does not hold its own station: %s", folder, c.name, where)
			}
		}
		// A city comes back into an installation from its backup alone.
		fresh := t.TempDir()
		run("restore", file, "--config", config, "--data", fresh, "--city", c.id)
		if _, list, _ := command(t, "station", "list", "--config", config, "--data", fresh, "--city", c.id); !strings.Contains(list, c.station.ID) {
			t.Errorf("%s after its restore: %s", c.name, list)
		}
	}
}
