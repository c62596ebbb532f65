package catalog

import (
	"fmt"
	"strings"
	"time"

	"stadtluft/firmware-protocol/bilingual"
)

// term is a node of the graph: an address, or a text with a language or a type.
type term struct {
	value    string
	isText   bool
	language string // of a text
	datatype string // an address; empty for plain text
}

// triple is an RDF statement.
type triple struct {
	subject, predicate string
	object             term
}

// graph is a list of triples in the order in which they were made. It has no blank nodes: everything has an address, so
// that two formats have the same content and a harvester recognises resources.
type graph struct {
	triples []triple
	known   map[triple]bool
}

// prefixes shorten addresses, in the order in which they are written.
var prefixes = []struct{ name, address string }{
	{"dcat", "http://www.w3.org/ns/dcat#"},
	{"dcatap", "http://data.europa.eu/r5r/"},
	{"dcatde", "http://dcat-ap.de/def/dcatde/"},
	{"dct", "http://purl.org/dc/terms/"},
	{"foaf", "http://xmlns.com/foaf/0.1/"},
	{"geo", "http://www.opengis.net/ont/geosparql#"},
	{"locn", "http://www.w3.org/ns/locn#"},
	{"rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"},
	{"vcard", "http://www.w3.org/2006/vcard/ns#"},
	{"xsd", "http://www.w3.org/2001/XMLSchema#"},
}

// address returns the full form of a name such as dct:title; a text without a known prefix is an address already.
func address(name string) string {
	prefix, local, _ := strings.Cut(name, ":")
	for _, p := range prefixes {
		if p.name == prefix {
			return p.address + local
		}
	}
	return clean(name)
}

// short is the inverse of address; false when the rest is not a plain name.
func short(full string) (string, bool) {
	for _, p := range prefixes {
		local, ok := strings.CutPrefix(full, p.address)
		if ok && local != "" && strings.Trim(local, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			return p.name + ":" + local, true
		}
	}
	return full, false
}

// clean percent-encodes characters that an address may not have (RFC 3987, section 2.2).
func clean(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r <= ' ' || r == 0x7f || strings.ContainsRune("<>\"{}|^`\\", r) {
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func at(name string) term { return term{value: address(name)} }

func plain(text string) term { return term{value: text, isText: true} }

func typed(text, datatype string) term {
	return term{value: text, isText: true, datatype: address(datatype)}
}

func date(t time.Time) term { return typed(t.Format(time.DateOnly), "xsd:date") }

func moment(t time.Time) term { return typed(t.UTC().Format(time.RFC3339), "xsd:dateTime") }

// both returns a text as a literal in each language.
func both(t bilingual.Text) []term {
	return []term{{value: t.DE, isText: true, language: "de"}, {value: t.EN, isText: true, language: "en"}}
}

// say adds triples about a subject; it adds none twice.
func (g *graph) say(subject, predicate string, objects ...term) {
	if g.known == nil {
		g.known = map[triple]bool{}
	}
	for _, object := range objects {
		t := triple{clean(subject), address(predicate), object}
		if !g.known[t] {
			g.known[t] = true
			g.triples = append(g.triples, t)
		}
	}
}

// isA adds the classes of a subject.
func (g *graph) isA(subject string, classes ...string) {
	for _, class := range classes {
		g.say(subject, "rdf:type", at(class))
	}
}

// subjects returns the triples by subject and predicate, both in the order in which they first appear.
func (g *graph) subjects() []subject {
	var list []subject
	places := map[string]int{}
	for _, t := range g.triples {
		i, known := places[t.subject]
		if !known {
			i = len(list)
			places[t.subject] = i
			list = append(list, subject{address: t.subject})
		}
		list[i].add(t)
	}
	return list
}

type subject struct {
	address    string
	statements []statement
}

type statement struct {
	predicate string
	objects   []term
}

func (s *subject) add(t triple) {
	for i := range s.statements {
		if s.statements[i].predicate == t.predicate {
			s.statements[i].objects = append(s.statements[i].objects, t.object)
			return
		}
	}
	s.statements = append(s.statements, statement{t.predicate, []term{t.object}})
}
