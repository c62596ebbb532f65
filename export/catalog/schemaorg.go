package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/httpapi/openapi"
)

// object is a JSON object of schema.org.
type object = map[string]any

// SchemaOrg returns the data as a schema.org Dataset in JSON-LD, for search engines. It can be put into a page in
// <script type="application/ld+json">: characters that could end the element are escaped. Browsers do not run such a
// data block, so the Content-Security-Policy need not allow it.
func (s *Service) SchemaOrg(ctx context.Context, base string, now time.Time) ([]byte, error) {
	years, err := s.years(ctx, now)
	if err != nil {
		return nil, err
	}
	meta := s.Meta(now)
	notice := notice(meta)
	publisher := object{"@type": "Organization", "name": cmp.Or(s.Publisher.Name, meta.Attribution), "url": cmp.Or(s.Publisher.URL, base+"/")}
	dataset := object{
		"@context":            "https://schema.org/",
		"@type":               "Dataset",
		"@id":                 base + "/catalog#readings",
		"name":                "Stadtluft " + s.City + ": Messwerte der Luft, City air: readings",
		"alternateName":       "City air of " + s.City,
		"description":         "Luft in " + s.City + ", gemessen von Bürgerinnen und Bürgern. " + notice.DE + " The air of " + s.City + ", measured by its citizens. " + notice.EN,
		"url":                 base + "/data",
		"inLanguage":          []string{"de", "en"},
		"isAccessibleForFree": true,
		"license":             append([]string{export.LicenceURL(meta.Licence)}, meta.Licences...),
		"creditText":          meta.Attribution,
		"creator":             publisher,
		"publisher":           publisher,
		"keywords":            []string{"Luftqualität", "air quality", "Feinstaub", "particulate matter", "citizen science"},
		"temporalCoverage":    years[0].start().Format(time.DateOnly) + "/..",
		"spatialCoverage": object{"@type": "Place", "name": s.City, "geo": object{
			"@type": "GeoShape", "box": fmt.Sprintf("%g %g %g %g", s.Bound.Min.Lat(), s.Bound.Min.Lon(), s.Bound.Max.Lat(), s.Bound.Max.Lon()),
		}},
		"measurementTechnique": "low-cost sensors",
		"variableMeasured":     measured(),
		"distribution":         downloads(base, years),
		"identifier":           base + "/catalog#readings",
	}
	if parts := s.parts(years, base, meta); len(parts) > 0 {
		all := export.Citation{}
		for _, y := range years {
			all.Days = append(all.Days, y.days...)
		}
		dataset["version"], dataset["dateCreated"], dataset["dateModified"] = all.Version(), all.Issued().UTC().Format(time.RFC3339), all.Modified().UTC().Format(time.RFC3339)
		dataset["hasPart"] = parts
	}
	return json.Marshal(dataset)
}

// parts returns the years of the archive as they are cited.
func (s *Service) parts(years []year, base string, meta export.Meta) (parts []object) {
	for _, y := range years {
		if len(y.days) == 0 {
			continue
		}
		c := s.cited(y, base, meta)
		parts = append(parts, object{
			"@type": "Dataset", "@id": base + "/catalog#" + strconv.Itoa(y.number), "name": c.Title(), "description": notice(meta).EN, "url": c.URL, "identifier": c.Identifier(), "version": c.Version(),
			"dateCreated": c.Issued().UTC().Format(time.RFC3339), "dateModified": c.Modified().UTC().Format(time.RFC3339), "creditText": c.Text(), "license": export.LicenceURL(meta.Licence),
		})
	}
	return parts
}

// datasetSchema describes the members that search engines read first; the rest is schema.org's.
var datasetSchema = openapi.Schema{"type": "object", "additionalProperties": true}.With("@context", openapi.Schema{"const": "https://schema.org/"}).
	With("@type", openapi.Schema{"const": "Dataset"}).With("name", openapi.Schema{"type": "string"}).With("description", openapi.Schema{"type": "string"}).
	With("license", openapi.SchemaOf([]string{})).With("distribution", openapi.ListOf(openapi.Schema{"type": "object"}))

// measured returns the quantities.
func measured() []object {
	var list []object
	for _, q := range quantity.All() {
		list = append(list, object{"@type": "PropertyValue", "name": q.String(), "unitText": q.Unit()})
	}
	return list
}

func downloads(base string, years []year) []object {
	list := []object{
		{"@type": "DataDownload", "name": "Stations now", "encodingFormat": "application/geo+json", "contentUrl": base + "/api/v1/stations"},
		{"@type": "DataDownload", "name": "Grid now", "encodingFormat": "text/csv", "contentUrl": base + "/api/v1/grid?format=csv"},
	}
	for _, y := range years {
		list = append(list, object{
			"@type": "DataDownload", "name": "Readings of " + strconv.Itoa(y.number), "encodingFormat": "text/csv", "contentUrl": base + y.download(),
		})
	}
	return list
}
