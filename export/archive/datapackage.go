package archive

import (
	"encoding/json"
	"strings"

	"stadtluft/export"
	"stadtluft/export/parquet"
)

// dataPackage is a Frictionless Data Package (specs.frictionlessdata.io, version 1).
type dataPackage struct {
	Profile      string        `json:"profile"`
	Name         string        `json:"name"`
	Title        string        `json:"title"`
	Description  string        `json:"description"`
	Licenses     []licence     `json:"licenses"`
	Contributors []contributor `json:"contributors"`
	Resources    []resource    `json:"resources"`
}

type licence struct {
	Name string `json:"name,omitempty"`
	Path string `json:"path"`
}

type contributor struct {
	Title string `json:"title"`
	Role  string `json:"role"`
}

type resource struct {
	Profile     string              `json:"profile"`
	Name        string              `json:"name"`
	Path        string              `json:"path"`
	Title       string              `json:"title"`
	Format      string              `json:"format"`
	MediaType   string              `json:"mediatype"`
	Encoding    string              `json:"encoding,omitempty"`
	Compression string              `json:"compression,omitempty"`
	Bytes       int64               `json:"bytes"`
	Hash        string              `json:"hash"`
	Schema      *export.TableSchema `json:"schema,omitempty"`
}

// dataPackage describes the files that are written.
func (w *writer) dataPackage(d Day) error {
	p := dataPackage{
		Profile: "data-package", Name: "stadtluft-" + d.String(), Title: "Stadtluft " + d.String(), Description: export.Disclaimer,
		Licenses:     []licence{{strings.ReplaceAll(w.meta.Licence, "/", "-"), "http://dcat-ap.de/def/licenses/" + w.meta.Licence}},
		Contributors: []contributor{{w.meta.Attribution, "publisher"}},
	}
	if w.meta.Demo {
		p.Description += " Simulated stations are among the sources."
	}
	for _, path := range w.meta.Licences {
		p.Licenses = append(p.Licenses, licence{"", path})
	}
	for _, f := range w.files {
		p.Resources = append(p.Resources, w.describe(f))
	}
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	return w.whole(packageName, append(text, '\n'), 0)
}

// describe is a file as a resource.
func (w *writer) describe(f File) resource {
	stem, form, _ := strings.Cut(strings.TrimSuffix(f.Name, ".gz"), ".")
	r := resource{Profile: "data-resource", Name: stem, Path: f.Name, Title: titles[stem], Format: form, Bytes: f.Bytes, Hash: "sha256:" + f.SHA256}
	if strings.HasSuffix(f.Name, ".gz") {
		r.Compression = "gz"
	}
	switch form {
	case "csv":
		r.Profile, r.MediaType, r.Encoding = "tabular-data-resource", "text/csv", "utf-8"
	case "geojson":
		r.Name, r.MediaType, r.Encoding = stem+"-geojson", export.GeoJSON.MediaType(), "utf-8"
	case "parquet":
		r.Name, r.MediaType = stem+"-parquet", parquet.MediaType
	}
	if table, known := tables[f.Name]; known {
		r.Schema = new(table.Schema(w.about(stem), "en"))
	}
	return r
}

var titles = map[string]string{
	"readings": "Every value of every station, with flags",
	"grid-1h":  "Hourly averages of the cells of the European statistical grid",
	"grid-24h": "Daily averages of the cells of the European statistical grid",
	"stations": "The stations as they stood that day, at their public places",
}

// tables are the files that are tables.
var tables = map[string]export.Table{
	readingsCSV: export.ReadingsTable, readingsParquet: export.FullReadingsTable, "grid-1h.csv.gz": export.GridTable, "grid-24h.csv.gz": export.GridTable,
}
