package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// citySite is a city of a running process, with a station of its own.
type citySite struct {
	*process
	id, name string
	host     string // name in requests
	admin    string // token
	value    string // PM2.5 that the station measures, which no other does
	station  registered
	asked    int
	secrets  []string // what nothing of another city may hold
}

// cityConfig writes a configuration with two cities at two addresses, and the portal at a third.
func cityConfig(t *testing.T, koeln, bonn *citySite, portal string) string {
	t.Helper()
	text := "http.public_url: " + portal + "\ncity.name: Rheinland\n"
	text += "cities:\n"
	for _, c := range []*citySite{koeln, bonn} {
		text += fmt.Sprintf("  %s:\n    city.name: %s\n    http.public_url: http://%s\n    admin_token: %s\n", c.id, c.name, c.host, c.admin)
	}
	return writeFile(t, "cities.yaml", text)
}

func twoCitySites() (koeln, bonn *citySite) {
	koeln = &citySite{id: "koeln", name: "Köln", host: "koeln.example", admin: "7k2m9qx4vbt8w3hn5c0rz6jdpg", value: "11.37"}
	bonn = &citySite{id: "bonn", name: "Bonn", host: "bonn.example", admin: "q8w2e9r4t7y1u6i3o5p0a8s2dz", value: "23.91"}
	return koeln, bonn
}

// TestTwoCitiesInOneProcess has one process serve both, and looks for anything of one in the other.
func TestTwoCitiesInOneProcess(t *testing.T) {
	koeln, bonn := twoCitySites()
	config, data := cityConfig(t, koeln, bonn, "http://luft.example"), t.TempDir()
	p := prepare(t, data)
	p.args = append(p.args, "--config", config)
	p.start()
	koeln.process, bonn.process = p, p
	settle(t, koeln, bonn)
	nothingCrosses(t, koeln, bonn)
	nothingCrosses(t, bonn, koeln)
	foldersHoldTheirOwn(t, config, data, koeln, bonn)
	topicsDoNotCross(t, koeln, bonn)
	topicsDoNotCross(t, bonn, koeln)
	portal := &citySite{process: p, host: "luft.example"}
	showsAll(t, portal, koeln, bonn)
	for route, want := range map[string]int{"/": 200, "/readyz": 200, "/catalog.ttl": 404, "/api/v1/city": 404} {
		if status, body := (&citySite{process: p, host: "[::1]:4711"}).ask(t, "GET", route, "", ""); status != want {
			t.Errorf("GET %s at an unknown host: %d %.200s, want %d", route, status, body, want)
		}
	}
	commandsTakeACity(t, config, data, koeln, bonn)
	p.kill()
	p.start()
	for _, c := range []*citySite{koeln, bonn} {
		c.has(t)
	}
}

// TestTwoCitiesInTwoProcesses has a process for each city and one for the portal, on one NATS server and one data folder.
func TestTwoCitiesInTwoProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: starts three processes")
	}
	koeln, bonn := twoCitySites()
	koeln.host, bonn.host = freeAddrAt(t, "127.0.0.2"), freeAddrAt(t, "127.0.0.3")
	config, data, url := cityConfig(t, koeln, bonn, "http://luft.example"), t.TempDir(), startNATS(t)
	begin := func(city, address string) *process {
		env := []string{"STADTLUFT_NATS_URL=" + url}
		if address != "" {
			env = append(env, "STADTLUFT_HTTP_LISTEN="+address)
		}
		p := prepare(t, data, env...)
		if address != "" {
			p.url = "http://" + address
		}
		p.args = append(p.args, "--config", config, "--city", city)
		p.start()
		return p
	}
	koeln.process, bonn.process = begin("koeln", koeln.host), begin("bonn", bonn.host)
	portal := &citySite{process: begin("none", ""), host: "luft.example"}
	settle(t, koeln, bonn)
	nothingCrosses(t, koeln, bonn)
	nothingCrosses(t, bonn, koeln)
	topicsDoNotCross(t, koeln, bonn)
	topicsDoNotCross(t, bonn, koeln)
	showsAll(t, portal, koeln, bonn)
	if status, body := (&citySite{process: koeln.process, host: bonn.host}).ask(t, "GET", "/api/v1/city", "", ""); status != http.StatusMisdirectedRequest || !strings.Contains(body, "does not serve Bonn") {
		t.Errorf("the other city at this process: %d %s", status, body)
	}
	if _, err := logIn(koeln.mqtt, bonn.station); err == nil {
		t.Error("a station of bonn is taken at the door of koeln")
	}
}

