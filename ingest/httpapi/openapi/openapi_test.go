package openapi

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"stadtluft/firmware-protocol/bilingual"
)

var route = Route{Method: "GET", Path: "/things/{id}", Parameters: []Parameter{
	{Name: "id", Example: "7"}, {Name: "format", Choices: []string{"csv", "json"}, Default: "csv", About: bilingual.Of("the form", "die Form")},
	{Name: "colour", Kind: List, Choices: []string{"red", "blue"}}, {Name: "limit", Kind: Integer, Default: "10", Most: 100}, {Name: "from", Kind: Moment},
}, Group: "things", ID: "thing", Summary: bilingual.Of("A thing.", "Ein Ding.")}

func TestCheck(t *testing.T) {
	f := func(query, field, detail string, allowed ...string) {
		t.Helper()
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		got := route.Check(values)
		if field == "" {
			if got != nil {
				t.Errorf("%s: %v, want none", query, got)
			}
			return
		}
		if got == nil || got.Field != field || !strings.Contains(got.Detail.EN, detail) || !reflect.DeepEqual(got.Allowed, allowed) {
			t.Errorf("%s: %+v, want %s, %q, %v", query, got, field, detail, allowed)
		}
	}
	f("", "", "")
	f("format=json&colour=red,blue&limit=100&from=yesterday", "", "") // what a moment is the handler says
	f("format=&limit=", "", "")
	f("id=7", "id", `no parameter "id"`, "format", "colour", "limit", "from")
	f("forma=json", "forma", `no parameter "forma"`, "format", "colour", "limit", "from")
	f("format=xml", "format", `"xml"`, "csv", "json")
	f("format=csv&format=csv", "format", "2 times")
	f("colour=red,green", "colour", `"green"`, "red", "blue")
	f("colour=red,blue,red", "colour", `"red" twice`)
	f("colour="+strings.Repeat(",", 2000), "colour", "names 2001, at most 200")
	f("limit=0", "limit", "from 1 on")
	f("limit=1.5", "limit", "from 1 on")
	f("limit=101", "limit", "beyond the most that can be had at once, 100")
	f("zz=1&aa=1", "aa", "no parameter", "format", "colour", "limit", "from")
	f(strings.Repeat("x", 500)+"=1", strings.Repeat("x", 500), strings.Repeat("x", 80)+`" here`, "format", "colour", "limit", "from")
}

func TestSchemaOf(t *testing.T) {
	type inner struct {
		Name string `json:"name"`
	}
	type other struct {
		Name string `json:"other"` // a field of the same name, another member
	}
	type outer struct {
		inner
		other
		When   *string            `json:"when"`
		Count  int                `json:"count,omitempty"`
		Values map[string]float64 `json:"values"`
		List   []inner            `json:"list"`
		Kind   string             `json:"kind" enum:"red,blue"`
		Maybe  *inner             `json:"maybe,omitempty"`
		Hidden bool               `json:"-"`
	}
	got, err := json.Marshal(SchemaOf(outer{}))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"properties":{"count":{"type":"integer"},"kind":{"enum":["red","blue"],"type":"string"},"list":{"items":{"properties":{"name":{"type":"string"}},"required":["name"],"type":"object"},"type":"array"},` +
		`"maybe":{"properties":{"name":{"type":"string"}},"required":["name"],"type":"object"},"name":{"type":"string"},"other":{"type":"string"},"values":{"additionalProperties":{"type":"number"},"type":"object"},"when":{"type":["string","null"]}},` +
		`"required":["name","other","when","values","list","kind"],"type":"object"}`
	if string(got) != want {
		t.Errorf("schema %s\nwant   %s", got, want)
	}
	type both struct {
		inner
		other
	}
	if got, want := SchemaOf(inner{}).And(SchemaOf(other{})), SchemaOf(both{}); !reflect.DeepEqual(got, want) {
		t.Errorf("And = %v, want %v", got, want)
	}
}

func TestThePageHasBothLanguages(t *testing.T) {
	d := Document{Title: "Stadtluft", Groups: []Group{{Name: "things", Title: bilingual.Of("Things", "Dinge")}}, Routes: []Route{route}}
	for language, want := range map[string][]string{
		"de": {`<html lang="de">`, "Dinge", "Ein Ding.", "die Form", "csv, json", `href="/things/7"`, "höchstens 100"},
		"en": {`<html lang="en">`, "Things", "A thing.", "the form", "at most 100"},
	} {
		var b strings.Builder
		if err := d.WritePage(&b, language, "/s.css", "/api.json"); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(b.String(), text) {
				t.Errorf("the page in %s has no %q", language, text)
			}
		}
		if strings.Contains(b.String(), "<script") || strings.Contains(b.String(), "style=") {
			t.Error("the page has a script or a style of its own, which the policy forbids")
		}
	}
	for name, text := range words {
		if text.EN == "" || text.DE == "" {
			t.Errorf("%s is missing in a language", name)
		}
	}
}
