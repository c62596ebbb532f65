package ingest

import (
	"fmt"

	"stadtluft/firmware-protocol/wire"
)

// address is what the topic of a message says: whose it is, and how to read its payload.
type address struct {
	station *Station
	kind    wire.Kind
	family  string // of a kit; empty for our own payload
	part    string // of the topic, after the family or the device
}

// address finds the active station that a message belongs to: the one of its topic, which must be the one that sent it
// where that is known. The refusal has no Reason when there is one; it belongs to the sender where that is known.
func (p *Pipeline) address(m *Message) (address, Refusal) {
	to, refusal := p.topicAddress(m.Topic)
	if m.From == "" {
		return to, refusal
	}
	if of := refusal.Station; of != "" && of != m.From || to.station != nil && to.station.ID != m.From {
		refusal = Refusal{Reason: wire.Forbidden, Detail: fmt.Sprintf("publishing to %.200q is not allowed: a station stays below %s and the topics of its own devices", m.Topic, wire.StationPrefix(m.From))}
	}
	refusal.Station = m.From
	return to, refusal
}

// topicAddress finds the active station that a topic belongs to. The refusal has no Reason when there is one.
func (p *Pipeline) topicAddress(topic string) (address, Refusal) {
	own, ok := wire.ParseTopic(topic)
	if !ok {
		return p.deviceAddress(topic)
	}
	station, known := p.Stations.Station(own.Station)
	if !known {
		return address{}, Refusal{Station: own.Station, Reason: wire.UnknownStation, Detail: fmt.Sprintf("no station %q is registered here", own.Station)}
	}
	to := address{station, own.Kind, own.Family, own.Part}
	if station.Status != Active {
		return to, inactive(station)
	}
	switch own.Kind {
	case wire.ReadingKind, wire.StatusKind, wire.KitKind:
		return to, Refusal{}
	}
	return to, Refusal{Station: station.ID, Reason: wire.BadTopic, Detail: fmt.Sprintf("a station does not publish to %.200q", topic)}
}

// deviceAddress finds the active station with the device that another firmware's topic names. Refusals that are shown with a station
// do not contain the device's name.
func (p *Pipeline) deviceAddress(topic string) (address, Refusal) {
	for _, t := range p.Topics {
		key, part, ok := t.Match(topic)
		if !ok {
			continue
		}
		station, known := p.Devices.Device(Device{Family: t.Family, Key: key})
		if !known {
			return address{}, Refusal{Reason: wire.UnknownStation, Detail: fmt.Sprintf("no station has the device %s:%.200q: add it to its station", t.Family, key)}
		}
		if station.Status != Active {
			return address{}, inactive(station)
		}
		return address{station, wire.KitKind, t.Family, part}, Refusal{}
	}
	return address{}, Refusal{Reason: wire.BadTopic, Detail: fmt.Sprintf("the topic %.200q is not part of the protocol", topic)}
}

// inactive returns the refusal of a message of a station that may not send now.
func inactive(station *Station) Refusal {
	detail := fmt.Sprintf("the station is %s", station.Status)
	if station.Reason != "" {
		detail += ": " + station.Reason
	}
	return Refusal{Station: station.ID, Reason: wire.Inactive, Detail: detail}
}

// senderOf returns the registered station that a message is from; empty when it is from none.
func senderOf(m *Message, to address, refusal Refusal) string {
	switch {
	case m.From != "":
		return m.From
	case refusal.Reason == "":
		return to.station.ID
	case refusal.Reason == wire.UnknownStation:
		return ""
	}
	return refusal.Station
}
