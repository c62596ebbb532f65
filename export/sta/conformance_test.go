package sta

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// TestConformanceIsTrue compares the declared conformance with the answers: datamodel is in TestDataModel, resource-path
// in TestResourcePaths, request-data in TestRequestData; here all else is answered with 501.
func TestConformanceIsTrue(t *testing.T) {
	c := serve(t)
	settings := c.get("")["serverSettings"].(map[string]any)
	if got, want := fmt.Sprint(settings["conformance"]), "[http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel "+
		"http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities http://www.opengis.net/spec/iot_sensing/1.1/req/request-data]"; got != want {
		t.Errorf("conformance %s, want %s", got, want)
	}
	refused := map[string][]string{
		"create-update-delete":        {"POST /Things", "PATCH /Things('AAAAAA1')", "PUT /Things('AAAAAA1')", "DELETE /Things('AAAAAA1')", "POST /Things('AAAAAA1')/Datastreams/$ref"},
		"batch-request/batch-request": {"POST /$batch"},
		"data-array/data-array":       {"POST /CreateObservations"},
		"request-data/orderby":        {"GET /Things?$orderby=Datastreams/Observations/result", "GET /Datastreams?$orderby=Observations/phenomenonTime desc", "GET /Sensors?$orderby=properties/x"},
		"request-data/filter": {
			"GET /Things?$filter=Datastreams/Observations/result gt 5 and Locations/Things/Datastreams/Observations/result gt 5", "GET /Observations?$filter=Datastream/Observations/result gt 5",
			"GET /Datastreams?$filter=resultTime ge now()", "GET /Datastreams?$filter=observedArea eq null",
			"GET /Observations?$filter=validTime eq null", "GET /Observations?$filter=resultQuality eq null", "GET /Locations?$filter=properties/x eq 1",
		},
	}
	// MultiDatastreams have no entities here, and MQTT is no HTTP.
	want := slices.Concat(slices.Collect(maps.Keys(refused)), []string{"multi-datastream", "create-observations-via-mqtt/observations-creation", "receive-updates-via-mqtt/receive-updates"})
	slices.Sort(want)
	var told []string
	for class, how := range settings["missing"].(map[string]any) {
		told = append(told, strings.TrimPrefix(class, "http://www.opengis.net/spec/iot_sensing/1.1/req/"))
		if how == "" {
			t.Errorf("%s is missing without a word", class)
		}
	}
	slices.Sort(told)
	if !slices.Equal(told, want) {
		t.Errorf("missing are %v, want %v", told, want)
	}
	for class, requests := range refused {
		for _, request := range requests {
			method, address, _ := strings.Cut(request, " ")
			if response, body := c.do(method, strings.ReplaceAll(address, " ", "%20")); response.StatusCode != http.StatusNotImplemented {
				t.Errorf("%s: %s: %s %s, want 501", class, request, response.Status, body)
			}
		}
	}
}

