package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/kits"
)

// These stories use other firmware: with the settings of a registration, over MQTT and HTTP, and with messages that were
// captured from real devices.

// registered is the answer to a registration over HTTP.
type registered struct {
	ID       string        `json:"id"`
	Token    string        `json:"token"`
	Manage   string        `json:"manage_token"`
	Settings []kits.Recipe `json:"settings"`
}

func (p *process) register(t *testing.T, device string) registered {
	t.Helper()
	body := `{"name":"Kit","lon":6.9583,"lat":50.9413,"kit":"other","licence_consent":true` + device + `}`
	response, err := http.Post(p.url+"/api/v1/stations", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var r registered
	if err := json.NewDecoder(response.Body).Decode(&r); err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("registration: %s, %v", response.Status, err)
	}
	return r
}

// form parses a recipe's lines of NAME: VALUE.
func form(t *testing.T, settings string) map[string]string {
	t.Helper()
	values := map[string]string{}
	for line := range strings.Lines(settings) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			t.Fatalf("%q is no line of a form", line)
		}
		values[name] = value
	}
	return values
}

// latest returns the values of a station's newest reading, by quantity.
func (p *process) latest(t *testing.T, station string) map[string]float64 {
	t.Helper()
	from := time.Now().UTC().Add(-24 * time.Hour).Format(time.RFC3339)
	rows, err := csv.NewReader(bytes.NewReader(p.get("/api/v1/stations/" + station + "/readings?format=csv&from=" + url.QueryEscape(from)))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	values, last := map[string]float64{}, ""
	for _, row := range rows[1:] {
		if row[0] != last {
			last = row[0]
			clear(values)
		}
		values[row[4]], _ = strconv.ParseFloat(row[5], 64)
	}
	return values
}

// arrives waits until a station's newest reading has these values.
func (p *process) arrives(t *testing.T, what, station string, want map[string]float64) {
	t.Helper()
	eventually(t, what, func() bool { return maps.Equal(p.latest(t, station), want) })
}

func mosquittoPub(t *testing.T, args ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: needs mosquitto_pub")
	}
	if out, err := exec.Command("mosquitto_pub", args...).CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_pub %q: %v: %s", args, err, out)
	}
}

