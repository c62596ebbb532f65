package sta

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/httpapi/httpapitest"
)

// client sends requests to a service.
type client struct {
	*httpapitest.Client
	root string // of the service
	town *town
}

// serve serves a town; its noon is now.
func serve(t *testing.T) *client {
	t.Helper()
	w := newTown().measured(100, time.Minute)
	shift := time.Since(noon).Truncate(time.Second)
	for i := range w.readings {
		w.readings[i].Time = w.readings[i].Time.Add(shift)
	}
	for _, st := range w.stations {
		for i := range st.Places {
			st.Places[i].From = st.Places[i].From.Add(shift)
		}
	}
	c := httpapitest.Serve(t, (&Service{Source: w, Base: func(r *http.Request) string { return "http://" + r.Host }, Log: slog.New(slog.DiscardHandler)}).Routes())
	return &client{c, c.URL + Root, w}
}

func (c *client) do(method, address string) (*http.Response, []byte) {
	c.T.Helper()
	if !strings.HasPrefix(address, "http") {
		address = c.root + address
	}
	return c.Do(method, address, "")
}

// get returns an answer as an object; it escapes the text after the question mark.
func (c *client) get(address string) map[string]any {
	c.T.Helper()
	if path, query, ok := strings.Cut(address, "?"); ok && !strings.HasPrefix(address, "http") {
		var parts []string
		for _, part := range strings.Split(query, "&") {
			name, value, _ := strings.Cut(part, "=")
			parts = append(parts, name+"="+url.QueryEscape(value))
		}
		address = path + "?" + strings.Join(parts, "&")
	}
	if !strings.HasPrefix(address, "http") {
		address = c.root + address
	}
	var v map[string]any
	c.JSON(address, &v)
	return v
}

// values returns an answer's entities.
func values(v any) []map[string]any {
	var list []map[string]any
	many, _ := v.([]any)
	for _, one := range many {
		list = append(list, one.(map[string]any))
	}
	return list
}

// OGC 18-088, section 9.2.1: the root lists every set and, in serverSettings, the conformance classes.
func TestRoot(t *testing.T) {
	c := serve(t)
	for _, address := range []string{"", "/"} {
		root := c.get(address)
		var names []string
		for _, set := range values(root["value"]) {
			names = append(names, set["name"].(string))
			c.get(set["url"].(string))
		}
		if got := strings.Join(names, " "); got != "Things Locations HistoricalLocations Datastreams Sensors ObservedProperties Observations FeaturesOfInterest" {
			t.Errorf("sets %s", got)
		}
		settings := root["serverSettings"].(map[string]any)
		if got := fmt.Sprint(settings["conformance"]); !strings.Contains(got, "/1.1/req/datamodel ") || strings.Contains(got, "create-update-delete") {
			t.Errorf("conformance %s", got)
		}
	}
}

// OGC 18-088, section 8.2: what each kind of entity must have, by its tables, and where it leads, by figure 2.
func TestDataModel(t *testing.T) {
	c := serve(t)
	f := func(set, properties, links string) {
		t.Helper()
		for _, e := range values(c.get("/" + set + "?$top=2")["value"]) {
			for _, name := range strings.Fields("@iot.id @iot.selfLink " + properties) {
				if e[name] == nil || e[name] == "" {
					t.Errorf("%s %v has no %s", set, e["@iot.id"], name)
				}
			}
			for _, name := range strings.Fields(links) {
				address, _ := e[name+"@iot.navigationLink"].(string)
				if address != fmt.Sprint(e["@iot.selfLink"])+"/"+name {
					t.Errorf("%s %v: %s leads to %q", set, e["@iot.id"], name, address)
					continue
				}
				c.get(address)
			}
			if self := c.get(e["@iot.selfLink"].(string)); self["@iot.id"] != e["@iot.id"] {
				t.Errorf("%v is %v by itself", e["@iot.id"], self["@iot.id"])
			}
		}
	}
	f("Things", "name description properties", "Locations HistoricalLocations Datastreams")
	f("Locations", "name description encodingType location", "Things HistoricalLocations")
	f("HistoricalLocations", "time", "Thing Locations")
	f("Datastreams", "name description observationType unitOfMeasurement", "Thing Sensor ObservedProperty Observations")
	f("Sensors", "name description encodingType metadata", "Datastreams")
	f("ObservedProperties", "name description definition", "Datastreams")
	f("Observations", "phenomenonTime result resultTime", "Datastream FeatureOfInterest")
	f("FeaturesOfInterest", "name description encodingType feature", "Observations")
	unit := values(c.get("/Datastreams")["value"])[0]["unitOfMeasurement"].(map[string]any)
	for _, name := range []string{"name", "symbol", "definition"} {
		if unit[name] == "" {
			t.Errorf("a unit without %s: %v", name, unit)
		}
	}
}

