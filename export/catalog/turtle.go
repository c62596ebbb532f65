package catalog

import (
	"fmt"
	"strings"
)

// turtle writes the graph as RDF 1.1 Turtle.
func (g *graph) turtle() []byte {
	var b strings.Builder
	for _, p := range prefixes {
		fmt.Fprintf(&b, "@prefix %s: <%s> .\n", p.name, p.address)
	}
	for _, s := range g.subjects() {
		fmt.Fprintf(&b, "\n<%s>", s.address)
		for i, st := range s.statements {
			if i > 0 {
				b.WriteString(" ;")
			}
			fmt.Fprintf(&b, "\n    %s ", verb(st.predicate))
			for j, o := range st.objects {
				if j > 0 {
					b.WriteString(" ,\n        ")
				}
				b.WriteString(o.turtle())
			}
		}
		b.WriteString(" .\n")
	}
	return []byte(b.String())
}

func verb(predicate string) string {
	if predicate == address("rdf:type") {
		return "a"
	}
	return pointed(predicate)
}

// pointed returns an address, shortened when possible.
func pointed(full string) string {
	if name, ok := short(full); ok {
		return name
	}
	return "<" + full + ">"
}

func (t term) turtle() string {
	switch {
	case !t.isText:
		return pointed(t.value)
	case t.language != "":
		return quote(t.value) + "@" + t.language
	case t.datatype != "":
		return quote(t.value) + "^^" + pointed(t.datatype)
	}
	return quote(t.value)
}

// quote returns a text in double quotes (RDF 1.1 Turtle, section 6.4).
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
