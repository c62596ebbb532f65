package aggregate

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// FuzzPack packs an hour's values, made from six bytes each, and expects to unpack the same.
func FuzzPack(f *testing.F) {
	for _, values := range [][]value{
		{newValue(0, 0, false)},
		{newValue(math.MinInt32, 0, true), newValue(math.MaxInt32, 3599, false)},
		{newValue(12_300, 7, false), newValue(12_400, 152, false), newValue(12_100, 296, false), newValue(12_300, 442, true)},
		{newValue(-5_000, 0, false), newValue(5_000, 1, false), newValue(0, 3598, false), newValue(995_000, 3599, false)}, // far off the line
		{newValue(1, 3597, false), newValue(10_001, 3598, false), newValue(20_001, 3599, false)},
	} {
		var raw []byte
		for _, v := range values {
			raw = binary.LittleEndian.AppendUint32(raw, uint32(v.milli()))
			raw = binary.LittleEndian.AppendUint16(raw, v.when)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		values := valuesOf(raw)
		if len(values) == 0 {
			return
		}
		packed := pack(nil, values)
		if got := packedCount(packed); got != len(values) {
			t.Errorf("packedCount = %d, want %d", got, len(values))
		}
		if got, want := lastOffset(packed), int(values[len(values)-1].offset()); got != want {
			t.Errorf("lastOffset = %d, want %d", got, want)
		}
		if got := unpack(nil, packed); !slices.Equal(got, values) {
			t.Errorf("unpack(pack(%v)) = %v", values, got)
		}
	})
}

// valuesOf returns values of one hour, ascending, at most one a second.
func valuesOf(raw []byte) (values []value) {
	for ; len(raw) >= 6; raw = raw[6:] {
		when := binary.LittleEndian.Uint16(raw[4:])
		values = append(values, newValue(int32(binary.LittleEndian.Uint32(raw)), when&^lateBit%3600, when&lateBit != 0))
	}
	slices.SortStableFunc(values, func(a, b value) int { return cmp.Compare(a.offset(), b.offset()) })
	return slices.CompactFunc(values, func(a, b value) bool { return a.offset() == b.offset() })
}

// TestPast compares a series' hours with a map while values arrive for different hours.
func TestPast(t *testing.T) {
	want := map[int64][]value{}
	var s series
	check := func() {
		t.Helper()
		var unpacked []value
		indices := slices.Collect(s.indices())
		if len(indices) != len(want) {
			t.Errorf("hours %v, want %d of them", indices, len(want))
		}
		for index, values := range want {
			if got := s.at(index, &unpacked); !slices.Equal(got, values) {
				t.Errorf("hour %d = %v, want %v", index, got, values)
			}
		}
	}
	for k, index := range []int64{5, 5, 3, 9, 3, 5, -7, 9, 4, 5, 1<<31 - 1, 4, -7} {
		v := newValue(int32(k*1000-3000), uint16(k*200), k%4 == 0)
		want[index] = append(want[index], v)
		if !s.hour(index).insert(v) || s.hour(index).insert(v) {
			t.Errorf("value %d of hour %d: want it new, and then repeated", k, index)
		}
		check()
	}
	if got := s.at(6, new([]value)); got != nil {
		t.Errorf("an hour without values = %v", got)
	}
	for _, oldest := range []int64{4, 6, 10, 1 << 31} {
		forgotten := 0
		for index, values := range want {
			if index < oldest {
				forgotten += len(values)
				delete(want, index)
			}
		}
		if got := s.prune(oldest); got != forgotten {
			t.Errorf("prune(%d) = %d values, want %d", oldest, got, forgotten)
		}
		check()
	}
	if !s.empty() {
		t.Error("a series without values is not empty")
	}
}
