package openapi

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

var marshaler = reflect.TypeFor[json.Marshaler]()

// JSONSchemer is a type with its own JSON encoding and the schema of that.
type JSONSchemer interface {
	JSONSchema() Schema
}

// SchemaOf returns the schema of encoding/json's output for v's type. Members that are always present are required; a
// pointer may be null. A number type with an encoding of its own is a number. A field's tag "enum" lists its valid
// texts, separated by commas.
func SchemaOf(v any) Schema { return schemaOf(reflect.TypeOf(v)) }

func schemaOf(t reflect.Type) Schema {
	switch {
	case t == nil || t.Kind() == reflect.Interface:
		return Schema{}
	case t.Implements(reflect.TypeFor[JSONSchemer]()) && t.Kind() != reflect.Pointer:
		return reflect.Zero(t).Interface().(JSONSchemer).JSONSchema()
	case t == reflect.TypeFor[time.Time]():
		return Schema{"type": "string", "format": "date-time"}
	case t.Implements(marshaler) && t.Kind() == reflect.Int64:
		return Schema{"type": "number"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return Schema{"type": "boolean"}
	case reflect.String:
		return Schema{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return Schema{"type": "number"}
	case reflect.Pointer:
		return nullable(schemaOf(t.Elem()))
	case reflect.Slice:
		return ListOf(schemaOf(t.Elem()))
	case reflect.Array:
		return Schema{"type": "array", "items": schemaOf(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Map:
		return Schema{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		return objectOf(t)
	}
	return Schema{"type": "integer"}
}

// ListOf returns the schema of a list.
func ListOf(item Schema) Schema { return Schema{"type": "array", "items": item} }

// With returns the schema with one more required member.
func (s Schema) With(name string, member Schema) Schema {
	more := s.May(name, member)
	required, _ := s["required"].([]string)
	more["required"] = append(slices.Clone(required), name)
	return more
}

// May returns the schema with one more optional member.
func (s Schema) May(name string, member Schema) Schema {
	more, members := maps.Clone(s), map[string]any{name: member}
	if known, ok := s["properties"].(map[string]any); ok {
		maps.Copy(members, known)
	}
	more["properties"] = members
	return more
}

// And returns the schema of an object that has the members of both.
func (s Schema) And(more Schema) Schema {
	all := maps.Clone(s)
	members, _ := more["properties"].(map[string]any)
	for name, member := range members {
		all = all.May(name, member.(Schema))
	}
	required, _ := s["required"].([]string)
	also, _ := more["required"].([]string)
	all["required"] = slices.Concat(required, also)
	return all
}

func nullable(s Schema) Schema {
	if kind, ok := s["type"].(string); ok {
		s["type"] = []string{kind, "null"}
	}
	return s
}

func objectOf(t reflect.Type) Schema {
	return Schema{"type": "object", "properties": map[string]any{}}.withFields(t)
}

// withFields returns the schema with a struct's fields as members, including those of embedded structs.
func (s Schema) withFields(t reflect.Type) Schema {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			s = s.withFields(f.Type)
		case !f.IsExported() || name == "-":
		case strings.Contains(options, "omitempty"):
			if f.Type.Kind() == reflect.Pointer {
				f.Type = f.Type.Elem() // a pointer to nothing is left out
			}
			s = s.May(cmp.Or(name, f.Name), fieldSchema(f))
		default:
			s = s.With(cmp.Or(name, f.Name), fieldSchema(f))
		}
	}
	return s
}

func fieldSchema(f reflect.StructField) Schema {
	s := schemaOf(f.Type)
	if texts, ok := f.Tag.Lookup("enum"); ok {
		s["enum"] = strings.Split(texts, ",")
	}
	return s
}
