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
	"stadtluft/firmware-protocol/bilingual"
)

const (
	authority = "http://publications.europa.eu/resource/authority/"
	fileType  = authority + "file-type/"
	mediaType = "https://www.iana.org/assignments/media-types/"
)

// describer makes the triples of a catalogue.
type describer struct {
	graph
	*Service
	base string
	meta export.Meta

	notice bilingual.Text
}

// name returns the address of a resource of the catalogue.
func (d *describer) name(part string) string { return d.base + "/catalog#" + part }

// describe returns the whole catalogue (DCAT-AP.de 2.0).
func (s *Service) describe(ctx context.Context, base string, now time.Time) (*graph, error) {
	years, err := s.years(ctx, now)
	if err != nil {
		return nil, err
	}
	meta := s.Meta(now)
	d := &describer{Service: s, base: base, meta: meta, notice: notice(meta)}
	d.catalog(years)
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

func (d *describer) catalog(years []year) {
	it := d.name("catalog")
	d.isA(it, "dcat:Catalog")
	d.say(it, "dct:title", both(bilingual.Of(cityTitle(d.City)))...)
	d.say(it, "dct:description", both(bilingual.Text{
		DE: "Luft in " + d.City + ", gemessen von Bürgerinnen und Bürgern. " + d.notice.DE, EN: "The air of " + d.City + ", measured by its citizens. " + d.notice.EN,
	})...)
	d.say(it, "dct:publisher", at(d.name("publisher")))
	d.say(it, "dct:language", at(authority+"language/DEU"), at(authority+"language/ENG"))
	d.say(it, "dct:license", at(export.LicenceURL(d.meta.Licence)))
	d.say(it, "dct:spatial", at(d.name("place")))
	d.say(it, "dcat:themeTaxonomy", at(authority+"data-theme"))
	d.say(it, "foaf:homepage", at(d.base+"/"))
	d.issued(it, years)
}

// issued adds when the first of the years' days was closed; nothing when none is.
func (d *describer) issued(it string, years []year) {
	for _, y := range years {
		if first := (export.Citation{Days: y.days}).Issued(); !first.IsZero() {
			d.say(it, "dct:issued", date(first))
			return
		}
	}
}

// geocoding is the prefix of the keys of administrative areas in DCAT-AP.de.
const geocoding = "http://dcat-ap.de/def/politicalGeocoding/"

// political adds which administrative area a resource is of, for GovData.
func (d *describer) political(it string) {
	if key := d.Publisher.Geocoding; key != "" {
		d.say(it, "dcatde:politicalGeocodingURI", at(geocoding+key))
	}
	if level := d.Publisher.Level; level != "" {
		d.say(it, "dcatde:politicalGeocodingLevelURI", at(geocoding+"Level/"+level))
	}
}

// highValue is Implementing Regulation (EU) 2023/138, which lists the high-value datasets.
const highValue = "http://data.europa.eu/eli/reg_impl/2023/138/oj"

// legislation says of a dataset, a distribution or a service that it is one of the high-value datasets', where the city says so.
func (d *describer) legislation(it string) {
	if d.Publisher.HVD != "" {
		d.say(it, "dcatap:applicableLegislation", at(highValue))
	}
}

// notice returns the text at the end of every description.
func notice(meta export.Meta) bilingual.Text {
	n := bilingual.Text{DE: export.DisclaimerDE, EN: export.Disclaimer}
	if meta.Demo {
		n = bilingual.Text{DE: n.DE + " Erfundene Stationen sind darunter.", EN: n.EN + " Simulated stations are among them."}
	}
	return n
}

// dataset adds what all datasets have in common.
func (d *describer) dataset(part string, title, description bilingual.Text, frequency string) string {
	it := d.name(part)
	d.say(d.name("catalog"), "dcat:dataset", at(it))
	d.isA(it, "dcat:Dataset")
	d.common(it, title, description)
	d.say(it, "dct:identifier", plain(it))
	d.political(it)
	d.say(it, "dct:accrualPeriodicity", at(authority+"frequency/"+frequency))
	d.say(it, "dct:spatial", at(d.name("place")))
	d.say(it, "dcat:landingPage", at(d.base+"/data"))
	for _, word := range []bilingual.Text{bilingual.Text{DE: "Luftqualität", EN: "air quality"}, bilingual.Text{DE: "Feinstaub", EN: "particulate matter"}, bilingual.Text{DE: "Citizen Science", EN: "citizen science"}} {
		d.say(it, "dcat:keyword", both(word)...)
	}
	return it
}

// common adds what datasets and services have in common.
func (d *describer) common(it string, title, description bilingual.Text) {
	d.say(it, "dct:title", both(title)...)
	d.say(it, "dct:description", both(description)...)
	d.say(it, "dct:publisher", at(d.name("publisher")))
	d.say(it, "dcat:contactPoint", at(d.name("contact")))
	d.say(it, "dcatde:contributorID", at(d.Publisher.Contributor))
	d.say(it, "dcat:theme", at(authority+"data-theme/ENVI"))
	d.say(it, "dct:accessRights", at(authority+"access-right/PUBLIC"))
	d.legislation(it)
	if d.Publisher.HVD != "" {
		d.say(it, "dcatap:hvdCategory", at("http://data.europa.eu/bna/"+d.Publisher.HVD))
	}
}

// series adds the series that the years belong to.
func (d *describer) series(years []year) {
	it := d.dataset("readings", bilingual.Text{DE: "Messwerte der Luft in " + d.City, EN: "Air readings of " + d.City}, bilingual.Text{
		DE: "Alle Messwerte aller Stationen mit den Markierungen der Prüfungen, Jahr für Jahr. " + d.notice.DE,
		EN: "Every reading of every station with the flags of the checks, year by year. " + d.notice.EN,
	}, "DAILY")
	d.isA(it, "dcat:DatasetSeries")
	d.period(it, "readings-time", years[0].start(), nil)
	d.issued(it, years)
	archived := func(y year) bool { return len(y.days) > 0 }
	if slices.ContainsFunc(years, archived) {
		d.distribution(it, "readings-archive", bilingual.Text{DE: "Archiv", EN: "Archive"}, "/archive/", "/archive/index.json", "JSON", "application/json")
	}
}

// period adds a period; an end that is nil is open.
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
	it := d.dataset(n, bilingual.Text{DE: "Messwerte der Luft in " + d.City + " " + n, EN: "Air readings of " + d.City + " " + n}, bilingual.Text{
		DE: "Alle Messwerte des Jahres " + n + " mit den Markierungen der Prüfungen. " + d.notice.DE,
		EN: "Every reading of " + n + " with the flags of the checks. " + d.notice.EN,
	}, "DAILY")
	d.say(it, "dcat:inSeries", at(d.name("readings")))
	if i > 0 {
		d.say(it, "dcat:prev", at(d.name(strconv.Itoa(years[i-1].number))))
	}
	end := y.end()
	d.period(it, n+"-time", y.start(), &end)
	d.distribution(it, n+"-csv", bilingual.Text{DE: "Messwerte " + n + " als CSV", EN: "Readings of " + n + " as CSV"}, y.download(), y.download(), "CSV", "text/csv")
	if len(y.days) > 0 {
		cited := d.cited(y, d.base, d.meta)
		d.say(it, "dct:modified", moment(cited.Modified()))
		d.say(it, "dcat:version", plain(cited.Version()))
		if cited.DOI != "" {
			d.say(it, "dct:identifier", plain(cited.Identifier()))
		}
		d.issued(it, years[i:i+1])
		d.distribution(it, n+"-means", bilingual.Text{DE: "Stundenmittel der Stationen " + n, EN: "Hourly means of the stations " + n}, "/archive/"+n+"/", "/archive/"+n+"/means-1h.parquet", "PARQUET", "application/vnd.apache.parquet")
		d.distribution(it, n+"-archive", bilingual.Text{DE: "Abgeschlossene Tage " + n, EN: "Closed days of " + n}, "/archive/"+n+"/", "/archive/"+n+".tar", "TAR", "application/x-tar")
	}
}