// OGC 18-088, section 9.2: resource paths.
func TestResourcePaths(t *testing.T) {
	c := serve(t)
	f := func(address, want string) {
		t.Helper()
		response, body := c.do("GET", address)
		if got := strings.TrimSpace(string(body)); response.StatusCode != http.StatusOK || got != strings.ReplaceAll(want, "ROOT", c.root) {
			t.Errorf("%s: %s %s, want %s", address, response.Status, got, want)
		}
	}
	f("/Things('AAAAAA1')/name", `{"name":"Dom"}`)
	f("/Things('AAAAAA1')/name/$value", "Dom")
	f("/Things('AAAAAA1')/id", `{"@iot.id":"AAAAAA1"}`)
	f("/Datastreams('AAAAAA1-pm10')/ObservedProperty/name/$value", "PM10")
	f("/Things('AAAAAA1')/Datastreams('AAAAAA1-pm10')/Sensor/name/$value", "sds011/bme280 o'hara")
	f("/Sensors('sds011%2Fbme280%20o''hara')/name/$value", "sds011/bme280 o'hara")
	f("/Things/$ref", "{\"value\":[\n{\"@iot.selfLink\":\"ROOT/Things('AAAAAA1')\"},\n{\"@iot.selfLink\":\"ROOT/Things('BBBBBB2')\"}]}")
	f("/Locations('AAAAAA1-1')/Things/$ref", `{"value":[]}`) // it has moved
	f("/Things('AAAAAA1')/Locations/$ref", "{\"value\":[\n{\"@iot.selfLink\":\"ROOT/Locations('AAAAAA1-2')\"}]}")
	f("/Things('AAAAAA1')/HistoricalLocations?$select=id&$count=true", "{\"@iot.count\":2,\"value\":[\n{\"@iot.id\":\"AAAAAA1-1\"},\n{\"@iot.id\":\"AAAAAA1-2\"}]}")
	f("/Locations('AAAAAA1-2')/location", `{"location":{"type":"Point","coordinates":[6.958300,50.941300]}}`)
	last := c.town.readings[len(c.town.readings)-3].Time
	id := "AAAAAA1-pm10-" + unix(last)
	f("/Observations('"+id+"')/result/$value", "10")
	f("/Observations('"+id+"')/phenomenonTime/$value", last.Format(time.RFC3339))
	f("/Observations('"+id+"')/Datastream/Thing/name/$value", "Dom")
	f("/Datastreams('AAAAAA1-pm10')/Observations('"+id+"')/FeatureOfInterest/$ref", `{"@iot.selfLink":"ROOT/FeaturesOfInterest('AAAAAA1-2')"}`)
	f("/Datastreams('AAAAAA1-pm10')/Observations?$filter=result%20eq%2013&$select=result", "{\"value\":[\n{\"result\":13},\n{\"result\":13}]}")
	f("/FeaturesOfInterest('AAAAAA1-2')/Observations?$count=true&$top=0", `{"@iot.count":62,"value":[]}`) // 31 readings of two quantities since it moved
}

