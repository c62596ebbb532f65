package live

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"stadtluft/export"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo/aggregate"
)

const (
	// lookEvery is the interval at which changes of the live averages are looked for when readings are rare.
	lookEvery = time.Second
	// PublishEvery is the interval at which changes are published when readings are frequent.
	PublishEvery = 5 * time.Second
	// rememberEvery is the interval at which brokers that did not answer are asked again for their retained topics.
	rememberEvery = time.Minute
)

// Publisher publishes the live averages to dashboards: subscribers of State learn that the grid changed, and MQTT
// clients get each value, retained, on stadtluft/v1/city/{quantity} and stadtluft/v1/grid/{cell}/{quantity}. A cell that
// has no value any more gets an empty message, which deletes the retained one.
type Publisher struct {
	State     *State
	Aggregate *aggregate.Aggregate
	Size      int32       // metres
	City      export.Area // its cells, of that size
	// Publish sends an MQTT message.
	Publish func(ctx context.Context, topic string, qos byte, retained bool, payload []byte) error
	// Published lists the topics for which brokers retain a value of an earlier run.
	Published func(ctx context.Context) ([]string, error)
	// Elsewhere reports whether another process publishes to brokers now; nil is never. When it ends, everything is
	// published again.
	Elsewhere func() bool
	Log       *slog.Logger

	shown map[string]string // payloads without their time, by topic, of which subscribers know
	sent  map[string]string // the same, of what brokers have; nil before they were asked
	asked time.Time         // the brokers, without an answer; zero after it
}

// Run publishes what changed until ctx ends.
func (p *Publisher) Run(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	failing := false
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case at := <-ticker.C:
			if at.Sub(last) < PublishEvery {
				continue
			}
			changed, err := p.round(ctx, at.UTC())
			if changed {
				last = at
			}
			if err != nil && !failing && ctx.Err() == nil {
				p.Log.Warn("publish of live averages failed, retrying", "err", err)
			} else if err == nil && failing {
				p.Log.Info("live averages are published again")
			}
			failing = err != nil
		}
	}
}

// remember adds the topics of an earlier run to sent, so that values which no longer exist are deleted. Brokers that do not
// answer are asked again after a minute.
func (p *Publisher) remember(ctx context.Context, at time.Time) {
	if p.sent != nil && (p.asked.IsZero() || at.Sub(p.asked) < rememberEvery) {
		return
	}
	topics, err := p.Published(ctx)
	if p.asked = at; err == nil {
		p.asked = time.Time{}
	} else if ctx.Err() == nil {
		p.Log.Warn("read of retained averages failed, retrying", "err", err)
	}
	if p.sent == nil {
		p.sent = make(map[string]string, len(topics))
	}
	for _, topic := range topics {
		if _, ours := p.sent[topic]; !ours {
			p.sent[topic] = ""
		}
	}
}

// round tells and publishes what changed since the last round. After an error the next round publishes the rest.
func (p *Publisher) round(ctx context.Context, at time.Time) (changed bool, err error) {
	next := p.messages(p.Aggregate.Live(at, p.Size, 0))
	if changed = !maps.Equal(next, p.shown); changed {
		p.shown = next
		p.State.GridChanged(at)
	}
	if p.Elsewhere != nil && p.Elsewhere() {
		p.sent = nil
		return changed, nil
	}
	p.remember(ctx, at)
	if maps.Equal(next, p.sent) {
		return changed, nil
	}
	return true, p.publish(ctx, at, next)
}

func (p *Publisher) publish(ctx context.Context, at time.Time, next map[string]string) error {
	for topic, body := range next {
		if p.sent[topic] == body {
			continue
		}
		if err := p.Publish(ctx, topic, 1, true, []byte(`{"t":`+at.Format(`"2006-01-02T15:04:05Z"`)+`,`+body+`}`)); err != nil {
			return err
		}
		p.sent[topic] = body
	}
	for topic := range p.sent {
		if _, still := next[topic]; still {
			continue
		}
		if err := p.Publish(ctx, topic, 1, true, nil); err != nil {
			return err
		}
		delete(p.sent, topic)
	}
	return nil
}

// messages returns the payload of each topic without its time. Rows are sorted by quantity.
func (p *Publisher) messages(rows []aggregate.Row) map[string]string {
	messages := make(map[string]string, len(rows)+8)
	for len(rows) > 0 {
		q := rows[0].Quantity
		n := 0
		for n < len(rows) && rows[n].Quantity == rows[0].Quantity {
			messages[wire.GridTopic(rows[n].Cell.String(), q)] = string(export.AppendAverage(nil, rows[n]))
			n++
		}
		for _, v := range p.City.With(rows[:n]).Values() {
			messages[wire.CityTopic(q)] = string(export.AppendCity(nil, v))
		}
		rows = rows[n:]
	}
	return messages
}
