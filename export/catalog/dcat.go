package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
)

const (
	authority = "http://publications.europa.eu/resource/authority/"
	fileType  = authority + "file-type/"
	mediaType = "https://www.iana.org/assignments/media-types/"
)

// describer makes the statements of one catalogue.
type describer struct {
	graph
	*Service
	base string
	meta export.Meta

	notice text
}

// name is the address of something in the catalogue.
func (d *describer) name(part string) string { return d.base + "/catalog#" + part }

// describe is the whole catalogue (DCAT-AP.de 2.0).
func (s *Service) describe(ctx context.Context, base string, now time.Time) (*graph, error) {
	years, err := s.years(ctx, now)
	if err != nil {
		return nil, err
	}
	meta := s.Meta(now)
	d := &describer{Service: s, base: base, meta: meta, notice: notice(meta)}
	d.catalog()
	d.series(years)
	for i := range years {
		d.year(years, i)
	}
	d.current(now)
	d.services()
	d.publisher()
	d.place()
	return &d.graph, nil
}

func (d *describer) catalog() {
	it := d.name("catalog")
	d.isA(it, "dcat:Catalog")
	d.say(it, "dct:title", text{"Stadtluft " + d.City + ": offene Daten", "City air of " + d.City + ": open data"}.terms()...)
	d.say(it, "dct:description", text{
		"Luft in " + d.City + ", gemessen von Bürgerinnen und Bürgern. " + d.notice.de, "The air of " + d.City + ", measured by its citizens. " + d.notice.en,
	}.terms()...)
	d.say(it, "dct:publisher", at(d.name("publisher")))
	d.say(it, "dct:language", at(authority+"language/DEU"), at(authority+"language/ENG"))
	d.say(it, "dct:license", at(export.LicenceURL(d.meta.Licence)))
	d.say(it, "dct:spatial", at(d.name("place")))
	d.say(it, "dcat:themeTaxonomy", at(authority+"data-theme"))
	d.say(it, "foaf:homepage", at(d.base+"/"))
}

// notice is what every description ends with.
func notice(meta export.Meta) text {
	n := text{"Orientierende Werte preiswerter Sensoren, keine amtlichen Messungen.", export.Disclaimer}
	if meta.Demo {
		n = text{n.de + " Erfundene Stationen sind darunter.", n.en + " Simulated stations are among them."}
	}
	return n
}

// dataset says what all datasets have in common.
func (d *describer) dataset(part string, title, description text, frequency string) string {
	it := d.name(part)
	d.say(d.name("catalog"), "dcat:dataset", at(it))
	d.isA(it, "dcat:Dataset")
	d.common(it, title, description)
	d.say(it, "dct:identifier", plain(it))
	d.say(it, "dct:accrualPeriodicity", at(authority+"frequency/"+frequency))
	d.say(it, "dct:spatial", at(d.name("place")))
	d.say(it, "dcat:landingPage", at(d.base+"/data"))
	for _, word := range []text{{"Luftqualität", "air quality"}, {"Feinstaub", "particulate matter"}, {"Citizen Science", "citizen science"}} {
		d.say(it, "dcat:keyword", word.terms()...)
	}
	return it
}

// common is what datasets and services have in common.
func (d *describer) common(it string, title, description text) {
	d.say(it, "dct:title", title.terms()...)
	d.say(it, "dct:description", description.terms()...)
	d.say(it, "dct:publisher", at(d.name("publisher")))
	d.say(it, "dcat:contactPoint", at(d.name("contact")))
	d.say(it, "dcatde:contributorID", at(d.Publisher.Contributor))
	d.say(it, "dcat:theme", at(authority+"data-theme/ENVI"))
	d.say(it, "dct:accessRights", at(authority+"access-right/PUBLIC"))
}

