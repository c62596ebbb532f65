package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

const (
	version = 1

	kindReading   = 1
	kindRefusal   = 2
	kindHourFlags = 3
	kindHourSpans = 4 // as kindHourFlags, with spans

	// maxEntry bounds an entry in bytes. It is the largest payload that a NATS server can be configured to accept.
	maxEntry = 64 << 20

	minTime = -62135596800 // year 1, the zero time, in Unix seconds
	maxTime = 253402300799 // end of year 9999

	usualReading = 48 // bytes of a reading of five values; a slice for shorter ones grows

	maxThousandths = 1 << 53 // float64 does not represent every larger integer
)

var (
	errShort = errors.New("journal entry ends in the middle of a record")
	errForm  = errors.New("journal entry is not in its shortest form")
	errTime  = errors.New("journal entry holds a time outside the years 1 to 9999")
)

// AppendBatch appends the encoding of b, as FORMAT.md describes it, to dst. It cuts times to the precision of a
// Batch: seconds of observation, milliseconds of receipt.
func AppendBatch(dst []byte, b ingest.Batch) []byte {
	dst = append(dst, version)
	var last int64
	for i := range b.Readings {
		r := &b.Readings[i]
		dst = append(dst, kindReading)
		dst = appendText(dst, r.Station)
		dst, last = appendReceived(dst, r.Received, last)
		dst = binary.AppendVarint(dst, r.Time.Unix()-floorSeconds(last))
		dst = append(dst, byte(r.TimeSource))
		dst = binary.AppendUvarint(dst, uint64(len(r.Values)))
		for _, v := range r.Values {
			dst = append(dst, byte(v.Quantity))
			dst = binary.AppendUvarint(dst, uint64(v.Flags))
			dst = appendValue(dst, v.Value)
		}
	}
	for i := range b.Refusals {
		r := &b.Refusals[i]
		dst = append(dst, kindRefusal)
		dst = appendText(dst, r.Station)
		dst, last = appendReceived(dst, r.Received, last)
		dst = appendText(dst, string(r.Reason))
		dst = appendText(dst, r.Field)
		dst = appendText(dst, r.Detail)
	}
	for _, v := range b.HourFlags {
		kind := byte(kindHourFlags)
		if len(v.Humid) > 0 {
			kind = kindHourSpans
		}
		dst = append(dst, kind)
		dst = appendText(dst, v.Station)
		dst = binary.AppendVarint(dst, floorHours(v.Hour))
		dst = append(dst, byte(v.Quantity))
		dst = binary.AppendUvarint(dst, uint64(v.Flags))
		if len(v.Humid) > 0 {
			dst = appendSpans(dst, v.Humid)
		}
	}
	return dst
}

// appendSpans writes how many spans there are, at least one, and the three numbers of each.
func appendSpans(dst []byte, spans []ingest.Span) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(spans)))
	for _, s := range spans {
		dst = binary.AppendUvarint(dst, uint64(s.From))
		dst = binary.AppendUvarint(dst, uint64(s.To))
		dst = binary.AppendUvarint(dst, uint64(s.Values))
	}
	return dst
}

func floorHours(t time.Time) int64 { return t.Truncate(time.Hour).Unix() / 3600 }

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendReceived(dst []byte, t time.Time, last int64) ([]byte, int64) {
	ms := t.UnixMilli()
	return binary.AppendVarint(dst, ms-last), ms
}

func floorSeconds(ms int64) int64 {
	s := ms / 1000
	if ms%1000 < 0 {
		s--
	}
	return s
}

// appendValue writes thousandths if they restore the same bits, else 0 and the bits.
func appendValue(dst []byte, v float64) []byte {
	if n, ok := thousandths(v); ok {
		return binary.AppendUvarint(dst, uint64(n<<1)^uint64(n>>63)+1)
	}
	return binary.LittleEndian.AppendUint64(append(dst, 0), math.Float64bits(v))
}

func thousandths(v float64) (int64, bool) {
	m := math.Round(v * 1000)
	if !(math.Abs(m) <= maxThousandths) { // true for NaN as well
		return 0, false
	}
	n := int64(m)
	return n, math.Float64bits(float64(n)/1000) == math.Float64bits(v)
}

// DecodeBatch is the inverse of AppendBatch. Data that AppendBatch cannot have written are an error. The batch does
// not refer to data.
func DecodeBatch(data []byte) (ingest.Batch, error) {
	var b ingest.Batch
	if len(data) == 0 {
		return b, errors.New("journal entry is empty")
	}
	if len(data) > maxEntry {
		return b, fmt.Errorf("journal entry of %d bytes: at most %d are read", len(data), maxEntry)
	}
	if data[0] != version {
		return b, fmt.Errorf("journal entry version %d: this program reads up to %d", data[0], version)
	}
	d := decoder{data: data[1:]}
	if data[0] == version && len(data) > 1 && data[1] == kindReading {
		b.Readings = make([]ingest.Reading, 0, 1+len(data)/usualReading)
	}
	for len(d.data) > 0 && d.err == nil {
		switch kind := d.byte(); {
		case kind == kindReading && len(b.Refusals)+len(b.HourFlags) == 0:
			b.Readings = append(b.Readings, d.reading())
		case kind == kindRefusal && len(b.HourFlags) == 0:
			b.Refusals = append(b.Refusals, d.refusal())
		case kind == kindHourFlags, kind == kindHourSpans:
			v := d.hourFlags()
			if kind == kindHourSpans {
				v.Humid = d.spans()
			}
			b.HourFlags = append(b.HourFlags, v)
		default:
			d.fail(fmt.Errorf("journal entry holds an unexpected record of kind %d", kind))
		}
	}
	if d.err != nil {
		return ingest.Batch{}, d.err
	}
	return b, nil
}

