package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// knowsExact lists what may read or write an exact place: the registry, and the handlers that take it from an owner and
// show it to that owner. What exact places decide, public flags, averages and proposals would tell.
var knowsExact = []string{"ingest/registry", "ingest/stations/manage.go"}

// TestExactPlacesStayInside reads every source file for the field Exact of ingest.Place.
func TestExactPlacesStayInside(t *testing.T) {
	root, found := filepath.Join("..", ".."), 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if name := entry.Name(); err == nil && (path != root && strings.HasPrefix(name, ".") || name == "node_modules") {
				return filepath.SkipDir
			}
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if rel = filepath.ToSlash(rel); filepath.Ext(rel) != ".go" || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		inside := slices.ContainsFunc(knowsExact, func(at string) bool { return strings.HasPrefix(rel, at) })
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Exact" {
				if found++; !inside {
					t.Errorf("%s reads an exact place", rel)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || found == 0 {
		t.Errorf("%v, %d uses of Exact", err, found)
	}
}
