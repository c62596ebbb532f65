package quality

import (
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

const (
	// remembered is how many values of a station are remembered: 5.25 KiB, three and a half hours of a kit that
	// sends five values every 145 s, or ninety readings delivered at once.
	remembered = 448
	// redeliverWithin is how soon a broker delivers again what was not acknowledged.
	redeliverWithin = 10 * time.Minute
	// together is how far apart a station's particles and humidity may be measured: four times the interval of kits that send them
	// one by one.
	together = 10 * time.Minute
)

// memory is the values a station sent last, a ring. The zero value is empty and grows to its size.
type memory struct {
	ring      []storedValue
	next      int
	unchanged []unchanged

	humidity pastHumidity // the last that came and is good
}

// pastHumidity is a relative humidity in % at a time in Unix seconds.
type pastHumidity struct {
	at      uint32
	percent float32
}

// storedValue is a value in 12 bytes. Times before 1970 and after 2106 never get here: clock refuses them. Seven digits of
// a value are enough to know it again.
type storedValue struct {
	at       uint32 // Unix seconds
	received uint32 // Unix seconds; the quantity takes the place of its top bits
	value    float32
}

// unchanged is since when a quantity has had its value.
type unchanged struct {
	value    float64
	since    uint32 // Unix seconds of observation
	last     uint32 // of the newest reading
	readings uint32
	quantity quantity.Quantity
}

// hold takes in a value and says since when and how many readings long it has not changed. A reading older than the
// newest changes nothing; it may lie within what has not changed.
func (m *memory) hold(at time.Time, q quantity.Quantity, value float64) (since time.Time, readings int) {
	unix := uint32(at.Unix())
	i := slices.IndexFunc(m.unchanged, func(s unchanged) bool { return s.quantity == q })
	if i < 0 {
		m.unchanged = append(m.unchanged, unchanged{value, unix, unix, 1, q})
		return at, 1
	}
	s := &m.unchanged[i]
	switch {
	case unix < s.last && (unix < s.since || value != s.value):
		return at, 1
	case unix < s.last:
	case value != s.value:
		*s = unchanged{value, unix, unix, 1, q}
	default:
		s.last = unix
		s.readings++
	}
	return time.Unix(int64(s.since), 0), int(s.readings)
}

// keepHumidity remembers a reading's humidity. The last that came counts and not the newest: a backlog that is delivered again
// in its order gets the same flags again.
func (m *memory) keepHumidity(r *ingest.Reading) {
	if h := find(r.Values, quantity.Humidity); h != nil && h.Flags.Good() {
		m.humidity = pastHumidity{uint32(r.Time.Unix()), float32(h.Value)}
	}
}

// quantityShift leaves 26 bits for the seconds of receipt, which wrap around after two years: only
// differences of minutes are looked at.
const (
	quantityShift = 26
	receivedMask  = 1<<quantityShift - 1
)

func (e storedValue) quantity() quantity.Quantity {
	return quantity.Quantity(e.received >> quantityShift)
}

// find is the value that is known for a time and quantity.
func (m *memory) find(at time.Time, q quantity.Quantity) (float32, bool) {
	unix := uint32(at.Unix())
	for i := range m.ring {
		if e := &m.ring[i]; e.at == unix && e.quantity() == q {
			return e.value, true
		}
	}
	return 0, false
}

// add remembers a reading.
func (m *memory) add(r ingest.Reading) {
	for _, v := range r.Values {
		e := storedValue{
			at:       uint32(r.Time.Unix()),
			received: uint32(v.Quantity)<<quantityShift | uint32(r.Received.Unix())&receivedMask,
			value:    float32(v.Value),
		}
		if n := len(m.ring); n < remembered {
			if n == cap(m.ring) {
				m.ring = append(make([]storedValue, 0, min(max(8, 2*n), remembered)), m.ring...)
			}
			m.ring = append(m.ring, e)
			continue
		}
		m.ring[m.next] = e
		m.next = (m.next + 1) % remembered
	}
}

// redelivered reports whether every value was received within the last minutes already. It serves
// readings without a time of their own, whose time of receipt differs when a broker delivers again.
func (m *memory) redelivered(received time.Time, values []wire.Value) bool {
	for _, v := range values {
		if !m.receivedLately(uint32(received.Unix()), v) {
			return false
		}
	}
	return true
}

func (m *memory) receivedLately(now uint32, v wire.Value) bool {
	for i := range m.ring {
		e := &m.ring[i]
		age := (now - e.received) & receivedMask
		if e.quantity() == v.Quantity && e.value == float32(v.Value) && age <= uint32(redeliverWithin/time.Second) {
			return true
		}
	}
	return false
}