// deliver delivers over HTTP and returns the status and the answer.
func deliver(t *testing.T, target, user, password string, payload []byte) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(user, password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// TestRecipesWork uses the settings of a registration in the way each firmware does.
func TestRecipesWork(t *testing.T) {
	p := launch(t, t.TempDir())
	host, port, _ := strings.Cut(strings.TrimPrefix(p.mqtt, "tcp://"), ":")
	tried := map[string]func(r registered, settings string) map[string]float64{
		"airrohr": func(r registered, settings string) map[string]float64 {
			f := form(t, settings)
			scheme := map[string]string{"no": "http", "yes": "https"}[f["HTTPS"]]
			status, answer := deliver(t, scheme+"://"+f["Server"]+":"+f["Port"]+f["Path"], f["User"], f["Password"],
				[]byte(`{"esp8266id":"1","sensordatavalues":[{"value_type":"SDS_P1","value":"12.34"},{"value_type":"BME280_pressure","value":"101325.00"}]}`))
			if status != http.StatusAccepted {
				t.Errorf("airrohr: %d %s", status, answer)
			}
			return map[string]float64{"pm10": 12.34, "pressure": 1013.25}
		},
		"ttn": func(r registered, settings string) map[string]float64 {
			f := form(t, settings)
			status, answer := deliver(t, f["Base URL"]+f["Uplink message"], f["Username"], f["Password"],
				[]byte(`{"uplink_message":{"frm_payload":"AC0=","decoded_payload":{"pm2_5":4.5}}}`))
			if status != http.StatusAccepted {
				t.Errorf("ttn: %d %s", status, answer)
			}
			return map[string]float64{"pm2_5": 4.5}
		},
		"tasmota": func(r registered, settings string) map[string]float64 {
			command := map[string]string{}
			for part := range strings.SplitSeq(strings.TrimPrefix(strings.TrimSpace(settings), "Backlog "), "; ") {
				name, value, _ := strings.Cut(part, " ")
				command[name] = value
			}
			topic := strings.Replace(command["FullTopic"], "%prefix%", "tele", 1) // Tasmota appends the message's name
			login := []string{"-h", command["MqttHost"], "-p", command["MqttPort"], "-u", command["MqttUser"], "-P", command["MqttPassword"], "-i", command["MqttClient"]}
			mosquittoPub(t, append(login, "-t", topic+"LWT", "-m", "Online", "-r")...)
			mosquittoPub(t, append(login, "-t", topic+"STATE", "-m", `{"Uptime":"1T"}`)...)
			mosquittoPub(t, append(login, "-t", topic+"SENSOR", "-m", `{"SDS0X1":{"PM2.5":3.5,"PM10":7.7}}`)...)
			return map[string]float64{"pm2_5": 3.5, "pm10": 7.7}
		},
		"airgradient": func(r registered, settings string) map[string]float64 {
			broker := regexp.MustCompile(`"mqttBrokerUrl":"([^"]+)"`).FindStringSubmatch(settings)
			serial := regexp.MustCompile(`airgradient_([0-9a-f]+)\.local`).FindStringSubmatch(settings)
			if broker == nil || serial == nil {
				t.Fatalf("airgradient: %s", settings)
			}
			mosquittoPub(t, "-L", broker[1]+"/airgradient/readings/"+serial[1], "-q", "1", "-m", `{"pm02":9,"rco2":512}`)
			return map[string]float64{"pm2_5": 9, "co2": 512}
		},
		"esphome": func(r registered, settings string) map[string]float64 {
			key := func(name string) string {
				m := regexp.MustCompile(`(?m)^ *` + name + `: "?([^"\n]+)"?$`).FindStringSubmatch(settings)
				if m == nil {
					t.Fatalf("esphome: no %s in %s", name, settings)
				}
				return m[1]
			}
			topics := regexp.MustCompile(`topic: "([^"]+)"`).FindAllStringSubmatch(settings, -1)
			payload := map[string]float64{}
			for i, m := range regexp.MustCompile(`root\["(\w+)"\]`).FindAllStringSubmatch(settings, -1) {
				payload[m[1]] = 10.5 + float64(10*i)
			}
			text, _ := json.Marshal(payload)
			login := []string{"-h", key("broker"), "-p", key("port"), "-u", key("username"), "-P", key("password"), "-i", key("client_id"), "-q", "1"}
			mosquittoPub(t, append(login, "-t", topics[0][1], "-m", "online", "-r")...)
			mosquittoPub(t, append(login, "-t", topics[2][1], "-m", string(text))...)
			return payload
		},
		"mosquitto": func(r registered, settings string) map[string]float64 {
			if out, err := exec.Command("sh", "-c", settings).CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s", settings, err, out)
			}
			return map[string]float64{"pm2_5": 12.3, "pm10": 20.1, "temperature": 14.2, "humidity": 60.3}
		},
	}
	for i, name := range []string{"airrohr", "esphome", "tasmota", "airgradient", "ttn", "mosquitto"} {
		r := p.register(t, fmt.Sprintf(`,"device":{"family":"airgradient","key":"ecda3b1e%04d"}`, i))
		if r.Settings[i].Name != name || len(r.Settings) != len(tried) {
			t.Fatalf("settings %d are of %s, want %s", i, r.Settings[i].Name, name)
		}
		want := tried[name](r, r.Settings[i].Settings)
		p.arrives(t, name, r.ID, want)
		if health := p.get("/api/v1/stations/" + r.ID + "/health"); !bytes.Contains(health, []byte(`"refusals":[]`)) {
			t.Errorf("%s: refused: %s", name, health)
		}
	}
	// A station may use its own device's topic only.
	r := p.register(t, "")
	mosquittoPub(t, "-h", host, "-p", port, "-u", r.ID, "-P", r.Token, "-i", "x", "-q", "1", "-t", "airgradient/readings/ecda3b1e0000", "-m", `{"pm02":9}`)
	eventually(t, "the other's topic to be refused", func() bool {
		return bytes.Contains(p.get("/api/v1/stations/"+r.ID+"/health"), []byte("unknown_station"))
	})
}

