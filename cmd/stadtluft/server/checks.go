package server

import (
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/registry"
)

// checks check single readings, and remember the last contact of each station. They keep no state of erased stations.
type checks struct {
	*quality.Checker
	contacts ingest.Contacts
	registry *registry.Registry
}

func newChecks(b *base) *checks {
	return &checks{Checker: quality.New(b.config.Quality), registry: b.registry}
}

// remember adds readings of one station from before the start.
func (c *checks) remember(readings ...ingest.Reading) {
	if !c.erased(readings[0].Station) {
		c.Remember(readings...)
		c.contacts.Remember(readings...)
	}
}

// changed drops the state of a station that has been erased.
func (c *checks) changed(id string) {
	if c.erased(id) {
		c.Forget(id)
		c.contacts.Forget(id)
	}
}

// erased reports whether a station is erased: its readings are to be deleted, or have been.
func (c *checks) erased(id string) bool {
	st, known := c.registry.Station(id)
	return !known || st.Status == ingest.Erased
}
