package server

import (
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/registry"
)

// checks are those of single readings. They remember nothing of erased stations.
type checks struct {
	*quality.Checker
	registry *registry.Registry
}

func newChecks(b *base) *checks { return &checks{quality.New(b.config.Quality), b.registry} }

// remember adds a reading of before the start.
func (c *checks) remember(r ingest.Reading) {
	if !c.erased(r.Station) {
		c.Remember(r)
	}
}

// changed drops what is remembered of a station when it has been erased.
func (c *checks) changed(id string) {
	if c.erased(id) {
		c.Forget(id)
	}
}

// erased reports whether a station's readings are to go, or have gone with it.
func (c *checks) erased(id string) bool {
	st, known := c.registry.Station(id)
	return !known || st.Status == ingest.Erased
}
