package ogc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
)

// The abstract tests of OGC 17-069r4, annex A, that the other tests of this package do not cover; each names its test.

// documents are the addresses of the service except single features.
var documents = []string{
	"", "/conformance", "/api", "/collections", "/collections/stations", "/collections/readings-latest", "/collections/grid-1h", "/collections/districts",
	"/collections/stations/items", "/collections/readings-latest/items", "/collections/grid-1h/items", "/collections/districts/items",
	"/collections/stations/items?limit=1", "/collections/stations/items/AAAAAA1",
}

// /conf/core/http: HTTP/1.1; HEAD is GET without a body (RFC 9110, section 9.3.2).
func TestConfHTTP(t *testing.T) {
	c := open(t)
	for _, address := range documents {
		get, _ := c.Do("GET", Root+address, "")
		head, body := c.Do("HEAD", Root+address, "")
		if get.Proto != "HTTP/1.1" || head.StatusCode != get.StatusCode || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") || len(body) > 0 {
			t.Errorf("%s: %s %s %s, HEAD %s %s with %d bytes", address, get.Proto, get.Status, get.Header, head.Status, head.Header, len(body))
		}
	}
}

// /conf/core/root-success, fc-md-links, fc-md-items-links, sfc-md-success, fc-links, f-links: self and alternate, all links with rel and type,
// and each link of the service leads to what its type says. /conf/html/content: the page has every link but the one to itself and the next page, which is one.
func TestConfLinks(t *testing.T) {
	c := open(t)
	for _, address := range documents {
		if address == "/conformance" || address == "/api" { // whose schemas have no links
			continue
		}
		body := string(c.Get(Root + address))
		var document struct {
			Links       []link
			Collections []struct{ Links []link }
		}
		if err := json.Unmarshal([]byte(body), &document); err != nil {
			t.Fatal(err)
		}
		if find(document.Links, "self") == "" || find(document.Links, "alternate") == "" {
			t.Errorf("%s: %+v", address, document.Links)
		}
		all := document.Links
		for _, collection := range document.Collections {
			all = append(all, collection.Links...)
		}
		for _, l := range all {
			if l.Rel == "" || l.Type == "" {
				t.Errorf("%s: the link %+v lacks rel or type", address, l)
			}
			if !strings.HasPrefix(l.Href, c.URL) {
				continue
			}
			response, _ := c.Do("GET", l.Href, "", "Accept", l.Type)
			if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || !strings.HasPrefix(got, l.Type) {
				t.Errorf("%s: %s is %s %s, want %s", address, l.Href, response.Status, got, l.Type)
			}
		}
		_, page := c.Do("GET", find(document.Links, "alternate"), "")
		for _, l := range document.Links {
			if l.Rel != "alternate" && l.Rel != "next" && !strings.Contains(string(page), strings.ReplaceAll(l.Href, "&", "&amp;")) {
				t.Errorf("the page of %s has no link to %s", address, l.Href)
			}
		}
	}
}

// wants compares a value as JSON with the expected JSON.
func wants(t *testing.T, what string, got any, want string) {
	t.Helper()
	var wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, wanted) {
		t.Errorf("%s is %v, want %s", what, got, want)
	}
}