// TestSomeoneElsesDevice has someone register with the serial number of another's AirGradient, which speaks at the city's broker without a log-in: both registrations
// are answered alike, nothing of it becomes the stranger's, and one delivery of the owner's over HTTP makes it the owner's.
func TestSomeoneElsesDevice(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: needs Mosquitto")
	}
	m := startMosquitto(t, "")
	p := launch(t, t.TempDir(), "STADTLUFT_MQTT_LISTEN=", "STADTLUFT_MQTT_BROKER=tcp://"+m.addr)
	const device = `,"device":{"family":"airgradient","key":"84fce612eabc"}`
	stranger, owner := p.register(t, device), p.register(t, device)
	if len(stranger.Settings) != len(owner.Settings) {
		t.Errorf("the answers differ: %+v, %+v", stranger, owner)
	}
	host, port, _ := strings.Cut(m.addr, ":")
	speak := func(pm string) {
		t.Helper()
		mosquittoPub(t, "-h", host, "-p", port, "-q", "1", "-t", "airgradient/readings/84fce612eabc", "-m", `{"serialno":"84fce612eabc","pm02":`+pm+`}`)
	}
	told := func(r registered) bool {
		return bytes.Contains(p.get("/api/v1/stations/"+r.ID+"/health"), []byte("it is not certain that this device is yours"))
	}
	speak("9")
	eventually(t, "both to be told", func() bool { return told(stranger) && told(owner) })
	if status, body := deliver(t, p.url+"/api/v1/push/airgradient", owner.ID, owner.Token, []byte(`{"serialno":"84fce612eabc","pm02":8}`)); status != http.StatusAccepted {
		t.Fatalf("push: %d %s", status, body)
	}
	p.arrives(t, "the delivery", owner.ID, map[string]float64{"pm2_5": 8})
	eventually(t, "the device to be the owner's", func() bool {
		speak("7")
		body := p.get("/api/v1/stations/" + owner.ID + "/readings?format=json")
		return bytes.Contains(body, []byte("7"))
	})
	if body := p.get("/api/v1/stations/" + stranger.ID + "/health"); !bytes.Contains(body, []byte(`"values_24h":0`)) {
		t.Errorf("the stranger has %s", body)
	}
}

// TestESPHomeIsJoined sends a kit's values one by one: they become one reading.
func TestESPHomeIsJoined(t *testing.T) {
	p := launch(t, t.TempDir())
	host, port, _ := strings.Cut(strings.TrimPrefix(p.mqtt, "tcp://"), ":")
	r := p.register(t, "")
	for _, message := range []string{"pm_2_5=4.5", "pm_10=9", "bme280_temperature=18.2", "uptime=300", "bme280_humidity=nan"} {
		object, value, _ := strings.Cut(message, "=")
		// Each has a client id of its own: the broker keeps a client out for a second when it reconnects before its old
		// connection has ended.
		mosquittoPub(t, "-h", host, "-p", port, "-u", r.ID, "-P", r.Token, "-i", "node-"+object, "-r",
			"-t", "stadtluft/v1/"+r.ID+"/kit/esphome/sensor/"+object+"/state", "-m", value)
	}
	p.arrives(t, "three values of one moment", r.ID, map[string]float64{"pm2_5": 4.5, "pm10": 9, "temperature": 18.2})
	eventually(t, "the fourth to be refused", func() bool {
		return bytes.Contains(p.get("/api/v1/stations/"+r.ID+"/health"), []byte(`"field":"bme280_humidity"`))
	})
}

// captured are messages of real devices with their values, read by hand from the files.
var captured = []struct {
	file, family string
	want         map[string]float64
}{
	{"luftdaten_push_NRZ-2018-121C_bmp180.json", "airrohr", map[string]float64{"pm10": 1.87, "pm2_5": 1.05, "pressure": 1006.59, "temperature": 26.8, "rssi": -52}},
	{"luftdaten_push_NRZ-2017-099_pms7003_bme280.json", "airrohr", map[string]float64{
		"pm1": 1, "pm10": 2, "pm2_5": 2, "temperature": 24.98, "humidity": 39.6, "pressure": 1005.2025, "rssi": -38,
	}},
	{"hackair.json", "hackair", map[string]float64{"pm2_5": 7.93, "pm10": 32.63, "battery": 5.99}},
	{"airgradient_measures_current_3.1.3.json", "airgradient", map[string]float64{
		"pm1": 3, "pm2_5": 7, "pm10": 8, "co2": 447, "temperature": 25.87, "humidity": 43, "voc_index": 100, "nox_index": 1, "rssi": -46,
	}},
}

