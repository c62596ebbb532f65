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
	Profile     string  `json:"profile"`
	Name        string  `json:"name"`
	Path        string  `json:"path"`
	Title       string  `json:"title"`
	Format      string  `json:"format"`
	MediaType   string  `json:"mediatype"`
	Encoding    string  `json:"encoding,omitempty"`
	Compression string  `json:"compression,omitempty"`
	Bytes       int64   `json:"bytes"`
	Hash        string  `json:"hash"`
	Schema      *schema `json:"schema,omitempty"`
}

// schema is a Table Schema.
type schema struct {
	Fields        []field  `json:"fields"`
	MissingValues []string `json:"missingValues"`
	PrimaryKey    []string `json:"primaryKey"`
}

type field struct {
	Name        string         `json:"name"`
	Type        string         `json:"type"`
	Format      string         `json:"format,omitempty"`
	Constraints map[string]any `json:"constraints,omitempty"`
}

// dataPackage describes the files that are written.
func (w *writer) dataPackage(d Day) error {
	p := dataPackage{
		Profile: "data-package", Name: "stadtluft-" + d.String(), Title: "Stadtluft " + d.String(), Description: export.Notice,
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
		p.Resources = append(p.Resources, describe(f))
	}
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	return w.whole(packageName, append(text, '\n'), 0)
}

// describe is a file as a resource.
func describe(f File) resource {
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
	if form != "geojson" {
		r.Schema = tables[f.Name]
	}
	return r
}

var titles = map[string]string{
	"readings": "Every value of every station, with flags",
	"grid-1h":  "Hourly averages of the cells of the European statistical grid",
	"grid-24h": "Daily averages of the cells of the European statistical grid",
	"stations": "The stations as they stood that day, at their public places",
}

// tables are the schemas of the files that are tables.
var tables = map[string]*schema{
	readingsCSV:       table(export.ReadingColumns, "time", "station", "quantity"),
	readingsParquet:   table(parquet.ReadingColumns, "time", "station", "quantity"),
	"grid-1h.csv.gz":  table(export.GridColumns, "cell", "window_start", "quantity"),
	"grid-24h.csv.gz": table(export.GridColumns, "cell", "window_start", "quantity"),
}

// table is the schema of columns; what is not said here of one is that it is text.
func table(columns string, key ...string) *schema {
	s := &schema{MissingValues: []string{""}, PrimaryKey: key}
	for _, name := range strings.Split(columns, ",") {
		f, known := fields[name]
		f.Name = name
		if !known {
			f.Type = "string"
		}
		if !optional[name] {
			f.Constraints = merge(f.Constraints, map[string]any{"required": true})
		}
		s.Fields = append(s.Fields, f)
	}
	return s
}

// optional are columns that may be empty: no place is known, no flag is set, an index says nothing.
var optional = map[string]bool{"lon": true, "lat": true, "flags": true, "eaqi": true, "lqi": true}

var (
	instant = field{Type: "datetime"} // RFC 3339 in UTC
	number  = field{Type: "number"}
	count   = field{Type: "integer", Constraints: map[string]any{"minimum": 0}}
)

func between(kind string, low, high float64) field {
	return field{Type: kind, Constraints: map[string]any{"minimum": low, "maximum": high}}
}

var fields = map[string]field{
	"time": instant, "received": instant, "window_start": instant,
	"lon": between("number", -180, 180), "lat": between("number", -90, 90),
	"value": number, "mean": number, "median": number, "min": number, "max": number, "raw_mean": number,
	"spread":   {Type: "number", Constraints: map[string]any{"minimum": 0}},
	"coverage": between("number", 0, 1),
	"stations": count, "readings": count, "revision": count, "uncorrected": count,
	"window_seconds": {Type: "integer", Constraints: map[string]any{"enum": []int{3600, 86400}}},
	"eaqi":           between("integer", 1, 6), "lqi": between("integer", 1, 5),
	"certainty":   {Type: "string", Constraints: map[string]any{"enum": []string{"single station", "few", "good"}}},
	"time_source": {Type: "string", Constraints: map[string]any{"enum": []string{"station", "age", "receipt", "network"}}},
}

func merge(a, b map[string]any) map[string]any {
	all := map[string]any{}
	for _, m := range []map[string]any{a, b} {
		for key, value := range m {
			all[key] = value
		}
	}
	return all
}
