package kits

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// maxPairs bounds the members of a CBOR object.
const maxPairs = 64

// cborMode bounds what decoding allocates. Its options are constants, so making it cannot fail.
var cborMode = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 16, MaxArrayElements: maxReadings, MaxMapPairs: maxPairs,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

// nativeCBOR decodes our native object, or an array of them, in CBOR (RFC 8949) with the same members. A number is an
// integer or a float; a float of single precision becomes the shortest decimal that means it, so that 12.3 stays
// 12.3.
func nativeCBOR(payload []byte, _ Settings) Message {
	if len(payload) == 0 {
		return malformed("the message is empty")
	}
	var items []cbor.RawMessage // a copy: decoding into payload's memory would overwrite it
	prefix := func(int) string { return "" }
	if payload[0]>>5 != 4 {
		items = append(items, payload)
	} else { // an array
		if err := cborMode.Unmarshal(payload, &items); err != nil {
			return cborError(err)
		}
		prefix = func(i int) string { return "[" + strconv.Itoa(i) + "]." }
		if len(items) == 0 {
			return refused(wire.Refusal{Reason: wire.NoValues, Detail: "the array is empty"})
		}
	}
	var d draft
	for i, item := range items {
		var members map[string]cbor.RawMessage
		if err := cborMode.Unmarshal(item, &members); err != nil {
			if len(items) == 1 {
				return cborError(err)
			}
			r := cborError(err).Refusals[0]
			d.refuse(r.Reason, strings.TrimSuffix(prefix(i), "."), r.Detail)
			continue
		}
		d.cborReading(prefix(i), members)
	}
	return d.done()
}

func cborError(err error) Message {
	var twice *cbor.DupMapKeyError
	var pairs *cbor.MaxMapPairsError
	var elements *cbor.MaxArrayElementsError
	switch {
	case errors.As(err, &twice):
		return refused(wire.Refusal{Reason: wire.RepeatedMember, Field: plain(fmt.Sprint(twice.Key)), Detail: "a member stands twice in one object"})
	case errors.As(err, &pairs), errors.As(err, &elements):
		return refused(wire.Refusal{Reason: wire.TooMany, Detail: fmt.Sprintf("at most %d readings of at most %d members", maxReadings, maxPairs)})
	}
	return malformed("not CBOR: an object or an array of objects is needed: " + err.Error())
}

func (d *draft) cborReading(prefix string, members map[string]cbor.RawMessage) {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	var at wire.Reading
	refusedBefore := d.refused
	bad := false
	for _, name := range names {
		n, ok := cborNumber(members[name])
		q, known := quantity.Parse(name)
		switch {
		case strings.HasPrefix(name, "x_"):
		case name == "t" && ok && n >= 0 && n <= senmlLatest:
			at.Time = time.Unix(int64(n), 0).UTC()
		case name == "age" && ok && n >= 0 && n <= 366*24*3600:
			at.HasAge, at.Age = true, time.Duration(n)*time.Second
		case name == "t" || name == "age":
			bad = true
			d.refuse(wire.BadTime, prefix+name, "seconds are needed")
		case !known:
			d.refuse(wire.UnknownMember, prefix+name, quote(name)+" is no quantity; members of your own begin with \"x_\"")
		case string(members[name]) == cborNull:
		case !ok && cborFloat(members[name]):
			d.refuse(wire.NoValues, prefix+name, "the sensor had no value: not a finite number")
		case !ok:
			d.refuse(wire.NotANumber, prefix+name, fmt.Sprintf("%q is a finite number", name))
		default:
			d.put(meaning{quantity: q}, name, n)
		}
	}
	if at.HasAge && !at.Time.IsZero() {
		bad = true
		d.refuse(wire.BadTime, prefix+"age", `a reading has "t" or "age", not both`)
	}
	if bad { // a wrong time makes every value unusable
		d.reading = d.reading[:0]
	} else if len(d.reading) == 0 && d.refused == refusedBefore {
		d.refuse(wire.NoValues, strings.TrimSuffix(prefix, "."), "the reading has no value")
	}
	d.end(at)
}

// The first bytes of values (RFC 8949, appendix B).
const (
	cborNull             = "\xf6"
	half, single, double = 0xf9, 0xfa, 0xfb
)

func cborFloat(raw cbor.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == half || raw[0] == single || raw[0] == double)
}

// cborNumber returns the value of an integer or a finite float; false for anything else.
func cborNumber(raw cbor.RawMessage) (float64, bool) {
	if len(raw) == 0 || raw[0]>>5 > 1 && !cborFloat(raw) {
		return 0, false
	}
	var n float64
	if err := cborMode.Unmarshal(raw, &n); err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, false
	}
	if raw[0] == single {
		n, _ = strconv.ParseFloat(strconv.FormatFloat(n, 'g', -1, 32), 64)
	}
	return n, true
}
