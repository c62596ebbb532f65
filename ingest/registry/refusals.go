package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

const (
	// KeptRefusals is the number of refusals that are kept of each station, the newest ones.
	KeptRefusals = 20
	// KeptUnknown is the number that is kept of all unregistered senders together. One of them has at most KeptRefusals.
	KeptUnknown = unknownSubjects * KeptRefusals

	unknownSubjects = 10 // that unregistered senders share
)

type refusalRecord struct {
	Station  string    `json:"station"` // as the message named it
	Received time.Time `json:"received"`
	Reason   string    `json:"reason"`
	Field    string    `json:"field,omitempty"`
	Detail   string    `json:"detail,omitempty"`
}

func (b *bucket) refusalSubject(id string) string { return b.refusalsName() + ".station." + id }
func (b *bucket) unknownSubject(n string) string  { return b.refusalsName() + ".unknown." + n }

// subjectOf returns where the refusals of a sender are kept.
func (r *Registry) subjectOf(sender string) string {
	if _, known := r.Station(sender); known {
		return r.bucket.refusalSubject(sender)
	}
	h := fnv.New32a()
	h.Write([]byte(sender))
	return r.bucket.unknownSubject(strconv.Itoa(int(h.Sum32() % unknownSubjects)))
}

// KeepRefusals stores refusals for their stations' owners and the operator: those that are kept. Storing the same again
// changes nothing of what is read.
func (r *Registry) KeepRefusals(ctx context.Context, refusals []ingest.Refusal) error {
	bySubject := map[string][]ingest.Refusal{}
	for _, k := range refusals {
		subject := r.subjectOf(k.Station)
		bySubject[subject] = append(bySubject[subject], k)
	}
	var sent []jetstream.PubAckFuture
	begin := time.Now()
	keep := func(err error) error { return r.bucket.nc.Asked("registry: keep refusals", begin, err) }
	for subject, list := range bySubject {
		for _, k := range list[max(0, len(list)-KeptRefusals):] {
			data, err := json.Marshal(refusalRecord{k.Station, k.Received.UTC().Truncate(time.Millisecond), string(k.Reason), k.Field, k.Detail})
			if err != nil {
				return fmt.Errorf("registry: keep refusals: %w", err)
			}
			ack, err := r.bucket.js.PublishMsgAsync(&nats.Msg{Subject: subject, Data: data}, jetstream.WithMsgID(hashed(string(data))))
			if err != nil {
				return keep(err)
			}
			sent = append(sent, ack)
		}
	}
	for _, ack := range sent {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return keep(err)
		case <-ctx.Done():
			return keep(ctx.Err())
		}
	}
	return nil
}

// Refusals returns the last refusals of a station, newest first; those of unregistered senders for "".
func (r *Registry) Refusals(ctx context.Context, id string) ([]ingest.Refusal, error) {
	subject, most := r.bucket.unknownSubject("*"), KeptUnknown
	if id != "" {
		subject, most = r.bucket.refusalSubject(id), KeptRefusals
	}
	list, err := r.refusals(ctx, subject, most)
	if err != nil {
		return nil, fmt.Errorf("registry: refusals of %q: %w", id, err)
	}
	return list, nil
}

// AllRefusals returns the last refusals of every sender, newest first; at most limit of them.
func (r *Registry) AllRefusals(ctx context.Context, limit int) ([]ingest.Refusal, error) {
	list, err := r.refusals(ctx, r.bucket.refusalsName()+".>", limit)
	if err != nil {
		return nil, fmt.Errorf("registry: refusals: %w", err)
	}
	return list, nil
}

func (r *Registry) refusals(ctx context.Context, subject string, most int) ([]ingest.Refusal, error) {
	var list []ingest.Refusal
	err := r.bucket.last(ctx, r.bucket.refusals, subject, most, func(data []byte) error {
		var k refusalRecord
		err := json.Unmarshal(data, &k)
		list = append(list, ingest.Refusal{Station: k.Station, Received: k.Received, Reason: wire.Reason(k.Reason), Field: k.Field, Detail: k.Detail})
		return err
	})
	slices.Reverse(list)
	slices.SortStableFunc(list, func(a, b ingest.Refusal) int { return b.Received.Compare(a.Received) })
	seen := map[ingest.Refusal]bool{}
	return slices.DeleteFunc(list, func(k ingest.Refusal) bool {
		again := seen[k]
		seen[k] = true
		return again
	}), err
}