// series is what the years belong to.
func (d *describer) series(years []year) {
	it := d.dataset("readings", text{"Messwerte der Luft in " + d.City, "Air readings of " + d.City}, text{
		"Alle Messwerte aller Stationen mit den Markierungen der Prüfungen, Jahr für Jahr. " + d.notice.de,
		"Every reading of every station with the flags of the checks, year by year. " + d.notice.en,
	}, "DAILY")
	d.isA(it, "dcat:DatasetSeries")
	d.period(it, "readings-time", years[0].start(), nil)
	archived := func(y year) bool { return len(y.days) > 0 }
	if slices.ContainsFunc(years, archived) {
		d.distribution(it, "readings-archive", text{"Archiv", "Archive"}, "/archive/", "/archive/index.json", "JSON", "application/json")
	}
}

// period says from when to when; an end that is nil is open.
func (d *describer) period(it, part string, from time.Time, to *time.Time) {
	period := d.name(part)
	d.say(it, "dct:temporal", at(period))
	d.isA(period, "dct:PeriodOfTime")
	d.say(period, "dcat:startDate", date(from))
	if to != nil {
		d.say(period, "dcat:endDate", date(*to))
	}
}

func (d *describer) year(years []year, i int) {
	y := years[i]
	n := strconv.Itoa(y.number)
	it := d.dataset(n, text{"Messwerte der Luft in " + d.City + " " + n, "Air readings of " + d.City + " " + n}, text{
		"Alle Messwerte des Jahres " + n + " mit den Markierungen der Prüfungen. " + d.notice.de,
		"Every reading of " + n + " with the flags of the checks. " + d.notice.en,
	}, "DAILY")
	d.say(it, "dcat:inSeries", at(d.name("readings")))
	if i > 0 {
		d.say(it, "dcat:prev", at(d.name(strconv.Itoa(years[i-1].number))))
	}
	end := y.end()
	d.period(it, n+"-time", y.start(), &end)
	d.distribution(it, n+"-csv", text{"Messwerte " + n + " als CSV", "Readings of " + n + " as CSV"}, y.download(), y.download(), "CSV", "text/csv")
	if len(y.days) > 0 {
		d.say(it, "dct:modified", moment(latest(y.days)))
		d.distribution(it, n+"-archive", text{"Abgeschlossene Tage " + n, "Closed days of " + n}, "/archive/"+n+"/", "/archive/"+n+".tar", "TAR", "application/x-tar")
	}
}

// latest is when the newest of some days was written.
func latest(days []export.Day) time.Time {
	var at time.Time
	for _, day := range days {
		if day.Updated.After(at) {
			at = day.Updated
		}
	}
	return at
}

// current is what is measured now.
func (d *describer) current(now time.Time) {
	it := d.dataset("now", text{"Luft in " + d.City + " jetzt", "Air of " + d.City + " now"}, text{
		"Stationen mit ihren neuesten Werten, und Mittel der letzten 60 Minuten im Raster. " + d.notice.de,
		"Stations with their latest values, and averages of the last 60 minutes on the grid. " + d.notice.en,
	}, "CONT")
	d.period(it, "now-time", now, &now)
	d.distribution(it, "now-stations", text{"Stationen als GeoJSON", "Stations as GeoJSON"}, "/api/v1/stations", "/api/v1/stations", "GEOJSON", "application/geo+json")
	d.distribution(it, "now-grid", text{"Feinstaub (PM2.5) im Raster als GeoJSON", "Particles (PM2.5) on the grid as GeoJSON"}, "/api/v1/grid?quantity=pm2_5", "/api/v1/grid?quantity=pm2_5", "GEOJSON", "application/geo+json")
	d.distribution(it, "now-grid-csv", text{"Alle Messgrößen im Raster als CSV", "All quantities on the grid as CSV"}, "/api/v1/grid?format=csv", "/api/v1/grid?format=csv", "CSV", "text/csv")
	d.distribution(it, "now-readings", text{"Messwerte der letzten Stunde als CSV", "Readings of the last hour as CSV"}, "/api/v1/readings?format=csv", "/api/v1/readings?format=csv", "CSV", "text/csv")
	if d.Districts {
		d.distribution(it, "now-districts", text{"Stadtbezirke als GeoJSON", "Districts as GeoJSON"}, "/api/v1/districts", "/api/v1/districts", "GEOJSON", "application/geo+json")
	}
}