// OGC 18-088, section 9.3: query options.
func TestQueryOptions(t *testing.T) {
	c := serve(t)
	// $expand with nested options, several levels deep.
	thing := c.get("/Things('AAAAAA1')?$select=name&$expand=Datastreams($select=name;$orderby=id desc;$expand=Observations($top=2;$count=true;$select=result),ObservedProperty/Datastreams($select=id)),Locations($select=location)")
	if len(thing) != 3 || thing["name"] != "Dom" {
		t.Errorf("members of %v", thing)
	}
	streams := values(thing["Datastreams"])
	if len(streams) != 2 || streams[0]["name"] != "PM2.5, Dom" {
		t.Fatalf("datastreams %v", streams)
	}
	inner := values(streams[0]["Observations"])
	if len(inner) != 2 || inner[0]["result"] != 0.0 || inner[1]["result"] != 1.0 || streams[0]["Observations@iot.count"] != 100.0 {
		t.Errorf("observations %v", streams[0])
	}
	next := c.get(streams[0]["Observations@iot.nextLink"].(string))
	if got := values(next["value"]); len(got) != 2 || len(got[0]) != 1 {
		t.Errorf("the next page has %v", got)
	}
	if back := values(streams[0]["ObservedProperty"].(map[string]any)["Datastreams"]); len(back) != 2 || back[0]["@iot.id"] != "AAAAAA1-pm2_5" {
		t.Errorf("back to the datastreams: %v", back)
	}
	// $orderby, $top, $skip, $count and @iot.nextLink.
	page := c.get("/Datastreams?$orderby=ObservedProperty/name desc,Thing/name&$top=3&$count=true&$select=id")
	if got := fmt.Sprint(page["value"]); got != "[map[@iot.id:BBBBBB2-pm2_5] map[@iot.id:AAAAAA1-pm2_5] map[@iot.id:BBBBBB2-pm10]]" || page["@iot.count"] != 4.0 {
		t.Errorf("ordered: %v", page)
	}
	page = c.get(page["@iot.nextLink"].(string))
	if got := fmt.Sprint(page["value"]); got != "[map[@iot.id:AAAAAA1-pm10]]" || page["@iot.nextLink"] != nil {
		t.Errorf("the last page: %v", page)
	}
	// $filter over links.
	page = c.get("/Things?$filter=Datastreams/ObservedProperty/name eq 'PM10' and properties/status eq 'paused'&$select=name")
	if got := fmt.Sprint(page["value"]); got != "[map[name:Deutz]]" {
		t.Errorf("filtered: %s", got)
	}
	// A list of the newest values of all stations is a common request and needs no query of the store.
	c.town.asked = nil
	c.get("/Things?$expand=Datastreams($expand=Observations($orderby=phenomenonTime desc;$top=1))")
	if len(c.town.asked) != 0 {
		t.Errorf("the store was asked %d times", len(c.town.asked))
	}
}

func TestBadRequests(t *testing.T) {
	c := serve(t)
	f := func(method, address string, wantStatus int, wantField, wantDetail string) {
		t.Helper()
		response, body := c.do(method, strings.ReplaceAll(address, " ", "%20"))
		var p struct {
			Status        int
			Field, Detail string
		}
		if err := json.Unmarshal(body, &p); err != nil || response.StatusCode != wantStatus || p.Status != wantStatus || p.Field != wantField || !strings.Contains(p.Detail, wantDetail) {
			t.Errorf("%s %s: %s %s, want %d, field %q and %q", method, address, response.Status, body, wantStatus, wantField, wantDetail)
		}
	}
	f("GET", "/Thing", 404, "", `no "Thing"`)
	f("GET", "/Things('0000000')", 404, "", `no Thing with the id "0000000"`)
	f("GET", "/Things(1)", 404, "", "ids are texts in single quotes")
	f("GET", "/Things('BBBBBB2')/Datastreams('AAAAAA1-pm10')", 404, "", "no Datastream")
	f("GET", "/Datastreams('AAAAAA1-pm10')/Observations('AAAAAA1-pm2_5-"+unix(c.town.readings[0].Time)+"')", 404, "", "no Observation")
	f("GET", "/Observations('AAAAAA1-pm10-999999999999999999999')", 404, "", "no Observation")
	f("GET", "/Things('AAAAAA1')/colour", 404, "", `Things have no "colour"`)
	f("GET", "/Things/name", 404, "", `no "name" behind this`)
	f("GET", "/Things('AAAAAA1')/name/$ref", 404, "", `no "$ref" behind this`)
	f("GET", "/Things?$filter=nam eq 'x'", 400, "$filter", "at character 1")
	f("GET", "/Things?$filter=name eq (", 400, "$filter", "at character 10")
	f("GET", "/Things?$filter=name gt 5", 400, "$filter", "at character 6")
	f("GET", "/Things?$orderby=nam", 400, "$orderby", "at character 1")
	f("GET", "/Things?$orderby=name down", 400, "$orderby", "at character 6")
	f("GET", "/Things?$select=nam", 400, "$select", `no "nam"`)
	f("GET", "/Things?$expand=Sensor", 400, "$expand", `do not lead to "Sensor"`)
	f("GET", "/Things?$expand=Datastreams($top=x)", 400, "$top", `"x" is not a whole number`)
	f("GET", "/Things?$expand=Datastreams($top=1", 400, "$expand", "not closed")
	f("GET", "/Things?$expand=Datastreams,Datastreams", 400, "$expand", "expanded twice")
	f("GET", "/Things?$expand=Datastreams/Thing/Datastreams/Thing/Datastreams/Thing", 400, "$expand", "more than 5 levels")
	f("GET", "/Things?$top=-1", 400, "$top", `"-1"`)
	f("GET", "/Things?$skip=10001", 400, "$skip", "more than 10000")
	f("GET", "/Things?$count=yes", 400, "$count", `"yes"`)
	f("GET", "/Things?$top=1&$top=2", 400, "$top", "given 2 times")
	f("GET", "/Things?top=1", 400, "top", `no query option "top"`)
	f("GET", "/Things?$filter=%zz", 400, "", "cannot be read")
	f("GET", "/Things?$filter="+strings.Repeat("a", 5000), 400, "", "more than 4096")
	f("GET", "/Things('AAAAAA1')?$top=1", 400, "$top", "for sets of entities")
	f("GET", "/Things?$skiptoken=x", 400, "$skiptoken", "for Observations")
	f("GET", "?$top=1", 400, "$top", `no parameter "$top" here`)
	f("GET", "/Things?$resultFormat=dataArray", 501, "$resultFormat", "as dataArray of Observations")
	f("GET", "/Observations?$resultFormat=GeoJSON", 501, "$resultFormat", `"GeoJSON"`)
	f("GET", "/Datastreams?$expand=Observations($resultFormat=dataArray)", 501, "$resultFormat", "as dataArray of Observations")
	f("GET", "/Observations?$resultFormat=dataArray&$expand=Datastream", 400, "$resultFormat", "leave out $expand")
	f("GET", "/Things?$filter=Datastreams/Observations/result gt 5 and Locations/Things/Datastreams/Observations/result gt 5", 501, "", "by two ways")
	f("GET", "/Things?$apply=groupby((name))", 501, "$apply", "not supported")
	f("GET", "/Things?$orderby=Datastreams/Observations/result", 501, "", "not supported here")
	f("POST", "/Things", 501, "", "can only be read")
	f("PATCH", "/Things('AAAAAA1')", 501, "", "can only be read")
	f("PUT", "/Things('AAAAAA1')", 501, "", "can only be read")
	f("DELETE", "/Things('AAAAAA1')", 501, "", "can only be read")
	f("POST", "/$batch", 501, "", "batch requests are not supported")
	f("POST", "/CreateObservations", 501, "", "MQTT")
}

