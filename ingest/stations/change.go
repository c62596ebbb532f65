package stations

import (
	"time"

	"stadtluft/ingest/registry"
)

// Change is an entry of the record of changes.
type Change struct {
	Time    string      `json:"time"`
	Station string      `json:"station"`
	Who     registry.By `json:"who" enum:"owner,admin,shell"`
	What    string      `json:"what"`
	Before  string      `json:"before"`
	After   string      `json:"after"`
}

// Changes returns entries of the registry's record for answers.
func Changes(changes []registry.Change) []Change {
	list := make([]Change, len(changes))
	for i, c := range changes {
		list[i] = Change{c.At.Format(time.RFC3339), c.Station, c.Who, c.What, c.Before, c.After}
	}
	return list
}