// distribution is a form in which a dataset can be had; download is empty where access leads to several files.
func (d *describer) distribution(dataset, part string, title text, access, download, format, media string) {
	it := d.name(part)
	d.say(dataset, "dcat:distribution", at(it))
	d.isA(it, "dcat:Distribution")
	d.say(it, "dct:title", title.terms()...)
	d.say(it, "dcat:accessURL", at(d.base+access))
	if download != "" {
		d.say(it, "dcat:downloadURL", at(d.base+download))
	}
	d.say(it, "dct:format", at(fileType+format))
	d.say(it, "dcat:mediaType", at(mediaType+media))
	d.say(it, "dct:license", at(export.LicenceURL(d.meta.Licence)))
	for _, neighbours := range d.meta.Licences {
		d.say(it, "dct:rights", at(neighbours)) // of what is not the city's; the attribution names them
	}
	d.say(it, "dcatde:licenseAttributionByText", plain(d.meta.Attribution))
	d.say(it, "dcatap:availability", at(authority+"planned-availability/AVAILABLE"))
}

func (d *describer) services() {
	d.service("api", text{"HTTP-Schnittstelle", "HTTP API"}, "/api/v1", "/api/openapi.json", "")
	d.service("ogc", text{"OGC API - Features", "OGC API - Features"}, "/ogc", "/ogc/api", "http://www.opengis.net/doc/IS/ogcapi-features-1/1.0")
	d.service("sta", text{"OGC SensorThings API", "OGC SensorThings API"}, "/sta/v1.1", "/sta/v1.1", "http://www.opengis.net/doc/IS/sensorthings/1.1")
}

func (d *describer) service(part string, title text, endpoint, description, standard string) {
	it := d.name(part)
	d.say(d.name("catalog"), "dcat:service", at(it))
	d.isA(it, "dcat:DataService")
	d.common(it, title, text{title.de + " der Stadtluft " + d.City + ".", title.en + " of the city air of " + d.City + "."})
	d.say(it, "dcat:endpointURL", at(d.base+endpoint))
	d.say(it, "dcat:endpointDescription", at(d.base+description))
	d.say(it, "dcat:servesDataset", at(d.name("readings")), at(d.name("now")))
	d.say(it, "dct:license", at(export.LicenceURL(d.meta.Licence)))
	if standard != "" {
		d.say(it, "dct:conformsTo", at(standard))
	}
}

// publisher is who publishes, and how to reach them.
func (d *describer) publisher() {
	name := cmp.Or(d.Publisher.Name, d.meta.Attribution)
	it, contact := d.name("publisher"), d.name("contact")
	d.isA(it, "foaf:Agent")
	d.say(it, "foaf:name", plain(name))
	if d.Publisher.URL != "" {
		d.say(it, "foaf:homepage", at(d.Publisher.URL))
	}
	d.isA(contact, "vcard:Organization")
	d.say(contact, "vcard:fn", plain(name))
	if who := d.Publisher.Contact; who != "" && !strings.Contains(who, "://") {
		d.say(contact, "vcard:hasEmail", at("mailto:"+who))
		return
	}
	d.say(contact, "vcard:hasURL", at(cmp.Or(d.Publisher.Contact, d.Publisher.URL, d.base+"/")))
}

// place is the city, as the box around its boundary.
func (d *describer) place() {
	it := d.name("place")
	d.isA(it, "dct:Location")
	d.say(it, "dcat:bbox", typed(wellKnown(d.Bound), "geo:wktLiteral"))
	shape, err := json.Marshal(map[string]any{"type": "Polygon", "coordinates": d.Bound.ToPolygon()})
	if err == nil { // a box always marshals
		d.say(it, "locn:geometry", typed(string(shape), mediaType+"application/vnd.geo+json"))
	}
}

// wellKnown is a box as well-known text, longitude first (GeoSPARQL 1.0, requirement 14: CRS84).
func wellKnown(b orb.Bound) string {
	w, s, e, n := b.Min.Lon(), b.Min.Lat(), b.Max.Lon(), b.Max.Lat()
	return fmt.Sprintf("POLYGON((%[1]g %[2]g,%[3]g %[2]g,%[3]g %[4]g,%[1]g %[4]g,%[1]g %[2]g))", w, s, e, n)
}
