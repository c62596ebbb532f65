// Package push takes readings over HTTP from kits that cannot speak MQTT, and from imports of other networks' data. Its Handler
// passes what a request brought to the same pipeline as what a broker brings, and answers when the journal has it;
// its Client is for imports.
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

// Native is the family of our own payload, for whoever has it but no MQTT.
const Native = "native"

// wait is how long a delivery waits for the journal. The airRohr firmware gives up after 20 s.
const wait = 15 * time.Second

// errBusy says that the journal has not taken a delivery in time. It may still do so; delivering the same
// again is harmless where the payload holds its time.
var errBusy = errors.New("nothing is taken at the moment: deliver it again in a minute")

// Registry knows stations and their tokens. The registry of stations is one.
type Registry interface {
	Authenticate(id, token string) bool
	Station(id string) (*ingest.Station, bool)
}

// Handler takes deliveries.
type Handler struct {
	Registry Registry
	Out      chan<- ingest.Message
	// Import is the password for stations of other networks, whose own tokens nobody has; empty lets nobody in.
	Import string
}

// Families lists what can be delivered.
func Families() []string { return append(kits.Families(), Native) }

// logIn finds the station that may deliver with this password. It does not say what was wrong.
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

// deliver hands a station's payload on and returns what became of it when that is on disk. The family is
// one of Families; part is what else the request says of the payload. The error is errBusy, or ctx's.
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
		Topic: topic, Payload: payload, Received: time.Now().UTC(),
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
