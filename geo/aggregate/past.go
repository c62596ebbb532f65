package aggregate

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// past holds the packed hours of a series, those that get no values now: two days of them are most of an Aggregate's
// memory.
type past struct {
	hours []pastHour // ascending by index
	bytes []byte     // of all hours, one after the other
}

type pastHour struct {
	index int32  // Unix hour
	size  uint16 // of its bytes, at most 20,261; 0 after its values were pruned
	gap   uint16 // see hour.gap
}

func (p *past) search(index int64) (int, bool) {
	return slices.BinarySearchFunc(p.hours, index, func(h pastHour, index int64) int { return cmp.Compare(int64(h.index), index) })
}

// span returns where the bytes of the ith hour are. It counts from the end: the last hours are those asked for.
func (p *past) span(i int) (from, to int) {
	to = len(p.bytes)
	for _, h := range p.hours[i+1:] {
		to -= int(h.size)
	}
	return to - int(p.hours[i].size), to
}

// append appends the values of the ith hour.
func (p *past) append(to []value, i int) []value {
	from, end := p.span(i)
	return unpack(to, p.bytes[from:end])
}

// put packs an hour that it does not have yet.
func (p *past) put(h hour) {
	i, _ := p.search(h.index)
	if n := len(p.hours); n == cap(p.hours) {
		p.hours = append(make([]pastHour, 0, n+n/8+1), p.hours...)
	}
	p.hours = slices.Insert(p.hours, i, pastHour{index: int32(h.index), gap: h.gap()})
	from, _ := p.span(i)
	var scratch [256]byte // enough for an hour of a reading every 30 s
	packed := pack(scratch[:0], h.values)
	if need := len(p.bytes) + len(packed); need > cap(p.bytes) {
		// What is needed, rounded up to what an allocation takes anyway, without the spare capacity of Insert: as many hours go as come.
		p.bytes = append(append([]byte(nil), make([]byte, need)...)[:0], p.bytes...)
	}
	p.bytes = slices.Insert(p.bytes, from, packed...)
	p.hours[i].size = uint16(len(packed))
}

// keep adds an hour of which only the gap is left, if it has none for it yet.
func (p *past) keep(h pastHour) {
	if i, found := p.search(int64(h.index)); !found {
		p.hours = slices.Insert(p.hours, i, h)
	}
}

// remove forgets the ith hour.
func (p *past) remove(i int) {
	from, end := p.span(i)
	p.bytes = slices.Delete(p.bytes, from, end)
	p.hours = slices.Delete(p.hours, i, i+1)
}

// prune forgets the values of hours before oldest and returns how many they were. It keeps the hours' gaps for LookBack.
func (p *past) prune(oldest int64) (values int) {
	size := 0
	for i := range p.hours {
		h := &p.hours[i]
		if int64(h.index) >= oldest {
			break
		}
		if h.size > 0 {
			values += packedCount(p.bytes[size:])
			size += int(h.size)
			h.size = 0
		}
	}
	p.bytes = slices.Delete(p.bytes, 0, size)
	p.hours = slices.DeleteFunc(p.hours, func(h pastHour) bool { return h.size == 0 && (h.gap == 0 || int64(h.index) < oldest-lookBackHours) })
	return values
}

// A packed hour is a head and the values, in as few bits each as the hour needs. A value is its time's distance from
// a straight line through the hour, and its thousandths above the smallest, as multiples of the station's resolution.
const (
	countBits = 12 // one less than the count
	spanBits  = 12 // seconds from the first value to the last
	lineBits  = 13 // seconds into the hour at which the line begins, which may be before it
	lineZero  = 1 << (lineBits - 1)
	widthBits = 6
	powerBits = 2
	leastBits = 32
	headBits  = countBits + spanBits + lineBits + 2*widthBits + powerBits + leastBits + 1
)

var powers = [1 << powerBits]uint32{1, 10, 100, 1000}

// head holds what the values of a packed hour have in common.
type head struct {
	count, span, line     int
	timeWidth, milliWidth uint
	power                 uint // of ten
	least                 int32
	lateWidth             uint // 1 when any value is late
}

// pack appends the packed values of an hour, at least one.
func pack(to []byte, values []value) []byte {
	h := headOf(values)
	w := bitWriter{bytes: to}
	w.put(uint64(h.count-1), countBits)
	w.put(uint64(h.span), spanBits)
	w.put(uint64(h.line+lineZero), lineBits)
	w.put(uint64(h.timeWidth), widthBits)
	w.put(uint64(h.milliWidth), widthBits)
	w.put(uint64(h.power), powerBits)
	w.put(uint64(uint32(h.least)), leastBits)
	w.put(uint64(h.lateWidth), 1)
	for k, v := range values {
		together := uint64(int(v.offset())-h.onLine(k)) | uint64(above(v, h.least)/powers[h.power])<<h.timeWidth
		if v.late() {
			together |= 1 << (h.timeWidth + h.milliWidth)
		}
		w.put(together, h.width())
	}
	return w.end()
}

