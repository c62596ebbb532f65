package sta

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/ingest"
)

// evening serves a town whose second station has been silent for fifty minutes; ago returns the time a number of minutes
// before now.
func evening(t *testing.T) (c *client, ago func(minutes int) string) {
	c = serve(t)
	last := c.town.readings[len(c.town.readings)-1].Time
	c.town.readings = slices.DeleteFunc(c.town.readings, func(r ingest.Reading) bool { return r.Station == "BBBBBB2" && last.Sub(r.Time) < 50*time.Minute })
	return c, func(minutes int) string {
		return last.Add(-time.Duration(minutes) * time.Minute).Format("2006-01-02T15:04:05.000Z") // as JavaScript's toISOString has it
	}
}

// found returns the ids that an answer lists, or another member of them.
func found(answer map[string]any, member string) string {
	var list []string
	for _, e := range values(answer["value"]) {
		list = append(list, fmt.Sprint(e[member]))
	}
	return strings.Join(list, " ")
}

// TestFiltersThroughObservations selects entities by their observations: a single observation must match the whole
// filter.
func TestFiltersThroughObservations(t *testing.T) {
	c, ago := evening(t)
	f := func(address, want string) {
		t.Helper()
		if got := found(c.get(address), "@iot.id"); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	// A dashboard's number of devices that are alive.
	f("/Things?$filter=Datastreams/Observations/phenomenonTime gt now() sub duration'PT30M'&$count=true", "AAAAAA1")
	if alive := c.get("/Things?$filter=Datastreams/Observations/phenomenonTime gt now() sub duration'PT30M'&$count=true&$top=0"); alive["@iot.count"] != 1.0 {
		t.Errorf("alive: %v", alive["@iot.count"])
	}
	// The standard's own example (OGC 18-088, section 9.3.3.5). The first station has been at its second place for 30 minutes.
	const example = "/Things?$expand=Datastreams/Observations/FeatureOfInterest&$filter=Datastreams/Observations/FeatureOfInterest/id eq '%s' and Datastreams/Observations/resultTime ge %s and Datastreams/Observations/resultTime le %s"
	f(fmt.Sprintf(example, "AAAAAA1-2", ago(20), ago(10)), "AAAAAA1")
	f(fmt.Sprintf(example, "AAAAAA1-2", ago(60), ago(40)), "")
	f(fmt.Sprintf(example, "AAAAAA1-1", ago(60), ago(40)), "AAAAAA1")
	f("/Things?$filter=during(Datastreams/Observations/phenomenonTime,"+ago(70)+"/"+ago(60)+") and name eq 'Deutz'", "BBBBBB2")
	f("/Things?$filter=name eq 'Deutz' or Datastreams/Observations/result lt 0", "BBBBBB2")
	f("/Things?$filter=not (Datastreams/Observations/result ge 0)", "")
	// PM10 is 10 to 59, PM2.5 0 to 49: minutes ago, by fifty.
	f("/Datastreams?$filter=Observations/result gt 58", "AAAAAA1-pm10 BBBBBB2-pm10")
	f("/Datastreams?$filter=Observations/result eq 3 and Observations/phenomenonTime ge "+ago(10), "AAAAAA1-pm2_5")
	f("/Datastreams?$filter=Observations/result eq 30 and Observations/phenomenonTime ge "+ago(10), "")
	f("/Datastreams?$filter=Observations/FeatureOfInterest/id eq 'BBBBBB2-1'&$orderby=id desc", "BBBBBB2-pm2_5 BBBBBB2-pm10")
	f("/FeaturesOfInterest?$filter=Observations/result ge 59", "AAAAAA1-1 BBBBBB2-1")
	f("/ObservedProperties?$filter=Datastreams/Observations/result gt 58", "pm10")
	f("/Locations?$filter=Things/Datastreams/Observations/phenomenonTime ge "+ago(10), "AAAAAA1-2")
	f("/Things('BBBBBB2')/Datastreams?$filter=Observations/result lt 1 and Observations/phenomenonTime gt "+ago(49), "")
	inner := values(c.get("/Things?$expand=Datastreams($filter=Observations/phenomenonTime ge " + ago(10) + ")")["value"])
	if len(values(inner[0]["Datastreams"])) != 2 || len(values(inner[1]["Datastreams"])) != 0 {
		t.Errorf("expanded: %v", inner)
	}
}

// Only readings that can matter are read, backwards for all entities together, and reading stops when everything is
// decided.
func TestFiltersThroughObservationsReadLittle(t *testing.T) {
	f := func(filter string, wantAsked, mostYielded int) {
		t.Helper()
		w := newTown().measured(30_000, time.Minute)
		e, err := parseExpression(filter)
		if err == nil {
			e, err = join(e, things)
		}
		if err == nil {
			_, err = w.world(t).entities(things, nil, link{}, options{filter: e, top: 10})
		}
		if err != nil || len(w.asked) > wantAsked || w.yielded > mostYielded {
			t.Errorf("%s: %v, asked %d times for %d readings", filter, err, len(w.asked), w.yielded)
		}
	}
	f("Datastreams/Observations/result ge 0", 4, 200)
	f("Datastreams/Observations/phenomenonTime ge 2026-05-01T11:00:00Z", 4, 200)
	f("Datastreams/Observations/phenomenonTime lt 2026-05-01T11:00:00Z and Datastreams/Observations/phenomenonTime gt 2026-05-01T10:00:00Z and Datastreams/Observations/result gt 1000", 10, 200)
}

// TestQuestionsOfClients sends the requests that known programs send.
func TestQuestionsOfClients(t *testing.T) {
	c, ago := evening(t)
	// Masterportal, Hamburg's.
	const box = "geography'POLYGON ((6.955 50.94, 6.96 50.94, 6.96 50.945, 6.955 50.945, 6.955 50.94))'"
	portal := c.get("/Datastreams?$filter=st_within(Thing/Locations/location, " + box + ") and properties/quantity eq 'pm10'" +
		"&$expand=Thing($select=name,properties;$expand=Locations($select=location)),Observations($top=1;$orderby=phenomenonTime desc;$select=result,phenomenonTime)&$select=name,properties&$top=500")
	stream := values(portal["value"])
	if len(stream) != 1 || stream[0]["name"] != "PM10, Dom" || stream[0]["@iot.id"] != nil {
		t.Fatalf("Masterportal gets %v", portal)
	}
	thing := stream[0]["Thing"].(map[string]any)
	place := values(thing["Locations"])[0]["location"].(map[string]any)
	observation := values(stream[0]["Observations"])[0]
	if thing["name"] != "Dom" || place["type"] != "Point" || observation["result"] != 10.0 || observation["parameters"] != nil || len(observation) != 2 {
		t.Errorf("Masterportal gets %v, %v", thing, observation)
	}
	// QGIS from 3.36 on: how many, then page by page, by the kind of geometry and the map's extent.
	const points = "location/type eq 'Point' or location/geometry/type eq 'Point'"
	if count := c.get("/Locations?$top=0&$count=true&$filter=" + points); count["@iot.count"] != 3.0 || len(values(count["value"])) != 0 {
		t.Errorf("QGIS counts %v", count)
	}
	if got := found(c.get("/Locations?$top=200&$count=false&$expand=Things($orderby=id;$expand=Datastreams($top=10))&$filter=("+points+") and (geo.intersects(location, "+box+"))"), "@iot.id"); got != "AAAAAA1-2" {
		t.Errorf("QGIS gets %s", got)
	}
	if got := found(c.get("/FeaturesOfInterest?$filter=feature/type eq 'Polygon' or feature/geometry/type eq 'Polygon'"), "@iot.id"); got != "" {
		t.Errorf("QGIS gets %s as polygons", got)
	}
	// FROST's during, as charts send it.
	chart := c.get("/Datastreams('AAAAAA1-pm2_5')/Observations?$filter=during(phenomenonTime," + ago(10) + "/" + ago(5) + ")&$orderby=phenomenonTime&$expand=FeatureOfInterest")
	if got := found(chart, "result"); got != "10 9 8 7 6" {
		t.Errorf("a chart gets %s", got)
	}
	// An interval in words, with the number of all and a link to the rest.
	page := c.get("/Datastreams('AAAAAA1-pm2_5')/Observations?$filter=phenomenonTime ge " + ago(10) + " and phenomenonTime lt " + ago(5) + "&$count=true&$top=3&$orderby=phenomenonTime")
	rest := c.get(page["@iot.nextLink"].(string))
	if page["@iot.count"] != 5.0 || found(page, "result") != "10 9 8" || found(rest, "result") != "7 6" || rest["@iot.nextLink"] != nil {
		t.Errorf("pages %v and %v", page, rest)
	}
	// Everything at once.
	things := values(c.get("/Things?$expand=Locations,Datastreams($expand=Observations($top=1;$orderby=phenomenonTime desc),ObservedProperty,Sensor)")["value"])
	newest := values(values(things[0]["Datastreams"])[0]["Observations"])
	if len(newest) != 1 || newest[0]["result"] != 10.0 {
		t.Errorf("the newest is %v", newest)
	}
}

// OGC 18-088, section 12.2: one object a datastream, with the names and the rows of values.
func TestDataArray(t *testing.T) {
	c, ago := evening(t)
	some := c.get("/Datastreams('AAAAAA1-pm2_5')/Observations?$count=true&$top=2&$resultFormat=dataArray&$select=result,phenomenonTime&$orderby=phenomenonTime desc")
	arrays := values(some["value"])
	if some["@iot.count"] != 100.0 || len(arrays) != 1 || fmt.Sprint(arrays[0]["components"]) != "[result phenomenonTime]" || arrays[0]["dataArray@iot.count"] != 2.0 ||
		arrays[0]["Datastream@iot.navigationLink"] != c.root+"/Datastreams('AAAAAA1-pm2_5')" {
		t.Fatalf("the array is %v", some)
	}
	second := func(text string) string { return strings.Replace(text, ".000Z", "Z", 1) }
	if got, want := fmt.Sprint(arrays[0]["dataArray"]), fmt.Sprintf("[[0 %s] [1 %s]]", second(ago(0)), second(ago(1))); got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	next := values(c.get(some["@iot.nextLink"].(string))["value"])
	if got, want := fmt.Sprint(next[0]["dataArray"]), fmt.Sprintf("[[2 %s] [3 %s]]", second(ago(2)), second(ago(3))); got != want {
		t.Errorf("the next rows %s, want %s", got, want)
	}
	all := values(c.get("/Observations?$resultFormat=dataArray&$top=4")["value"])
	if len(all) != 2 || fmt.Sprint(all[0]["components"]) != "[id phenomenonTime resultTime result parameters]" || all[0]["dataArray@iot.count"] != 2.0 {
		t.Errorf("of all datastreams %v", all)
	}
	if none := c.get("/Observations?$resultFormat=dataArray&$filter=result gt 1000"); len(values(none["value"])) != 0 || none["value"] == nil {
		t.Errorf("of none %v", none)
	}
}
