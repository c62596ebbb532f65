package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// vector is a file of ../vectors, whose README.md describes it.
type vector struct {
	About         string  `json:"about"`
	Payload       *string `json:"payload"`
	PayloadBase64 *string `json:"payload_base64"`
	PayloadHex    *string `json:"payload_hex"`
	Canonical     *bool   `json:"canonical"`
	PayloadRepeat *struct {
		Head      string `json:"head"`
		Item      string `json:"item"`
		Separator string `json:"separator"`
		Count     int    `json:"count"`
		Tail      string `json:"tail"`
	} `json:"payload_repeat"`
	Readings []struct {
		T      *int64             `json:"t"`
		Age    *int64             `json:"age"`
		Values map[string]float64 `json:"values"`
		Times  int                `json:"times"`
	} `json:"readings"`
	Refused []struct {
		Reason Reason `json:"reason"`
		Field  string `json:"field"`
	} `json:"refused"`
}

func readVector(t testing.TB, path string) vector {
	t.Helper()
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
	return v
}

func (v *vector) bytes(t testing.TB) []byte {
	t.Helper()
	switch {
	case v.Payload != nil:
		return []byte(*v.Payload)
	case v.PayloadBase64 != nil:
		b, err := base64.StdEncoding.DecodeString(*v.PayloadBase64)
		if err != nil {
			t.Fatal(err)
		}
		return b
	case v.PayloadHex != nil:
		b, err := hex.DecodeString(strings.ReplaceAll(*v.PayloadHex, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	case v.PayloadRepeat != nil:
		r := v.PayloadRepeat
		items := strings.Repeat(r.Item+r.Separator, r.Count)
		return []byte(r.Head + strings.TrimSuffix(items, r.Separator) + r.Tail)
	}
	t.Fatal("a vector without a payload")
	return nil
}

// vectorFiles lists the vectors of JSON payloads, or with the prefix "binary-" those of binary payloads.
func vectorFiles(t testing.TB, prefix string) []string {
	t.Helper()
	good, _ := filepath.Glob("../vectors/" + prefix + "good/*.json")
	bad, _ := filepath.Glob("../vectors/" + prefix + "bad/*.json")
	if len(good) < 20 || len(bad) < 20 {
		t.Fatalf("%d good and %d bad vectors, want the whole folders", len(good), len(bad))
	}
	return append(good, bad...)
}

func TestVectors(t *testing.T) {
	var d Decoder // one for all, to test that its buffers can be reused
	for _, path := range vectorFiles(t, "") {
		v := readVector(t, path)
		checkMessage(t, path, d.Decode(v.bytes(t)), v)
	}
}

// checkMessage compares a decoded vector with what it expects.
func checkMessage(t *testing.T, path string, got Message, v vector) {
	t.Helper()
	name := strings.TrimPrefix(path, "../vectors/")
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
	if good := strings.Contains(name, "good/"); good != (len(v.Refused) == 0) {
		t.Errorf("%s: in the wrong folder", name)
	}
}

func checkReadings(t *testing.T, name string, got []Reading, v vector) {
	t.Helper()
	i := 0
	for _, want := range v.Readings {
		for range max(1, want.Times) {
			if i >= len(got) {
				t.Errorf("%s: %d readings, want more", name, len(got))
				return
			}
			r := got[i]
			i++
			values := map[string]float64{}
			for _, value := range r.Values {
				values[value.Quantity.String()] = value.Value
			}
			if !reflect.DeepEqual(values, want.Values) {
				t.Errorf("%s: reading %d has %v, want %v", name, i, values, want.Values)
			}
			if want.T != nil && r.Time.Unix() != *want.T || (want.T == nil) != r.Time.IsZero() {
				t.Errorf("%s: reading %d is of %v", name, i, r.Time)
			}
			if want.Age != nil && r.Age != time.Duration(*want.Age)*time.Second || (want.Age == nil) == r.HasAge {
				t.Errorf("%s: reading %d has age %v, %v", name, i, r.Age, r.HasAge)
			}
		}
	}
	if i != len(got) {
		t.Errorf("%s: %d readings, want %d", name, len(got), i)
	}
}

// TestVectorsShowEveryReason expects a vector for each reason that the decoder can give.
func TestVectorsShowEveryReason(t *testing.T) {
	shown := map[Reason]bool{}
	for _, path := range vectorFiles(t, "") {
		for _, r := range readVector(t, path).Refused {
			shown[r.Reason] = true
		}
	}
	for _, reason := range []Reason{Malformed, TooLarge, TooMany, UnknownMember, RepeatedMember, NotANumber, BadTime, NoValues} {
		if !shown[reason] {
			t.Errorf("no vector shows %s", reason)
		}
	}
	for reason := range shown {
		if !slices.Contains(Reasons(), reason) {
			t.Errorf("a vector expects the unknown reason %q", reason)
		}
	}
}
