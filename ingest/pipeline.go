package ingest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

const (
	// BatchMessages bounds a batch in messages.
	BatchMessages = 1000

	retryFirst = 50 * time.Millisecond
	retryMost  = 2 * time.Second

	// At a low rate of many stations an append happens at most every gatherTime, unless gatherEnough messages wait: a
	// broker may stop at 20 unacknowledged ones (Mosquitto, max_inflight_messages).
	gatherTime   = 200 * time.Millisecond
	gatherEnough = 16
	// returnTime is how soon after an acknowledgement its client sends the next message, where it has one.
	returnTime = 25 * time.Millisecond
	// patience bounds how long nothing need come while messages gather.
	patience = 50 * time.Millisecond
	// pauseMost bounds how long nothing waits for more after waiting has brought nothing again and again.
	pauseMost = 10 * time.Second
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
	// Contacts remembers each station's last message; nil remembers none.
	Contacts *Contacts

	Counters Counters

	decoder wire.Decoder
	batch   Batch
	told    []Refusal // of messages with nothing but unknown names, in the batch after the others
	shares  []share   // of each message in the batch
	share   share     // of the current message
	joins   joins

	appended time.Time     // when the last batch was in the journal
	answered []string      // who sent it; empty for a batch of more than gatherEnough messages
	unnamed  int           // how many of them are "": a broker's; 0 for a batch of more than gatherEnough messages
	pause    time.Duration // how long waiting stopped the last time that it brought nothing; 0 after one that brought something
	resume   time.Time     // when waiting may be tried again
}

// share is one message's part of the batch, and the rest of its outcome.
type share struct {
	readings, refusals, duplicates int
	ignored                        []string
	station                        string // a registered one; empty for another sender
}

// Run processes messages from in until ctx ends or in is closed. Messages it holds when ctx ends are not
// acknowledged: their sender delivers them again.
func (p *Pipeline) Run(ctx context.Context, in <-chan Message) error {
	messages := make([]Message, 0, BatchMessages)
	for {
		messages = p.collect(ctx, in, messages[:0])
		if len(messages) == 0 {
			return nil
		}
		if err := p.process(ctx, messages); err != nil {
			return nil // process only fails when ctx ends
		}
	}
}

// collect waits for a first message and adds those that are there already, at most BatchMessages: what arrived while the
// last batch was written. After another batch within gatherTime, few messages wait for more. It returns nothing when ctx ends
// or in is closed.
func (p *Pipeline) collect(ctx context.Context, in <-chan Message, messages []Message) []Message {
	select {
	case <-ctx.Done():
		return nil
	case m, ok := <-in:
		if !ok {
			return nil
		}
		messages = append(messages, m)
	}
	for len(messages) < BatchMessages {
		select {
		case m, ok := <-in:
			if !ok {
				return messages
			}
			messages = append(messages, m)
		default:
			return p.gather(ctx, in, messages)
		}
	}
	return messages
}

// gather adds what arrives until gatherTime after the last batch, or until gatherEnough messages are there, or one from a client
// that is in the last batch: it sends what it kept, each message when the last is acknowledged. A broker sends what waits when
// it sends as many at once as were acknowledged: it may stop at fewer than gatherEnough. Waiting has brought nothing
// when all came within returnTime after the last batch: their senders may have waited for an acknowledgement. Then gather does
// not wait for a while, each time for longer. It returns nothing when ctx ends.
func (p *Pipeline) gather(ctx context.Context, in <-chan Message, messages []Message) []Message {
	now, until := time.Now(), p.appended.Add(gatherTime)
	if len(messages) >= gatherEnough || !now.Before(until) || now.Before(p.resume) || p.catchUp(messages, messages) {
		return messages
	}
	end := time.NewTimer(min(until.Sub(now), patience))
	defer end.Stop()
	late := false
	for waiting := true; waiting && len(messages) < gatherEnough; {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-in:
			if !ok {
				return messages
			}
			if messages = append(messages, m); p.catchUp(messages, messages[len(messages)-1:]) {
				return messages
			}
			late = time.Since(p.appended) > returnTime
		case <-end.C:
			rest := time.Until(until)
			waiting = late && rest > 0
			end.Reset(rest)
		}
	}
	if p.pause = min(max(2*p.pause, gatherTime), pauseMost); late {
		p.pause = 0
	}
	p.resume = time.Now().Add(p.pause)
	return messages
}

// catchUp reports whether the client that sent one of the new messages is in the last batch, or a broker has sent as many
// at once, see gather.
func (p *Pipeline) catchUp(messages, added []Message) bool {
	if slices.ContainsFunc(added, func(m Message) bool { return m.From != "" && slices.Contains(p.answered, m.From) }) {
		return true
	}
	return p.unnamed > 0 && time.Since(p.appended) <= returnTime && unnamed(messages) >= p.unnamed
}

// unnamed counts the messages of brokers that do not say who has logged in.
func unnamed(messages []Message) (n int) {
	for i := range messages {
		if messages[i].From == "" && messages[i].Refused == nil {
			n++
		}
	}
	return n
}

