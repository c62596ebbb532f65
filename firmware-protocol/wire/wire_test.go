package wire

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
)

func TestSuggestions(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		var d Decoder
		m := d.Decode([]byte(`{"` + name + `":1}`))
		if len(m.Refusals) != 1 {
			t.Errorf("%s: %+v, want one refusal", name, m)
			return
		}
		got := m.Refusals[0].Detail
		if suggested := strings.Contains(got, "did you mean"); suggested != (want != "") || !strings.Contains(got, want) {
			t.Errorf("%s: detail %q, want the suggestion %q", name, got, want)
		}
	}
	f("PM2.5", `"pm2_5"`)
	f("pm25", `"pm2_5"`)
	f("PM10", `"pm10"`)
	f("PM1.0", `"pm1"`) // not pm10
	f("pm1_0", `"pm1"`)
	f("PM10.0", `"pm10"`)
	f("P1", `"pm10"`)
	f("P2", `"pm2_5"`)
	f("temp", `"temperature"`)
	f("temparature", `"temperature"`)
	f("Humidity", `"humidity"`)
	f("presure", `"pressure"`)
	f("rh", `"humidity"`)
	f("no3", "") // must not be taken for no2 or o3
	f("so3", "")
	f("pollen", "")
	f(strings.Repeat("pm10", 20), "")
}

func TestEncodeDecodes(t *testing.T) {
	want := []Reading{
		{Time: time.Unix(1795439925, 0).UTC(), Values: []Value{{quantity.PM2_5, 12.3}, {quantity.PM10, 20.1}, {quantity.Pressure, 1013.25}}},
		{HasAge: true, Age: 90 * time.Second, Values: []Value{{quantity.Temperature, -0.0625}}},
		{Values: []Value{{quantity.CO2, 1e21}, {quantity.RSSI, -67}}},
	}
	payload := AppendReadings(nil, want)
	if wantText := `[{"t":1795439925,"pm2_5":12.3,"pm10":20.1,"pressure":1013.25},{"age":90,"temperature":-0.0625},{"co2":1e+21,"rssi":-67}]`; string(payload) != wantText {
		t.Errorf("AppendReadings = %s\nwant %s", payload, wantText)
	}
	var d Decoder
	if got := d.Decode(payload); len(got.Refusals) > 0 || !reflect.DeepEqual(got.Readings, want) {
		t.Errorf("decoded %+v, want %+v", got, want)
	}
}

func TestTopics(t *testing.T) {
	f := func(topic string, want Topic, wantOK bool) {
		t.Helper()
		if got, ok := ParseTopic(topic); got != want || ok != wantOK {
			t.Errorf("ParseTopic(%q) = %+v, %v, want %+v, %v", topic, got, ok, want, wantOK)
		}
	}
	f(ReadingTopic("K7M2Q9X"), Topic{Station: "K7M2Q9X", Kind: ReadingKind}, true)
	f(StatusTopic("K7M2Q9X"), Topic{Station: "K7M2Q9X", Kind: StatusKind}, true)
	f(FeedbackTopic("K7M2Q9X"), Topic{Station: "K7M2Q9X", Kind: FeedbackKind}, true)
	f(KitTopic("K7M2Q9X", "airrohr"), Topic{Station: "K7M2Q9X", Kind: KitKind, Family: "airrohr"}, true)
	f("stadtluft/v1/K7M2Q9X/reading/", Topic{}, false)
	f("stadtluft/v1/K7M2Q9X/kit/", Topic{}, false)
	f("stadtluft/v1/K7M2Q9X/kit/esphome/sensor/pm_2_5/state", Topic{Station: "K7M2Q9X", Kind: KitKind, Family: "esphome", Part: "sensor/pm_2_5/state"}, true)
	f("stadtluft/v1/K7M2Q9X/kit", Topic{}, false)
	f("stadtluft/v1/city/reading", Topic{}, false)
	f("stadtluft/v1/grid/reading", Topic{}, false)
	f("stadtluft/v1//reading", Topic{}, false)
	f("stadtluft/v1/a b/reading", Topic{}, false)
	f("stadtluft/v1/a_b/reading", Topic{}, false)
	f("stadtluft/v2/K7M2Q9X/reading", Topic{}, false)
	f("stadtluft/v1/"+strings.Repeat("A", 33)+"/reading", Topic{}, false)
	f("", Topic{}, false)
	if got := GridTopic("CRS3035RES1000mN3096000E4107000", quantity.PM2_5); got != "stadtluft/v1/grid/CRS3035RES1000mN3096000E4107000/pm2_5" {
		t.Errorf("GridTopic = %s", got)
	}
}

