package server

import (
	"context"
	"errors"

	"stadtluft/export/metrics"
	"stadtluft/ingest/admin"
)

// notice is a problem that an operator should look at, while everything works.
type notice struct{ error }

// health reports the state of the parts of a process.
type health []part

// problems returns the parts' problems, in the order in which the parts were started; empty when all work.
func (h health) problems(ctx context.Context) []admin.Problem {
	var list []admin.Problem
	for _, p := range h {
		if p.problems == nil {
			continue
		}
		p.problems(ctx, func(part string, err error, do string) {
			if err != nil {
				var only notice
				list = append(list, admin.Problem{Part: part, Problem: Mask(err.Error()), Do: do, Notice: errors.As(err, &only)})
			}
		})
	}
	return list
}

// state returns what /readyz says of the parts.
func (h health) state(ctx context.Context) admin.State { return admin.StateOf(h.problems(ctx)) }

// measure adds the metrics of each part to a scrape.
func (h health) measure(ctx context.Context, c metrics.Collection) {
	for _, p := range h {
		if p.measure != nil {
			p.measure(ctx, c)
		}
	}
}

// status sets the administrator's status of each part. After an error it continues with the other parts.
func (h health) status(ctx context.Context, s *admin.Status) error {
	var errs []error
	for _, p := range h {
		if p.status != nil {
			errs = append(errs, p.status(ctx, s))
		}
	}
	return errors.Join(errs...)
}
