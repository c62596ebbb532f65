package ogc

import (
	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
)

// classes are the conformance classes that hold (OGC 17-069r4, annex A).
var classes = []string{
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
}

const (
	jsonType    = "application/json"
	htmlType    = "text/html"
	openAPIType = "application/vnd.oai.openapi+json;version=3.0"
)

// link is a link as OGC API documents have it.
type link struct {
	Href  string `json:"href"`
	Rel   string `json:"rel"`
	Type  string `json:"type"` // /req/core/fc-md-items-links requires it of every link
	Title string `json:"title,omitempty"`
}

// both returns links to a document as JSON and as a page; rel self is the one that is being sent.
func (r *request) both(address, mediaType string) []link {
	other := link{Href: withForm(address, "html"), Rel: "alternate", Type: htmlType, Title: bilingual.Of("This page", "Diese Seite").In(r.language)}
	self := link{Href: withForm(address, "json"), Rel: "self", Type: mediaType, Title: bilingual.Of("This document", "Dieses Dokument").In(r.language)}
	if r.html {
		self.Rel, other.Rel = "alternate", "self"
		return []link{other, self}
	}
	return []link{self, other}
}

type landingPage struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Attribution string `json:"attribution"`
	Links       []link `json:"links"`
}

// title returns the title of the service.
func (s *Service) title() bilingual.Text {
	return bilingual.Of("City air of "+s.City+", measured by its citizens", "Stadtluft von "+s.City+", gemessen von Bürgerinnen und Bürgern")
}

// disclaimer is part of every description.
var disclaimer = bilingual.Of(export.Disclaimer, export.DisclaimerDE)

func (s *Service) landing(r *request) error {
	meta := s.Meta(r.now)
	document := landingPage{Title: s.title().In(r.language), Description: disclaimer.In(r.language), Attribution: meta.Attribution}
	document.Links = append(r.both(r.base, jsonType),
		link{r.base + "/api?f=json", "service-desc", openAPIType, bilingual.Of("The API (OpenAPI 3.0)", "Die Schnittstelle (OpenAPI 3.0)").In(r.language)},
		link{r.base + "/api?f=html", "service-doc", htmlType, bilingual.Of("The API, for people", "Die Schnittstelle, für Menschen").In(r.language)},
		link{r.base + "/conformance", "conformance", jsonType, bilingual.Of("What it conforms to", "Wozu sie konform ist").In(r.language)},
		link{r.base + "/collections", "data", jsonType, bilingual.Of("The collections", "Die Sammlungen").In(r.language)},
	)
	document.Links = append(document.Links, licences(meta)...)
	return r.send(jsonType, document, page{Title: document.Title, Links: document.Links, Rows: []row{r.source(meta)}})
}

// source returns the attribution as a row.
func (r *request) source(meta export.Meta) row {
	return row{cell{Text: bilingual.Of("Name the source as", "Quellenangabe").In(r.language)}, cell{Text: meta.Attribution}}
}

// licences returns links to the data's licences.
func licences(meta export.Meta) []link {
	list := []link{{Href: export.LicenceURL(meta.Licence), Rel: "license", Type: htmlType, Title: meta.Licence}}
	for _, address := range meta.Licences {
		list = append(list, link{Href: address, Rel: "license", Type: htmlType})
	}
	return list
}

type conformance struct {
	ConformsTo []string `json:"conformsTo"`
}

func (s *Service) conformance(r *request) error {
	rows := make([]row, len(classes))
	for i, class := range classes {
		rows[i] = row{cell{Text: class}}
	}
	title := bilingual.Of("What the service conforms to", "Wozu der Dienst konform ist").In(r.language)
	return r.send(jsonType, conformance{classes}, page{Title: title, Links: r.both(r.base+"/conformance", jsonType), Rows: rows})
}