// process appends one batch to the journal and acknowledges its messages.
func (p *Pipeline) process(ctx context.Context, messages []Message) error {
	p.batch.Readings = p.batch.Readings[:0]
	p.batch.Refusals = p.batch.Refusals[:0]
	p.shares, p.told = p.shares[:0], p.told[:0]
	for i := range messages {
		p.share = share{readings: -len(p.batch.Readings), refusals: -len(p.batch.Refusals)}
		p.add(&messages[i])
		p.share.readings += len(p.batch.Readings)
		p.share.refusals += len(p.batch.Refusals)
		p.shares = append(p.shares, p.share)
	}
	p.batch.Refusals = append(p.batch.Refusals, p.told...)
	if err := p.append(ctx, messages); err != nil {
		return err
	}
	p.answered, p.unnamed = p.answered[:0], 0
	if len(messages) <= gatherEnough {
		p.unnamed = unnamed(messages)
		for i := range messages {
			p.answered = append(p.answered, messages[i].From)
		}
	}
	readings, refusals := p.batch.Readings, p.batch.Refusals
	for i, s := range p.shares {
		outcome := Outcome{readings[:s.readings], refusals[:s.refusals], s.duplicates, s.ignored}
		p.hear(&messages[i], s.station, outcome)
		if messages[i].Done != nil {
			messages[i].Done(outcome)
		}
		readings, refusals = readings[s.readings:], refusals[s.refusals:]
		messages[i] = Message{}
	}
	p.appended = time.Now()
	p.report()
	return nil
}

// append retries until the journal has the batch or ctx ends. What other processes have appended before, it settles at
// once.
func (p *Pipeline) append(ctx context.Context, messages []Message) error {
	begin := time.Now()
	for wait := retryFirst; len(p.batch.Readings) > 0 || len(p.batch.Refusals) > 0; wait = min(2*wait, retryMost) {
		err := p.Journal.Append(ctx, p.batch)
		if err == nil {
			break
		}
		var behind *BehindError
		if errors.As(err, &behind) {
			p.settle(messages, behind.Others)
			wait = retryFirst / 2
			continue
		}
		if p.Counters.stalled.Swap(&err) == nil && !errors.Is(err, context.Canceled) {
			p.Log.Warn("journal takes nothing, retrying; stations wait for their acknowledgements and keep what they have", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	if p.Counters.stalled.Swap(nil) != nil {
		p.Log.Info("journal takes messages again", "after", time.Since(begin).Round(time.Millisecond))
	}
	return nil
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

// add adds the content of one message to the batch: it finds the station, decodes the payload and checks the readings, or refuses the message.
func (p *Pipeline) add(m *Message) {
	p.Counters.received.Add(1)
	if m.Refused != nil {
		p.share.station = m.Refused.Station
		p.batch.Refusals = append(p.batch.Refusals, *m.Refused)
		return
	}
	to, refusal := p.address(m)
	var decoded kits.Message
	if refusal.Reason == "" {
		decoded, refusal = p.decode(m, to)
	}
	p.share.station = senderOf(m, to, refusal)
	if refusal.Reason != "" {
		refusal.Received, refusal.Detail = m.Received, Clip(refusal.Detail)
		p.batch.Refusals = append(p.batch.Refusals, refusal)
		return
	}
	p.check(m, to.station, decoded)
}

// check adds what was refused of a decoded message, and what the Checker keeps and refuses of its readings.
func (p *Pipeline) check(m *Message, station *Station, decoded kits.Message) {
	for _, r := range decoded.Refusals {
		p.batch.Refusals = append(p.batch.Refusals, Refusal{
			Station: station.ID, Received: m.Received, Reason: r.Reason, Field: r.Field, Detail: Clip(r.Detail),
		})
	}
	arrival := Arrival{Received: m.Received, Retained: m.Retained, Redelivered: m.Redelivered, Clock: clockOf(decoded)}
	for _, r := range decoded.Readings {
		keep, refused, duplicates := p.Checker.Check(station, arrival, r)
		p.share.duplicates += duplicates
		p.batch.Refusals = append(p.batch.Refusals, refused...)
		if len(keep.Values) > 0 {
			p.batch.Readings = append(p.batch.Readings, keep)
		}
	}
	p.Counters.duplicates.Add(uint64(p.share.duplicates))
	p.tellUnknown(m, station, decoded)
}

// tellUnknown tells the owner of a station when a message had nothing but unknown names and nothing else of the station
// is taken.
func (p *Pipeline) tellUnknown(m *Message, station *Station, decoded kits.Message) {
	if p.Contacts == nil || len(decoded.Ignored) == 0 || len(decoded.Readings) > 0 || len(decoded.Refusals) > 0 {
		return
	}
	if p.Contacts.mayTell(station.ID, m.Received, decoded.Partial) {
		p.told = append(p.told, unknownNamesRefusal(station.ID, m.Received, decoded.Ignored))
	}
}

// hear remembers what became of a message.
func (p *Pipeline) hear(m *Message, station string, o Outcome) {
	if m.Refused != nil && m.Refused.Reason == wire.WrongToken {
		m.Over = UnknownTransport // the log-in was at either
	}
	if p.Contacts != nil && station != "" {
		p.Contacts.hear(station, Contact{At: m.Received, Over: m.Over, Taken: len(o.Readings) > 0 || o.Duplicates > 0, Refusals: o.Refusals, Ignored: o.Ignored})
	}
}

// clockOf returns whose clock the times of a message's readings are from.
func clockOf(decoded kits.Message) TimeSource {
	switch {
	case decoded.Partial:
		return Receipt
	case decoded.Network:
		return Network
	}
	return StationClock
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
