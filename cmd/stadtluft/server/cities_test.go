package server

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stadtluft/ingest/journal"
)

// twoCities is a configuration with as little as two cities need.
const twoCities = `
http:
  public_url: https://luft.example.org
cities:
  koeln:
    city:
      name: Köln
    http.public_url: https://koeln.example.org
  bonn-beuel:
    city.name: Bonn
    http:
      public_url: https://bonn.example.org:8443
    grid.resolution: 500
`

func loadCities(t *testing.T, yaml string, environ ...string) (Config, error) {
	t.Helper()
	return LoadConfig(writeFile(t, "c.yaml", yaml), environ)
}

func TestEachCityHasItsOwn(t *testing.T) {
	secret := writeFile(t, "token", "6f1c2d9be04a7753c8a1d2f09b6e4c31\n")
	c, err := loadCities(t, "data: /srv/luft\narchive: /srv/archive\nregistration: approve\nstore:\n  kind: influxdb\n"+twoCities,
		"STADTLUFT_LICENCE_ID=cc-by/4.0", "STADTLUFT_CITIES_BONN_BEUEL_LICENCE_ID=cc-zero", "STADTLUFT_CITIES_BONN_BEUEL_ADMIN_TOKEN_FILE="+secret)
	if err != nil {
		t.Fatal(err)
	}
	f := func(id string, want ...string) {
		t.Helper()
		city, err := c.Single(id)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range []string{
			city.CityName, city.HTTPPublicURL, city.Data, city.archiveFolder(), city.NATSPrefix, city.MQTTPrefix, city.InfluxBucket, city.Registration, city.LicenceID, city.AdminToken, city.ProcessData(),
		} {
			if got != want[i] {
				t.Errorf("%s: setting %d is %q, want %q", id, i, got, want[i])
			}
		}
	}
	f("koeln", "Köln", "https://koeln.example.org", "/srv/luft/koeln", "/srv/archive/koeln", "STADTLUFT-koeln", "stadtluft-koeln", "stadtluft-koeln", "approve", "cc-by/4.0", "", "/srv/luft")
	f("bonn-beuel", "Bonn", "https://bonn.example.org:8443", "/srv/luft/bonn-beuel", "/srv/archive/bonn-beuel", "STADTLUFT-bonn-beuel", "stadtluft-bonn-beuel", "stadtluft-bonn-beuel", "approve", "cc-zero", "6f1c2d9be04a7753c8a1d2f09b6e4c31", "/srv/luft")
	if bonn, _ := c.Single("bonn-beuel"); bonn.GridResolution != 500 || c.GridResolution != 1000 {
		t.Errorf("grids of %d and %d m, want 500 and 1000", bonn.GridResolution, c.GridResolution)
	}
	if got := c.CityName; got != "" {
		t.Errorf("the region is called %q, want nothing", got)
	}
	for id, want := range map[string]string{"": "one of bonn-beuel, koeln", "ulm": "--city ulm: the configuration has no such city, but bonn-beuel, koeln"} {
		if _, err := c.Single(id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Single(%q): %v, want %q", id, err, want)
		}
	}
	if _, err := new(defaults()).Single("koeln"); err == nil {
		t.Error("a configuration without cities has one called koeln")
	}
}

