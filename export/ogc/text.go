package ogc

import "stadtluft/ingest/httpapi/openapi"

// text is something in both languages.
type text openapi.Text

func (t text) in(language string) string { return openapi.Text(t).In(language) }
