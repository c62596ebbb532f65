package server

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestExampleIsTheDefault compares the example file with the code: it has every key, with the default as its value.
func TestExampleIsTheDefault(t *testing.T) {
	path := filepath.Join("..", "..", "..", "deploy", "stadtluft.example.yaml")
	got, err := LoadConfig(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := defaults(); !reflect.DeepEqual(got, want) {
		t.Errorf("the example gives %+v, the defaults are %+v", got, want)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, threshold := range got.Quality.Thresholds() {
		if !strings.Contains(string(text), "# "+strings.TrimPrefix(threshold.Unit+": ", "1: ")+threshold.What+"\n") {
			t.Errorf("the example does not say of quality.%s what the rules do", threshold.Key)
		}
	}
	var none Config
	for _, s := range settings(&none) {
		name := s.key[strings.LastIndexByte(s.key, '.')+1:]
		if !strings.Contains(string(text), name+": ") {
			t.Errorf("the example does not show %s", s.key)
		}
		// With another value the file must change exactly this key.
		changed, err := LoadConfig(path, []string{s.env() + "=" + otherValue(s)})
		if s.value.Kind() == reflect.String && !strings.Contains(errText(err), name) && reflect.DeepEqual(changed, got) {
			t.Errorf("%s does nothing", s.env())
		}
	}
}

func otherValue(s setting) string {
	if s.value.Kind() == reflect.Int {
		return "500"
	}
	return "other"
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestConfigMistakes(t *testing.T) {
	f := func(yaml string, environ []string, want ...string) {
		t.Helper()
		_, err := LoadConfig(writeFile(t, "c.yaml", yaml), environ)
		for _, w := range want {
			if !strings.Contains(errText(err), w) {
				t.Errorf("%q %v: error is %q, want %q in it", yaml, environ, errText(err), w)
			}
		}
		if len(want) == 0 && err != nil {
			t.Errorf("%q %v: error is %v, want none", yaml, environ, err)
		}
	}
	f("", nil)
	f("http:\n  listen: 127.0.0.1:9000\n", nil)
	f("http.listen: 127.0.0.1:9000\n", nil)
	f("http:\n  lisen: x\n", nil, ":2: ", `unknown key "http.lisen"`, `"http.listen"`)
	f("store:\n  influxdb:\n    tokn: x\n", nil, `"store.influxdb.token"`)
	f("mqtt:\n  - a\n", nil, "mqtt holds a list")
	f("registration: sometimes\n", nil, `"sometimes" is not one of [open approve closed]`)
	f("grid:\n  resolution: 300\n", nil, "300 is not one of")
	f("grid:\n  resolution: big\n", nil, `"big" is not a whole number`)
	f("index: uba\n", nil)
	f("index: lqi\n", nil, `index: "lqi" is neither eaqi nor uba`)
	f("nats:\n  sync: never\n", nil, `"never"`)
	f("store:\n  kind: excel\n", nil, `"excel" is neither sqlite nor influxdb`)
	f("city:\n  zone: Mars/Base\n", nil, `"Mars/Base"`)
	f("mqtt:\n  listen: \"\"\n", nil, "no station could reach this server")
	f("log:\n  level: loud\nhttp:\n  tls_cert: a.pem\n", nil, `"loud"`, "set both or neither")
	f("publisher:\n  name: Stadt Köln\n  url: https://www.example.org/\ncatalog:\n  contributor_id: http://dcat-ap.de/def/contributors/govdata\n", nil)
	f("publisher:\n  url: www.example.org\n", nil, `publisher.url: "www.example.org" is not a URL`)
	f("catalog:\n  contributor_id: openNRW\n", nil, `catalog.contributor_id: "openNRW"`, "contributors/openNRW")
	f("catalog:\n  dois: 2026=10.5072/koeln-2026 2027=10.5072/koeln-2027\n", nil)
	f("catalog:\n  geocoding: districtKey/05315\n  geocoding_level: municipality\n  hvd_category: c_dd313021\n", nil)
	f("catalog:\n  geocoding: \"05315\"\n  geocoding_level: city\n  hvd_category: environment\n", nil, `catalog.geocoding: "05315"`, `catalog.geocoding_level: "city"`, `catalog.hvd_category: "environment"`)
	for text, want := range map[string]string{
		"dl-de/by-2-0": "dl-by-de/2.0", "DL-DE-BY-2.0": "dl-by-de/2.0", "dl-by-de/2": "dl-by-de/2.0", "dl-de-zero-2.0": "dl-zero-de/2.0", "dl-zero": "dl-zero-de/2.0", "CC-BY-4.0": "cc-by/4.0",
		"CC BY-SA 4.0": "cc-by-sa/4.0", "CC0-1.0": "cc-zero", "ODbL-1.0": "odbl", "cc-by/4": "cc-by/4.0",
	} {
		f("licence:\n  id: "+text+"\n", nil, fmt.Sprintf("licence.id: %q is not one of DCAT-AP.de's licences: did you mean %q?", text, want))
	}
	f("licence:\n  id: cc-by/4.0\n", nil)
	f("catalog:\n  dois: 10.5072/koeln-2026\n", nil, `catalog.dois: "10.5072/koeln-2026" is not a year and its DOI`)
	f("quality:\n  spike:\n    z: 12.5\n", []string{"STADTLUFT_QUALITY_MOVED_BY=10"})
	f("quality:\n  spike:\n    zz: 12\n", nil, `unknown key "quality.spike.zz"`, `"quality.spike.z"`)
	f("quality:\n  spike:\n    z: 0\n  outlier:\n    near: 12000\n", nil, "quality.spike.z: 0 is not between 3 and 100", "quality.outlier.near: 12000 is more than quality.outlier.far")
	f("quality:\n  humid:\n    from: wet\n", nil, `"wet" is not a number`)
	f("mqtt:\n  tls_listen: 127.0.0.1:8883\n", nil, "set all or none")
	f("http:\n  frame_ancestors: https://www.example.org https://*.example.net:8443\ncity:\n  contact: luft@example.org\n", nil)
	f("http:\n  frame_ancestors: \"\"\ncity:\n  contact: https://www.example.org/luft\n", nil)
	f("http:\n  frame_ancestors: www.example.org\n", nil, `http.frame_ancestors: "www.example.org"`)
	f("http:\n  frame_ancestors: https://example.org/page\n", nil, `"https://example.org/page"`)
	f("http:\n  frame_ancestors: \"https://example.org;script-src *\"\n", nil, `"https://example.org;script-src"`)
	f("http:\n  trusted_proxies: 127.0.0.1 172.18.0.0/16, 2001:db8::/32\n", nil)
	f("http:\n  trusted_proxies: \"\"\n", nil)
	f("http:\n  trusted_proxies: caddy\n", nil, `http.trusted_proxies: "caddy" is neither an address`)
	f("http:\n  trusted_proxies: 172.18.0.2/16\n", nil, "the network is 172.18.0.0/16")
	f("map:\n  style: https://tiles.example.org:8443/style.json?key=a\n", nil)
	f("map:\n  style: tiles.example.org/style.json\n", nil, `map.style: "tiles.example.org/style.json" is not an http or https address`)
	f("map:\n  style: ftp://tiles.example.org/style.json\n", nil, "map.style")
	f("map:\n  style: \"https://tiles.example.org;script-src/style.json\"\n", nil, "map.style")
	f("map:\n  style: https://me:s3cret@tiles.example.org/style.json\n", nil, "map.style")
	f("city:\n  contact: ask the town hall\n", nil, `city.contact: "ask the town hall"`)
	f("city:\n  contact: javascript:alert(1)\n", nil, "city.contact")
	f("roles: write\nnats:\n  url: nats://127.0.0.1:4222\n", nil)
	f("roles: web, write, ingest, aggregate\n", nil)
	f("roles: ingest,write\n", nil, "roles: ingest,write without the others needs nats.url")
	f("roles: ingest,wirte\n", nil, `roles: "wirte" is none of ingest,write,aggregate,web`)
	f("nats:\n  prefix: KOELN\n  replicas: 3\n", nil)
	f("nats:\n  prefix: köln.nats\n  replicas: 9\n", nil, `nats.prefix: "köln.nats" is not letters`, "nats.replicas: 9 is not 1 to 5")
	f("roles: \"\"\n", nil, `roles: "" is none of`)
	const inBucket = "archive: s3://air/koeln\narchive.s3:\n  endpoint: http://127.0.0.1:9000\n  access_key: a\n"
	f(inBucket+"  secret_key: b\n  region: eu-central-1\n", nil)
	f(inBucket, nil, "archive.s3.access_key and archive.s3.secret_key: set both or none")
	f("archive: s3://air\n", nil, `archive.s3.endpoint: "" is not the address of a server`)
	f("archive: s3://a\narchive.s3:\n  endpoint: http://127.0.0.1:9000/x\n", nil, `archive.s3.endpoint: "http://127.0.0.1:9000/x"`)
	f("archive: s3:///koeln\narchive.s3:\n  endpoint: http://127.0.0.1:9000\n", nil, "archive: \"s3:///koeln\" names no bucket")
	f("archive: ftp://air/koeln\n", nil, `archive: "ftp://air/koeln" is neither a folder nor s3://`)
	f("archive: /srv/archive\narchive.s3:\n  region: eu-central-1\n", nil, "archive.s3: archive names no bucket")
	f("archive: https://write.internal:8080/archive/\n", nil, "can only be read")
	f("archive: https://write.internal:8080/archive/\nroles: web\nnats:\n  url: nats://127.0.0.1:4222\n", nil)
	f("mqtt: [\n", nil, "read the configuration")
	f("", []string{"STADTLUFT_HTTP_LISTN=x"}, "STADTLUFT_HTTP_LISTN", `"http.listen"`)
	f("", []string{"STADTLUFT_GRID_RESOLUTION=500", "HOME=/nowhere"})
	f("", []string{"STADTLUFT_ADMIN_TOKEN=6f1c2d9be04a7753c8a1d2f09b6e4c31"})
	f("admin_token: sesame\n", nil, "admin_token: it can be guessed")
	const mails = "http:\n  public_url: https://luft.example.org\nsmtp:\n  host: mail.example.org\n  from: Stadtluft <luft@example.org>\n"
	f(mails+"  user: luft\n  password: x\n  tls: tls\n  port: 465\nnotices:\n  per_day: 2\n  webhooks: off\n", nil)
	f("smtp:\n  host: mail.example.org:25\n  tls: maybe\n  port: 0\n  user: luft\n", nil, `smtp.host: "mail.example.org:25"`, `smtp.tls: "maybe" is not one of [starttls tls none]`, "smtp.port: 0 is not a port",
		"smtp.user and smtp.password: set both or neither", `smtp.from: "" is not an address`, "http.public_url: mails need it")
	f(mails+"  tls: none\n  user: luft\n  password: x\n", nil, "smtp.tls: none would send smtp.password in the clear")
	f("smtp:\n  from: luft@example.org\n", nil, "smtp.host: name the server")
	f("notices:\n  webhooks: maybe\n  per_hour: 0\n  webhook_hosts: https://ntfy.example.org\n", nil, `notices.webhooks: "maybe"`, "4 and 0 are not at least 1 and 2", `notices.webhook_hosts: "https://ntfy.example.org"`)
	f("", []string{"STADTLUFT_ADMIN_TOKEN_FILE=/does/not/exist"}, "admin_token_file")
}

func TestShownSettingsHoldNoSecret(t *testing.T) {
	c := defaults()
	c.AdminToken, c.MQTTBroker = "s3cret", "tcp://city:s3cret@broker.example:1883"
	all := ""
	for _, s := range settings(&c) {
		all += s.key + " = " + s.shown() + "\n"
	}
	for _, want := range []string{"admin_token = ***\n", "mqtt.broker = tcp://city:***@broker.example:1883\n", "mqtt.password = \n", "city.name = Köln\n"} {
		if !strings.Contains(all, want) {
			t.Errorf("shown settings lack %q:\n%s", want, all)
		}
	}
	if strings.Contains(all, "s3cret") {
		t.Errorf("shown settings hold a secret:\n%s", all)
	}
}

func TestEnvironmentWinsAndFilesHoldSecrets(t *testing.T) {
	secret := writeFile(t, "token", "6f1c2d9be04a7753c8a1d2f09b6e4c31\n")
	path := writeFile(t, "c.yaml", "http:\n  listen: 127.0.0.1:1\nadmin_token_file: "+secret+"\n")
	c, err := LoadConfig(path, []string{"STADTLUFT_HTTP_LISTEN=127.0.0.1:2"})
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTPListen != "127.0.0.1:2" {
		t.Errorf("http.listen = %q, want the environment's 127.0.0.1:2", c.HTTPListen)
	}
	if c.AdminToken != "6f1c2d9be04a7753c8a1d2f09b6e4c31" {
		t.Errorf("admin token = %q, want the file's", c.AdminToken)
	}
}

func TestEditDistance(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		if got := editDistance(a, b); got != want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", a, b, got, want)
		}
	}
	f("", "", 0)
	f("kitten", "sitting", 3)
	f("abc", "", 3)
	f("", "ab", 2)
	f("http_lisen", "http_listen", 1)
}