// decoder reads fields from the front of data. After an error every field is zero and data is empty.
type decoder struct {
	data    []byte
	last    int64 // receipt of the record before, Unix milliseconds
	station string
	values  []ingest.Value // slice that the readings' values are cut from
	err     error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.data = nil
}

func (d *decoder) byte() byte {
	if len(d.data) == 0 {
		d.fail(errShort)
		return 0
	}
	c := d.data[0]
	d.data = d.data[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	u, n := binary.Uvarint(d.data)
	switch {
	case n == 0:
		d.fail(errShort)
		return 0
	case n < 0 || n > 1 && d.data[n-1] == 0:
		d.fail(errForm)
		return 0
	}
	d.data = d.data[n:]
	return u
}

func (d *decoder) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.data)) {
		d.fail(errShort)
		return nil
	}
	s := d.data[:n]
	d.data = d.data[n:]
	return s
}

// stationID reads the beginning of every record. Consecutive records of one station share its string.
func (d *decoder) stationID() string {
	if s := d.bytes(); string(s) != d.station {
		d.station = string(s)
	}
	return d.station
}

func (d *decoder) stationAndReceived() (string, time.Time) {
	station := d.stationID()
	d.last += d.varint()
	if s := floorSeconds(d.last); s < minTime || s > maxTime {
		d.fail(errTime)
	}
	return station, time.UnixMilli(d.last).UTC()
}

func (d *decoder) reading() ingest.Reading {
	var r ingest.Reading
	r.Station, r.Received = d.stationAndReceived()
	seconds := floorSeconds(d.last) + d.varint()
	if seconds < minTime || seconds > maxTime {
		d.fail(errTime)
	}
	r.Time = time.Unix(seconds, 0).UTC()
	r.TimeSource = ingest.TimeSource(d.byte())
	if !r.TimeSource.Valid() {
		d.fail(fmt.Errorf("journal entry holds the unknown time source %d", r.TimeSource))
	}
	r.Values = d.readingValues()
	return r
}

func (d *decoder) readingValues() []ingest.Value {
	const least = 3 // fewest bytes of a value
	n := d.uvarint()
	if n == 0 || n > uint64(len(d.data)/least) {
		d.fail(errShort)
		return nil
	}
	if cap(d.values)-len(d.values) < int(n) {
		d.values = make([]ingest.Value, 0, max(int(n), min(len(d.data)/4, 1024)))
	}
	from := len(d.values)
	for range n {
		d.values = append(d.values, d.value())
	}
	return d.values[from:len(d.values):len(d.values)]
}

func (d *decoder) value() ingest.Value {
	q, flags := d.quantityAndFlags()
	return ingest.Value{Quantity: q, Flags: flags, Value: d.number()}
}

func (d *decoder) quantityAndFlags() (quantity.Quantity, ingest.Flags) {
	q := quantity.Quantity(d.byte())
	if !q.Valid() {
		d.fail(fmt.Errorf("journal entry holds the unknown quantity %d", q))
	}
	flags := d.uvarint()
	if flags > math.MaxUint32 {
		d.fail(fmt.Errorf("journal entry holds flags %#x: at most 32 bits are read", flags))
	}
	return q, ingest.Flags(flags)
}

func (d *decoder) hourFlags() ingest.HourFlags {
	v := ingest.HourFlags{Station: d.stationID()}
	hours := d.varint()
	if hours < minTime/3600 || hours > maxTime/3600 {
		d.fail(errTime)
		return v
	}
	v.Hour = time.Unix(hours*3600, 0).UTC()
	v.Quantity, v.Flags = d.quantityAndFlags()
	return v
}

func (d *decoder) spans() []ingest.Span {
	const least = 3 // fewest bytes of a span
	n := d.uvarint()
	if n == 0 || n > uint64(len(d.data)/least) {
		d.fail(errShort)
		return nil
	}
	spans := make([]ingest.Span, n)
	for i := range spans {
		spans[i] = ingest.Span{From: d.second(), To: d.second(), Values: d.second()}
	}
	return spans
}

// second reads a number of seconds of an hour, or of values in it.
func (d *decoder) second() uint16 {
	const most = 3600
	n := d.uvarint()
	if n > most {
		d.fail(fmt.Errorf("journal entry holds %d seconds or values of an hour", n))
	}
	return uint16(n)
}

func (d *decoder) number() float64 {
	if u := d.uvarint(); u != 0 {
		u--
		n := int64(u>>1) ^ -int64(u&1)
		v := float64(n) / 1000
		if back, ok := thousandths(v); !ok || back != n {
			d.fail(errForm)
		}
		return v
	}
	if len(d.data) < 8 {
		d.fail(errShort)
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(d.data))
	d.data = d.data[8:]
	if _, ok := thousandths(v); ok {
		d.fail(errForm)
	}
	return v
}

func (d *decoder) refusal() ingest.Refusal {
	var r ingest.Refusal
	r.Station, r.Received = d.stationAndReceived()
	r.Reason = wire.Reason(d.bytes())
	r.Field = string(d.bytes())
	r.Detail = string(d.bytes())
	return r
}
