package ingest

import (
	"fmt"

	"stadtluft/firmware-protocol/kits"
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
	to, refusal := p.topicAddress(m)
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
func (p *Pipeline) topicAddress(m *Message) (address, Refusal) {
	own, ok := wire.ParseTopic(m.Topic)
	if !ok {
		return p.deviceAddress(m)
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
	case wire.KitKind:
		p.useDelivered(m, station, own.Family)
		return to, Refusal{}
	case wire.ReadingKind, wire.StatusKind:
		return to, Refusal{}
	}
	return to, Refusal{Station: station.ID, Reason: wire.BadTopic, Detail: fmt.Sprintf("a station does not publish to %.200q", m.Topic)}
}

// deviceAddress finds the active station with the device that another firmware's topic names: the sender, who must name it, or without a
// log-in the one that Devices says. Refusals that are shown with a station do not contain the device's name.
func (p *Pipeline) deviceAddress(m *Message) (address, Refusal) {
	for _, t := range p.Topics {
		key, part, ok := t.Match(m.Topic)
		if !ok {
			continue
		}
		d := Device{Family: t.Family, Key: key}
		station, contested := p.deviceOf(m, d)
		switch {
		case len(contested) > 0:
			p.tellContested(m, t.Family, contested)
			return address{}, Refusal{Reason: wire.UnknownStation, Detail: fmt.Sprintf("several stations name the device %s:%.200q, and none has sent as it with its log-in", t.Family, key)}
		case station == nil && m.From != "": // the same whether another station has it
			return address{}, Refusal{Reason: wire.UnknownStation, Detail: fmt.Sprintf("the station does not have the device %s:%.200q: add it", t.Family, key)}
		case station == nil:
			return address{}, Refusal{Reason: wire.UnknownStation, Detail: fmt.Sprintf("no station has the device %s:%.200q: add it to its station", t.Family, key)}
		case station.Status != Active:
			return address{}, inactive(station)
		}
		p.Devices.Use(station.ID, d, m.From != "")
		return address{station, wire.KitKind, t.Family, part}, Refusal{}
	}
	return address{}, Refusal{Reason: wire.BadTopic, Detail: fmt.Sprintf("the topic %.200q is not part of the protocol", m.Topic)}
}

// deviceOf returns the station of a device's message. Who has logged in needs only to name the device, whoever else does.
func (p *Pipeline) deviceOf(m *Message, d Device) (st *Station, contested []*Station) {
	if m.From == "" {
		return p.Devices.Device(d)
	}
	if st, known := p.Stations.Station(m.From); known && st.names(d) {
		return st, nil
	}
	return nil, nil
}

// tellContested tells the owners of stations that name one device of a family how to show whose it is.
func (p *Pipeline) tellContested(m *Message, family string, stations []*Station) {
	for _, st := range stations {
		p.batch.Refusals = append(p.batch.Refusals, Refusal{
			Station: st.ID, Received: m.Received, Reason: wire.Forbidden,
			Detail: fmt.Sprintf("it is not certain that this device is yours: send one of its messages with the station's id and token, over MQTT or to /api/v1/push/%s, or ask the city", family),
		})
	}
}

// useDelivered tells of a device that a message over HTTP names in its payload: its station has logged in.
func (p *Pipeline) useDelivered(m *Message, st *Station, family string) {
	if m.Over != HTTP || p.Devices == nil || st.Device(family) == "" {
		return
	}
	if d := (Device{Family: family, Key: kits.DeviceKey(family, m.Payload)}); st.names(d) {
		p.Devices.Use(st.ID, d, true)
	}
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