// unpack appends the values of a packed hour.
func unpack(to []value, packed []byte) []value {
	r := bitReader{bytes: packed}
	h := r.head()
	to = slices.Grow(to, h.count)
	width, power, times := h.width(), powers[h.power], uint64(1)<<h.timeWidth-1
	millis := uint64(1)<<h.milliWidth - 1
	for k := range h.count {
		together := r.read(width)
		milli := uint32(h.least) + uint32(together>>h.timeWidth&millis)*power
		late := together>>(h.timeWidth+h.milliWidth) != 0
		to = append(to, newValue(int32(milli), uint16(int(together&times)+h.onLine(k)), late))
	}
	return to
}

// lastOffset returns the offset of the last value of a packed hour.
func lastOffset(packed []byte) int {
	r := bitReader{bytes: packed}
	h := r.head()
	at := headBits + uint(h.count-1)*h.width()
	r = bitReader{bytes: packed[at/8:]}
	r.read(at % 8)
	return int(r.read(h.width())&(1<<h.timeWidth-1)) + h.onLine(h.count-1)
}

// packedCount returns the number of values of the hour that packed begins with.
func packedCount(packed []byte) int {
	r := bitReader{bytes: packed}
	return int(r.read(countBits)) + 1
}

// width returns how many bits a value has: its time, its thousandths, whether it was late.
func (h *head) width() uint { return h.timeWidth + h.milliWidth + h.lateWidth }

// onLine returns the offset of the kth value if all values were evenly spaced.
func (h *head) onLine(k int) int { return h.line + k*h.span/max(h.count-1, 1) }

func headOf(values []value) head {
	n := len(values)
	first := int(values[0].offset())
	h := head{count: n, span: int(values[n-1].offset()) - first, line: first, least: values[0].milli()}
	lowest, highest, most := 0, 0, h.least
	for k, v := range values {
		away := int(v.offset()) - h.onLine(k)
		lowest, highest = min(lowest, away), max(highest, away)
		h.least, most = min(h.least, v.milli()), max(most, v.milli())
		if v.late() {
			h.lateWidth = 1
		}
	}
	h.line += lowest
	h.power = uint(len(powers) - 1)
	for _, v := range values {
		for above(v, h.least)%powers[h.power] != 0 {
			h.power--
		}
	}
	h.timeWidth = uint(bits.Len(uint(highest - lowest)))
	h.milliWidth = uint(bits.Len32((uint32(most) - uint32(h.least)) / powers[h.power]))
	return h
}

// above returns how far a value is above the smallest, up to the full 32 bits.
func above(v value, least int32) uint32 { return uint32(v.milli()) - uint32(least) }

// bitWriter fills bytes from their lowest bit. The zero value writes to an empty slice.
type bitWriter struct {
	bytes []byte
	held  uint64
	n     uint // bits held, below 8
}

// put writes the lowest width bits of v, at most 56; the other bits of v are 0.
func (w *bitWriter) put(v uint64, width uint) {
	w.held |= v << w.n
	for w.n += width; w.n >= 8; w.n -= 8 {
		w.bytes = append(w.bytes, byte(w.held))
		w.held >>= 8
	}
}

// end returns all bytes, the last one padded with zeros.
func (w *bitWriter) end() []byte {
	if w.n > 0 {
		w.bytes = append(w.bytes, byte(w.held))
	}
	return w.bytes
}

// bitReader reads what a bitWriter wrote.
type bitReader struct {
	bytes []byte
	held  uint64
	n     uint // bits held
}

// head reads the head of a packed hour.
func (r *bitReader) head() head {
	return head{
		count: int(r.read(countBits)) + 1, span: int(r.read(spanBits)), line: int(r.read(lineBits)) - lineZero,
		timeWidth: uint(r.read(widthBits)), milliWidth: uint(r.read(widthBits)), power: uint(r.read(powerBits)),
		least: int32(r.read(leastBits)), lateWidth: uint(r.read(1)),
	}
}

// read reads at most 56 bits; after the end it reads zeros.
func (r *bitReader) read(width uint) uint64 {
	if r.n < width {
		r.fill()
	}
	v := r.held & (1<<width - 1)
	r.held >>= width
	r.n -= width
	return v
}

// fill reads as many whole bytes as fit.
func (r *bitReader) fill() {
	var next uint64
	if len(r.bytes) >= 8 {
		next = binary.LittleEndian.Uint64(r.bytes)
	} else {
		for i, b := range r.bytes {
			next |= uint64(b) << (8 * i)
		}
	}
	whole := (63 - r.n) / 8
	r.held |= next & (1<<(8*whole) - 1) << r.n
	r.n += 8 * whole
	r.bytes = r.bytes[min(int(whole), len(r.bytes)):]
}