// TestFromOneCityToSeveral turns the only city of a data folder into one of two: its readings stay, and its station notices nothing.
func TestFromOneCityToSeveral(t *testing.T) {
	data := t.TempDir()
	old := launch(t, data)
	station := old.register(t, "")
	send := func(p *process, payload string) {
		t.Helper()
		client, _ := client(t, p.mqtt, station, "stadtluft/v1/"+station.ID+"/feedback")
		eventually(t, "a reading to be taken", func() bool { return says(client, "stadtluft/v1/"+station.ID+"/reading", payload) })
	}
	send(old, fmt.Sprintf(`{"t":%d,"pm2_5":11.37,"pm10":40}`, time.Now().Unix()-60))
	old.arrives(t, "the reading", station.ID, map[string]float64{"pm2_5": 11.37, "pm10": 40})
	old.kill()
	koeln, bonn := twoCitySites()
	config := cityConfig(t, koeln, bonn, "http://luft.example")
	p := prepare(t, data, "STADTLUFT_CITIES_KOELN_DATA="+data, "STADTLUFT_CITIES_KOELN_NATS_PREFIX=STADTLUFT", "STADTLUFT_CITIES_KOELN_MQTT_PREFIX=stadtluft")
	p.args = append(p.args, "--config", config)
	p.start()
	koeln.process, koeln.station, bonn.process = p, station, p
	koeln.has(t)
	koeln.value = "12.5"
	send(p, `{"pm2_5":12.5,"pm10":40}`)
	koeln.has(t)
	if status, list := bonn.ask(t, "GET", "/api/v1/stations", "", ""); status != http.StatusOK || strings.Contains(list, station.ID) {
		t.Errorf("stations of the new city: %d %s", status, list)
	}
}

// ask asks a city and returns the answer. A token is a bearer token.
func (c *citySite) ask(t *testing.T, method, route, token, body string) (int, string) {
	t.Helper()
	response := c.request(t, method, route, token, body)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, route, err)
	}
	return response.StatusCode, string(answer)
}

// stranger returns an address that has asked nothing, so that no limit of an address is in the way.
func (c *citySite) stranger() string {
	c.asked++
	return fmt.Sprintf("10.2.%d.%d", c.asked>>8, c.asked&0xff)
}

func (c *citySite) request(t *testing.T, method, route, token, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.url+route, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = c.host
	r.Header.Set("X-Forwarded-For", c.stranger())
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// has expects a city's station to have its value.
func (c *citySite) has(t *testing.T) {
	t.Helper()
	eventually(t, "the reading of "+c.name, func() bool {
		_, rows := c.ask(t, "GET", "/api/v1/stations/"+c.station.ID+"/readings?format=csv", "", "")
		return strings.Contains(rows, c.value)
	})
}

// settle registers a station in each city, which sends a reading over MQTT with the city's first level.
func settle(t *testing.T, cities ...*citySite) {
	t.Helper()
	for _, c := range cities {
		status, body := c.ask(t, "POST", "/api/v1/stations", "", fmt.Sprintf(
			`{"name":"Hof %s","lon":6.9583,"lat":50.9413,"kit":"sds011-bme280","height":3,"exposure":"outdoor","licence_consent":true,"email":"%[1]s@example.org","device":{"family":"airgradient","key":"serial%[1]s"}}`, c.id))
		if status != http.StatusCreated {
			t.Fatalf("register in %s: %d %s", c.name, status, body)
		}
		c.station = decode[registered](t, body)
		c.secrets = []string{c.station.ID, "Hof " + c.id, c.id + "@example.org", "serial" + c.id, c.value}
		if !strings.Contains(body, "stadtluft-"+c.id+"/v1/"+c.station.ID+"/reading") {
			t.Errorf("the settings of a station of %s do not have its topics: %s", c.name, body)
		}
		client := mustLogIn(t, c)
		eventually(t, "a reading to be taken", func() bool {
			return says(client, c.topic(), `{"pm2_5":`+c.value+`,"pm10":40.5}`)
		})
		c.has(t)
	}
}

func mustLogIn(t *testing.T, c *citySite) mqtt.Client {
	t.Helper()
	var client mqtt.Client
	eventually(t, "the station of "+c.name+" to log in", func() (ok bool) {
		var err error
		client, err = logIn(c.mqtt, c.station)
		return err == nil
	})
	t.Cleanup(func() { client.Disconnect(0) })
	return client
}

// logIn connects as a station, or anonymously for the zero value.
func logIn(broker string, r registered) (mqtt.Client, error) {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker).SetClientID("x").SetUsername(r.ID).SetPassword(r.Token).
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(patience))
	token := client.Connect()
	token.WaitTimeout(patience)
	return client, token.Error()
}

