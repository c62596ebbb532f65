package kits

import (
	"math"
	"runtime"
	"strings"
	"testing"

	"stadtluft/firmware-protocol/wire"
)

// TestAllocations checks the promise of ten times the message and 16 KiB with messages made to be expensive.
func TestAllocations(t *testing.T) {
	repeat := func(head, item, tail string) []byte {
		return []byte(head + strings.Repeat(item, (wire.MaxMessage-len(head)-len(tail))/len(item)) + tail)
	}
	costly := map[string][][]byte{
		"airrohr":     {repeat(`{"sensordatavalues":[0`, `,0`, `]}`), repeat(`{"sensordatavalues":[{}`, `,{"value_type":"SDS_P1","value":"1"}`, `]}`), repeat(`{"sensordatavalues":[{}`, `,{"value_type":"a"}`, `]}`)},
		"airgradient": {repeat(`{"a":0`, `,"":0`, `}`), repeat(`{"a":0`, `,"pm02":0`, `}`)},
		"cbor":        {repeat("\x9f", "\xa0", "\xff"), repeat("\x99\x03\xe8", "\xa1\x63no2\x01", ""), repeat("\xbf", "\x61a\x00", "\xff")},
		"esphome":     {repeat("", "9", "")},
		"hackair":     {repeat(`{"reading":{"a":0`, `,"":0`, `}}`)},
		"purpleair":   {repeat(`{"a":0`, `,"":0`, `}`), repeat(`{"pm2_5_atm":0`, `,"pm2_5_atm":0`, `}`)},
		"senml":       {repeat(`[0`, `,0`, `]`), repeat(`[{}`, `,{"n":"no2","v":1,"t":1}`, `]`), repeat(`[{}`, `,{}`, `]`)},
		"smartcitizen": {repeat(`{"data":[{}`, `,{}`, `]}`), repeat(`{`, `55:1,`, `}`), repeat(`{`, `,`, `}`), repeat(`{`, `1 `, `}`), repeat(`{`, `55:nan `, `}`),
			repeat(`{"data":[{}`, `,{"sensors":[{"id":55,"value":1}]}`, `]}`)},
		"tasmota": {repeat(`{"a":0`, `,"":0`, `}`), repeat(`{"SDS011":{"a":0`, `,"PM10":0`, `}}`), repeat(`{"a":{"":0`, `,"":0`, `}}`)},
		"ttn": {repeat(`{"uplink_message":{"frm_payload":"AC0=","decoded_payload":{"a":0`, `,"":0`, `}}}`),
			repeat(`{"uplink_message":{"frm_payload":"AC0=","decoded_payload":{"a":0`, `,"temperature_1":0`, `}}}`)},
		"openair-noise": {repeat("", ",", "")},
	}
	for _, family := range Families() {
		if len(costly[family]) == 0 {
			t.Errorf("%s: no costly message", family)
		}
		for _, payload := range costly[family] {
			s := Settings{Received: received}
			if family == "esphome" {
				s.Part = "sensor/pm10/state"
			}
			checkAllocated(t, family, string(payload), s)
		}
	}
	checkAllocated(t, "esphome", "1", Settings{Part: "sensor/" + strings.Repeat("\xd0", wire.MaxMessage) + "/state"})
	checkAllocated(t, "airrohr", string(repeat("", "a b=1\n", "")), Settings{Part: "write"})
}

// checkAllocated decodes more than once, because the first call makes what later ones reuse, and because the runtime
// itself allocates at times.
func checkAllocated(t *testing.T, family, payload string, s Settings) {
	t.Helper()
	const tries = 4
	copied, most := uint64(len(payload)), uint64(10*len(payload)+16<<10)*slack
	least := uint64(math.MaxUint64)
	for range tries {
		if least = min(least, allocated(func() { Decode(family, []byte(payload), s) })); least <= most+copied {
			return
		}
	}
	t.Errorf("%s: %d bytes allocated for %d, want at most %d: %.60s…%.40s", family, least-copied, len(payload), most, payload, payload[len(payload)/2:])
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestInflated checks the same for long messages that repeat a part of a vector: each list's content, each of its
// parts alone, and each part with another name or value.
func TestInflated(t *testing.T) {
	tried := map[string]bool{}
	readVectors(t, func(family, name string, v vector, payload []byte, s Settings) {
		for _, text := range inflate(string(payload)) {
			key := family + v.Part + text
			if tried[key] {
				continue
			}
			tried[key] = true
			if slack == 1 || len(tried)%sample == 0 {
				checkAllocated(t, family, text, s)
			}
		}
	})
	if len(tried) < 5000 {
		t.Errorf("%d messages, want thousands", len(tried))
	}
}

const (
	inflated = 16 << 10 // bytes
	sample   = 50       // with the race detector, which allocates itself, one in so many is enough
)

// long and foreign are texts of almost half of that. Unescaping long costs a copy; foreign is not UTF-8, which makes
// it three times as long.
var (
	long    = `"` + strings.Repeat(`\n`, inflated/5) + `"`
	foreign = `"` + strings.Repeat("\xac", inflated*2/5) + `"`
)

// inflate returns messages of the size inflated, made from text.
func inflate(text string) (all []string) {
	add := func(head, part, tail, separator string) {
		if n := (inflated - len(head) - len(tail)) / (len(part) + len(separator)); n > 0 && part != "" {
			all = append(all, head+strings.TrimSuffix(strings.Repeat(part+separator, n), separator)+tail)
		}
	}
	for open := range len(text) {
		if text[open] != '{' && text[open] != '[' {
			continue
		}
		parts, end := contents(text, open)
		head, tail := text[:open+1], text[min(end, len(text)):]
		add(head, strings.Join(parts, ","), tail, ",")
		for _, part := range parts {
			add(head, part, tail, ",")
			for _, other := range []string{"null", `"x"`, "[]", "{}", "0", "1e308", long, foreign, `{"":0` + strings.Repeat(`,"":0`, inflated/6) + "}", `{` + long + ":0}"} {
				if name, _, ok := strings.Cut(part, ":"); ok && text[open] == '{' {
					add(head, name+":"+other, tail, ",")
				} else {
					add(head, other, tail, ",")
				}
			}
			if _, value, ok := strings.Cut(part, ":"); ok && text[open] == '{' {
				add(head, long+`:{"":0`+strings.Repeat(`,"":0`, inflated/10)+"}", tail, ",")
				add(head, long+":"+value, tail, ",")
				add(head, foreign+":"+value, tail, ",")
				add(head, part+`,"z":`+long, tail, ",")
				add(head, `"":`+value, tail, ",")
				add(head, `"abcdefghi":`+value, tail, ",")
			}
		}
		add(head, `"":0`, tail, ",")
		add(head, "0", tail, ",")
	}
	add("", text, "", "\n")
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,=\n", r) }) {
		for _, separator := range []string{" ", ",", "=", "\n"} {
			add("", word, "", separator)
			add("a ", word, "", separator)
			add("a b=1,", word, "", separator)
		}
	}
	return all
}

// contents returns the parts of the object or array that begins at open, and where it ends.
func contents(text string, open int) (parts []string, end int) {
	depth, quoted, from := 0, false, open+1
	for i := open; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return append(parts, text[from:i]), i
			}
		case c == ',' && depth == 1:
			parts, from = append(parts, text[from:i]), i+1
		}
	}
	return parts, len(text)
}
