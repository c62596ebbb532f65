package sta

import (
	"net/http"
	"slices"

	"stadtluft/export"
	"stadtluft/ingest/httpapi"
)

// components are the members of an observation in a data array without $select.
var components = []string{"id", "phenomenonTime", "resultTime", "result", "parameters"}

// dataArray are observations of a datastream.
type dataArray struct {
	Datastream string   `json:"Datastream@iot.navigationLink"`
	Components []string `json:"components"`
	Count      int      `json:"dataArray@iot.count"`
	Rows       [][]any  `json:"dataArray"`
}

// appendDataArray appends observations as one array for each datastream (OGC 18-088, section 12.2). Datastreams stand in the
// order of their first observation.
func (w *world) appendDataArray(b []byte, entities []*entity, o options) ([]byte, error) {
	if w.budget.entities -= len(entities); w.budget.entities < 0 {
		return b, httpapi.Wrong("$top", "this answer would hold more than %d entities: use a smaller $top", maxEntities)
	}
	names := components
	if o.chosen != nil {
		names = o.chosen
	}
	var order []string
	rows := map[string][][]any{}
	for _, e := range entities {
		d := w.selfLink(datastream(e.station, e.quantity))
		if rows[d] == nil {
			order = append(order, d)
		}
		rows[d] = append(rows[d], w.components(e, names))
	}
	list := []dataArray{}
	for _, d := range order {
		list = append(list, dataArray{d, names, len(rows[d]), rows[d]})
	}
	return export.AppendJSON(b, list)
}

func (w *world) components(e *entity, names []string) []any {
	row := make([]any, len(names))
	for i, name := range names {
		if p, ok := e.kind.property(name); ok {
			row[i] = p.of(w, e)
		} else if isID(name) {
			row[i] = e.id
		}
	}
	return row
}

// readFormat parses $resultFormat.
func (o *options) readFormat(value string, k *kind, nested bool) error {
	if value == "" {
		return nil
	}
	if value != "dataArray" || k != observations || nested {
		return httpapi.New(http.StatusNotImplemented, "$resultFormat", "$resultFormat is supported as dataArray of Observations, not as %.60q of %s", value, k.plural)
	}
	o.dataArray = true
	return nil
}

// checkFormat refuses options that a data array cannot have.
func (o *options) checkFormat() error {
	leads := func(name string) bool { _, ok := observations.link(name); return ok || name == "@iot.selfLink" }
	if o.dataArray && (len(o.expand) > 0 || slices.ContainsFunc(o.chosen, leads)) {
		return httpapi.Wrong("$resultFormat", "a data array has no related entities: leave out $expand, and links in $select")
	}
	return nil
}