func TestEveryReasonIsExplained(t *testing.T) {
	for _, r := range Reasons() {
		e := r.Explain()
		for _, text := range []string{e.English, e.German, e.TodoEnglish, e.TodoGerman} {
			if !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q is no sentence", r, text)
			}
		}
		if e.English == e.German {
			t.Errorf("%s: the same in both languages", r)
		}
	}
	if len(explanations) != len(Reasons()) {
		t.Errorf("%d explanations for %d reasons", len(explanations), len(Reasons()))
	}
}

func TestFeedback(t *testing.T) {
	payload := AppendFeedback(nil, time.Unix(1795439925, 0), NotANumber, "pm10", `"x"`)
	var got map[string]any
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	for member, want := range map[string]any{"t": 1795439925.0, "reason": "not_a_number", "field": "pm10", "detail": `"x"`, "de": "Ein Wert war keine Zahl."} {
		if got[member] != want {
			t.Errorf("%s = %v, want %v", member, got[member], want)
		}
	}
}

// TestSpecificationNamesEverything compares the table of reasons in the specification with the code.
func TestSpecificationNamesEverything(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Reasons() {
		if row := "| `" + string(r) + "` |"; !strings.Contains(string(text), row) {
			t.Errorf("the specification has no row %q", row)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, path := range vectorFiles(f, "") {
		v := readVector(f, path)
		if b := v.bytes(f); len(b) < 4096 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		var d, again Decoder
		m := d.Decode(payload)
		checkAgainstTokens(t, payload, m)
		payload = withoutMarks(payload)
		whole := len(m.Readings) == 0 && len(m.Refusals) == 1 && m.Refusals[0].Field == ""
		if broken := whole && m.Refusals[0].Reason == Malformed; broken == json.Valid(payload) && len(payload) <= MaxMessage {
			// Valid JSON is malformed only when it is not an object or an array of objects, or nested too deep.
			var v any
			_ = json.Unmarshal(payload, &v)
			_, object := v.(map[string]any)
			_, array := v.([]any)
			if !broken || (object || array) && !strings.Contains(m.Refusals[0].Detail, "nested deeper") {
				t.Fatalf("%q: decoded %+v, encoding/json says valid = %v", payload, m, json.Valid(payload))
			}
		}
		if len(m.Readings) == 0 {
			return
		}
		got := again.Decode(AppendReadings(nil, m.Readings))
		if len(got.Refusals) > 0 || len(got.Readings) != len(m.Readings) {
			t.Fatalf("%q: %+v encodes to %+v", payload, m, got)
		}
		for i, r := range m.Readings {
			if a, b := asMap(r), asMap(got.Readings[i]); !reflect.DeepEqual(a, b) || !r.Time.Equal(got.Readings[i].Time) || r.Age != got.Readings[i].Age {
				t.Fatalf("%q: reading %d is %+v, then %+v", payload, i, r, got.Readings[i])
			}
		}
	})
}

var stringOrMark = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|(?i:[+-]?(?:nan|infinity|inf|ovf))`)

// withoutMarks replaces a bare nan and the like, which are not JSON, with null.
func withoutMarks(payload []byte) []byte {
	return stringOrMark.ReplaceAllFunc(payload, func(found []byte) []byte {
		if found[0] == '"' {
			return found
		}
		return []byte("null")
	})
}

func asMap(r Reading) map[quantity.Quantity]float64 {
	m := map[quantity.Quantity]float64{}
	for _, v := range r.Values {
		m[v.Quantity] = v.Value
	}
	return m
}

var example = []byte(`{"t":1795439925,"pm2_5":12.3,"pm10":20.1,"temperature":14.2,"humidity":60.3,"pressure":1013.2}`)

func BenchmarkDecode(b *testing.B) {
	hundred := []byte("[" + strings.TrimSuffix(strings.Repeat(string(example)+",", 100), ",") + "]")
	for name, payload := range map[string][]byte{"one": example, "hundred": hundred} {
		b.Run(name, func(b *testing.B) {
			var d Decoder
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				d.Decode(payload)
			}
		})
		b.Run(name+"/encoding-json", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				var v any
				if err := json.Unmarshal(payload, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
