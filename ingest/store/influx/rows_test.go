package influx

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
)

// rowsOf returns the cells of all rows as text.
func rowsOf(values string) (rows [][]string, err error) {
	err = result{values: json.RawMessage(values)}.each(func(row []cell) error {
		var texts []string
		for _, c := range row {
			texts = append(texts, string(c))
		}
		rows = append(rows, texts)
		return nil
	})
	return rows, err
}

func TestRows(t *testing.T) {
	f := func(values string, want ...[]string) {
		t.Helper()
		got, err := rowsOf(values)
		if err != nil || !slices.EqualFunc(got, want, slices.Equal[[]string]) {
			t.Errorf("%s: %q, %v, want %q", values, got, err, want)
		}
	}
	f("")
	f("null")
	f("[]")
	f("[[]]", nil)
	f(`[[1,"a",null,-2.5e-7,true]]`, []string{"1", `"a"`, "null", "-2.5e-7", "true"})
	f("[ [ 1 , \"],[\\\"\" ] ,\n[ 2 ] ]", []string{"1", `"],[\""`}, []string{"2"})
	bad := func(values string) {
		t.Helper()
		if got, err := rowsOf(values); !errors.Is(err, errRows) {
			t.Errorf("%s: %q, %v, want %v", values, got, err, errRows)
		}
	}
	bad("{}")
	bad("1")
	bad("[1]")
	bad("[[[1]]]")
	bad(`[[{"a":1}]]`)
	if got := cell(`"a\"ü\u00fc"`).text(); got != `a"üü` {
		t.Errorf("text = %q", got)
	}
	if got := cell(`1`).text() + cell(`null`).text(); got != "" {
		t.Errorf("text of a number and null = %q", got)
	}
}

// FuzzRows holds rows against encoding/json.
func FuzzRows(f *testing.F) {
	for _, seed := range []string{`[[1,"a\\",null],[true]]`, "[]", " [[]]", `[[[]]]`, `[["\ud800"]]`, "null"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, values string) {
		var raw json.RawMessage
		if json.Unmarshal([]byte(values), &raw) != nil {
			return
		}
		got, err := rowsOf(string(raw))
		var want [][]json.RawMessage
		if bad := json.Unmarshal(raw, &want); bad != nil || err != nil {
			if bad != nil && err == nil {
				t.Fatalf("%s: %q, want an error like %v", values, got, bad)
			}
			return
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d rows, want %d", values, len(got), len(want))
		}
		for i := range want {
			for k, one := range want[i] {
				if got[i][k] != string(one) {
					t.Fatalf("%s: %q, want %q", values, got[i][k], one)
				}
				var text string
				if json.Unmarshal(one, &text) == nil && one[0] == '"' && cell(got[i][k]).text() != text {
					t.Fatalf("%s: %q, want %q", one, cell(got[i][k]).text(), text)
				}
			}
		}
	})
}