// TestCapturedMessages sends them over MQTT and HTTP into the store. The files lie beside the project and are not part
// of it: without them the test only logs that.
func TestCapturedMessages(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "data", "payloads")
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		t.Log("the captured messages are not beside this clone: left out")
		return
	}
	p := launch(t, t.TempDir())
	host, port, _ := strings.Cut(strings.TrimPrefix(p.mqtt, "tcp://"), ":")
	for _, c := range captured {
		payload, err := os.ReadFile(filepath.Join(folder, c.file))
		if err != nil {
			t.Fatal(err)
		}
		r := p.register(t, "")
		mosquittoPub(t, "-h", host, "-p", port, "-u", r.ID, "-P", r.Token, "-i", "kit", "-q", "1", "-t", "stadtluft/v1/"+r.ID+"/kit/"+c.family, "-f", filepath.Join(folder, c.file))
		p.arrives(t, c.file+" over MQTT", r.ID, c.want)
		r = p.register(t, "")
		if status, answer := deliver(t, p.url+"/api/v1/push/"+c.family, r.ID, r.Token, payload); status != http.StatusAccepted {
			t.Errorf("%s over HTTP: %d %s", c.file, status, answer)
		}
		p.arrives(t, c.file+" over HTTP", r.ID, c.want) // the answer comes after the journal has it, the store a moment later
	}
}

// TestPushAnswers expects a status and a text for each error.
func TestPushAnswers(t *testing.T) {
	p := launch(t, t.TempDir())
	r := p.register(t, "")
	f := func(route, user, password, payload string, want int, words ...string) {
		t.Helper()
		status, answer := deliver(t, p.url+route, user, password, []byte(payload))
		if status != want {
			t.Errorf("POST %s: %d, want %d: %s", route, status, want, answer)
		}
		for _, word := range words {
			if !strings.Contains(answer, word) {
				t.Errorf("POST %s answers %s, want %q in it", route, answer, word)
			}
		}
	}
	half := `{"sensordatavalues":[{"value_type":"SDS_P1","value":"12.5"},{"value_type":"SDS_P2","value":"nan"},{"value_type":"samples","value":"1"}]}`
	f("/api/v1/push/airrohr", r.ID, r.Token, half, 202, `"pm10":{"value":12.5,"unit":"µg/m³"}`, `"reason":"not_a_number","field":"SDS_P2"`, `"left":["samples"]`)
	f("/api/v1/push/airrohr", strings.ToLower(r.ID), r.Token, half, 202)
	f("/write?db=luft", r.ID, r.Token, "feinstaub SDS_P2=5.67", 202, `"pm2_5":{"value":5.67`)
	f("/api/v1/push/native", r.ID, r.Token, `[{"t":`+strconv.FormatInt(time.Now().Unix()-600, 10)+`,"pm10":3},{"pm9":1}]`, 202, `"pm10":{"value":3`, `"unknown_member"`)
	f("/api/v1/push/tasmota", r.ID, r.Token, `{"ENERGY":{"Total":1}}`, 202, `"accepted":[]`, `"left":["ENERGY.Total"]`)
	f("/api/v1/push/airrohr", r.ID, r.Token, "hello", 422, `"malformed"`, "nothing of the message was taken")
	for _, values := range []string{``, `{"value_type":"PM25","value":"6.1"}`, `{"value_type":"samples","value":"1"},{"value_type":"interval","value":"145000"}`} {
		f("/api/v1/push/airrohr", r.ID, r.Token, `{"sensordatavalues":[`+values+`]}`, 422, "nothing of the message was taken", `"refused":[]`)
	}
	at := time.Now().UTC().Add(-40 * time.Minute).Format("2006-01-02T15:04:05")
	f("/api/v1/push/airrohr", r.ID, r.Token, `{"timestamp":"`+at+`","sensordatavalues":[{"value_type":"SDS_P1","value":"12.5"}]}`, 202, `"time":"`+at+`Z"`)
	f("/api/v1/push/airrohr", r.ID, r.Token, `{"timestamp":"2016-01-01T00:00:00","sensordatavalues":[{"value_type":"SDS_P1","value":"12.5"}]}`, 422, `"clock"`)
	f("/api/v1/push/airrohr", r.ID, "wrong", half, 401, "wrong station id or token")
	f("/api/v1/push/airrohr", "0000000", r.Token, half, 401, "wrong station id or token")
	f("/api/v1/push/airrohr", "", "", half, 401)
	f("/api/v1/push/telegraph", r.ID, r.Token, half, 404, "airgradient")
	f("/api/v1/push/airrohr", r.ID, r.Token, strings.Repeat(" ", 70_000), 413, "split it")
	f("/api/v1/push/airrohr", r.ID, r.Token, "", 400, "the request has no body")
	f("/api/v1/push/airrohr", r.ID, "wrong", "", 401)
	f("//api/v1/push//airrohr/", r.ID, r.Token, half, 202)
	f("/api/v1/push/airgradient", r.ID, r.Token, `{"temp":20}`, 422, `did you mean \"temperature\"?`, `"left":["temp"]`, `"refused":[]`)
	f("/api/v1/push/cbor", r.ID, r.Token, "\xa1\x64pm10", 422, `"malformed"`)
	f("/api/v1/push/cbor", r.ID, r.Token, "\xa1\x63co2\x19\x01\x9b", 202, `"co2":{"value":411`)
}

