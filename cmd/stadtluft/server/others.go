package server

import (
	"context"

	"stadtluft/ingest"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/registry"
)

// others is what an intake learns of other processes' intakes: what they have appended to the journal. Its checks know
// that as if it had come here, so that a station may send to any of them.
type others struct {
	journal  *journal.Shared
	registry *registry.Registry
	checks   *checks
}

// others begins to follow other processes' intakes; nil without the role ingest, or when there are no other processes.
func (b *base) others(ctx context.Context) (*others, error) {
	if !b.shared() || !b.roles.has(intakeRole) {
		return nil, nil
	}
	o := &others{registry: b.registry}
	var err error
	o.journal, err = b.journal.Share(ctx, o.took)
	return o, err
}

// part returns the part that follows them.
func (o *others) part() part { return part{name: "other intakes", run: o.journal.Follow} }

// took passes what others have appended to the checks.
func (o *others) took(b ingest.Batch) {
	for _, r := range b.Readings {
		// A station that is not loaded now is loaded by the registry's watch; then its next readings are remembered.
		if err := o.registry.EnsureLoaded(context.Background(), r.Station); err == nil {
			o.checks.remember(r)
		}
	}
}
