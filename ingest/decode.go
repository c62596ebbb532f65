package ingest

import (
	"fmt"
	"strings"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/wire"
)

// decode reads the payload of a message as its address says. The refusal has no Reason unless the whole message is refused; a status has no
// readings.
func (p *Pipeline) decode(m *Message, to address) (kits.Message, Refusal) {
	family := to.family
	switch to.kind {
	case wire.StatusKind:
		return kits.Message{}, checkStatus(to.station, string(m.Payload))
	case wire.ReadingKind: // the native payload, or SenML or CBOR
		if family = kits.Sniff(m.Payload); family == "" {
			return kits.Message{Message: p.decoder.Decode(m.Payload)}, Refusal{}
		}
	}
	decoded, ok := kits.Decode(family, m.Payload, kits.Settings{Received: m.Received, Zone: to.station.Location, Part: to.part, Names: p.Names, CF1: to.station.CF1(m.Received)})
	if !ok {
		detail := fmt.Sprintf("the kit family %q is none of %s", family, strings.Join(kits.Families(), ", "))
		return decoded, Refusal{Station: to.station.ID, Reason: wire.Unsupported, Detail: detail}
	}
	p.share.ignored = decoded.Ignored
	p.Counters.ignore(family, decoded.Ignored)
	if decoded.Partial {
		p.joins.join(to.station.ID, m, decoded.Readings)
	}
	return decoded, Refusal{}
}

// checkStatus checks the payload of a station's status topic, which brokers retain for subscribers. The server itself notices a silent
// station from its readings.
func checkStatus(station *Station, status string) Refusal {
	if status == wire.Online || status == wire.Offline {
		return Refusal{}
	}
	return Refusal{Station: station.ID, Reason: wire.Malformed, Detail: fmt.Sprintf("a status is %q or %q, not %.200q", wire.Online, wire.Offline, status)}
}
