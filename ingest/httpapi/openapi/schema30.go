package openapi

// For30 returns the schema for OpenAPI 3.0, which has neither constants nor several types: a value that may be null is
// "nullable" there (https://spec.openapis.org/oas/v3.0.3, section 4.7.24).
func (s Schema) For30() Schema {
	old := Schema{}
	for name, v := range s {
		switch types, several := v.([]string); {
		case name == "const":
			old["enum"] = []any{v}
		case name == "type" && several:
			old["type"], old["nullable"] = types[0], true
		default:
			old[name] = for30(v)
		}
	}
	return old
}

// for30 converts any value in a schema.
func for30(v any) any {
	switch v := v.(type) {
	case Schema:
		return v.For30()
	case map[string]any:
		members := map[string]any{}
		for name, member := range v {
			members[name] = for30(member)
		}
		return members
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = for30(v[i])
		}
		return list
	}
	return v
}
