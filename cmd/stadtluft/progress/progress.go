// Package progress shows the progress of long work as a bar on a terminal, and as lines of text elsewhere.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Bar shows progress: as a bar on a terminal, and elsewhere as a line for each tenth of the work.
type Bar struct {
	w        io.Writer
	terminal bool
	total    int
	reported int // tenths
	open     bool
}

// New returns a Bar for work of total steps.
func New(w io.Writer, total int) *Bar {
	p := &Bar{w: w, total: max(1, total)}
	if file, ok := w.(*os.File); ok {
		info, err := file.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// Step shows that done of the total steps are done, with a text.
func (p *Bar) Step(done int, words string) {
	if tenths := 10 * done / p.total; !p.terminal && tenths > p.reported {
		p.reported = tenths
		fmt.Fprintln(p.w, words)
	}
	if !p.terminal {
		return
	}
	const width = 30
	full := width * done / p.total
	fmt.Fprintf(p.w, "\r[%s%s] %s", strings.Repeat("#", full), strings.Repeat(" ", width-full), words)
	p.open = true
}

// Line ends the bar's line and returns its writer, for other output.
func (p *Bar) Line() io.Writer {
	if p.open {
		fmt.Fprintln(p.w)
		p.open = false
	}
	return p.w
}