// /conf/core/fc-bbox-definition, fc-limit-definition, fc-time-definition, word by word; /conf/oas30/completeness and exceptions-codes: every
// operation describes its good answers with a schema for JSON, and all others.
func TestConfDefinitions(t *testing.T) {
	c := open(t)
	var d struct {
		Paths map[string]struct {
			Get struct {
				Parameters []map[string]any
				Responses  map[string]struct {
					Content map[string]struct{ Schema map[string]any }
				}
			}
		}
	}
	body := c.Get(Root + "/api")
	if err := json.Unmarshal(body, &d); err != nil {
		t.Fatal(err)
	}
	for path, p := range d.Paths {
		if _, all := p.Get.Responses["default"]; !all {
			t.Errorf("%s does not say what else can come", path)
		}
		for form, content := range p.Get.Responses["200"].Content {
			if strings.Contains(form, "json") && content.Schema["type"] != "object" {
				t.Errorf("%s as %s has the schema %v", path, form, content.Schema)
			}
		}
		if !strings.HasSuffix(path, "/items") {
			continue
		}
		found := map[string]map[string]any{}
		for _, parameter := range p.Get.Parameters {
			delete(parameter, "description")
			found[parameter["name"].(string)] = parameter
		}
		wants(t, "limit", any(found["limit"]), `{"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":1000,"default":10},"style":"form","explode":false}`)
		wants(t, "bbox", any(found["bbox"]), `{"name":"bbox","in":"query","schema":{"type":"array","oneOf":[{"minItems":4,"maxItems":4},{"minItems":6,"maxItems":6}],"items":{"type":"number"}},"style":"form","explode":false}`)
		wants(t, "datetime", any(found["datetime"]), `{"name":"datetime","in":"query","schema":{"type":"string"},"style":"form","explode":false}`)
	}
	for _, later := range []string{`"const"`, `"null"`, `"$schema"`} { // OpenAPI 3.0 has none of them
		if strings.Contains(string(body), later) {
			t.Errorf("the definition has %s, which OpenAPI 3.0 does not know", later)
		}
	}
}

// whole returns every feature of a collection, page by page, and numberMatched.
func (c *client) whole(collection string) (features []*geojson.Feature, matched int) {
	c.T.Helper()
	for next := Root + "/collections/" + collection + "/items?limit=50"; next != ""; {
		body := c.Get(next)
		var page collectionPage
		list, err := geojson.UnmarshalFeatureCollection(body)
		if err == nil {
			err = json.Unmarshal(body, &page)
		}
		if err != nil {
			c.T.Fatal(err)
		}
		features = append(features, list.Features...)
		if page.NumberMatched != nil {
			matched = *page.NumberMatched
		}
		next = find(page.Links, "next")
	}
	return features, matched
}

// /conf/core/fc-md-extent: the box holds every geometry, the interval every time. /conf/core/fc-numberMatched: as many as all pages have. /conf/core/crs84.
func TestConfExtent(t *testing.T) {
	c := open(t)
	far := station("EEEEEE5", "Imported", orb.Point{7.3, 51.2}, "retired", c.town.now.AddDate(-1, 0, 0)) // beyond the city
	c.town.stations = append(c.town.stations, far)
	for i := range c.town.rows {
		if i%5 == 0 {
			c.town.rows[i].Cell = cellAt(t, orb.Point{7.3, 51.2})
		}
	}
	for _, collection := range []string{"stations", "readings-latest", "grid-1h", "districts"} {
		var d description
		c.JSON(Root+"/collections/"+collection, &d)
		box := d.Extent.Spatial.BBox[0]
		bound := orb.Bound{Min: orb.Point{box[0], box[1]}, Max: orb.Point{box[2], box[3]}}.Pad(0.000001) // six decimals
		if d.Extent.Spatial.CRS != "http://www.opengis.net/def/crs/OGC/1.3/CRS84" || d.Extent.Temporal.TRS != "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian" || d.CRS[0] != d.StorageCRS {
			t.Errorf("%s: %+v", collection, d)
		}
		features, matched := c.whole(collection)
		if len(features) != matched {
			t.Errorf("%s: %d features of %d", collection, len(features), matched)
		}
		for _, f := range features {
			if b := f.Geometry.Bound(); !bound.Contains(b.Min) || !bound.Contains(b.Max) {
				t.Errorf("%s: %v at %v lies beyond %v", collection, f.ID, b, box)
			}
			for _, name := range []string{"window_start", "time", "since"} {
				if at, ok := f.Properties[name].(string); ok && !within(t, at, d.Extent.Temporal.Interval[0]) {
					t.Errorf("%s: %v is of %s", collection, f.ID, at)
				}
			}
		}
	}
}