// TestRequestData tests the requirements of the class request-data one by one (OGC 18-088, section 9.3); functions and
// operators are in TestFilter.
func TestRequestData(t *testing.T) {
	c, ago := evening(t)
	f := func(requirement, address, member, want string) {
		t.Helper()
		if got := found(c.get(address), member); got != want {
			t.Errorf("%s: %s: %s, want %s", requirement, address, got, want)
		}
	}
	status := func(requirement, address string, want int) {
		t.Helper()
		if response, body := c.do("GET", strings.ReplaceAll(address, " ", "%20")); response.StatusCode != want {
			t.Errorf("%s: %s: %s %s, want %d", requirement, address, response.Status, body, want)
		}
	}
	status("status-code", "/Things", 200)
	status("status-code", "/Things('AAAAAA1')", 200)
	status("status-code", "/Things('none')", 404)
	status("query-status-code", "/Things?$filter=nothing eq 1", 400)
	status("query-status-code", "/Things?$top=-1", 400)
	status("query-status-code", "/Things?$apply=x", 501)

	// order: $filter before $count, $orderby, $skip, $top; then $expand and $select.
	const all = "/Datastreams?$filter=ObservedProperty/id ne 'pm1'&$orderby=id desc&$skip=1&$top=2&$count=true&$select=id&$expand=Thing($select=name)"
	page := c.get(all)
	if page["@iot.count"] != 4.0 {
		t.Errorf("order: %v are counted, want 4", page["@iot.count"])
	}
	f("order", all, "@iot.id", "BBBBBB2-pm10 AAAAAA1-pm2_5")
	f("order", all, "Thing", "map[name:Deutz] map[name:Dom]")

	f("expand", "/Datastreams?$expand=Sensor,ObservedProperty&$filter=id eq 'AAAAAA1-pm10'", "Sensor@iot.navigationLink", "<nil>")
	f("expand", "/Things?$expand=Datastreams/ObservedProperty&$select=id", "Locations@iot.navigationLink", "<nil> <nil>")
	f("select", "/Things?$select=name", "@iot.id", "<nil> <nil>")
	f("select", "/Things?$select=id,Datastreams", "Datastreams@iot.navigationLink", c.root+"/Things('AAAAAA1')/Datastreams "+c.root+"/Things('BBBBBB2')/Datastreams")
	for address, rest := range map[string]string{ // what the standard has and is not told can be selected, and is not there
		"/Datastreams?$select=name,resultTime,observedArea&$top=1":                         "[map[name:PM10, Dom]]",
		"/Locations?$select=name,properties&$top=1":                                        "[map[name:Dom]]",
		"/Sensors?$select=encodingType,properties":                                         "[map[encodingType:application/json]]",
		"/FeaturesOfInterest?$select=name,properties&$top=1":                               "[map[name:Dom]]",
		"/Observations?$select=result,validTime,resultQuality&$filter=result eq 59&$top=1": "[map[result:59]]",
	} {
		if got := fmt.Sprint(values(c.get(address)["value"])); got != rest {
			t.Errorf("select: %s: %s, want %s", address, got, rest)
		}
	}
	f("orderby", "/Things?$orderby=name", "name", "Deutz Dom")
	f("orderby", "/Things?$orderby=name desc", "name", "Dom Deutz")
	f("orderby", "/Datastreams?$orderby=ObservedProperty/name asc,Thing/name desc", "@iot.id", "AAAAAA1-pm10 BBBBBB2-pm10 AAAAAA1-pm2_5 BBBBBB2-pm2_5")
	f("top", "/Things?$top=1", "@iot.id", "AAAAAA1")
	f("top", "/Things?$top=0", "@iot.id", "")
	f("skip", "/Things?$skip=1", "@iot.id", "BBBBBB2")
	f("skip", "/Things?$skip=2", "@iot.id", "")
	for count, want := range map[string]any{"": nil, "&$count=true": 2.0, "&$count=false": nil} {
		if got := c.get("/Things?$top=1" + count)["@iot.count"]; got != want {
			t.Errorf("count: %s: %v, want %v", count, got, want)
		}
	}
	f("filter", "/Observations?$filter=result gt 58&$top=1", "result", "59")
	f("filter", "/Observations?$filter=phenomenonTime ge "+ago(1)+"&$orderby=id", "result", "11 10 1 0")
	f("built-in-filter-operations", "/Things?$filter=name eq 'Dom' or not (name ne 'Deutz')", "name", "Dom Deutz")
	f("built-in-query-functions", "/Things?$filter=startswith(tolower(name),'do')", "name", "Dom")

	// pagination: nextLink is there where there is more, and nowhere else; following it yields all.
	first := c.get("/Things?$top=1")
	second := c.get(first["@iot.nextLink"].(string))
	if found(first, "name")+found(second, "name") != "DomDeutz" || second["@iot.nextLink"] != nil {
		t.Errorf("pagination: %v, then %v", first, second)
	}
}

// Every property can be sorted by, as in OGC's own suite, also geometries and objects.
func TestEveryPropertyIsAnOrder(t *testing.T) {
	c := serve(t)
	for _, k := range kinds {
		all := found(c.get("/"+k.plural+"?$orderby=id&$top=1000"), "@iot.id")
		for _, p := range schema[k].properties {
			for _, direction := range []string{"", " asc", " desc"} {
				list := strings.Fields(found(c.get("/"+k.plural+"?$top=1000&$orderby="+p.name+direction), "@iot.id"))
				slices.Sort(list)
				if want := strings.Fields(all); !slices.Equal(list, slices.Sorted(slices.Values(want))) {
					t.Errorf("%s by %s%s: %d of %d", k.plural, p.name, direction, len(list), len(want))
				}
			}
		}
	}
}

// A request that reads too much is answered with a smaller query in the direction of its order, and that one succeeds.
func TestTooMuchSaysWhatToDo(t *testing.T) {
	c := serve(t)
	last := c.town.readings[len(c.town.readings)-1].Time
	c.town.readings = nil
	for i := range maxLooked + 10_000 {
		at := last.Add(-time.Duration(maxLooked+10_000-i) * time.Second)
		c.town.readings = append(c.town.readings, ingest.Reading{Station: "AAAAAA1", Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.PM2_5, Value: 1}}})
	}
	f := func(address, want string) {
		t.Helper()
		response, body := c.do("GET", address)
		_, hint, found := strings.Cut(string(body), want)
		if response.StatusCode != http.StatusBadRequest || !found {
			t.Fatalf("%s: %s %s, want %q", address, response.Status, body, want)
		}
		hint, _, _ = strings.Cut(hint, ",")
		hint, _, _ = strings.Cut(hint, `"`)
		narrow := c.get(address[:strings.Index(address, "?")] + "?$filter=" + hint)
		if values(narrow["value"]) == nil && fmt.Sprint(narrow["value"]) != "[]" {
			t.Errorf("%s: %v", hint, narrow)
		}
	}
	f("/Things?$filter="+url.QueryEscape("Datastreams/Observations/result gt 5"), "such as … and ")
	f("/Observations?$filter="+url.QueryEscape("result gt 5"), "such as with $filter=")
}
