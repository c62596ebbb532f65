package progress

import (
	"fmt"
	"strings"
	"testing"
)

// TestProgress expects a line for each tenth without a terminal, and on a terminal a bar that ends before other output.
func TestProgress(t *testing.T) {
	var b strings.Builder
	p := New(&b, 25)
	for i := range 26 {
		p.Step(i, fmt.Sprintf("%d of 25", i))
	}
	fmt.Fprint(p.Line(), "end")
	if got, want := b.String(), "3 of 25\n5 of 25\n8 of 25\n10 of 25\n13 of 25\n15 of 25\n18 of 25\n20 of 25\n23 of 25\n25 of 25\nend"; got != want {
		t.Errorf("elsewhere it says %q, want %q", got, want)
	}
	b.Reset()
	p = &Bar{w: &b, terminal: true, total: 2}
	p.Step(1, "1 of 2")
	fmt.Fprintln(p.Line(), "a problem")
	p.Step(2, "2 of 2")
	fmt.Fprint(p.Line(), "end")
	want := "\r[" + strings.Repeat("#", 15) + strings.Repeat(" ", 15) + "] 1 of 2\na problem\n\r[" + strings.Repeat("#", 30) + "] 2 of 2\nend"
	if b.String() != want {
		t.Errorf("on a terminal it says %q, want %q", b.String(), want)
	}
}