func within(t *testing.T, at string, interval [2]*string) bool {
	t.Helper()
	read := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	return !read(at).Before(read(*interval[0])) && (interval[1] == nil || !read(at).After(read(*interval[1])))
}

// /conf/core/query-param-invalid and query-param-unknown at every collection, as in OGC's own suite.
func TestConfQueryParameters(t *testing.T) {
	c := open(t)
	for _, collection := range []string{"stations", "readings-latest", "grid-1h", "districts"} {
		for _, query := range []string{"limit=unlimited", "unknownQueryParameter12345=1", "datetime=2026-13-01", "datetime=2026-05-01/P", "datetime=P1D/2026-05-01", "bbox=a,b,c,d"} {
			if response, body := c.Do("GET", Root+"/collections/"+collection+"/items?"+query, "", "Accept", "application/geo+json"); response.StatusCode != http.StatusBadRequest {
				t.Errorf("%s?%s: %s %s", collection, query, response.Status, body)
			}
		}
	}
}

// /conf/core/fc-time-response: dates are whole days in UTC, and the end of an interval may be a duration.
func TestConfDatetimeForms(t *testing.T) {
	c := open(t)
	day := c.town.now.Truncate(24*time.Hour).AddDate(0, 0, -1) // yesterday: the last 30 hours contain all of it or its last hours
	hours := func(from, to time.Time) (n int) {
		for _, r := range c.town.rows {
			if !r.Start.Before(from) && r.Start.Before(to) {
				n++
			}
		}
		return n
	}
	f := func(datetime string, want int) {
		t.Helper()
		var p collectionPage
		c.JSON(Root+"/collections/grid-1h/items?datetime="+url.QueryEscape(datetime), &p)
		if *p.NumberMatched != want {
			t.Errorf("datetime=%s: %d features, want %d", datetime, *p.NumberMatched, want)
		}
	}
	date, next := day.Format(time.DateOnly), day.AddDate(0, 0, 1)
	f(date, hours(day, next))
	f(date+"/"+date, hours(day, next))
	f(date+"/..", hours(day, next.AddDate(0, 0, 9)))
	f("../"+date, hours(time.Time{}, next))
	f(date+"/P1D", hours(day, next.Add(time.Hour))) // the moment the day ends is in it
	f(date+"/PT30M", hours(day, day.Add(time.Hour)))
}

// /conf/core/f-op: an id with any characters is a feature at the address that its links name.
func TestConfOddIDs(t *testing.T) {
	c := open(t)
	c.town.areas = []string{`50 % "Süd"?#&+`, `a//b/../c`}
	var p collectionPage
	c.JSON(Root+"/collections/districts/items", &p)
	for i, want := range c.town.areas {
		var one itemPage
		c.JSON(Root+"/collections/districts/items/"+url.PathEscape(want), &one)
		if p.Features[i].ID != want || one.ID != want {
			t.Errorf("%q is %q", want, one.ID)
		}
		c.JSON(find(one.Links, "self"), &one)
		if one.ID != want {
			t.Errorf("%q at %s is %q", want, find(one.Links, "self"), one.ID)
		}
	}
}

// /conf/html/content: the page shows the content of the document.
func TestConfHTML(t *testing.T) {
	c := open(t)
	f := func(address string, want ...any) {
		t.Helper()
		_, page := c.Do("GET", Root+address, "", "Accept", "text/html")
		for _, w := range want {
			if !strings.Contains(string(page), fmt.Sprint(w)) {
				t.Errorf("the page of %q does not say %v", address, w)
			}
		}
	}
	at := c.town.now.Format("2006-01-02")
	f("", "Stadt Köln", "City air of Köln")
	f("/collections/stations", "6.7740, 50.8310", "Stadt Köln", "CRS84", "T", at[:4])
	f("/collections/stations/items?limit=2", "2 of 3 features", "6.958300, 50.941300", at)
	f("/collections/districts/items", "6.9400, 50.9200 – 6.9700, 50.9500")
	f("/collections/stations/items/AAAAAA1", "6.958300, 50.941300")
}
