package live

import (
	"time"

	"stadtluft/ingest"
)

// subscriberBuffer is how many events a subscriber may be behind. One that is slower is let go: its
// channel is closed, and it may subscribe again.
const subscriberBuffer = 256

// Event is a reading that came, or a sign that the live grid changed.
type Event struct {
	Reading *ingest.Reading // not to be changed
	Grid    time.Time       // when the live grid was made anew; zero otherwise
}

// Subscriber hears of events until it is closed or too slow.
type Subscriber struct {
	Events <-chan Event
	events chan Event
}

type hub struct {
	subscribers map[*Subscriber]struct{}
	slow        uint64
}

func (h *hub) send(e Event) {
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

// Subscribe starts hearing of events. The subscriber calls Unsubscribe in the end.
func (n *State) Subscribe() *Subscriber {
	n.mu.Lock()
	defer n.mu.Unlock()
	events := make(chan Event, subscriberBuffer)
	s := &Subscriber{Events: events, events: events}
	n.hub.subscribers[s] = struct{}{}
	return s
}

// Unsubscribe ends it; it may be called again.
func (n *State) Unsubscribe(s *Subscriber) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hub.remove(s)
}

// GridChanged tells the subscribers that the live grid was made anew.
func (n *State) GridChanged(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hub.send(Event{Grid: at})
}

// Subscribers is how many there are, and how many were let go because they were too slow.
func (n *State) Subscribers() (now int, slow uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.hub.subscribers), n.hub.slow
}
