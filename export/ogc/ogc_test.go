package ogc

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi/httpapitest"
)

// town is a small city: three stations that are shown and one that is not, the averages of 30 hours in two cells,
// and two districts.
type town struct {
	stations []*ingest.Station
	rows     []aggregate.Row
	areas    []string // names of the districts
	now      time.Time
}

var (
	dom     = orb.Point{6.9583, 50.9413}
	deutz   = orb.Point{6.9750, 50.9370}
	porz    = orb.Point{7.0600, 50.8850}
	secret  = orb.Point{6.123456, 50.654321}
	private = orb.Point{6.958345, 50.941321}
)

func station(id, name string, at orb.Point, status ingest.Status, created time.Time) *ingest.Station {
	return &ingest.Station{
		ID: id, Name: name, Kit: "sds011-bme280", Sensors: []string{"sds011", "bme280"}, Exposure: ingest.Outdoor, Status: status, Licence: "dl-zero-de/2.0",
		Email: "owner@example.org", Created: created, Places: []ingest.Place{{From: created, Exact: private, Public: at}},
	}
}

func newTown(t *testing.T) *town {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	w := &town{now: now, areas: []string{"Altstadt/Süd", "Dreieck"}, stations: []*ingest.Station{
		station("AAAAAA1", "Dom <1>", dom, ingest.Active, now.Add(-100*24*time.Hour)),
		station("BBBBBB2", "Deutz", deutz, ingest.Active, now.Add(-50*24*time.Hour)),
		station("CCCCCC3", "Porz", porz, ingest.Paused, now.Add(-24*time.Hour)),
		station("DDDDDD4", "Hidden", secret, ingest.Pending, now),
	}}
	for h := 30; h > 0; h-- {
		for _, q := range []quantity.Quantity{quantity.PM2_5, quantity.PM10} {
			for _, at := range []orb.Point{porz, dom} { // porz is farther south, so it comes first
				w.rows = append(w.rows, aggregate.Row{
					Cell: cellAt(t, at), Start: now.Truncate(time.Hour).Add(-time.Duration(h) * time.Hour), Window: aggregate.Hour, Quantity: q,
					Mean: 12345, Median: 12300, Min: 12000, Max: 13000, Stations: 1, Readings: 24, Coverage: 1000, Raw: 13000,
				})
			}
		}
	}
	return w
}

func (w *town) Stations() []*ingest.Station { return w.stations }

func (w *town) Latest(id string, at time.Time) live.Station {
	if id != "AAAAAA1" && id != "BBBBBB2" && id != "DDDDDD4" {
		return live.Station{State: live.New}
	}
	return live.Station{State: live.OK, LastSeen: w.now, Values: map[quantity.Quantity]live.Latest{
		quantity.PM10: {Value: 20.5, Time: w.now.Add(-time.Minute)}, quantity.PM2_5: {Value: 1999.9, Time: w.now.Add(-time.Minute), Flags: ingest.Sentinel},
		quantity.Temperature: {Value: 14, Time: w.now.Add(-2 * time.Hour)},
	}}
}

