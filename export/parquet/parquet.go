// Package parquet writes readings and grid averages as Apache Parquet: the columns of the CSV with types, in
// its order, compressed with zstd. It is used like the encoders of package export,
//
//	e := parquet.NewReadings(w, stations, meta, notes)
//	e.Begin(); e.Add(reading) …; e.End()
//
// and a document without its End has no footer: no reader takes it for whole. Rows are to be added in the
// order of time, then station (the grid's of start, quantity, cell), which the files declare.
//
// Memory is bounded by one group of rows and a line for each group before it. The same rows give the same
// bytes, on every machine. Readings have two columns more than the CSV, when and how their time came to be,
// so that a file holds all that the store knows; Read brings them back.
package parquet

import (
	"stadtluft/export"
)

const (
	// groupRows is the rows of a group: readers work on groups at once, and DuckDB likes them of this size.
	groupRows = 1 << 17
	// pageRows are handed to the library together: after each it ends the pages that are full. Groups are made of whole ones.
	pageRows = 64
	// batchRows are read together.
	batchRows = 1 << 10
	// dictionaryBytes is when a column's values in a group are too many for a dictionary.
	dictionaryBytes = 1 << 20
)

// MediaType is the form's type in HTTP.
const MediaType = "application/vnd.apache.parquet"

// describe is what a document says of itself, in the form's key-value metadata.
func describe(meta export.Meta) map[string]string {
	metadata := map[string]string{"licence": meta.Licence, "attribution": meta.Attribution, "notice": export.Disclaimer, "demo": "false"}
	if meta.Demo {
		metadata["demo"] = "true"
	}
	for key, text := range map[string]string{"averaging": meta.Averaging, "quality": meta.Quality} {
		if text != "" {
			metadata[key] = text
		}
	}
	if !meta.Generated.IsZero() {
		metadata["generated"] = meta.Generated.UTC().Format("2006-01-02T15:04:05Z")
	}
	for i, licence := range meta.Licences {
		if i > 0 {
			licence = metadata["licences"] + " " + licence
		}
		metadata["licences"] = licence
	}
	return metadata
}