// ownTopics is the configuration for kits with topics of their own.
var ownTopics = []string{
	"STADTLUFT_MQTT_TOPICS_TASMOTA=tele/{key}/SENSOR", "STADTLUFT_MQTT_TOPICS_TTN=v3/+/devices/{key}/up",
	"STADTLUFT_MQTT_TOPICS_ESPHOME=esphome/{key}/sensor/+/state", "STADTLUFT_TTN_NAMES=luft/PM25=pm2_5",
}

// TestOwnTopics has kits publish on their own topics at a city's broker, identified by the name of their device.
func TestOwnTopics(t *testing.T) {
	m := startMosquitto(t, "")
	p := launch(t, t.TempDir(), append(ownTopics, "STADTLUFT_MQTT_LISTEN=", "STADTLUFT_MQTT_BROKER=tcp://"+m.addr)...)
	p.speakOwnTopics(t, m.addr, func(registered) []string { return nil })
	host, port, _ := strings.Cut(m.addr, ":")
	before := p.metric("stadtluft_refused_total")
	mosquittoPub(t, "-h", host, "-p", port, "-q", "1", "-t", "tele/stranger/SENSOR", "-m", `{"SDS0X1":{"PM10":7.7}}`)
	eventually(t, "a stranger to be refused", func() bool { return p.metric("stadtluft_refused_total") > before })
}

// TestOwnTopicsOfStations does the same at the embedded broker, where a kit logs in as its station.
func TestOwnTopicsOfStations(t *testing.T) {
	p := launch(t, t.TempDir(), ownTopics...)
	p.speakOwnTopics(t, strings.TrimPrefix(p.mqtt, "tcp://"), func(r registered) []string { return []string{"-u", r.ID, "-P", r.Token} })
}

// speakOwnTopics has a kit of each family publish on its own topic.
func (p *process) speakOwnTopics(t *testing.T, broker string, login func(registered) []string) {
	t.Helper()
	host, port, _ := strings.Cut(broker, ":")
	families := map[string]struct {
		topic, payload string
		want           map[string]float64
	}{
		"airgradient": {"airgradient/readings/KEY", `{"pm02":9}`, map[string]float64{"pm2_5": 9}},
		"tasmota":     {"tele/KEY/SENSOR", `{"SDS0X1":{"PM10":7.7}}`, map[string]float64{"pm10": 7.7}},
		"ttn": {"v3/luft@ttn/devices/KEY/up", `{"end_device_ids":{"application_ids":{"application_id":"luft"}},"uplink_message":{"frm_payload":"AC0=","decoded_payload":{"PM25":4.5}}}`,
			map[string]float64{"pm2_5": 4.5}},
		"esphome": {"esphome/KEY/sensor/pm_10/state", "8.5", map[string]float64{"pm10": 8.5}},
	}
	for _, family := range slices.Sorted(maps.Keys(families)) {
		k := families[family]
		key := "device_A1b2-" + family // Tasmota's default has capitals
		r := p.register(t, fmt.Sprintf(`,"device":{"family":%q,"key":%q}`, family, key))
		mosquittoPub(t, append(login(r), "-h", host, "-p", port, "-q", "1", "-t", strings.Replace(k.topic, "KEY", key, 1), "-m", k.payload)...)
		p.arrives(t, family, r.ID, k.want)
		if shown := p.get("/api/v1/stations"); bytes.Contains(shown, []byte(key)) {
			t.Errorf("%s: the device's name is published: %s", family, shown)
		}
	}
}
