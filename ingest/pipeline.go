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
	// BatchTime bounds how long a message waits for others. A bound in messages alone is not enough, because
	// Mosquitto stops after 20 unacknowledged messages by default.
	BatchTime = 5 * time.Millisecond
	// BatchGap ends a batch early when no message follows the last: a broker that waits for acknowledgements sends
	// nothing more, and with Mosquitto's limit of 20 the queue after it fills and is dropped.
	BatchGap = 400 * time.Microsecond
	// BatchMessages bounds a batch in messages.
	BatchMessages = 1000

	retryFirst = 50 * time.Millisecond
	retryMost  = 2 * time.Second
)

// Pipeline writes messages to the journal: it decodes, identifies and checks a batch of messages, appends readings
// and refusals, and only then calls each message's Done. When the journal refuses, it tries the same batch again
// until the journal takes it; meanwhile it acknowledges nothing and reads nothing more.
type Pipeline struct {
	Stations Stations
	Checker  Checker
	Journal  Journal
	Log      *slog.Logger
	// Topics are those of other firmware; Devices finds the stations of the devices on them. Both may be nil.
	Topics  []kits.Topic
	Devices Devices
	// Names maps free names of other firmware to quantities; see kits.Settings.
	Names map[string]quantity.Quantity

	// OnRefusal is called for each refusal after the journal has the batch. It must not block; it may be nil.
	OnRefusal func(Refusal)

	Counters Counters

	decoder wire.Decoder
	batch   Batch
	shares  []share // of each message in the batch
	share   share   // of the current message
	joins   joins
}

// share is one message's part of the batch, and the rest of its outcome.
type share struct {
	readings, refusals, duplicates int
	ignored                        []string
}

// Run processes messages from in until ctx ends or in is closed. Messages it holds when ctx ends are not
// acknowledged: their sender delivers them again.
func (p *Pipeline) Run(ctx context.Context, in <-chan Message) error {
	messages := make([]Message, 0, BatchMessages)
	for {
		messages = collect(ctx, in, messages[:0])
		if len(messages) == 0 {
			return nil
		}
		if err := p.process(ctx, messages); err != nil {
			return nil // process only fails when ctx ends
		}
	}
}

// collect waits for a first message and adds those that follow without a BatchGap, within BatchTime and at most
// BatchMessages. It returns nothing when ctx ends or in is closed.
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

// process appends one batch to the journal and acknowledges its messages.
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

// report counts a batch that is durable and calls OnRefusal.
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

// add adds the content of one message to the batch.
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
		p.refuse(m, station.ID, wire.BadTopic, fmt.Sprintf("a station does not publish to %.200q", m.Topic))
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

// foreign processes a message on another firmware's topic. Refusals that are shown with a station do not contain the
// device's name.
func (p *Pipeline) foreign(m *Message) {
	for _, t := range p.Topics {
		key, part, ok := t.Match(m.Topic)
		if !ok {
			continue
		}
		station, known := p.Devices.Device(Device{Family: t.Family, Key: key})
		if !known {
			p.refuse(m, "", wire.UnknownStation, fmt.Sprintf("no station has the device %s:%.200s: add it to its station", t.Family, key))
		} else if p.active(m, station) {
			p.kit(m, station, t.Family, part)
		}
		return
	}
	p.refuse(m, "", wire.BadTopic, fmt.Sprintf("the topic %.200q is not part of the protocol", m.Topic))
}

// native decodes and checks a payload on a station's topic for readings: the native one, or SenML or CBOR.
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

// readings checks decoded readings.
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

// status checks the payload of a station's status topic, which brokers retain for subscribers. The server itself
// notices a silent station from its readings.
func (p *Pipeline) status(m *Message, station *Station) {
	if status := string(m.Payload); status != wire.Online && status != wire.Offline {
		p.refuse(m, station.ID, wire.Malformed, fmt.Sprintf("a status is %q or %q, not %.200q", wire.Online, wire.Offline, status))
	}
}

func (p *Pipeline) refuse(m *Message, station string, reason wire.Reason, detail string) {
	p.batch.Refusals = append(p.batch.Refusals, Refusal{
		Station: station, Received: m.Received, Reason: reason, Detail: Clip(detail),
	})
}

// Clip shortens foreign text to at most MaxDetail bytes of valid UTF-8.
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
