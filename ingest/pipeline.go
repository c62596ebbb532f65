package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

const (
	// BatchTime bounds how long a message waits for others. It is a bound in time and never only in
	// count because Mosquitto stops after 20 unacknowledged messages by default.
	BatchTime = 5 * time.Millisecond
	// BatchGap ends a batch early when no message follows the last: a broker that waits for
	// acknowledgements sends nothing more, and at Mosquitto's 20 a queue behind it fills and is dropped.
	BatchGap = 400 * time.Microsecond
	// BatchMessages bounds a micro-batch in messages.
	BatchMessages = 1000

	retryFirst = 50 * time.Millisecond
	retryMost  = 2 * time.Second
)

// Pipeline takes messages to the journal: it decodes, identifies and checks a micro-batch, appends
// what became of it, and only then calls each message's Done. When the journal refuses, the same
// batch is tried again until it is taken; meanwhile nothing is acknowledged and nothing more is read.
type Pipeline struct {
	Stations Stations
	Checker  Checker
	Journal  Journal
	Log      *slog.Logger
	// Topics are other firmware's own; Devices finds whose the devices on them are. Both may be left out.
	Topics  []kits.Topic
	Devices Devices
	// Names are what owners of free names call quantities; see kits.Settings.
	Names map[string]quantity.Quantity

	// OnRefusal is told after the journal has the batch. It must not block; nil means nobody listens.
	OnRefusal func(Refusal)

	Counters Counters

	decoder wire.Decoder
	batch   Batch
	shares  []share // of each message in the batch
	share   share   // of the message at hand
	joins   joins
}

// share is one message's part of the batch, and what else became of it.
type share struct {
	readings, refusals, duplicates int
	ignored                        []string
}

// Run takes messages from in until ctx ends or in is closed. Messages it holds when ctx ends are not
// acknowledged: their sender delivers them again.
func (p *Pipeline) Run(ctx context.Context, in <-chan Message) error {
	messages := make([]Message, 0, BatchMessages)
	for {
		messages = collect(ctx, in, messages[:0])
		if len(messages) == 0 {
			return nil
		}
		if err := p.process(ctx, messages); err != nil {
			return nil // only ctx ends a take
		}
	}
}

// collect waits for a first message and adds what follows without a BatchGap, within BatchTime and at
// most BatchMessages. It returns nothing when ctx ends or in is closed.
func collect(ctx context.Context, in <-chan Message, messages []Message) []Message {
	select {
	case <-ctx.Done():
		return nil
	case m, ok := <-in:
		if !ok {
			return nil
		}
		messages = append(messages, m)
	}
	end := time.Now().Add(BatchTime)
	gap := time.NewTimer(BatchGap)
	defer gap.Stop()
	for len(messages) < BatchMessages {
		select {
		case m, ok := <-in:
			if !ok {
				return messages
			}
			messages = append(messages, m)
			left := time.Until(end)
			if left <= 0 {
				return messages
			}
			gap.Reset(min(left, BatchGap))
		case <-gap.C:
			return messages
		case <-ctx.Done():
			return messages
		}
	}
	return messages
}

// process brings one micro-batch into the journal and acknowledges it.
func (p *Pipeline) process(ctx context.Context, messages []Message) error {
	p.batch.Readings = p.batch.Readings[:0]
	p.batch.Refusals = p.batch.Refusals[:0]
	p.shares = p.shares[:0]
	for i := range messages {
		p.share = share{readings: -len(p.batch.Readings), refusals: -len(p.batch.Refusals)}
		p.add(&messages[i])
		p.share.readings += len(p.batch.Readings)
		p.share.refusals += len(p.batch.Refusals)
		p.shares = append(p.shares, p.share)
	}
	if err := p.append(ctx); err != nil {
		return err
	}
	readings, refusals := p.batch.Readings, p.batch.Refusals
	for i, s := range p.shares {
		if messages[i].Done != nil {
			messages[i].Done(Outcome{readings[:s.readings], refusals[:s.refusals], s.duplicates, s.ignored})
		}
		readings, refusals = readings[s.readings:], refusals[s.refusals:]
		messages[i] = Message{}
	}
	p.report()
	return nil
}