// current adds the dataset of current values.
func (d *describer) current(now time.Time) {
	it := d.dataset("now", bilingual.Text{DE: "Luft in " + d.City + " jetzt", EN: "Air of " + d.City + " now"}, bilingual.Text{
		DE: "Stationen mit ihren neuesten Werten, und Mittel der letzten 60 Minuten im Raster. " + d.notice.DE,
		EN: "Stations with their latest values, and averages of the last 60 minutes on the grid. " + d.notice.EN,
	}, "CONT")
	d.period(it, "now-time", now, &now)
	d.distribution(it, "now-stations", bilingual.Text{DE: "Stationen als GeoJSON", EN: "Stations as GeoJSON"}, "/api/v1/stations", "/api/v1/stations", "GEOJSON", "application/geo+json")
	d.distribution(it, "now-grid", bilingual.Text{DE: "Feinstaub (PM2.5) im Raster als GeoJSON", EN: "Particles (PM2.5) on the grid as GeoJSON"}, "/api/v1/grid?quantity=pm2_5", "/api/v1/grid?quantity=pm2_5", "GEOJSON", "application/geo+json")
	d.distribution(it, "now-grid-csv", bilingual.Text{DE: "Alle Messgrößen im Raster als CSV", EN: "All quantities on the grid as CSV"}, "/api/v1/grid?format=csv", "/api/v1/grid?format=csv", "CSV", "text/csv")
	d.distribution(it, "now-readings", bilingual.Text{DE: "Messwerte der letzten Stunde als CSV", EN: "Readings of the last hour as CSV"}, "/api/v1/readings?format=csv", "/api/v1/readings?format=csv", "CSV", "text/csv")
	if d.Districts {
		d.distribution(it, "now-districts", bilingual.Text{DE: "Stadtbezirke als GeoJSON", EN: "Districts as GeoJSON"}, "/api/v1/districts", "/api/v1/districts", "GEOJSON", "application/geo+json")
	}
}

