package ingest

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// TestEveryVectorsDetailHasGerman expects German for whatever decoders say of the vectors, also where everyone may read it.
func TestEveryVectorsDetailHasGerman(t *testing.T) {
	seen := map[wire.Reason]int{}
	err := filepath.WalkDir("../firmware-protocol/vectors", func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		for _, r := range decodeVector(t, path) {
			seen[r.Reason]++
			refusals := []Refusal{{Reason: r.Reason, Field: r.Field, Detail: Clip(r.Detail)}}
			for _, f := range append(refusals, Public(refusals)...) {
				if german := GermanDetail(f.Detail); german == "" || german == f.Detail {
					t.Errorf("%s: no German for %q, got %q", path, f.Detail, german)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range []wire.Reason{wire.Malformed, wire.UnknownMember, wire.NotANumber, wire.BadTime, wire.NoValues, wire.RepeatedMember, wire.Contradictory} {
		if seen[reason] == 0 {
			t.Errorf("no vector was refused as %s", reason)
		}
	}
}

// decodeVector returns what a vector's payload is refused for, of which each has a test beside its decoder.
func decodeVector(t *testing.T, path string) []wire.Refusal {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Payload string
		Base64  []byte `json:"payload_base64"`
		Hex     string `json:"payload_hex"`
		Repeat  *struct {
			Head, Item, Separator, Tail string
			Count                       int
		} `json:"payload_repeat"`
		Part  string
		CF1   bool              `json:"cf_1"`
		Names map[string]string `json:"names"`
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	payload := append([]byte(v.Payload), v.Base64...)
	if r := v.Repeat; r != nil {
		payload = []byte(r.Head + strings.TrimSuffix(strings.Repeat(r.Item+r.Separator, r.Count), r.Separator) + r.Tail)
	}
	folder := filepath.Base(filepath.Dir(path))
	if strings.HasPrefix(folder, "binary-") {
		bytes, err := hex.DecodeString(strings.ReplaceAll(v.Hex, " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return wire.DecodeBinary(bytes).Refusals
	}
	settings := kits.Settings{Part: v.Part, CF1: v.CF1, Received: receipt, Names: map[string]quantity.Quantity{}}
	for name, meant := range v.Names {
		settings.Names[name], _ = quantity.Parse(meant)
	}
	if m, kit := kits.Decode(folder, payload, settings); kit {
		return m.Refusals
	}
	var d wire.Decoder
	return d.Decode(payload).Refusals
}

// TestGermanDetails lists the kinds of details that come from behind the decoders, and some from them, with their German.
func TestGermanDetails(t *testing.T) {
	f := func(english, want string) {
		t.Helper()
		if got := GermanDetail(english); got != want {
			t.Errorf("GermanDetail(%q) = %q, want %q", english, got, want)
		}
	}
	f(`not JSON at byte 9: found the end of the message, expected ',' or '}'`, `kein JSON ab Byte 9: gefunden das Ende der Nachricht, erwartet ',' oder '}'`)
	f(`"pm10" is a finite number, not "\"20.1\""`, `"pm10" muss eine endliche Zahl sein, nicht "\"20.1\""`)
	f(`"feinstaub" is no quantity; members of your own begin with "x_" (and 3 more refusals)`, `"feinstaub" ist keine Messgröße; eigene Namen beginnen mit „x_“ (und 3 weitere Ablehnungen)`)
	f("nothing in the message is known here: "+UnknownNames([]string{"tmp", "temp", "foo", `a, did you mean "b`}).EN,
		"nichts in der Nachricht ist hier bekannt: "+UnknownNames([]string{"tmp", "temp", "foo", `a, did you mean "b`}).DE)
	f("2001-01-01T00:00:00Z is more than 30 days ago", "2001-01-01T00:00:00Z ist mehr als 30 Tage her")
	f(ConflictOf(receipt, quantity.PM10, 12.5, 11).Detail, "pm10 war um "+receipt.Format(time.RFC3339)+" schon 11; 12.5 kommt zu spät, der erste Wert bleibt")
	f("the station is paused", "die Station pausiert")
	f(inactive(&Station{Status: Suspended, Reason: "smells {1}"}).Detail, "die Station ist gesperrt: smells {1}")
	f(`no station "XYZ" is registered here`, `eine Station "XYZ" ist hier nicht angemeldet`)
	f(`field type conflict: input field "value" is of type float`, "") // the database's words
}

// TestExplainRefusalsInGerman expects the German beside the English, also where what is private is left out, and none for
// the database's words.
func TestExplainRefusalsInGerman(t *testing.T) {
	list := ExplainRefusals(Public([]Refusal{
		{Reason: wire.Forbidden, Detail: `a station does not publish to "stadtluft/v1/AAA/secret"`},
		{Reason: wire.NotANumber, Field: "v", Detail: `pm10 needs a number in "v"`},
		{Reason: wire.Unstorable, Detail: "field type conflict"},
	}))
	want := []string{`unter "…" veröffentlicht eine Station nicht`, "pm10 braucht eine Zahl in „v“", ""}
	for i, e := range list {
		if e.DetailGerman != want[i] {
			t.Errorf("the German of %q is %q, want %q", e.Detail, e.DetailGerman, want[i])
		}
	}
}
