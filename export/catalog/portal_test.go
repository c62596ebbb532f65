package catalog

import (
	"strings"
	"testing"
	"time"

	"stadtluft/export"
)

// TestPortalNamesEachCitysCatalogue describes an installation with two cities.
func TestPortalNamesEachCitysCatalogue(t *testing.T) {
	p := &Portal{
		Name: "Rheinland", Meta: export.Meta{Licence: "dl-zero-de/2.0", Attribution: "Stadtluft"}, Publisher: Publisher{Contact: "luft@example.org"},
		Cities: []PortalCity{{"Bonn", "https://bonn.example.org"}, {"Köln", "https://koeln.example.org"}},
	}
	g, err := p.describe(t.Context(), "https://luft.example.org", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	document, err := g.jsonld()
	if err != nil {
		t.Fatal(err)
	}
	for form, text := range map[string]string{"Turtle": string(g.turtle()), "JSON-LD": string(document)} {
		for _, want := range []string{
			"https://luft.example.org/catalog#catalog", "dcat:catalog", "dct:hasPart", "https://bonn.example.org/catalog#catalog", "https://koeln.example.org/catalog#catalog",
			"Stadtluft Rheinland: offene Daten aller Städte", "Stadtluft Bonn: offene Daten", "mailto:luft@example.org",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", form, want, text)
			}
		}
	}
}
