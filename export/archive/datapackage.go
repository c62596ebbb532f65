package archive

import (
	"strconv"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/export/parquet"
)

// dataPackage is a Frictionless Data Package (specs.frictionlessdata.io, version 1), with members of schema.org for those who
// cite it.
type dataPackage struct {
	Profile      string        `json:"profile"`
	ID           string        `json:"id,omitempty"`
	Name         string        `json:"name"`
	Title        string        `json:"title"`
	Description  string        `json:"description"`
	Homepage     string        `json:"homepage,omitempty"`
	Version      string        `json:"version"`
	Created      time.Time     `json:"created"`
	Modified     time.Time     `json:"modified"`
	Identifier   string        `json:"identifier,omitempty"`
	Citation     string        `json:"citation,omitempty"`
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

// demoNotice is added to descriptions where simulated stations are among the sources.
const demoNotice = " Simulated stations are among the sources."

// newPackage returns a package with its licences and contributors.
func (a *Archive) newPackage(meta export.Meta) *dataPackage {
	p := &dataPackage{
		Profile: "data-package", Licenses: []licence{{strings.ReplaceAll(meta.Licence, "/", "-"), export.LicenceURL(meta.Licence)}},
		Contributors: []contributor{{meta.Attribution, "publisher"}},
	}
	for _, path := range meta.Licences {
		p.Licenses = append(p.Licenses, licence{"", path})
	}
	return p
}

// dataPackage describes a day's files. Its version is the revision. It says when the day was closed, and when the newest of
// its readings came where that was later: both follow from the data.
func (w *writer) dataPackage(m Manifest) error {
	p := w.archive.newPackage(w.meta)
	p.Name, p.Title, p.Description, p.Version = "stadtluft-"+m.Day, "Stadtluft "+m.Day, export.Disclaimer, strconv.Itoa(m.Revision)
	p.ID = w.archive.address(strings.ReplaceAll(m.Day, "-", "/") + "/")
	p.Identifier = p.ID
	p.Created = w.to.Add(Closed).UTC()
	p.Modified = export.Later(p.Created, w.received.UTC().Truncate(time.Second))
	if w.meta.Demo {
		p.Description += demoNotice
	}
	for _, f := range w.files {
		p.Resources = append(p.Resources, w.archive.describe(f, w.meta))
	}
	text, err := p.text()
	if err != nil {
		return err
	}
	return w.whole(packageName, text, 0)
}

// describe is a file as a resource.
func (a *Archive) describe(f File, meta export.Meta) resource {
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
		r.Schema = new(table.Schema(a.about(stem, meta), "en"))
	}
	return r
}

var titles = map[string]string{
	"readings":      "Every value of every station, with flags",
	"grid-1h":       "Hourly averages of the cells of the European statistical grid",
	"grid-24h":      "Daily averages of the cells of the European statistical grid",
	"means-1h":      "Hourly means of every station",
	"means-24h":     "Daily means of every station",
	"installations": "The stations as a table: places, exposure, height, kits and sensors, each with its period",
	"calibrations":  "The calibrations of the stations, each with its period",
	"comparison-1h": "Hourly means of the stations near official instruments, beside their values",
	"stations":      "The stations as they stood that day, at their public places",
}

// tables are the files that are tables.
var tables = map[string]export.Table{
	readingsCSV: export.ReadingsTable, readingsParquet: export.FullReadingsTable, "means-1h.csv.gz": export.MeansTable, hoursParquet: export.MeansTable, "means-24h.csv.gz": export.MeansTable,
	stationsCSV: export.InstallationsTable, stationsParquet: export.InstallationsTable, fitCSV: export.CalibrationsTable, fitParquet: export.CalibrationsTable, daysParquet: export.MeansTable, "grid-1h.csv.gz": export.GridTable, "grid-24h.csv.gz": export.GridTable,
	pairsCSV: export.PairsTable, pairsParquet: export.PairsTable,
}
