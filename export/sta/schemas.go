package sta

import "stadtluft/ingest/httpapi/openapi"

// Schemas returns the schemas of entities and of sets of them, by name, for the description of the API. They require no
// member, because $select may leave out any.
func Schemas() map[string]openapi.Schema {
	all := map[string]openapi.Schema{}
	for _, k := range kinds {
		all[schemaName(k.singular)] = k.entitySchema()
		all[schemaName(k.plural)] = k.setSchema()
	}
	return all
}

func schemaName(name string) string { return "SensorThings." + name }

var (
	word  = openapi.Schema{"type": "string"}
	count = openapi.Schema{"type": "integer"}
)

func (k *kind) entitySchema() openapi.Schema {
	s := openapi.Schema{"type": "object"}.May("@iot.id", word).May("@iot.selfLink", word)
	for _, p := range schema[k].properties {
		s = s.May(p.name, p.schema())
	}
	for _, l := range schema[k].links {
		expanded := openapi.Ref(schemaName(l.to.singular))
		if l.many {
			expanded = openapi.ListOf(expanded)
			s = s.May(l.name+"@iot.count", count).May(l.name+"@iot.nextLink", word)
		} else {
			expanded = openapi.Schema{"anyOf": []any{expanded, openapi.Schema{"type": "null"}}}
		}
		s = s.May(l.name+"@iot.navigationLink", word).May(l.name, expanded)
	}
	return s
}

func (k *kind) setSchema() openapi.Schema {
	entity := openapi.Ref(schemaName(k.singular))
	if k == observations {
		entity = openapi.Schema{"anyOf": []any{entity, openapi.SchemaOf(dataArray{})}}
	}
	return openapi.Schema{"type": "object"}.May("@iot.count", count).May("@iot.nextLink", word).With("value", openapi.ListOf(entity))
}

// schema returns the JSON schema of a property.
func (p property) schema() openapi.Schema {
	switch {
	case p.open:
		return openapi.Schema{"type": "object"}
	case p.like != nil:
		return openapi.SchemaOf(p.like)
	}
	return word
}

// answerSchema returns the schema of all answers: a set, an entity or a property of it.
func answerSchema() openapi.Schema {
	var either []any
	for _, k := range kinds {
		either = append(either, openapi.Ref(schemaName(k.plural)), openapi.Ref(schemaName(k.singular)))
	}
	return openapi.Schema{"anyOf": either}
}