// showsAll expects the portal to show both cities with their values, and to name their catalogues.
func showsAll(t *testing.T, portal *citySite, cities ...*citySite) {
	t.Helper()
	for _, c := range cities {
		value := c.value[:3] // with the next decimal rounded
		var page string
		if !within(patience, func() bool {
			_, page = portal.ask(t, "GET", "/?lang=en", "", "")
			return strings.Contains(page, `<a href="http://`+c.host+`/">`+c.name+`</a>`) && strings.Contains(page, "PM2.5 "+value)
		}) {
			t.Fatalf("the portal does not show %s of %s: %s", value, c.name, page)
		}
		for _, route := range []string{"/catalog.ttl", "/catalog.jsonld"} {
			if status, text := portal.ask(t, "GET", route, "", ""); status != http.StatusOK || !strings.Contains(text, "http://"+c.host+"/catalog#catalog") {
				t.Errorf("%s of the portal: %d, without the catalogue of %s: %s", route, status, c.name, text)
			}
		}
	}
	_, page := portal.ask(t, "GET", "/?lang=de", "", "")
	for _, want := range []string{"zu wenige Stationen für eine Aussage", "1 Station,", "<title>Stadtluft Rheinland</title>", `<html lang="de">`} {
		if !strings.Contains(page, want) {
			t.Errorf("the portal lacks %q: %s", want, page)
		}
	}
	if status, body := portal.ask(t, "GET", "/api/v1/stations", "", ""); status != http.StatusNotFound || !strings.Contains(body, `"detail"`) {
		t.Errorf("stations of the portal: %d %s", status, body)
	}
	if status, body := portal.ask(t, "GET", "/readyz", "", ""); status != http.StatusOK {
		t.Errorf("the portal's /readyz: %d %s", status, body)
	}
	if status, body := portal.ask(t, "GET", "/nothing", "", ""); status != http.StatusNotFound {
		t.Errorf("an unknown route of the portal: %d %s", status, body)
	}
}

// commandsTakeACity runs commands on the running process.
func commandsTakeACity(t *testing.T, config, data string, koeln, bonn *citySite) {
	t.Helper()
	f := func(wantStatus int, want, never string, args ...string) {
		t.Helper()
		status, out, messages := command(t, append(args, "--config", config, "--data", data)...)
		if status != wantStatus || !strings.Contains(out+messages, want) || never != "" && strings.Contains(out+messages, never) {
			t.Errorf("%v: %d %s %s; want %d, %q and not %q", args, status, out, messages, wantStatus, want, never)
		}
	}
	f(2, "say which with --city, one of bonn, koeln", koeln.station.ID, "station", "list")
	f(2, "the configuration has no such city, but bonn, koeln", koeln.station.ID, "station", "list", "--city", "ulm")
	f(0, koeln.station.ID, bonn.station.ID, "station", "list", "--city", "koeln")
	f(0, bonn.station.ID, koeln.station.ID, "station", "list", "--city", "bonn")
	f(1, "no station "+bonn.station.ID, "Hof", "station", "show", bonn.station.ID, "--city", "koeln")
	f(0, bonn.station.ID, koeln.station.ID, "export", "--what", "readings", "--from", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), "--to", time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "--format", "csv", "--city", "bonn")
}
