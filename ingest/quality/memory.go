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
	ring   []storedValue
	next   int
	newest uint32 // Unix seconds of the latest time that was ever there
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

// find is the value that is known for a time and quantity.
func (m *memory) find(at time.Time, q quantity.Quantity) (float32, bool) {
	unix := uint32(at.Unix())
	if unix > m.newest { // as most are
		return 0, false
	}
	for i := range m.ring {
		if e := &m.ring[i]; e.at == unix && e.quantity() == q {
			return e.value, true
		}
	}
	return 0, false
}

// add remembers a reading.
func (m *memory) add(r ingest.Reading) {
	m.newest = max(m.newest, uint32(r.Time.Unix()))
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
