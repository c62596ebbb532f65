package quality

import (
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
)

// memory is the values a station sent last, a ring. The zero value is empty and grows to its size.
type memory struct {
	ring []storedValue
	next int
}

// storedValue is a value in 12 bytes. Times before 1970 and after 2106 never get here: clock refuses them. Seven digits of
// a value are enough to know it again.
type storedValue struct {
	at       uint32 // Unix seconds
	received uint32 // Unix seconds; the quantity takes the place of its top bits
	value    float32
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

// later reports whether a value was received after another.
func (e storedValue) later(o storedValue) bool {
	d := (e.received - o.received) & receivedMask
	return d != 0 && d < (receivedMask+1)/2
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

// add remembers a reading. What was received last is remembered, in whatever order it comes: after a start readings come by
// their times.
func (m *memory) add(r ingest.Reading) {
	for _, v := range r.Values {
		m.insert(storedValue{
			at:       uint32(r.Time.Unix()),
			received: uint32(v.Quantity)<<quantityShift | uint32(r.Received.Unix())&receivedMask,
			value:    float32(v.Value),
		})
	}
}

// insert puts a value in the place of the oldest, and then before those that were received later.
func (m *memory) insert(e storedValue) {
	n, place := len(m.ring), m.next
	switch {
	case n < remembered:
		if n == cap(m.ring) {
			m.ring = append(make([]storedValue, 0, min(max(8, 2*n), remembered)), m.ring...)
		}
		m.ring, place = append(m.ring, e), n
	case m.ring[m.next].later(e):
		return
	default:
		m.ring[m.next] = e
		m.next = (m.next + 1) % remembered
	}
	for place != m.next { // where the oldest is
		before := (place + remembered - 1) % remembered
		if !m.ring[before].later(e) {
			return
		}
		m.ring[place], m.ring[before] = m.ring[before], e
		place = before
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