func (w *town) Hours(_ context.Context, from, to time.Time, quantities []quantity.Quantity, yield func(aggregate.Row) error) error {
	for _, r := range w.rows {
		if r.Start.Before(from) || !r.Start.Before(to) || len(quantities) > 0 && !slices.Contains(quantities, r.Quantity) {
			continue
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

func (w *town) Areas(context.Context, time.Time) ([]export.Area, error) {
	cell, err := geo.CellAt(dom, 1000)
	row := aggregate.Row{Cell: cell, Window: aggregate.Live, Quantity: quantity.PM2_5, Mean: 12345, Stations: 2, Readings: 40}
	return []export.Area{{Name: w.areas[0], Cells: eastwards(cell, 4), Rows: []aggregate.Row{row}}, {Name: w.areas[1], Cells: eastwards(cell, 9)}}, err
}

func cellAt(t *testing.T, p orb.Point) geo.Cell {
	t.Helper()
	cell, err := geo.CellAt(p, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return cell
}

// eastwards returns n cells in a row from west to east.
func eastwards(cell geo.Cell, n int) (cells []geo.Cell) {
	for range n {
		cells = append(cells, cell)
		cell.East += cell.Size
	}
	return cells
}

func (w *town) Meta(at time.Time) export.Meta {
	return export.Meta{Licence: "dl-by-de/2.0", Attribution: "Stadt Köln", Generated: at}
}

func outline(t *testing.T, name string, ring orb.Ring) geo.District {
	t.Helper()
	b, err := geo.NewBoundary(orb.MultiPolygon{{ring}})
	if err != nil {
		t.Fatal(err)
	}
	return geo.District{Name: name, Boundary: b}
}

// client sends requests to a service.
type client struct {
	*httpapitest.Client
	town *town
}

func open(t *testing.T) *client {
	t.Helper()
	w := newTown(t)
	s := &Service{
		Source: w, City: "Köln", Bound: geo.CologneSketch().Bound(), Resolution: 1000, Log: slog.New(slog.DiscardHandler),
		Districts: []geo.District{
			outline(t, "Altstadt/Süd", orb.Ring{{6.94, 50.92}, {6.97, 50.92}, {6.97, 50.95}, {6.94, 50.95}, {6.94, 50.92}}),
			outline(t, "Dreieck", orb.Ring{{7, 50.8}, {7.2, 50.8}, {7.2, 51}, {7, 50.8}}), // its north-west half is outside
		},
		Base: func(r *http.Request) string { return "http://" + r.Host },
	}
	return &client{httpapitest.Serve(t, s.Routes()), w}
}

// collectionPage is a page of features as a client decodes it.
type collectionPage struct {
	Type           string
	Features       []itemPage
	Links          []link
	TimeStamp      string
	NumberMatched  *int
	NumberReturned int
	Licence        string
	Attribution    string
}

type itemPage struct {
	Type       string
	ID         string
	Geometry   struct{ Type string }
	Properties map[string]any
	Links      []link
}

func (c *client) ids(query string) string {
	c.T.Helper()
	var p collectionPage
	c.JSON(Root+"/collections/"+query, &p)
	return p.ids()
}

func (p *collectionPage) ids() string {
	var ids []string
	for _, f := range p.Features {
		ids = append(ids, f.ID)
	}
	return strings.Join(ids, " ")
}

func find(links []link, rel string) string {
	for _, l := range links {
		if l.Rel == rel {
			return l.Href
		}
	}
	return ""
}

// /req/core/root-success: links service-desc or service-doc, conformance and data.
func TestLanding(t *testing.T) {
	c := open(t)
	for _, address := range []string{Root, Root + "/"} {
		var p landingPage
		c.JSON(address, &p)
		for _, rel := range []string{"self", "alternate", "service-desc", "service-doc", "conformance", "data", "license"} {
			href := find(p.Links, rel)
			if href == "" {
				t.Errorf("%s: no link rel=%s", address, rel)
				continue
			}
			if rel == "license" {
				continue
			}
			if response, body := c.Do("GET", href, ""); response.StatusCode != http.StatusOK {
				t.Errorf("%s: %s: %s", href, response.Status, body)
			}
		}
	}
}

// /req/core/conformance-success, with the four classes of FORMATS' row for QGIS.
func TestConformance(t *testing.T) {
	c := open(t)
	var p struct{ ConformsTo []string }
	c.JSON(Root+"/conformance", &p)
	const class = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
	if got, want := strings.Join(p.ConformsTo, " "), class+"core "+class+"oas30 "+class+"html "+class+"geojson"; got != want {
		t.Errorf("conformsTo %s, want %s", got, want)
	}
}

// /req/core/fc-md-success, /req/core/fc-md-items and /req/core/sfc-md-success: each collection has an id, an extent and
// links to its features in every format, and its own document equals its entry in the list.
func TestCollections(t *testing.T) {
	c := open(t)
	var p struct {
		Collections []description
		Links       []link
	}
	c.JSON(Root+"/collections", &p)
	var ids []string
	for _, d := range p.Collections {
		ids = append(ids, d.ID)
		if find(d.Links, "items") == "" || find(d.Links, "license") == "" || len(d.Extent.Spatial.BBox) != 1 || len(d.Extent.Temporal.Interval) != 1 {
			t.Errorf("%s: %+v", d.ID, d)
		}
		var one description
		c.JSON(Root+"/collections/"+d.ID, &one)
		if one.ID != d.ID || one.Title != d.Title || one.Attribution != "Stadt Köln" {
			t.Errorf("%s by itself: %+v, want %+v", d.ID, one, d)
		}
	}
	if got := strings.Join(ids, " "); got != "stations readings-latest grid-1h districts" {
		t.Errorf("collections %s", got)
	}
}

// /req/core/fc-success and /req/core/fc-response: a page's members.
func TestItems(t *testing.T) {
	c := open(t)
	f := func(collection string, wantMatched int, wantType string) {
		t.Helper()
		var p collectionPage
		address := Root + "/collections/" + collection + "/items?limit=2"
		response, _ := c.Do("GET", address, "")
		c.JSON(address, &p)
		if got := response.Header.Get("Content-Type"); got != "application/geo+json" {
			t.Errorf("%s: content type %q, want application/geo+json (/req/geojson/content)", collection, got)
		}
		if p.Type != "FeatureCollection" || p.NumberMatched == nil || *p.NumberMatched != wantMatched || p.NumberReturned != len(p.Features) || len(p.Features) != 2 {
			t.Errorf("%s: %+v, want %d features", collection, p, wantMatched)
		}
		if at, err := time.Parse(time.RFC3339, p.TimeStamp); err != nil || at.Location() != time.UTC { // /req/core/fc-timeStamp
			t.Errorf("%s: timeStamp %q: %v", collection, p.TimeStamp, err)
		}
		if find(p.Links, "self") == "" || find(p.Links, "alternate") == "" || (find(p.Links, "next") != "") != (wantMatched > 2) { // /req/core/fc-links
			t.Errorf("%s: links %+v", collection, p.Links)
		}
		if p.Licence != "dl-by-de/2.0" || p.Attribution != "Stadt Köln" || p.Features[0].Geometry.Type != wantType {
			t.Errorf("%s: %+v", collection, p)
		}
	}
	f("stations", 3, "Point")
	f("readings-latest", 6, "Point")
	f("grid-1h", 120, "Polygon")
	f("districts", 2, "MultiPolygon")
}

// Following rel=next yields every feature once, whatever the limit.
func TestPagesAreWhole(t *testing.T) {
	c := open(t)
	f := func(query string, want int) {
		t.Helper()
		seen := map[string]bool{}
		next := Root + "/collections/" + query
		for pages := 0; next != "" && pages < 200; pages++ {
			var p collectionPage
			c.JSON(next, &p)
			for _, feature := range p.Features {
				if seen[feature.ID] {
					t.Errorf("%s: %s comes twice", query, feature.ID)
				}
				seen[feature.ID] = true
			}
			next = find(p.Links, "next")
		}
		if len(seen) != want {
			t.Errorf("%s: %d features, want %d", query, len(seen), want)
		}
	}
	f("stations/items?limit=1", 3)
	f("readings-latest/items?limit=4", 6)
	f("grid-1h/items?limit=7", 120)
	f("grid-1h/items?limit=7&quantity=pm10", 60)
	f("districts/items?limit=1", 2)
	f("grid-1h/items?limit=7&offset=50", 70)
	f("grid-1h/items?offset=120", 0)
}

// /req/core/fc-f-success, /rec/core/fc-...: each id of a page is the address of a feature.
func TestItem(t *testing.T) {
	c := open(t)
	for _, collection := range []string{"stations", "readings-latest", "grid-1h", "districts"} {
		var p collectionPage
		c.JSON(Root+"/collections/"+collection+"/items", &p)
		for _, feature := range p.Features {
			var one itemPage
			c.JSON(Root+"/collections/"+collection+"/items/"+url.PathEscape(feature.ID), &one)
			if one.ID != feature.ID || one.Type != "Feature" || fmt.Sprint(one.Properties) != fmt.Sprint(feature.Properties) && collection != "districts" {
				t.Errorf("%s: %+v, want %+v", collection, one, feature)
			}
			if find(one.Links, "self") == "" || find(one.Links, "alternate") == "" || find(one.Links, "collection") == "" { // /req/core/f-links
				t.Errorf("%s: links %+v", feature.ID, one.Links)
			}
		}
	}
}

// /req/core/query-param-unknown and /req/core/query-param-invalid: 400 that names the parameter.
func TestBadRequests(t *testing.T) {
	c := open(t)
	f := func(method, address string, wantStatus int, wantField, wantDetail string) {
		t.Helper()
		response, body := c.Do(method, Root+address, "")
		var p struct {
			Status        int
			Field, Detail string
		}
		if err := json.Unmarshal(body, &p); err != nil || response.StatusCode != wantStatus || p.Status != wantStatus || p.Field != wantField || !strings.Contains(p.Detail, wantDetail) {
			t.Errorf("%s %s: %s %s, want %d, field %q and %q", method, address, response.Status, body, wantStatus, wantField, wantDetail)
		}
	}
	const items = "/collections/stations/items"
	f("GET", "?x=1", 400, "x", `no parameter "x"`)
	f("GET", "/conformance?limit=1", 400, "limit", `no parameter "limit"`)
	f("GET", "/collections?bbox=1,2,3,4", 400, "bbox", `no parameter "bbox"`)
	f("GET", items+"?quantity=pm10", 400, "quantity", `no parameter "quantity"`)
	f("GET", "/collections/readings-latest/items?quantity=pm3", 400, "quantity", `"pm3"`)
	f("GET", items+"?f=xml", 400, "f", `"xml"`)
	f("GET", items+"?lang=fr", 400, "lang", `"fr"`)
	f("GET", items+"?limit=0", 400, "limit", "from 1 on")
	f("GET", items+"?limit=-3", 400, "limit", `"-3"`)
	f("GET", items+"?limit=ten", 400, "limit", `"ten"`)
	f("GET", items+"?offset=-1", 400, "offset", "from 0 on")
	f("GET", items+"?bbox=6,50,7", 400, "bbox", "west,south,east,north")
	f("GET", items+"?bbox=6,50,7,x", 400, "bbox", `"x"`)
	f("GET", items+"?bbox=6,50,7,NaN", 400, "bbox", `"NaN"`)
	f("GET", items+"?bbox=6,51,7,50", 400, "bbox", "swapped")
	f("GET", items+"?bbox=50,6,51,97", 400, "bbox", "longitude comes first")
	f("GET", items+"?bbox=6,50,200,51", 400, "bbox", "-180 to 180")
	f("GET", items+"?bbox=6,50,90,7,51,80", 400, "bbox", "lower height")
	f("GET", items+"?datetime=yesterday", 400, "datetime", `"yesterday"`)
	f("GET", items+"?datetime=../..", 400, "datetime", "at least one end")
	f("GET", items+"?datetime=2026-05-02T00:00:00Z/2026-05-01T00:00:00Z", 400, "datetime", "ends before it begins")
	f("GET", items+"?datetime=2026-05-01T00:00:00Z/2026-05-02T00:00:00Z/..", 400, "datetime", "neither a time")
	f("GET", "/collections/grid-1h/items?after=nonsense", 400, "after", `"nonsense"`)
	f("GET", "/collections/cars", 404, "collection", `"cars"`)
	f("GET", "/collections/cars/items", 404, "collection", `"cars"`)
	f("GET", items+"/0000000", 404, "feature", `"0000000"`)
	f("GET", items+"/DDDDDD4", 404, "feature", `"DDDDDD4"`) // not shown
	f("GET", "/collections/grid-1h/items/20200101T00Z.pm2_5.CRS3035RES1000mN3096000E4107000", 404, "feature", "no feature")
	f("GET", "/nothing", 404, "", "/nothing")
	f("POST", items, 405, "", "only be read")
	f("GET", items+"?limit=%zz", 400, "", "cannot be read")
}

// /req/core/fc-limit-response-1: a limit above the maximum is not an error.
func TestLimitAboveTheMaximum(t *testing.T) {
	c := open(t)
	for i := range maxLimit + 5 {
		c.town.stations = append(c.town.stations, station(fmt.Sprintf("X%06d", i), "Many", dom, ingest.Active, c.town.now))
	}
	var p collectionPage
	c.JSON(Root+"/collections/stations/items?limit=100000", &p)
	if len(p.Features) != maxLimit || *p.NumberMatched != maxLimit+5+3 || find(p.Links, "next") == "" {
		t.Errorf("%d features of %d, want %d", len(p.Features), *p.NumberMatched, maxLimit)
	}
}

// /req/core/fc-bbox-response: only features whose geometry meets the box.
func TestBBox(t *testing.T) {
	c := open(t)
	f := func(query, want string) {
		t.Helper()
		if got := c.ids(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	f("stations/items?bbox=6.95,50.93,6.96,50.95", "AAAAAA1")
	f("stations/items?bbox=6.95,50.93,0,6.98,50.95,100", "AAAAAA1 BBBBBB2")
	f("stations/items?bbox=170,50,7,51", "AAAAAA1 BBBBBB2") // across the antimeridian, from 170 east to 7 east: without Porz
	f("stations/items?bbox=7.5,50,6.5,51", "")
	f("stations/items?bbox=-180,-90,180,90", "AAAAAA1 BBBBBB2 CCCCCC3")
	f("districts/items?bbox=7.15,50.81,7.19,50.82", "Dreieck")
	f("districts/items?bbox=7.01,50.95,7.05,50.99", "") // in its bounding box, outside of it
	f("districts/items?bbox=6.95,50.93,6.96,50.94", "Altstadt/Süd")
	var p collectionPage
	c.JSON(Root+"/collections/grid-1h/items?bbox=7.05,50.88,7.07,50.89&limit=1", &p)
	if *p.NumberMatched != 60 {
		t.Errorf("cells of Porz: %d, want 60", *p.NumberMatched)
	}
}

// /req/core/fc-time-response: moments, intervals, open ends; both ends belong to an interval.
func TestDatetime(t *testing.T) {
	c := open(t)
	f := func(collection, datetime string, want int) {
		t.Helper()
		var p collectionPage
		c.JSON(Root+"/collections/"+collection+"/items?limit=1000&datetime="+url.QueryEscape(datetime), &p)
		if len(p.Features) != want || *p.NumberMatched != want {
			t.Errorf("%s datetime=%s: %d features, want %d", collection, datetime, len(p.Features), want)
		}
	}
	hour := c.town.now.Truncate(time.Hour)
	at := func(d time.Duration) string { return hour.Add(d).Format(time.RFC3339) }
	f("grid-1h", at(-3*time.Hour), 4)
	f("grid-1h", at(-3*time.Hour+20*time.Minute), 4) // within the hour
	f("grid-1h", at(-3*time.Hour)+"/"+at(-2*time.Hour), 8)
	f("grid-1h", at(-3*time.Hour)+"/..", 12)
	f("grid-1h", "../"+at(-28*time.Hour), 12)
	f("grid-1h", "/"+at(-28*time.Hour), 12)
	f("grid-1h", at(24*time.Hour)+"/..", 0)
	f("grid-1h", "2020-01-01T00:00:00Z", 0)
	f("readings-latest", c.town.now.Add(-time.Minute).Format(time.RFC3339), 4)
	f("readings-latest", "../"+c.town.now.Add(-time.Hour).Format(time.RFC3339), 2)
	f("stations", "../"+c.town.now.Add(-60*24*time.Hour).Format(time.RFC3339), 1)
	f("stations", c.town.now.Format(time.RFC3339), 3)
	f("districts", "2020-01-01T00:00:00Z/..", 2)
	f("districts", "../2020-01-01T00:00:00Z", 0)
}

// The hour that ended at midnight is not part of the day that begins then.
func TestAnHourEndsBeforeTheNext(t *testing.T) {
	c := open(t)
	var p collectionPage
	hour := c.town.now.Truncate(time.Hour).Add(-5 * time.Hour)
	c.JSON(Root+"/collections/grid-1h/items?datetime="+hour.Format(time.RFC3339)+"/"+hour.Format(time.RFC3339), &p)
	for _, f := range p.Features {
		if f.Properties["window_start"] != hour.Format(time.RFC3339) {
			t.Errorf("%s is not of the hour %s", f.ID, hour)
		}
	}
}

func TestFormAndLanguage(t *testing.T) {
	c := open(t)
	f := func(address, accept, language, wantType, wantText string) {
		t.Helper()
		response, body := c.Do("GET", Root+address, "", "Accept", accept, "Accept-Language", language)
		if got := response.Header.Get("Content-Type"); got != wantType || !strings.Contains(string(body), wantText) {
			t.Errorf("%s as %q in %q: %s\n%s\nwant %s with %q", address, accept, language, got, body, wantType, wantText)
		}
	}
	const browser = "text/html,application/xhtml+xml,*/*;q=0.8"
	const page = "text/html; charset=utf-8"
	f("", "*/*", "", "application/json", `"title":"City air of Köln`)
	f("", browser, "", page, `<html lang="en">`)
	f("", browser, "de-DE,de;q=0.9", page, `<html lang="de">`)
	f("?f=json", browser, "", "application/json", `"links"`)
	f("?f=html", "application/json", "", page, "<h1>City air")
	f("?f=html&lang=de", "", "en", page, "<h1>Stadtluft von Köln")
	f("/conformance", browser, "de", page, "Wozu der Dienst konform ist")
	f("/collections", browser, "de", page, "Stundenmittel im Raster")
	f("/collections/districts", browser, "de", page, "Stadtbezirke")
	f("/collections/stations/items", browser, "", page, "Dom &lt;1&gt;") // escaped
	f("/collections/stations/items?limit=1", browser, "de", page, "Nächste Seite")
	f("/collections/stations/items?bbox=1,1,2,2", browser, "", page, "Nothing fits")
	f("/collections/stations/items/AAAAAA1", browser, "", page, "sds011-bme280")
	f("/api", "*/*", "", "application/vnd.oai.openapi+json;version=3.0", `"openapi":"3.0.3"`)
	f("/api", browser, "de", page, "Die Schnittstelle")
}

// Pages need no script and nothing from elsewhere, so the strict policy of the server suits them.
func TestPagesStandAlone(t *testing.T) {
	c := open(t)
	for _, address := range []string{"", "/api", "/collections", "/collections/stations/items"} {
		_, body := c.Do("GET", Root+address+"?f=html", "")
		for _, forbidden := range []string{"<script", "style=", "<style", "onclick", "@import"} {
			if strings.Contains(string(body), forbidden) {
				t.Errorf("%s has %s", address, forbidden)
			}
		}
	}
	response, body := c.Do("GET", Root+"/style.css", "")
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/css; charset=utf-8" || len(body) == 0 {
		t.Errorf("style sheet: %s %s", response.Status, response.Header)
	}
}

// Only public data is sent: no exact places, no addresses, no stations that wait for approval.
func TestOnlyWhatIsPublic(t *testing.T) {
	c := open(t)
	for _, collection := range []string{"stations", "readings-latest"} {
		for _, form := range []string{"json", "html"} {
			_, body := c.Do("GET", Root+"/collections/"+collection+"/items?f="+form+"&limit=1000", "")
			for _, forbidden := range []string{"6.958345", "50.941321", "6.123456", "Hidden", "owner@", "DDDDDD4"} {
				if strings.Contains(string(body), forbidden) {
					t.Errorf("%s as %s tells %q", collection, form, forbidden)
				}
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
	for _, want := range []string{fmt.Sprintf("of the last %d days, at the city's resolution", Days), fmt.Sprintf("`limit` (%d, at most\n1,%03d;", defaultLimit, maxLimit-1000)} {
		if !strings.Contains(string(page), want) {
			t.Errorf("export/README.md does not say %q", want)
		}
	}
}

// The number of very many features is left out, so that a first page does not read them all.
func TestVeryManyAreNotCounted(t *testing.T) {
	c := open(t)
	for range maxCounted {
		c.town.rows = append(c.town.rows, c.town.rows[0]) // of pm2_5
	}
	f := func(query string, counted bool) {
		t.Helper()
		var p collectionPage
		c.JSON(Root+"/collections/grid-1h/items"+query, &p)
		if (p.NumberMatched != nil) != counted || p.NumberReturned != 10 || find(p.Links, "next") == "" {
			t.Errorf("%q: %v of %v", query, p.NumberReturned, p.NumberMatched)
		}
	}
	f("", false)
	f("?quantity=pm10", true)
}
