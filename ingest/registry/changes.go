package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// By says who changed something.
type By string

const (
	Owner By = "owner" // whoever has the management link
	Admin By = "admin"
	Shell By = "shell"
)

// Change is one entry of the record of changes. It holds no token, no address and no exact place.
type Change struct {
	At      time.Time `json:"at"` // UTC, whole seconds
	Station string    `json:"station"`
	Who     By        `json:"who"`
	What    string    `json:"what"` // such as "name", "status", "place", "token"
	Before  string    `json:"before,omitempty"`
	After   string    `json:"after,omitempty"`
}

func decodeChange(data []byte) (c Change, err error) {
	err = json.Unmarshal(data, &c)
	return c, err
}

func (b *bucket) changeSubject(station string) string { return b.changesName() + "." + station }

// record appends to the record of changes. What has been changed counts, also when that fails.
func (r *Registry) record(ctx context.Context, changes []Change) {
	if err := r.recordAll(ctx, changes); err != nil {
		r.log.Error("change of a station was not recorded", "err", err)
	}
}

func (r *Registry) recordAll(ctx context.Context, changes []Change) error {
	for _, c := range changes {
		data, err := json.Marshal(c)
		if err == nil {
			// While a cluster chooses a leader nobody answers.
			_, err = r.bucket.js.Publish(ctx, r.bucket.changeSubject(c.Station), data, jetstream.WithRetryAttempts(20), jetstream.WithRetryWait(retryWait))
		}
		if err != nil {
			return fmt.Errorf("record the change of %s of station %s: %w", c.What, c.Station, err)
		}
	}
	return nil
}

// Changes returns the last changes of a station, newest first; those of every station for "". It returns at most
// limit. The newest thousand of a station are kept.
func (r *Registry) Changes(ctx context.Context, station string, limit int) ([]Change, error) {
	subject := r.bucket.changesName() + ".>"
	if station != "" {
		subject = r.bucket.changeSubject(station)
	}
	list := []Change{}
	err := r.bucket.last(ctx, r.bucket.changes, subject, limit, func(data []byte) error {
		c, err := decodeChange(data)
		list = append(list, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("registry: changes: %w", err)
	}
	slices.Reverse(list)
	return list, nil
}

// last calls f with the last messages of a subject, oldest first, at most n of them.
func (b *bucket) last(ctx context.Context, s jetstream.Stream, subject string, n int, f func(data []byte) error) error {
	info, err := s.Info(ctx)
	if err != nil {
		return err
	}
	for span := uint64(2 * n); ; span *= 4 { // sequences, of which some are gone or of other subjects
		from := info.State.FirstSeq
		if info.State.LastSeq > span {
			from = max(from, info.State.LastSeq-span)
		}
		var found [][]byte
		err := b.read(ctx, s, from, func(m message) error {
			found = append(found, m.value)
			return nil
		}, subject)
		if err != nil {
			return err
		}
		if len(found) < n && from > info.State.FirstSeq {
			continue
		}
		for _, data := range found[max(0, len(found)-n):] {
			if err := f(data); err != nil {
				return err
			}
		}
		return nil
	}
}