// append retries until the journal has the batch or ctx ends.
func (p *Pipeline) append(ctx context.Context) error {
	if len(p.batch.Readings) == 0 && len(p.batch.Refusals) == 0 {
		return nil
	}
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		err := p.Journal.Append(ctx, p.batch)
		if err == nil {
			p.Counters.stalled.Store(nil)
			return nil
		}
		if p.Counters.stalled.Swap(&err) == nil && !errors.Is(err, context.Canceled) {
			p.Log.Warn("journal append failed, retrying", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// report counts a batch that is safe and tells those who listen.
func (p *Pipeline) report() {
	for _, refusal := range p.batch.Refusals {
		p.Counters.refuse(refusal.Reason)
		if p.OnRefusal != nil {
			p.OnRefusal(refusal)
		}
	}
	for _, reading := range p.batch.Readings {
		p.Counters.keep(reading)
	}
}

// add adds what one message holds to the batch.
func (p *Pipeline) add(m *Message) {
	p.Counters.received.Add(1)
	if m.Refused != nil {
		p.batch.Refusals = append(p.batch.Refusals, *m.Refused)
		return
	}
	topic, ok := wire.ParseTopic(m.Topic)
	if !ok {
		p.foreign(m)
		return
	}
	station, ok := p.identify(m, topic.Station)
	if !ok {
		return
	}
	switch topic.Kind {
	case wire.ReadingKind:
		p.native(m, station)
	case wire.StatusKind:
		p.status(m, station)
	case wire.KitKind:
		p.kit(m, station, topic.Family, topic.Part)
	default:
		p.refuse(m, station.ID, wire.BadTopic, fmt.Sprintf("a station does not publish to %q", Clip(m.Topic)))
	}
}

// identify finds the station of a message, or refuses the message.
func (p *Pipeline) identify(m *Message, id string) (*Station, bool) {
	station, ok := p.Stations.Station(id)
	if !ok {
		p.refuse(m, id, wire.UnknownStation, fmt.Sprintf("no station %q is registered here", id))
		return nil, false
	}
	return station, p.active(m, station)
}

func (p *Pipeline) active(m *Message, station *Station) bool {
	if station.Status == Active {
		return true
	}
	detail := fmt.Sprintf("the station is %s", station.Status)
	if station.Reason != "" {
		detail += ": " + station.Reason
	}
	p.refuse(m, station.ID, wire.Inactive, detail)
	return false
}

// foreign takes a message on another firmware's topic. The device's name stays out of refusals that are
// shown with a station.
func (p *Pipeline) foreign(m *Message) {
	for _, t := range p.Topics {
		key, part, ok := t.Match(m.Topic)
		if !ok {
			continue
		}
		station, known := p.Devices.Device(Device{Family: t.Family, Key: key})
		if !known {
			p.refuse(m, "", wire.UnknownStation, fmt.Sprintf("no station has the device %s:%s: add it to its station", t.Family, Clip(key)))
		} else if p.active(m, station) {
			p.kit(m, station, t.Family, part)
		}
		return
	}
	p.refuse(m, "", wire.BadTopic, fmt.Sprintf("the topic %q is not part of the protocol", Clip(m.Topic)))
}

// native decodes and checks what comes on a station's topic for readings: the native payload, and the same in
// SenML or CBOR.
func (p *Pipeline) native(m *Message, station *Station) {
	if family := kits.Sniff(m.Payload); family != "" {
		p.kit(m, station, family, "")
		return
	}
	p.readings(m, station, p.decoder.Decode(m.Payload), StationClock)
}

// kit decodes and checks another firmware's payload.
func (p *Pipeline) kit(m *Message, station *Station, family, part string) {
	decoded, ok := kits.Decode(family, m.Payload, kits.Settings{Received: m.Received, Zone: station.Location, Part: part, Names: p.Names})
	if !ok {
		p.refuse(m, station.ID, wire.Unsupported, fmt.Sprintf("the kit family %q is none of %s", family, strings.Join(kits.Families(), ", ")))
		return
	}
	p.share.ignored = decoded.Ignored
	p.Counters.ignore(family, decoded.Ignored)
	clock := StationClock
	if decoded.Network {
		clock = Network
	}
	if decoded.Partial {
		p.joins.join(station.ID, m, decoded.Readings)
		clock = Receipt
	}
	p.readings(m, station, decoded.Message, clock)
}

// readings checks what was decoded.
func (p *Pipeline) readings(m *Message, station *Station, decoded wire.Message, clock TimeSource) {
	for _, r := range decoded.Refusals {
		p.batch.Refusals = append(p.batch.Refusals, Refusal{
			Station: station.ID, Received: m.Received, Reason: r.Reason, Field: r.Field, Detail: Clip(r.Detail),
		})
	}
	arrival := Arrival{Received: m.Received, Retained: m.Retained, Redelivered: m.Redelivered, Clock: clock}
	for _, r := range decoded.Readings {
		keep, refused, duplicates := p.Checker.Check(station, arrival, r)
		p.share.duplicates += duplicates
		p.batch.Refusals = append(p.batch.Refusals, refused...)
		if len(keep.Values) > 0 {
			p.batch.Readings = append(p.batch.Readings, keep)
		}
	}
	p.Counters.duplicates.Add(uint64(p.share.duplicates))
}

// status looks at the station's word about itself, which brokers keep for whoever listens. That a station
// is silent is known from its readings.
func (p *Pipeline) status(m *Message, station *Station) {
	if status := string(m.Payload); status != wire.Online && status != wire.Offline {
		p.refuse(m, station.ID, wire.Malformed, fmt.Sprintf("a status is %q or %q, not %q", wire.Online, wire.Offline, Clip(status)))
	}
}

func (p *Pipeline) refuse(m *Message, station string, reason wire.Reason, detail string) {
	p.batch.Refusals = append(p.batch.Refusals, Refusal{
		Station: station, Received: m.Received, Reason: reason, Detail: Clip(detail),
	})
}

// Clip bounds foreign text to MaxDetail bytes of valid UTF-8.
func Clip(s string) string {
	if len(s) <= MaxDetail {
		return s
	}
	const ellipsis = "…"
	end := MaxDetail - len(ellipsis)
	for end > 0 && s[end]&0xC0 == 0x80 {
		end--
	}
	return s[:end] + ellipsis
}
