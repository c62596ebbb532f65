// Package push accepts readings over HTTP from kits that cannot speak MQTT, and from imports of other networks' data.
// Its Handler passes them to the same pipeline as messages of a broker, and answers after the journal has them; its
// Client is for imports.
package push

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// Native is the family of our own payload, for devices that send it without MQTT.
const Native = "native"

// wait is how long a delivery waits for the journal. The airRohr firmware gives up after 20 s.
const wait = 15 * time.Second

// errBusy reports that the journal has not stored a delivery in time. It may still do so; delivering the same again is
// harmless when the payload contains its time.
var errBusy = errors.New("nothing is taken at the moment: deliver it again in a minute")

// Registry finds stations and checks their tokens. registry.Registry is one.
type Registry interface {
	Authenticate(id, token string) bool
	Station(id string) (*ingest.Station, bool)
}

// Handler accepts deliveries.
type Handler struct {
	Registry Registry
	Out      chan<- ingest.Message
	// Import is the password for stations of other networks, which have no tokens of their own; empty refuses imports.
	Import string
	// Allow returns how long one of the city's stations must wait before its next message is taken; 0 takes it now. It is
	// called once for each delivery, before the body is read. Nil takes every message.
	Allow func(station string) (wait time.Duration)

	told told
}

// Families returns the families that can be delivered.
func Families() []string { return append(kits.Families(), Native) }

// logIn returns the station that may deliver with this password; false otherwise, without the reason.
func (h *Handler) logIn(id, password string) (*ingest.Station, bool) {
	st, ok := h.Registry.Station(id)
	if !ok {
		return nil, false
	}
	if st.Source != "" {
		return st, h.Import != "" && subtle.ConstantTimeCompare([]byte(password), []byte(h.Import)) == 1
	}
	return st, h.Registry.Authenticate(id, password)
}

// deliver passes a station's payload to the pipeline and returns the outcome after it is on disk. The family is one of
// Families; part is information about the payload from elsewhere in the request. The error is errBusy, or ctx's.
func (h *Handler) deliver(ctx context.Context, station, family, part string, payload []byte) (ingest.Outcome, error) {
	topic := wire.ReadingTopic(station)
	if family != Native {
		topic = wire.KitTopic(station, family)
		if part != "" {
			topic += "/" + part
		}
	}
	answer := make(chan ingest.Outcome, 1) // the pipeline never waits for us
	message := ingest.Message{
		Topic: topic, From: station, Payload: payload, Received: time.Now().UTC(), Over: ingest.HTTP,
		Done: func(o ingest.Outcome) {
			o.Readings, o.Refusals, o.Ignored = slices.Clone(o.Readings), slices.Clone(o.Refusals), slices.Clone(o.Ignored)
			answer <- o
		},
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case h.Out <- message:
	case <-late.C:
		return ingest.Outcome{}, errBusy
	case <-ctx.Done():
		return ingest.Outcome{}, ctx.Err()
	}
	select {
	case o := <-answer:
		return o, nil
	case <-late.C:
		return ingest.Outcome{}, errBusy
	case <-ctx.Done():
		return ingest.Outcome{}, ctx.Err()
	}
}
