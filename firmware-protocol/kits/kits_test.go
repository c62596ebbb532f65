package kits

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// vector is a file of ../vectors/kits, whose README.md describes it.
type vector struct {
	About         string            `json:"about"`
	Part          string            `json:"part"`
	Received      time.Time         `json:"received"`
	Zone          string            `json:"zone"`
	Names         map[string]string `json:"names"`
	CF1           bool              `json:"cf_1"`
	Payload       *string           `json:"payload"`
	PayloadBase64 *string           `json:"payload_base64"`
	Readings      []struct {
		T      *int64             `json:"t"`
		Age    *int64             `json:"age"`
		Values map[string]float64 `json:"values"`
	} `json:"readings"`
	Refused []struct {
		Reason wire.Reason `json:"reason"`
		Field  string      `json:"field"`
	} `json:"refused"`
	Ignored []string `json:"left"`
	Partial bool     `json:"partial"`
	Network bool     `json:"network"`
}

// received is the time of receipt of a vector that does not have its own.
var received = time.Date(2026, 5, 1, 8, 0, 4, 0, time.UTC)

// readVectors calls f with every vector: its family, name and parts.
func readVectors(t testing.TB, f func(family, name string, v vector, payload []byte, s Settings)) {
	t.Helper()
	files, err := filepath.Glob("../vectors/kits/*/*.json")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d vectors, %v, want the whole folder", len(files), err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		var v vector
		if err := decoder.Decode(&v); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		s := Settings{Received: v.Received, Part: v.Part, Names: map[string]quantity.Quantity{}, CF1: v.CF1}
		if s.Received.IsZero() {
			s.Received = received
		}
		if s.Zone, err = time.LoadLocation(v.Zone); err != nil {
			t.Fatal(err)
		}
		for name, quantityName := range v.Names {
			s.Names[name], _ = quantity.Parse(quantityName)
		}
		var payload []byte
		if v.Payload != nil {
			payload = []byte(*v.Payload)
		} else if payload, err = base64.StdEncoding.DecodeString(*v.PayloadBase64); err != nil {
			t.Fatal(err)
		}
		family := filepath.Base(filepath.Dir(path))
		f(family, family+"/"+filepath.Base(path), v, payload, s)
	}
}

func TestVectors(t *testing.T) {
	seen := map[string]int{}
	readVectors(t, func(family, name string, v vector, payload []byte, s Settings) {
		seen[family]++
		got, ok := Decode(family, payload, s)
		if !ok {
			t.Errorf("%s: no such family", name)
			return
		}
		checkReadings(t, name, got.Readings, v)
		var reasons, want []string
		for _, r := range got.Refusals {
			reasons = append(reasons, string(r.Reason)+" "+r.Field)
			if r.Detail == "" {
				t.Errorf("%s: a refusal without a detail: %+v", name, r)
			}
		}
		for _, r := range v.Refused {
			want = append(want, string(r.Reason)+" "+r.Field)
		}
		if !slices.Equal(reasons, want) {
			t.Errorf("%s: refused %q, want %q", name, reasons, want)
		}
		if !slices.Equal(got.Ignored, v.Ignored) {
			t.Errorf("%s: ignored %q, want %q", name, got.Ignored, v.Ignored)
		}
		if got.Partial != v.Partial || got.Network != v.Network {
			t.Errorf("%s: partial %v, network %v, want %v, %v", name, got.Partial, got.Network, v.Partial, v.Network)
		}
		if bad := strings.HasPrefix(filepath.Base(name), "bad-"); bad != (len(v.Refused) > 0) {
			t.Errorf("%s: the name does not say whether something is refused", name)
		}
	})
	for _, family := range Families() {
		if seen[family] < 4 {
			t.Errorf("%s has %d vectors, want at least 4", family, seen[family])
		}
	}
}

func checkReadings(t *testing.T, name string, got []wire.Reading, v vector) {
	t.Helper()
	if len(got) != len(v.Readings) {
		t.Errorf("%s: %d readings, want %d: %+v", name, len(got), len(v.Readings), got)
		return
	}
	for i, want := range v.Readings {
		r := got[i]
		values := map[string]float64{}
		for _, value := range r.Values {
			values[value.Quantity.String()] = value.Value
		}
		if !reflect.DeepEqual(values, want.Values) || len(values) != len(r.Values) {
			t.Errorf("%s: reading %d has %v, want %v", name, i, values, want.Values)
		}
		if (want.T != nil) == r.Time.IsZero() || want.T != nil && r.Time.Unix() != *want.T {
			t.Errorf("%s: reading %d is of %v, want %v", name, i, r.Time, want.T)
		}
		if r.HasAge != (want.Age != nil) || want.Age != nil && r.Age != time.Duration(*want.Age)*time.Second {
			t.Errorf("%s: reading %d has the age %v, want %v", name, i, r.Age, want.Age)
		}
	}
}

