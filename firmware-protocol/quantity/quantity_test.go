package quantity

import (
	"os"
	"strings"
	"testing"
)

// TestSpecificationNamesEverything compares the table of quantities in the specification with the code.
func TestSpecificationNamesEverything(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range All() {
		if row := "| `" + q.String() + "` | " + q.Unit() + " |"; !strings.Contains(string(text), row) {
			t.Errorf("the specification has no row %q", row)
		}
	}
}

func TestParse(t *testing.T) {
	for _, q := range All() {
		if got, ok := Parse(q.String()); got != q || !ok || !q.Valid() {
			t.Errorf("Parse(%q) = %d, %v, want %d", q, got, ok, q)
		}
	}
	for _, name := range []string{"", "unknown", "PM10", "pm2.5"} {
		if got, ok := Parse(name); got != 0 || ok {
			t.Errorf("Parse(%q) = %d, %v, want none", name, got, ok)
		}
	}
	for _, q := range []Quantity{0, end, 255} {
		if q.Valid() || q.String() != "unknown" || q.Unit() != "" {
			t.Errorf("%d is valid: %v, %q in %q", q, q.Valid(), q.String(), q.Unit())
		}
	}
}
