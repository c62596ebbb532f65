package api

import (
	"cmp"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestRoutesInTextsExist compares the addresses that sentences for people name, such as what to do about a refusal, with those
// that are served.
func TestRoutesInTextsExist(t *testing.T) {
	var served struct{ Paths map[string]any }
	if body, err := Description(); err != nil || json.Unmarshal(body, &served) != nil {
		t.Fatal(err)
	}
	var patterns []string
	for path := range maps.Keys(served.Paths) {
		patterns = append(patterns, regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(path), "[^/]+"))
	}
	known := regexp.MustCompile("^(" + strings.Join(patterns, "|") + ")$")
	named, filled := regexp.MustCompile(`/api/v1/[A-Za-z0-9_/{}%.]*`), regexp.MustCompile(`%[.0-9]*[a-z]|\{[^}]*\}`)
	var seen []string
	for _, folder := range []string{"../../ingest", "..", "../../firmware-protocol/kits"} {
		for _, text := range sentences(t, folder) {
			for _, address := range named.FindAllString(text, -1) {
				seen = append(seen, address)
				if address == "/api/v1/" { // all of them, in robots.txt
					continue
				}
				if path := filled.ReplaceAllString(strings.TrimRight(address, "."), "x"); !known.MatchString(path) {
					t.Errorf("%s is not served: %q", address, text)
				}
			}
		}
	}
	for _, want := range []string{"/api/v1/push/%s", "/api/v1/push/{1}", "/api/v1/city"} {
		if !slices.Contains(seen, want) {
			t.Errorf("%s is not among what texts name: %v", want, seen)
		}
	}
}

// sentences returns the texts with a space in the Go files below a folder, without those of tests.
func sentences(t *testing.T, folder string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == "node_modules" {
			return cmp.Or(err, fs.SkipDir)
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && strings.Contains(text, " ") {
					list = append(list, text)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
