package sta

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"stadtluft/ingest/httpapi"
)

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// Each function of OGC 18-088, table 22, on a sample: PM2.5 of 1 at 11:59:00 on 2026-05-01, measured at the station Dom
// (6.9583, 50.9413).
func TestFilter(t *testing.T) {
	w := newTestWorld(t)
	sample := w.sample()
	f := func(filter string, want bool) {
		t.Helper()
		e, err := parseExpression(filter)
		if err == nil {
			err = check(e, observations)
		}
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			return
		}
		if got, err := w.admits(sample, e); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", filter, got, err, want)
		}
	}
	f("result eq 1", true)
	f("result ne 1", false)
	f("result gt 0.5 and result ge 1 and result lt 1.5 and result le 1", true)
	f("result gt 1 or result lt 1", false)
	f("not (result gt 1)", true)
	f("result add 2 eq 3 and result sub 2 eq -1 and result mul 4 eq 4 and result div 4 eq 0.25 and 7 mod 4 eq 3", true)
	f("result div 0 eq null", true)
	f("id eq 'AAAAAA1-pm2_5-"+unix(noon.Add(-time.Minute))+"'", true)
	f("phenomenonTime eq 2026-05-01T11:59:00Z", true)
	f("phenomenonTime eq 2026-05-01T13:59:00+02:00", true)
	f("resultTime lt '2026-05-01T12:00:00Z'", true) // in quotes, as some clients send it
	f("phenomenonTime gt now() sub duration'PT5M'", true)
	f("phenomenonTime gt now() sub duration'PT1M'", false)
	f("now() sub phenomenonTime eq duration'PT2M'", true)
	f("Datastream/id eq 'AAAAAA1-pm2_5'", true)
	f("Datastream/Thing/name eq 'Dom'", true)
	f("Datastream/ObservedProperty/name eq 'PM2.5'", true)
	f("Datastream/unitOfMeasurement/symbol eq 'µg/m³'", true)
	f("Datastream/Thing/properties/height gt 2.5", true)
	f("Datastream/Thing/properties/nothing eq null", true)
	f("Datastream/Thing/properties/nothing gt 5", false)
	f("parameters/good", true)
	f("Datastream/Thing/Datastreams/ObservedProperty/name eq 'PM10'", true) // one of several
	f("Datastream/Thing/Datastreams/ObservedProperty/name eq 'Ozone'", false)
	f("substringof('eu',Datastream/Sensor/name) or substringof('o''h',Datastream/Sensor/name)", true)
	f("startswith(Datastream/Thing/name,'Do') and endswith(Datastream/Thing/name,'om')", true)
	f("length('Köln') eq 4 and indexof('Köln','ln') eq 2 and indexof('a','b') eq -1", true)
	f("substring('Köln',1) eq 'öln' and substring('Köln',1,2) eq 'öl' and substring('a',9) eq ''", true)
	f("tolower('Ä') eq 'ä' and toupper('ä') eq 'Ä' and trim(' a ') eq 'a' and concat('a','b') eq 'ab'", true)
	f("year(phenomenonTime) eq 2026 and month(phenomenonTime) eq 5 and day(phenomenonTime) eq 1", true)
	f("hour(phenomenonTime) eq 11 and minute(phenomenonTime) eq 59 and second(phenomenonTime) eq 0 and fractionalseconds(phenomenonTime) eq 0", true)
	f("date(phenomenonTime) eq 2026-05-01 and time(phenomenonTime) eq '11:59:00' and totaloffsetminutes(phenomenonTime) eq 0", true)
	f("phenomenonTime gt mindatetime() and phenomenonTime lt maxdatetime()", true)
	f("round(1.5) eq 2 and floor(1.9) eq 1 and ceiling(1.1) eq 2", true)
	f("geo.distance(FeatureOfInterest/feature,geography'POINT(6.9583 50.9413)') eq 0", true)
	f("geo.distance(FeatureOfInterest/feature,geography'POINT(6.9583 50.9503)') gt 990 and geo.distance(FeatureOfInterest/feature,geography'POINT(6.9583 50.9503)') lt 1010", true) // 0.009° of 111.2 km
	f("geo.length(geography'LINESTRING(0 0,0 1)') gt 110000 and geo.length(geography'LINESTRING(0 0,0 1)') lt 112000", true)
	const square = "geography'POLYGON((6.9 50.9,7 50.9,7 51,6.9 51,6.9 50.9))'"
	const far = "geography'POLYGON((8 50,9 50,9 51,8 51,8 50))'"
	f("st_within(FeatureOfInterest/feature,"+square+")", true)
	f("st_within(FeatureOfInterest/feature,"+far+")", false)
	f("st_contains("+square+",FeatureOfInterest/feature)", true)
	f("st_intersects(FeatureOfInterest/feature,"+square+") and geo.intersects("+square+",FeatureOfInterest/feature)", true)
	f("st_disjoint(FeatureOfInterest/feature,"+far+")", true)
	f("st_equals(FeatureOfInterest/feature,geography'POINT(6.9583 50.9413)')", true)
	f("st_touches(FeatureOfInterest/feature,geography'POLYGON((6.9583 50.9,7 50.9,7 51,6.9583 51,6.9583 50.9))')", true) // on its edge
	f("st_touches(FeatureOfInterest/feature,"+square+")", false)
	f("st_within(FeatureOfInterest/feature,geography'POLYGON((6.9583 50.9,7 50.9,7 51,6.9583 51,6.9583 50.9))')", false)
	f("st_crosses(FeatureOfInterest/feature,"+square+") or st_overlaps(FeatureOfInterest/feature,"+square+")", false)
	f("st_relate(FeatureOfInterest/feature,"+square+",'0FFFFF212')", true)
	f("st_within(Datastream/Thing/Locations/location,"+square+")", true)
	f("during(phenomenonTime,2026-05-01T11:59:00.000Z/2026-05-01T12:00:00.000Z)", true)  // FROST: the beginning belongs to it,
	f("during(phenomenonTime,2026-05-01T11:00:00.000Z/2026-05-01T11:59:00.000Z)", false) // the end does not
	f("FeatureOfInterest/feature/type eq 'Point' or FeatureOfInterest/feature/geometry/type eq 'Point'", true)
	f("FeatureOfInterest/feature/type eq 'Polygon' or FeatureOfInterest/feature/geometry/type eq 'Polygon'", false)
}

