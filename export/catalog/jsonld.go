package catalog

import (
	"stadtluft/export"
	"stadtluft/ingest/httpapi/openapi"
)

// graphSchema is the schema of jsonld's output; it describes the members of a subject only as lists.
var graphSchema = openapi.Schema{"type": "object"}.With("@context", openapi.SchemaOf(map[string]string{})).
	With("@graph", openapi.ListOf(openapi.Schema{"type": "object", "additionalProperties": openapi.ListOf(openapi.Schema{})}.With("@id", openapi.Schema{"type": "string"})))

// jsonld writes the graph as JSON-LD 1.1: prefixes as its context, then one object per subject.
func (g *graph) jsonld() ([]byte, error) {
	w := &jsonWriter{}
	w.raw(`{"@context":{`)
	for i, p := range prefixes {
		w.comma(i)
		w.member(p.name)
		w.value(p.address)
	}
	w.raw(`},"@graph":[`)
	for i, s := range g.subjects() {
		w.comma(i)
		w.raw("\n{")
		w.member("@id")
		w.value(s.address)
		for _, st := range s.statements {
			w.raw(",\n  ")
			w.statement(st)
		}
		w.raw("}")
	}
	w.raw("\n]}\n")
	return w.b, w.err
}

// jsonWriter appends JSON and remembers the first error.
type jsonWriter struct {
	b   []byte
	err error
}

func (w *jsonWriter) raw(text string) { w.b = append(w.b, text...) }

func (w *jsonWriter) comma(i int) {
	if i > 0 {
		w.raw(",")
	}
}

func (w *jsonWriter) value(v any) {
	b, err := export.AppendJSON(w.b, v)
	if w.b = b; err != nil && w.err == nil {
		w.err = err
	}
}

func (w *jsonWriter) member(name string) {
	w.value(name)
	w.raw(":")
}

func (w *jsonWriter) statement(st statement) {
	isType := st.predicate == address("rdf:type")
	name, _ := short(st.predicate)
	if isType {
		name = "@type"
	}
	w.member(name)
	w.raw("[")
	for i, o := range st.objects {
		w.comma(i)
		if isType {
			class, _ := short(o.value)
			w.value(class)
			continue
		}
		w.object(o)
	}
	w.raw("]")
}

func (w *jsonWriter) object(t term) {
	name, value := "@id", t.value
	if t.isText {
		name = "@value"
	} else {
		value, _ = short(t.value)
	}
	w.raw("{")
	w.member(name)
	w.value(value)
	if t.language != "" {
		w.raw(",")
		w.member("@language")
		w.value(t.language)
	}
	if t.datatype != "" {
		w.raw(",")
		w.member("@type")
		datatype, _ := short(t.datatype)
		w.value(datatype)
	}
	w.raw("}")
}
