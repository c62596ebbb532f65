package api

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stadtluft/ingest/registry"
)

// TestProblemsSpeakTheReadersLanguage expects texts in German for readers who ask for it, and in English for all others.
func TestProblemsSpeakTheReadersLanguage(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	f := func(method, route, body, wish, language, detail, suggestion string) {
		t.Helper()
		response, answer := h.do(method, route, body, "Accept-Language", wish, "Authorization", "Bearer "+h.owner.ManageToken)
		var p problem
		if err := json.Unmarshal(answer, &p); err != nil || response.Header.Get("Content-Language") != language || !strings.Contains(p.Detail, detail) || p.Suggestion != suggestion {
			t.Errorf("%s %s in %s: %s %s, want %s in %s and %q", method, route, wish, response.Header.Get("Content-Language"), answer, detail, language, suggestion)
		}
	}
	const swapped = `{"lon":50.9413,"lat":6.9583}`
	f("POST", "/api/v1/cell", swapped, "de", "de", "Breite 6.9583, Länge 50.9413 liegt mehr als 20 km außerhalb der Stadt.", "Meintest du Breite 50.94130, Länge 6.95830?")
	f("POST", "/api/v1/cell", swapped, "en, de;q=0.5", "en", "20 km outside the city", "did you mean longitude 6.95830, latitude 50.94130?")
	f("POST", "/api/v1/cell", swapped, "", "en", "20 km outside the city", "did you mean longitude 6.95830, latitude 50.94130?")
	f("PATCH", "/api/v1/stations/"+h.station.ID, `{"name":" "}`, "de-AT", "de", "Der Name ist leer.", "")
	f("GET", "/api/v1/admin/status", "", "de", "de", "nicht das Token der Verwaltung", "")
	f("GET", "/api/v1/stations/0000007", "", "de", "de", "keine Kennung einer Station", "")
	f("GET", "/api/v1/readings?colour=blue", "", "de", "de", `Einen Parameter "colour" gibt es hier nicht.`, "")
	f("GET", "/api/v1/nothing", "", "de", "de", "gibt es nicht", "")
	h.store.Fail = http.ErrAbortHandler
	f("GET", "/api/v1/readings", "", "de", "de", "gerade nicht beantworten", "")
}

// TestSchemasSpeakTheReadersLanguage expects a table's columns described in German where that is asked for, else in English.
func TestSchemasSpeakTheReadersLanguage(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	f := func(wish, language, about, quantity string) {
		t.Helper()
		response, body := h.do("GET", "/api/v1/schema/readings.json", "", "Accept-Language", wish)
		var schema struct {
			Description string
			Fields      []struct{ Name, Description string }
		}
		err := json.Unmarshal(body, &schema)
		if err != nil || response.Header.Get("Content-Language") != language || !slices.Contains(response.Header.Values("Vary"), "Accept-Language") {
			t.Errorf("in %q: %v, %v", wish, err, response.Header)
		}
		if !strings.Contains(schema.Description, about) || schema.Fields[4].Description != quantity {
			t.Errorf("in %q: %+v", wish, schema)
		}
	}
	f("de-AT", "de", "wie die Stationen sie geschickt haben", "was gemessen wurde, wie in der Spezifikation des Protokolls")
	f("", "en", "as stations sent them", "what was measured, as in the specification of the protocol")
}

// TestEveryProblemHasGerman reads the sources: every problem of this server and of the registry has a text in both
// languages.
func TestEveryProblemHasGerman(t *testing.T) {
	found := 0
	for _, folder := range []string{".", "../../ingest/admin", "../../ingest/httpapi", "../../ingest/push", "../../ingest/stations"} {
		for _, file := range sources(t, folder) {
			answered := map[ast.Node]bool{}
			ast.Inspect(file, func(n ast.Node) bool {
				if f, ok := n.(*ast.FuncDecl); ok && slices.Contains(makers, f.Name.Name) {
					return false // they pass the error on
				}
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				if method, ok := call.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "InGerman" {
					answered[method.X] = true
				}
				if makesProblem(call) {
					if found++; !answered[call] {
						t.Errorf("a problem in %s has no German: %v", folder, call.Args[len(call.Args)-1])
					}
				}
				return true
			})
		}
	}
	if found < 50 {
		t.Errorf("%d problems were found in the sources", found)
	}
}

// makers make problems.
var makers = []string{"newProblem", "wrong", "New", "Wrong"}

func makesProblem(call *ast.CallExpr) bool {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return slices.Contains(makers, f.Name)
	case *ast.SelectorExpr:
		of, ok := f.X.(*ast.Ident)
		return ok && of.Name == "httpapi" && slices.Contains(makers, f.Sel.Name)
	}
	return false
}

func sources(t *testing.T, folder string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}
