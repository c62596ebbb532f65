package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"stadtluft/firmware-protocol/quantity"
)

// checkAgainstTokens compares the values of a single object without a time with encoding/json: of each name the first
// value counts, and it is kept when it is a finite number.
func checkAgainstTokens(t *testing.T, payload []byte, m Message) {
	t.Helper()
	if len(payload) > MaxMessage || !json.Valid(payload) || bytes.TrimLeft(payload, " \t\r\n")[0] != '{' {
		return
	}
	if len(m.Refusals) == 1 && m.Refusals[0].Reason == Malformed {
		return // too deep: FuzzDecode tests that
	}
	want, unknown := map[quantity.Quantity]float64{}, 0
	seen := map[string]bool{}
	tokens := json.NewDecoder(bytes.NewReader(payload))
	if _, err := tokens.Token(); err != nil {
		t.Fatal(err)
	}
	for tokens.More() {
		token, err := tokens.Token()
		var raw json.RawMessage
		if err != nil || tokens.Decode(&raw) != nil {
			return // its own depth limit
		}
		name := token.(string)
		if name == "t" || name == "age" {
			return
		}
		q, known := quantity.Parse(name)
		if !known && !strings.HasPrefix(name, "x_") {
			unknown++
		}
		if !known || seen[name] {
			continue
		}
		seen[name] = true
		if n, err := strconv.ParseFloat(string(raw), 64); err == nil && raw[0] != '"' {
			want[q] = n
		}
	}
	got, refused := map[quantity.Quantity]float64{}, 0
	for _, r := range m.Readings {
		got = asMap(r)
	}
	for _, r := range m.Refusals {
		if r.Reason == UnknownMember {
			refused++
		}
	}
	if !reflect.DeepEqual(got, want) || len(m.Refusals) < MaxRefusals && refused != unknown {
		t.Fatalf("%q: kept %v, want %v; %d unknown members, want %d", payload, got, want, refused, unknown)
	}
}