// A station's observations belong to the place where it stood then.
func TestPlaceAtTheTime(t *testing.T) {
	w := newTestWorld(t)
	f := func(at time.Time, want string) {
		t.Helper()
		e, err := w.find(observations, "AAAAAA1-pm2_5-"+unix(at))
		if err != nil || e == nil {
			t.Fatal(e, err)
		}
		l, _ := observations.link("FeatureOfInterest")
		if got := ids(w.follow(e, l)); got != want {
			t.Errorf("at %s: %s, want %s", at, got, want)
		}
	}
	f(noon.Add(-31*time.Minute), "AAAAAA1-1")
	f(noon.Add(-30*time.Minute), "AAAAAA1-2")
	f(noon, "AAAAAA1-2")
}

func TestFilterMistakes(t *testing.T) {
	w := newTestWorld(t)
	f := func(k *kind, filter string, wantStatus int, want string) {
		t.Helper()
		e, err := parseExpression(filter)
		if err != nil {
			t.Fatalf("%s: %v", filter, err)
		}
		if e, err = join(e, k); err == nil {
			err = check(e, k)
		}
		if err == nil {
			_, err = w.entities(k, nil, link{}, options{filter: e, top: 10})
		}
		var p *httpapi.Problem
		status := http.StatusBadRequest
		if errors.As(err, &p) {
			status = p.Status
		}
		if err == nil || status != wantStatus || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %d %v, want %d and %q", filter, status, err, wantStatus, want)
		}
	}
	f(things, "nam eq 'x'", 400, `at character 1: Things have no "nam"; there are id, name, description, properties, Locations`)
	f(things, "name/x eq 'x'", 400, "name of Things has no parts")
	f(things, "Locations eq 'x'", 400, "Locations are entities, not a value")
	f(things, "Datastreams/Observations eq 'x'", 501, "a way from Datastreams to Observations is not supported here")
	f(observations, "Datastream/Observations/result gt 5", 501, "a way from Datastreams to Observations is not supported here")
	f(things, "Datastreams/Observations/result gt 5 and Locations/Things/Datastreams/Observations/result gt 5", 501, "by two ways")
	f(things, "Datastreams/Observations/nothing gt 5", 400, `Observations have no "nothing"`)
	f(things, "Datastreams/Observations/result gt 'x'", 400, "a number cannot be compared with a text")
	f(things, "during(Datastreams/Observations/phenomenonTime,2026-05-01)", 400, "during needs a time and an interval")
	f(things, "name gt 5", 400, "at character 6: a text cannot be compared with a number")
	f(things, "name", 400, "the filter is a text, not true or false")
	f(things, "name and true", 400, "neither true nor false")
	f(things, "not name eq 'x'", 400, "put a comparison in parentheses")
	f(things, "-name eq 'x'", 400, "a minus needs a number")
	f(things, "name add 5 eq 1", 400, "add does not work on a text and a number")
	f(things, "nosuch(name)", 400, `there is no function "nosuch"`)
	f(things, "length(name,name) eq 1", 400, "length takes 1, not 2 arguments")
	f(things, "length(5) eq 1", 400, "length needs texts, not a number")
	f(things, "year(name) eq 1", 400, "year needs a time, not a text")
	f(things, "round(name) eq 1", 400, "round needs a number, not a text")
	f(things, "st_within(name,name)", 400, "st_within needs two geometries")
	f(things, "geo.distance(Locations/location,geography'LINESTRING(0 0,1 1)') lt 5", 400, "geo.distance needs two points")
	f(things, "st_relate(Locations/location,geography'POINT(1 1)','x')", 400, "a pattern of nine signs")
	f(observations, "result eq 'x'", 400, "a number cannot be compared with a text")
	f(observations, "phenomenonTime gt 'yesterday'", 400, "a time cannot be compared with a text")
}