func TestCitiesMistakes(t *testing.T) {
	f := func(yaml string, environ []string, want ...string) {
		t.Helper()
		_, err := loadCities(t, yaml, environ...)
		for _, w := range want {
			if !strings.Contains(errText(err), w) {
				t.Errorf("%q %v: error is %q, want %q in it", yaml, environ, errText(err), w)
			}
		}
		if len(want) == 0 && err != nil {
			t.Errorf("%q %v: error is %v, want none", yaml, environ, err)
		}
	}
	more := func(key, value string) string { return twoCities + "    " + key + ": " + value + "\n" }
	f(twoCities, nil)
	f("serve: koeln\n"+twoCities, nil)
	f("serve: koeln, bonn-beuel\n"+twoCities, nil)
	f("serve: none\n"+twoCities, nil)
	f(twoCities+"  koeln-sued:\n    http.public_url: https://sued.example.org\n", []string{"STADTLUFT_CITIES_KOELN_SUED_CITY_NAME=Süd", "STADTLUFT_CITIES_KOELN_INDEX=uba"})
	f("cities:\n", nil, ":1: cities: name each")
	f("serve: ulm\n"+twoCities, nil, `there is no city "ulm", but bonn-beuel, koeln`)
	f("serve: koeln\n", nil, `serve: "koeln": there are no cities`)
	f("cities:\n  Köln:\n    city.name: Köln\n", nil, `:2: cities: "Köln" is no id of a city`)
	f("cities:\n  a.b:\n    city.name: Köln\n", nil, `"a.b" is no id of a city`)
	f("cities:\n  koeln:\n    grid.resolution: 500\n", nil, "cities.koeln: city.name: name the city", "cities.koeln: http.public_url: give the city a host name of its own, such as https://koeln.example.org")
	f(more("http.listen", "127.0.0.1:9000"), nil, "cities.bonn-beuel: ", ":14: http.listen is not for one city: one address serves all cities")
	f(more("nats.url", "nats://127.0.0.1"), nil, "nats.url is not for one city")
	f(twoCities, []string{"STADTLUFT_CITIES_KOELN_LOG_LEVEL=debug"}, "cities.koeln: environment variable STADTLUFT_CITIES_KOELN_LOG_LEVEL: log.level is not for one city: a process writes one log")
	f(twoCities, []string{"STADTLUFT_CITIES_KOELN_CITY_NAM=K"}, `cities.koeln: environment variable STADTLUFT_CITIES_KOELN_CITY_NAM: unknown key "city_nam": did you mean "city.name"?`)
	f(twoCities, []string{"STADTLUFT_CITIES_ULM_CITY_NAME=Ulm"}, "STADTLUFT_CITIES_ULM_CITY_NAME")
	f(more("licence.idd", "cc-zero"), nil, `cities.bonn-beuel: `, `unknown key "licence.idd": did you mean "licence.id"?`)
	f(more("licence.id", "mine"), nil, `cities.bonn-beuel: licence.id: "mine"`)
	f(more("http.public_url", "https://KOELN.example.org:444"), nil, "cities.koeln: http.public_url: host koeln.example.org is also that of city bonn-beuel")
	f(more("http.public_url", "https://luft.example.org"), nil, "host luft.example.org is also that of the page of all cities")
	f(twoCities, []string{"STADTLUFT_CITIES_BONN_BEUEL_CITY_NAME=Köln"}, "name Köln is also that of city bonn-beuel")
	f(more("data", "data/koeln"), nil, "cities.koeln: data: folder ", "is also that of city bonn-beuel")
	f(more("http.public_url", "https://köln.example.org"), nil, "cities.bonn-beuel: http.public_url: köln.example.org is not what browsers send: write it with xn--")
	f(strings.Replace(twoCities, "luft.", "lüft.", 1), nil, "http.public_url: lüft.example.org is not what browsers send")
	f(more("data", "data/nats"), nil, "cities.bonn-beuel: data: folder ", "data/nats is also that of the embedded NATS server")
	f(more("archive", "data/koeln/archive"), nil, "cities.koeln: archive: folder ")
	const bucket = "archive: s3://luft/all\narchive.s3.endpoint: http://127.0.0.1:9000\n"
	f(bucket+twoCities, nil)
	f(bucket+more("archive", "s3://luft/all/koeln/"), nil, "cities.koeln: archive: place s3://luft/all/koeln at http://127.0.0.1:9000 is also")
	f(more("nats.prefix", "STADTLUFT-koeln"), nil, "nats.prefix: prefix STADTLUFT-koeln is also")
	f(more("mqtt.prefix", "stadtluft-koeln"), nil, "mqtt.prefix: first level of topics stadtluft-koeln is also")
	f(more("mqtt.prefix", "a/b"), nil, `cities.bonn-beuel: mqtt.prefix: "a/b" is not letters`)
	f("store.kind: influxdb\n"+more("store.influxdb.bucket", "stadtluft-koeln"), nil, "bucket stadtluft-koeln at http://127.0.0.1:8086 is also")
	f("mqtt.broker: tcp://127.0.0.1:1884\n"+twoCities, nil, "cities.koeln: mqtt.topics.airgradient: topic airgradient/readings/+ at tcp://127.0.0.1:1884 is also that of city bonn-beuel")
	f("mqtt.broker: tcp://127.0.0.1:1884\n"+more("mqtt.topics.airgradient", `""`), nil)
	const smtp = "smtp:\n  host: mail.example.org\n  from: luft@example.org\n"
	f(smtp+strings.Replace(twoCities, "http:\n  public_url: https://luft.example.org\n", "", 1), nil) // each city has an address for the links
	_, err := loadCities(t, "licence.id: mine\n"+twoCities)
	if got := strings.Count(errText(err), "licence.id"); got != 1 {
		t.Errorf("what is wrong with the common part is said %d times: %v", got, err)
	}
}

