package live

import (
	"sync"
	"time"

	"stadtluft/ingest"
)

// subscriberBuffer is the number of events that wait for a subscriber, twice as many as a batch of the intake has at most:
// they come at once. A slower one is dropped: its channel is closed, and it may subscribe again.
const subscriberBuffer = 2 * ingest.BatchMessages

// Event is a new reading, or a change of the live grid.
type Event struct {
	Reading *ingest.Reading // read-only
	Grid    time.Time       // when the live grid was computed again; zero otherwise

	text *text
}

// text is what is sent of an event, made once for all subscribers.
type text struct {
	once  sync.Once
	bytes []byte
}

// Text returns what write makes of a subscriber's event; the first subscriber that asks makes it for all.
func (e Event) Text(write func(Event) []byte) []byte {
	e.text.once.Do(func() { e.text.bytes = write(e) })
	return e.text.bytes
}

// Subscriber receives events until it is closed or too slow.
type Subscriber struct {
	Events <-chan Event
	events chan Event
}

type hub struct {
	subscribers map[*Subscriber]struct{}
	slow        uint64
}

func (h *hub) send(e Event) {
	if len(h.subscribers) == 0 {
		return
	}
	e.text = new(text)
	for s := range h.subscribers {
		select {
		case s.events <- e:
		default:
			h.slow++
			h.remove(s)
		}
	}
}

func (h *hub) remove(s *Subscriber) {
	if _, ok := h.subscribers[s]; ok {
		delete(h.subscribers, s)
		close(s.events)
	}
}

// Subscribe starts a subscription. The subscriber must call Unsubscribe in the end.
func (n *State) Subscribe() *Subscriber {
	n.mu.Lock()
	defer n.mu.Unlock()
	events := make(chan Event, subscriberBuffer)
	s := &Subscriber{Events: events, events: events}
	n.hub.subscribers[s] = struct{}{}
	return s
}

// Unsubscribe ends a subscription; it may be called several times.
func (n *State) Unsubscribe(s *Subscriber) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hub.remove(s)
}

// GridChanged tells subscribers that the live grid was computed again.
func (n *State) GridChanged(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hub.send(Event{Grid: at})
}

// Subscribers returns the number of subscribers, and how many were dropped because they were too slow.
func (n *State) Subscribers() (now int, slow uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.hub.subscribers), n.hub.slow
}