// FuzzDecode checks what every family promises for any bytes.
func FuzzDecode(f *testing.F) {
	all := Families()
	readVectors(f, func(family, _ string, v vector, payload []byte, _ Settings) {
		f.Add(uint8(slices.Index(all, family)), v.Part, payload)
	})
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, n uint8, part string, payload []byte) {
		family := all[int(n)%len(all)]
		s := Settings{Received: received, Zone: berlin, Part: part, Names: map[string]quantity.Quantity{"PM25": quantity.PM2_5, "luft/t": quantity.Temperature}}
		checkAllocated(t, family, string(payload), s)
		got, _ := Decode(family, payload, s)
		if again, _ := Decode(family, payload, s); !reflect.DeepEqual(got, again) {
			t.Errorf("%s: decoded %+v, then %+v", family, got, again)
		}
		if len(got.Refusals) > max(maxRefusals, wire.MaxRefusals) || len(got.Ignored) > maxIgnored || len(got.Readings) > maxReadings {
			t.Errorf("%s: %d refusals, %d ignored, %d readings", family, len(got.Refusals), len(got.Ignored), len(got.Readings))
		}
		for _, r := range got.Readings {
			if len(r.Values) == 0 || r.Age < 0 {
				t.Errorf("%s: a reading %+v", family, r)
			}
			seen := map[quantity.Quantity]bool{}
			for _, v := range r.Values {
				if !v.Quantity.Valid() || seen[v.Quantity] || math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
					t.Errorf("%s: a value %+v among %+v", family, v, r.Values)
				}
				seen[v.Quantity] = true
			}
		}
	})
}

func TestTooLarge(t *testing.T) {
	for _, family := range Families() {
		got, _ := Decode(family, bytes.Repeat([]byte("0"), wire.MaxMessage+1), Settings{})
		if len(got.Refusals) != 1 || got.Refusals[0].Reason != wire.TooLarge || len(got.Readings) > 0 {
			t.Errorf("%s: %+v, want too_large", family, got)
		}
	}
	if _, ok := Decode("telegraph", nil, Settings{}); ok {
		t.Error("a family that does not exist is decoded")
	}
}

func TestTopics(t *testing.T) {
	f := func(pattern, topic, wantKey, wantPart string, want bool) {
		t.Helper()
		p, err := ParseTopic("tasmota", pattern)
		if err != nil {
			t.Errorf("ParseTopic(%q): %v", pattern, err)
			return
		}
		if key, part, ok := p.Match(topic); key != wantKey || part != wantPart || ok != want {
			t.Errorf("%q matches %q: %q, %q, %v, want %q, %q, %v", pattern, topic, key, part, ok, wantKey, wantPart, want)
		}
	}
	f("tele/{key}/SENSOR", "tele/balkon/SENSOR", "balkon", "SENSOR", true)
	f("tele/{key}/SENSOR", "tele/balkon/STATE", "", "", false)
	f("tele/{key}/SENSOR", "tele/balkon/SENSOR/x", "", "", false)
	f("tele/{key}/SENSOR", "tele//SENSOR", "", "SENSOR", false)
	f("v3/+/devices/{key}/up", "v3/luft@ttn/devices/eui-70b3/up", "eui-70b3", "up", true)
	f("esphome/{key}/sensor/+/state", "esphome/node/sensor/pm_2_5/state", "node", "sensor/pm_2_5/state", true)
	f("/opennoise/{key}/dba_stats", "/opennoise/c4:dd:57/dba_stats", "c4:dd:57", "dba_stats", true)
	for _, bad := range []string{"", "tele/SENSOR", "{key}/{key}", "tele/{key}/#", "tele/{key}/a+", "tele/{id}"} {
		if _, err := ParseTopic("tasmota", bad); err == nil {
			t.Errorf("ParseTopic(%q) is no error", bad)
		}
	}
	p, _ := ParseTopic("ttn", "v3/+/devices/{key}/up")
	if p.Filter() != "v3/+/devices/+/up" || p.DeviceFilter("a") != "v3/+/devices/a/up" {
		t.Errorf("filters %q and %q", p.Filter(), p.DeviceFilter("a"))
	}
}

func TestSniff(t *testing.T) {
	f := func(payload, want string) {
		t.Helper()
		if got := Sniff([]byte(payload)); got != want {
			t.Errorf("Sniff(%q) = %q, want %q", payload, got, want)
		}
	}
	f("", "")
	f(`{"pm10":1}`, "")
	f(`[{"pm10":1,"x_n":{"n":1}}]`, "")
	f(`[{"pm10":1,"x_n":"n"}]`, "")
	f(" [ {\"bt\":1}]", "senml")
	f(`[{"n":"pm10","v":1}`, "") // the native decoder says what is wrong
	f(`[]`, "")
	f(`[[{"n":1}]]`, "")
	f(`[{"pm10":1},{"n":"a"}]`, "")
	f(`[{"bn":"urn:dev:1:","n":"pm10","v":1}]`, "senml")
	f("\xa1\x63no2\x01", "cbor")
	f("\x81\xa0", "cbor")
	f("\xef\xbb\xbf{}", "")
}