// TestTheExampleOfCitiesWorks loads the example file with its cities.
func TestTheExampleOfCitiesWorks(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "stadtluft.example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, example, found := strings.Cut(string(text), "\n# cities:\n")
	if !found {
		t.Fatal("the example shows no cities")
	}
	c, err := loadCities(t, "cities:\n"+strings.ReplaceAll("\n"+example, "\n# ", "\n"))
	if err != nil || len(c.Cities) != 2 {
		t.Errorf("the example of cities: %v, %d of them", err, len(c.Cities))
	}
}

// TestACityThatWasRemoved starts the embedded NATS server without a city whose journal it still has. The others need their room.
func TestACityThatWasRemoved(t *testing.T) {
	data := t.TempDir()
	f := func(yaml string, want int64) {
		t.Helper()
		c, err := loadCities(t, "data: "+data+"\n"+yaml)
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.DiscardHandler)
		for _, city := range c.served() {
			if got := city.journals(); got != want || got != c.journals() {
				t.Errorf("room for %d journals, of %s for %d, want %d", c.journals(), city.CityName, got, want)
			}
			nats, err := startNATS(city, log)
			if err != nil {
				t.Fatal(err)
			}
			j, err := journal.Open(t.Context(), journal.Options{InProcess: nats.InProcess(), Stream: city.NATSPrefix + journalSuffix, Deployment: "test", MaxBytes: journalBytes, Log: log})
			if err == nil {
				j.Close()
			}
			nats.Close()
			if err != nil {
				t.Errorf("journal of %s: %v", city.CityName, err)
			}
		}
	}
	f(twoCities, 2)
	f(strings.ReplaceAll(twoCities, "bonn-beuel:", "beuel:"), 3)
	f("city.name: Köln\n", 4)
}

// TestADataFolderWithoutACity gives another data folder than that in which the configuration has a city.
func TestADataFolderWithoutACity(t *testing.T) {
	for folder, want := range map[string]string{
		"/srv/luft": "", "/srv/luft/": "", "/srv/luft/bonn": "", "bonn": "cities.bonn-beuel: data: bonn is outside of --data /srv/luft",
		"/srv/luft2": "outside of --data", "/srv": "outside of --data",
	} {
		c, err := loadCities(t, twoCities+"    data: "+folder+"\n", "STADTLUFT_DATA=/srv/luft")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.DataHasCities(); !strings.Contains(errText(err), want) || (err == nil) != (want == "") {
			t.Errorf("%s: %v, want %q", folder, err, want)
		}
	}
}
