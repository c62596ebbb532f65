package api

import (
	"maps"

	"stadtluft/export"
	"stadtluft/export/sta"
	"stadtluft/ingest/httpapi/openapi"
)

// objectOf is an answer of one JSON object, by what encodes it.
func objectOf(v any) []openapi.Answer {
	return openapi.AnswerOf("application/json", openapi.SchemaOf(v))
}

func geojson(schema openapi.Schema) []openapi.Answer {
	return openapi.AnswerOf(export.GeoJSON.MediaType(), schema)
}

// rows is an answer whose table is one of those named, in each form.
func rows(tables ...string) []openapi.Answer {
	var list, features []any
	for _, name := range tables {
		list = append(list, openapi.Ref(name))
		if name != "history" { // which stands in the coverage's
			features = append(features, openapi.Ref(name+".geojson"))
		}
	}
	return []openapi.Answer{{Forms: []openapi.Content{
		{Type: "text/csv"}, {Type: export.GeoJSON.MediaType(), Schema: either(features)},
		{Type: export.JSON.MediaType(), Schema: either(list)}, {Type: export.Parquet.MediaType()},
	}}}
}

// table returns the answers of a route whose rows are one table, in the forms for tables alone.
func table(name string) []openapi.Answer {
	return []openapi.Answer{{Forms: []openapi.Content{{Type: "text/csv"}, {Type: export.JSON.MediaType(), Schema: openapi.Ref(name)}, {Type: export.Parquet.MediaType()}}}}
}

// either is one of them; no rows are rows of each.
func either(schemas []any) openapi.Schema {
	if len(schemas) == 1 {
		return schemas[0].(openapi.Schema)
	}
	return openapi.Schema{"anyOf": schemas}
}

// schemas are the shapes of answers that more than one route has: of rows by their tables, of the rest by what encodes them.
func schemas() map[string]openapi.Schema {
	envelope := openapi.SchemaOf(export.Envelope{})
	all := map[string]openapi.Schema{
		"Problem": openapi.SchemaOf(problem{}), "Station": openapi.SchemaOf(detailedStation{}),
		"ReadingEvent": openapi.SchemaOf(readingEvent{}), "GridEvent": openapi.SchemaOf(gridEvent{}),
	}
	for _, table := range export.Tables() {
		all[table.Name] = envelope.With("rows", openapi.ListOf(rowSchema(table))).May("next", openapi.Schema{"type": "string", "format": "uri"})
		all[table.Name+".geojson"] = collection(placeSchema(table.Name), rowSchema(table.Without("lon", "lat")))
	}
	maps.Copy(all, sta.Schemas())
	delete(all, "history.geojson") // it stands in the coverage's
	for _, placeless := range []string{"installations", "calibrations", "comparison", "pairs"} {
		delete(all, placeless+".geojson")
	}
	delete(all, "comparison") // its rows stand in an answer that has more
	all["coverage.geojson"] = all["coverage.geojson"].With("coverage", openapi.SchemaOf(export.CoveredNow{})).May("history", openapi.ListOf(objectSchema(export.HistoryColumns.Fields())))
	all["index.geojson"] = collection(placeSchema("index"), openapi.SchemaOf(export.IndexProperties{}))
	all["districts.geojson"] = openapi.SchemaOf(districtsCollection{})
	all["city"], all["city.geojson"] = all["districts"], openapi.SchemaOf(cityFeature{})
	return all
}

// placeSchema returns the schema of the place of a table's rows: a cell, or a station, which is null where it is not known any more.
func placeSchema(table string) openapi.Schema {
	if table != "readings" && table != "means" {
		return openapi.SchemaOf(polygon{})
	}
	return openapi.SchemaOf(&point{})
}

// collection is the schema of a GeoJSON document whose features have such a place and such properties.
func collection(place, properties openapi.Schema) openapi.Schema {
	feature := openapi.Schema{"type": "object"}.With("type", openapi.Schema{"const": "Feature"}).May("id", openapi.Schema{"type": "string"}).
		With("geometry", place).With("properties", properties)
	return openapi.SchemaOf(export.Envelope{}).With("type", openapi.Schema{"const": "FeatureCollection"}).With("features", openapi.ListOf(feature))
}

// rowSchema returns the schema of a row of a table as JSON.
func rowSchema(t export.Table) openapi.Schema {
	row := objectSchema(t.Columns)
	row["additionalProperties"] = false
	return row
}

// objectSchema returns the schema of an object with a member for each column.
func objectSchema(columns []export.Field) openapi.Schema {
	object := openapi.Schema{"type": "object"}
	for _, c := range columns {
		object = object.With(c.Name, columnSchema(c))
	}
	return object
}

func columnSchema(c export.Field) openapi.Schema {
	kind := c.Type.String()
	s := openapi.Schema{"type": kind, "description": c.Description("en")}
	if c.Unit != "" && c.Unit != export.InUnit {
		s["x-unit"] = c.Unit
	}
	if c.Type == export.DateTime {
		kind = "string"
		s["type"], s["format"] = kind, "date-time"
	}
	if c.Nullable() {
		s["type"] = []string{kind, "null"}
	}
	if c.Among != nil {
		s["enum"] = c.Among
	}
	return s
}
