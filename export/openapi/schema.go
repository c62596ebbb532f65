package openapi

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

var marshaler = reflect.TypeFor[json.Marshaler]()

// SchemaOf is the schema of how encoding/json writes a value of v's type. Members that are always there are
// required; a pointer may be null. A number type that writes itself is a number.
func SchemaOf(v any) Schema { return schemaOf(reflect.TypeOf(v)) }

func schemaOf(t reflect.Type) Schema {
	switch {
	case t == nil || t.Kind() == reflect.Interface:
		return Schema{}
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
		return Schema{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Array:
		return Schema{"type": "array", "items": schemaOf(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Map:
		return Schema{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		return objectOf(t)
	}
	return Schema{"type": "integer"}
}

func nullable(s Schema) Schema {
	if kind, ok := s["type"].(string); ok {
		s["type"] = []string{kind, "null"}
	}
	return s
}

func objectOf(t reflect.Type) Schema {
	members, required := map[string]any{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		members[name] = schemaOf(f.Type)
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	s := Schema{"type": "object", "properties": members}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}
