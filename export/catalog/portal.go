package catalog

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi/openapi"
)

// Portal serves the catalogue of an installation with several cities, which names the catalogue of each.
type Portal struct {
	Name      string // of the region; may be empty
	Cities    []PortalCity
	Publisher Publisher
	Meta      export.Meta                // licence and attribution of the catalogue
	Base      func(*http.Request) string // the portal's address without a slash at its end
	Log       *slog.Logger
}

// PortalCity is a city of an installation.
type PortalCity struct{ Name, Base string }

// Routes returns the routes of the catalogue's documents.
func (p *Portal) Routes() []openapi.Route { return documents{p.Base, p.describe}.routes(p.Log) }

func (p *Portal) describe(_ context.Context, base string, _ time.Time) (*graph, error) {
	d := &describer{Service: &Service{Publisher: p.Publisher}, base: base, meta: p.Meta}
	it := d.name("catalog")
	d.isA(it, "dcat:Catalog")
	name := strings.TrimSpace("Stadtluft " + p.Name)
	d.say(it, "dct:title", both(bilingual.Of(name+": open data of all cities", name+": offene Daten aller Städte"))...)
	d.say(it, "dct:description", both(bilingual.Of("The catalogues of the cities whose air their citizens measure. "+export.Disclaimer,
		"Die Kataloge der Städte, deren Luft ihre Bürgerinnen und Bürger messen. "+export.DisclaimerDE))...)
	d.say(it, "dct:publisher", at(d.name("publisher")))
	d.say(it, "dct:language", at(authority+"language/DEU"), at(authority+"language/ENG"))
	d.say(it, "dct:license", at(export.LicenceURL(p.Meta.Licence)))
	d.say(it, "dcat:themeTaxonomy", at(authority+"data-theme"))
	d.say(it, "foaf:homepage", at(base+"/"))
	d.publisher()
	for _, c := range p.Cities {
		own := (&describer{base: c.Base}).name("catalog")
		d.say(it, "dcat:catalog", at(own))
		d.say(it, "dct:hasPart", at(own))
		d.isA(own, "dcat:Catalog")
		d.say(own, "dct:title", both(bilingual.Of(cityTitle(c.Name)))...)
		d.say(own, "foaf:homepage", at(c.Base+"/"))
	}
	return &d.graph, nil
}

// cityTitle returns the title of a city's catalogue, in English and German.
func cityTitle(city string) (english, german string) {
	return "City air of " + city + ": open data", "Stadtluft " + city + ": offene Daten"
}