// distribution adds a format of a dataset; download is empty when access leads to several files.
func (d *describer) distribution(dataset, part string, title bilingual.Text, access, download, format, media string) {
	it := d.name(part)
	d.say(dataset, "dcat:distribution", at(it))
	d.isA(it, "dcat:Distribution")
	d.say(it, "dct:title", both(title)...)
	d.say(it, "dcat:accessURL", at(d.base+access))
	if download != "" {
		d.say(it, "dcat:downloadURL", at(d.base+download))
	}
	d.say(it, "dct:format", at(fileType+format))
	d.say(it, "dcat:mediaType", at(mediaType+media))
	d.say(it, "dct:license", at(export.LicenceURL(d.meta.Licence)))
	for _, neighbours := range d.meta.Licences {
		d.say(it, "dct:rights", at(neighbours)) // of imported data; the attribution names the networks
	}
	d.say(it, "dcatde:licenseAttributionByText", plain(d.meta.Attribution))
	d.legislation(it)
	d.say(it, "dcatap:availability", at(authority+"planned-availability/AVAILABLE"))
}

func (d *describer) services() {
	d.service("api", bilingual.Text{DE: "HTTP-Schnittstelle", EN: "HTTP API"}, "/api/v1", "/api/openapi.json", "")
	d.service("ogc", bilingual.Text{DE: "OGC API - Features", EN: "OGC API - Features"}, "/ogc", "/ogc/api", "http://www.opengis.net/doc/IS/ogcapi-features-1/1.0")
	d.service("sta", bilingual.Text{DE: "OGC SensorThings API", EN: "OGC SensorThings API"}, "/sta/v1.1", "/sta/v1.1", "http://www.opengis.net/doc/IS/sensorthings/1.1")
}

func (d *describer) service(part string, title bilingual.Text, endpoint, description, standard string) {
	it := d.name(part)
	d.say(d.name("catalog"), "dcat:service", at(it))
	d.isA(it, "dcat:DataService")
	d.common(it, title, bilingual.Text{DE: title.DE + " der Stadtluft " + d.City + ".", EN: title.EN + " of the city air of " + d.City + "."})
	d.say(it, "dcat:endpointURL", at(d.base+endpoint))
	d.say(it, "dcat:endpointDescription", at(d.base+description))
	d.say(it, "dcat:servesDataset", at(d.name("readings")), at(d.name("now")))
	d.say(it, "dct:license", at(export.LicenceURL(d.meta.Licence)))
	if standard != "" {
		d.say(it, "dct:conformsTo", at(standard))
	}
}

// publisher adds the publisher and how to contact it.
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

// place adds the city, as the box around its boundary.
func (d *describer) place() {
	it := d.name("place")
	d.isA(it, "dct:Location")
	d.say(it, "dcat:bbox", typed(wellKnown(d.Bound), "geo:wktLiteral"))
	shape, err := json.Marshal(map[string]any{"type": "Polygon", "coordinates": d.Bound.ToPolygon()})
	if err == nil { // a box always marshals
		d.say(it, "locn:geometry", typed(string(shape), mediaType+"application/vnd.geo+json"))
	}
}

// wellKnown returns a box as well-known text, longitude first (GeoSPARQL 1.0, requirement 14: CRS84).
func wellKnown(b orb.Bound) string {
	w, s, e, n := b.Min.Lon(), b.Min.Lat(), b.Max.Lon(), b.Max.Lat()
	return fmt.Sprintf("POLYGON((%[1]g %[2]g,%[3]g %[2]g,%[3]g %[4]g,%[1]g %[4]g,%[1]g %[2]g))", w, s, e, n)
}