// A request whose answer is too large is refused before anything is read, not answered in part.
func TestTooLarge(t *testing.T) {
	c := serve(t)
	for i := range maxReads {
		st := *c.town.stations[0]
		st.ID, st.Status = fmt.Sprintf("X%06d", i), ingest.Active
		c.town.stations = append(c.town.stations, &st)
		r := c.town.readings[0]
		r.Station = st.ID
		c.town.readings = append(c.town.readings, r)
	}
	f := func(query, want string) {
		t.Helper()
		c.town.asked = nil
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		response, body := c.do("GET", "/Things?"+query)
		if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 4<<20 || len(c.town.asked) > 0 {
			t.Errorf("%s took %d bytes and %d queries of the store to refuse", query, after.TotalAlloc-before.TotalAlloc, len(c.town.asked))
		}
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s %.300s, want %q", query, response.Status, body, want)
		}
	}
	f("$top=1000&$expand=Datastreams($expand=Observations($top=2))", "Observations of more than 300 entities")
	f("$top=1000&$expand=Datastreams($expand=Observations($top=100))", "more than 20000 entities")
	f("$top=100&$expand=Datastreams($top=1;$expand=Observations($top=1000))", "more than 20000 entities")
	f("$top=100&$expand=Datastreams($top=1;$expand=Observations($top=10;$expand=Datastream($expand=Observations)))", "more than 20000 entities")
	f("$top=1000&$expand=Datastreams($filter=Observations/result%20gt%205)", "Observations of more than 300 entities")
	f("$top=1000&$expand=Datastreams($expand=ObservedProperty($expand=Datastreams))", "more than 20000 entities")
}

func TestOnlyWhatIsPublic(t *testing.T) {
	c := serve(t)
	for _, k := range kinds {
		_, body := c.do("GET", "/"+k.plural+"?$top=1000")
		for _, forbidden := range []string{"6.958345", "50.941321", "Hidden", "owner@", "CCCCCC3"} {
			if strings.Contains(string(body), forbidden) {
				t.Errorf("%s tell %q", k.plural, forbidden)
			}
		}
	}
}

// The README names the limits.
func TestPromise(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	thousands := func(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
	for _, want := range []string{
		fmt.Sprintf("`$top` (%d, at most %s)", defaultTop, thousands(maxTop)), fmt.Sprintf("`$skip` (at most %s)", thousands(maxSkip)), "five levels deep",
		fmt.Sprintf("no more than %s readings", thousands(maxLooked)), fmt.Sprintf("no more than %d entities and", maxReads), fmt.Sprintf("no more than %s entities:", thousands(maxEntities)),
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("export/README.md does not say %q", want)
		}
	}
}
