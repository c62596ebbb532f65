package kits

import (
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// maxFree bounds a configured name, "application/part.name", in bytes.
const maxFree = 3*maxName + len("/.")

// ttnRank is the rank of a name that is a quantity's own; a name that the city has configured counts before it.
const ttnRank = 1

// ttn decodes an uplink of The Things Stack v3, from MQTT or a webhook. A payload in our own binary form is decoded
// from its bytes, because the stack leaves out members that are 0; else decoded_payload counts, with the names that
// are configured, are quantities or come from the stack's CayenneLPP formatter. Messages without either, such as those
// of a status port, have no reading; nor do uplinks without bytes, from which payload formatters make values such as
// −32 °C. The time is the one at which the network received the uplink.
func ttn(payload []byte, s Settings) Message {
	top, refusal := object(payload)
	if refusal != nil {
		return refused(*refusal)
	}
	uplink := top.Member("uplink_message")
	if data := top.Member("data"); !uplink.IsObject() && data.IsObject() { // an event wraps the message
		uplink = data.Member("uplink_message")
	}
	var d draft
	d.message.Network = true
	at := wire.Reading{Time: networkTime(uplink, top)}
	binary, _ := uplink.Member("frm_payload").Text()
	if binary == "" {
		return d.done()
	}
	decoded := uplink.Member("decoded_payload")
	marked := !decoded.Member(binaryMark).IsZero()
	port, _ := uplink.Member("f_port").Number()
	if (marked || !decoded.IsObject() && port == binaryPort) && d.binary(binary, at, !marked) {
		return d.done()
	}
	application, _ := top.Member("end_device_ids").Member("application_ids").Member("application_id").Text()
	if len(application) > maxName {
		application = "" // longer than the stack allows
	}
	names := freeNames{application: application, configured: s.Names}
	d.names(decoded, "", &names)
	d.cayenne(&names)
	if rssi, ok := strongest(uplink.Member("rx_metadata")); ok && len(d.reading) > 0 {
		d.put(meaning{quantity: quantity.RSSI, rank: ttnRank + 1}, "rx_metadata.rssi", rssi)
	}
	d.end(at)
	return d.done()
}

// binaryMark is the member with which our payload formatter says that the bytes are the binary payload. Without the
// formatter only the bytes on binaryPort are tried, because other payloads can begin with the same byte.
const (
	binaryMark = "x_stadtluft"
	binaryPort = 1
	maxUplink  = 324 // characters of the 242 bytes that LoRaWAN carries at most (RP002-1.0.4)
)

// binary decodes our own payload; ages in it count back from the time at which the network received it. It returns
// false when the bytes are something else. When tentative, because nothing says that the bytes are ours, it returns
// false as well when a part of them is refused.
func (d *draft) binary(text string, at wire.Reading, tentative bool) bool {
	if len(text) > maxUplink {
		return false
	}
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(bytes) == 0 {
		return false
	}
	m := wire.DecodeBinary(bytes)
	if tentative && len(m.Refusals) > 0 {
		return false
	}
	for i := range m.Readings {
		if r := &m.Readings[i]; !at.Time.IsZero() {
			r.Time, r.Age, r.HasAge = at.Time.Add(-r.Age), 0, false
		}
	}
	d.message.Message = m
	d.refused = len(m.Refusals)
	return true
}

// names takes the members whose name has a quantity, down to one level below: "bme280.temperature".
func (d *draft) names(object wire.JSON, above string, free *freeNames) {
	for name, value := range object.Members() {
		if strings.HasPrefix(name, "x_") {
			continue // for the node's own use
		}
		if len(name) > maxName {
			d.ignore(name)
			continue
		}
		name = above + name
		if value.IsObject() && above == "" {
			d.names(value, name+".", free)
			continue
		}
		if m := free.meaning(name); m.quantity != 0 {
			d.json(m, name, value)
		} else if !free.isChannel(name, value) {
			d.ignore(name)
		}
	}
}

// freeNames finds what the names of one uplink mean.
type freeNames struct {
	application string
	configured  map[string]quantity.Quantity
	channels    [quantity.Len]cayenneChannels
}

// own returns the quantity that the city has configured for a name; 0 when there is none.
func (f *freeNames) own(name string) quantity.Quantity {
	var key [maxFree]byte
	if q := f.configured[string(append(append(append(key[:0], f.application...), '/'), name...))]; q != 0 {
		return q
	}
	return f.configured[name]
}

func (f *freeNames) meaning(name string) meaning {
	if q := f.own(name); q != 0 {
		return meaning{quantity: q, rank: ttnRank - 1}
	}
	if q, ok := quantity.Parse(name[strings.LastIndexByte(name, '.')+1:]); ok {
		return meaning{quantity: q, rank: ttnRank}
	}
	return meaning{}
}

// networkTime returns the time at which the network server received the uplink; zero when the message has none.
func networkTime(uplink, top wire.JSON) time.Time {
	for _, j := range []wire.JSON{uplink, top} {
		if text, ok := j.Member("received_at").Text(); ok {
			if at, ok := parseTime(time.RFC3339, text); ok {
				return at.UTC().Truncate(time.Second)
			}
		}
	}
	return time.Time{}
}

// strongest returns the best signal in dBm of the gateways that received the uplink.
func strongest(gateways wire.JSON) (float64, bool) {
	best := math.Inf(-1)
	for _, g := range gateways.Elements() {
		if rssi, ok := g.Member("rssi").Number(); ok {
			best = max(best, rssi)
		}
	}
	return best, !math.IsInf(best, 0)
}

// ParseNames parses the configuration's free names: "name=quantity" or "application/name=quantity", separated by
// commas.
func ParseNames(text string) (map[string]quantity.Quantity, error) {
	names := map[string]quantity.Quantity{}
	for _, pair := range strings.Split(text, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		name, quantityName, _ := strings.Cut(pair, "=")
		q, ok := quantity.Parse(strings.TrimSpace(quantityName))
		if name = strings.TrimSpace(name); name == "" || len(name) > maxFree || !ok {
			return nil, fmt.Errorf("%q is not NAME=QUANTITY or APPLICATION/NAME=QUANTITY with a quantity such as pm2_5", pair)
		}
		names[name] = q
	}
	return names, nil
}
