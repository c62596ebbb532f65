package quality

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

const (
	// remembered is how many values of a station are remembered: three and a half hours of a kit that sends five values every
	// 145 s, or ninety readings delivered at once. They take 3 KiB, of a kit that sends each value by itself 6 KiB.
	remembered = 448
	// redeliverWithin is how soon a broker delivers again what was not acknowledged.
	redeliverWithin = 10 * time.Minute

	// A stored reading is its time and its receipt, both in Unix seconds, how many values it has, and of each the quantity and
	// 32 bits: seven digits are enough to know it again. Times before 1970 and after 2106 never get here: clock refuses them.
	receivedAt  = 4
	countAt     = 8
	readingHead = 9
	valueSize   = 5

	// droppedMost is how many bytes of dropped readings stay before the others.
	droppedMost = 512
)

// memory is the readings a station sent last, in the order of their receipt. The zero value is empty and grows to its size.
type memory struct {
	data    []byte
	dropped int    // bytes at the beginning that are not in use
	values  int    // of all readings
	newest  uint32 // Unix seconds of the latest receipt
	latest  uint32 // Unix seconds of the latest time
}

// stored is a reading in a memory.
type stored []byte

func (s stored) at() uint32       { return binary.LittleEndian.Uint32(s) }
func (s stored) received() uint32 { return binary.LittleEndian.Uint32(s[receivedAt:]) }
func (s stored) count() int       { return int(s[countAt]) }
func (s stored) size() int        { return readingHead + valueSize*s.count() }

// value returns the value of a quantity.
func (s stored) value(q quantity.Quantity) (float32, bool) {
	for i := readingHead; i < s.size(); i += valueSize {
		if quantity.Quantity(s[i]) == q {
			return math.Float32frombits(binary.LittleEndian.Uint32(s[i+1:])), true
		}
	}
	return 0, false
}

// find is the value that is known for a time and quantity.
func (m *memory) find(at time.Time, q quantity.Quantity) (float32, bool) {
	unix := uint32(at.Unix())
	if unix > m.latest { // as most are
		return 0, false
	}
	for rest := stored(m.data[m.dropped:]); len(rest) > 0; rest = rest[rest.size():] {
		if rest.at() == unix {
			if v, known := rest.value(q); known {
				return v, true
			}
		}
	}
	return 0, false
}

// add remembers a reading with values. What was received last is remembered, in whatever order it comes: after a start readings come by
// their times.
func (m *memory) add(r ingest.Reading) {
	values := r.Values[:min(len(r.Values), math.MaxUint8)]
	if len(values) == 0 {
		return // all were known or refused
	}
	var room [readingHead + 32*valueSize]byte
	one := binary.LittleEndian.AppendUint32(room[:0], uint32(r.Time.Unix()))
	one = binary.LittleEndian.AppendUint32(one, uint32(r.Received.Unix()))
	one = append(one, byte(len(values)))
	for _, v := range values {
		one = binary.LittleEndian.AppendUint32(append(one, byte(v.Quantity)), math.Float32bits(float32(v.Value)))
	}
	m.insert(one)
	m.latest = max(m.latest, uint32(r.Time.Unix()))
	for m.values > remembered {
		oldest := stored(m.data[m.dropped:])
		m.values -= oldest.count()
		m.dropped += oldest.size()
	}
}

// insert puts a reading behind those that were not received later.
func (m *memory) insert(one stored) {
	if m.dropped > droppedMost {
		m.data, m.dropped = slices.Delete(m.data, 0, m.dropped), 0
	}
	if need := len(m.data) + len(one); need > cap(m.data) {
		m.data = append(make([]byte, 0, max(need, min(2*cap(m.data), need+droppedMost))), m.data...)
	}
	place, received := len(m.data), one.received()
	if received < m.newest {
		place = m.dropped
		for stored(m.data[place:]).received() <= received {
			place += stored(m.data[place:]).size()
		}
	}
	m.data = slices.Insert(m.data, place, one...)
	m.values += one.count()
	m.newest = max(m.newest, received)
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
	for rest := stored(m.data[m.dropped:]); len(rest) > 0; rest = rest[rest.size():] {
		if age := now - rest.received(); age > uint32(redeliverWithin/time.Second) {
			continue
		}
		if value, known := rest.value(v.Quantity); known && value == float32(v.Value) {
			return true
		}
	}
	return false
}
