package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers is the layer of each top folder. An import may only lead to a lower layer, or within one layer to a package
// that packages lists.
var layers = map[string]int{"cmd": 3, "export": 2, "ingest": 1, "geo": 0, "firmware-protocol": 0}

// packages lists every package with what it may import: our own, and third parties by module path.
// A third party's types stay in the packages that name it here.
var packages = map[string][]string{
	"firmware-protocol/bilingual": {},
	"firmware-protocol/kits":      {"firmware-protocol/bilingual", "firmware-protocol/quantity", "firmware-protocol/wire", "github.com/fxamacker/cbor/v2"},
	"firmware-protocol/quantity":  {},
	"firmware-protocol/wire":      {"firmware-protocol/quantity"},
	"geo":                         {"github.com/paulmach/orb", "github.com/wroge/wgs84"},
	"geo/aggregate":               {"firmware-protocol/quantity", "geo", "github.com/paulmach/orb"},
	"geo/airindex":                {"firmware-protocol/bilingual", "firmware-protocol/quantity"},
	"geo/coverage":                {"geo"},
	"geo/places":                  {"github.com/paulmach/orb"},

	"ingest":            {"firmware-protocol/bilingual", "firmware-protocol/kits", "firmware-protocol/quantity", "firmware-protocol/wire", "github.com/paulmach/orb", "golang.org/x/time"},
	"ingest/admin":      {"firmware-protocol/bilingual", "ingest", "ingest/httpapi", "ingest/httpapi/openapi", "ingest/registry", "ingest/stations", "firmware-protocol/wire", "github.com/paulmach/orb"},
	"ingest/averages":   {"ingest", "ingest/quality", "ingest/store", "firmware-protocol/quantity", "geo", "geo/aggregate", "github.com/paulmach/orb"},
	"ingest/backup":     {"ingest/streams", "ingest/wholefile"},
	"ingest/broker":     {"ingest", "ingest/httpapi", "firmware-protocol/wire", "github.com/mochi-mqtt/server/v2", "github.com/coder/websocket", "golang.org/x/sync", "golang.org/x/time"},
	"ingest/journal":    {"ingest", "ingest/streams", "firmware-protocol/quantity", "firmware-protocol/wire", "github.com/nats-io/nats.go"},
	"ingest/lease":      {"ingest/streams", "github.com/nats-io/nats.go"},
	"ingest/natsserver": {"github.com/nats-io/nats-server/v2"},
	"ingest/mqtt":       {"ingest", "firmware-protocol/quantity", "firmware-protocol/wire", "github.com/eclipse/paho.mqtt.golang"},
	"ingest/sensorcommunity": {
		"ingest", "ingest/averages", "ingest/push", "ingest/registry", "firmware-protocol/kits", "firmware-protocol/wire", "geo", "github.com/paulmach/orb", "golang.org/x/sync",
	},
	"ingest/notices": {
		"firmware-protocol/bilingual", "firmware-protocol/quantity", "firmware-protocol/wire", "ingest", "ingest/registry", "code.dny.dev/ssrf", "github.com/wneessen/go-mail", "golang.org/x/sync", "golang.org/x/time",
	},
	"ingest/notices/noticestest": {"github.com/emersion/go-smtp", "github.com/emersion/go-sasl"},
	"ingest/comparison": {
		"ingest", "ingest/averages", "ingest/quality", "ingest/store", "ingest/wholefile", "firmware-protocol/quantity", "geo", "geo/aggregate", "github.com/paulmach/orb",
	},
	"ingest/official": {
		"ingest", "ingest/calibration", "ingest/push", "ingest/registry", "firmware-protocol/quantity", "firmware-protocol/wire", "geo", "github.com/paulmach/orb", "github.com/parquet-go/parquet-go",
	},
	"ingest/push":                  {"firmware-protocol/bilingual", "ingest", "ingest/httpapi", "ingest/httpapi/openapi", "firmware-protocol/kits", "firmware-protocol/quantity", "firmware-protocol/wire"},
	"ingest/quality":               {"ingest", "firmware-protocol/quantity", "firmware-protocol/wire", "geo"},
	"ingest/registry":              {"ingest", "ingest/streams", "ingest/wholefile", "firmware-protocol/kits", "firmware-protocol/quantity", "firmware-protocol/wire", "geo", "github.com/nats-io/nats.go", "github.com/paulmach/orb", "modernc.org/sqlite"},
	"ingest/registry/registrytest": {"ingest/natsserver", "ingest/registry"},
	"ingest/wholefile":             {},
	"ingest/sessions":              {"ingest/streams", "github.com/nats-io/nats.go"},
	"ingest/streams":               {"github.com/nats-io/nats.go"},
	"ingest/stations": {
		"firmware-protocol/bilingual", "ingest", "ingest/httpapi", "ingest/httpapi/openapi", "ingest/registry", "firmware-protocol/kits", "firmware-protocol/wire", "geo", "github.com/paulmach/orb",
	},
	"ingest/store":       {"ingest", "firmware-protocol/quantity", "firmware-protocol/wire", "geo/aggregate"},
	"ingest/calibration": {},
	"ingest/store/sqlite": {
		"ingest", "ingest/store", "firmware-protocol/quantity", "geo", "geo/aggregate", "zombiezen.com/go/sqlite",
	},
	"ingest/store/influx": {
		"ingest", "ingest/store", "firmware-protocol/quantity", "firmware-protocol/wire", "geo", "geo/aggregate", "geo/airindex",
		"github.com/influxdata/line-protocol/v2", "github.com/klauspost/compress",
	},
	"ingest/store/deadletter":        {"ingest", "ingest/store", "ingest/wholefile", "firmware-protocol/quantity"},
	"ingest/store/influx/influxtest": {},
	"ingest/store/storetest":         {"ingest", "ingest/store", "firmware-protocol/quantity", "geo", "geo/aggregate"},

	"ingest/httpapi":             {"ingest/httpapi/openapi"},
	"ingest/httpapi/httpapitest": {"ingest/httpapi", "ingest/httpapi/openapi"},
	"ingest/httpapi/masthead":    {"firmware-protocol/bilingual"},
	"ingest/httpapi/openapi":     {"firmware-protocol/bilingual", "ingest/httpapi/masthead"},

	"export": {"ingest", "ingest/comparison", "ingest/quality", "ingest/store", "firmware-protocol/bilingual", "firmware-protocol/quantity", "firmware-protocol/wire", "geo", "geo/aggregate", "geo/airindex", "geo/coverage", "github.com/paulmach/orb"},
	"export/api": {
		"firmware-protocol/bilingual", "export", "export/archive", "export/basemap", "export/catalog", "export/download", "export/feed", "export/live", "export/ogc", "export/sta",
		"ingest", "ingest/admin", "ingest/averages", "ingest/comparison", "ingest/httpapi", "ingest/httpapi/openapi", "ingest/push", "ingest/quality", "ingest/registry", "ingest/stations", "ingest/store", "firmware-protocol/kits", "firmware-protocol/quantity", "firmware-protocol/wire",
		"geo", "geo/aggregate", "geo/airindex", "geo/coverage", "geo/places", "github.com/paulmach/orb", "github.com/klauspost/compress",
	},
	"export/basemap": {},
	"export/archive": {
		"firmware-protocol/bilingual", "export", "export/archive/remote", "export/download", "export/parquet", "ingest", "ingest/comparison", "ingest/httpapi/masthead", "ingest/httpapi/openapi", "ingest/store", "ingest/wholefile", "firmware-protocol/quantity", "geo", "geo/aggregate",
		"github.com/paulmach/orb", "github.com/klauspost/compress",
	},
	"export/archive/bucket":        {"export/archive/remote", "github.com/minio/minio-go/v7"},
	"export/archive/bucket/s3test": {"export/archive/bucket"},
	"export/archive/remote":        {},
	"export/catalog":               {"firmware-protocol/bilingual", "export", "ingest", "ingest/httpapi", "ingest/httpapi/openapi", "firmware-protocol/quantity", "github.com/paulmach/orb"},
	"export/feed":                  {"firmware-protocol/bilingual", "export", "export/live", "ingest", "ingest/httpapi", "ingest/httpapi/openapi", "ingest/store", "firmware-protocol/quantity", "firmware-protocol/wire"},
	"export/ogc":                   {"firmware-protocol/bilingual", "export", "export/live", "ingest", "ingest/httpapi", "ingest/httpapi/masthead", "ingest/httpapi/openapi", "firmware-protocol/quantity", "geo", "geo/aggregate", "github.com/paulmach/orb"},
	"export/sta":                   {"firmware-protocol/bilingual", "export", "export/live", "ingest", "ingest/httpapi", "ingest/httpapi/openapi", "ingest/store", "firmware-protocol/quantity", "geo", "github.com/paulmach/orb"},
	"export/download": {
		"export", "export/parquet", "ingest", "ingest/averages", "ingest/comparison", "ingest/store", "firmware-protocol/quantity", "geo", "geo/aggregate", "github.com/paulmach/orb",
	},
	"export/live":    {"export", "ingest", "firmware-protocol/quantity", "firmware-protocol/wire", "geo", "geo/aggregate", "geo/airindex"},
	"export/metrics": {"ingest", "firmware-protocol/wire", "github.com/prometheus/client_golang"},
	"export/portal":  {"export", "firmware-protocol/bilingual", "ingest/httpapi", "ingest/httpapi/masthead", "ingest/httpapi/openapi"},
	"export/parquet": {"export", "ingest", "ingest/comparison", "firmware-protocol/quantity", "geo", "geo/aggregate", "github.com/paulmach/orb", "github.com/parquet-go/parquet-go"},
	"export/web":     {},

	"cmd/openapi":              {"export/api"},
	"cmd/stadtluft/progress":   {},
	"cmd/stadtluft/simulation": {"firmware-protocol/quantity", "firmware-protocol/wire", "geo", "ingest", "ingest/mqtt", "ingest/registry", "github.com/paulmach/orb"},
	"cmd/stadtluft/server":     {"*", "github.com/goccy/go-yaml", "github.com/paulmach/orb"}, // connects the other packages, so it may import each of ours
	"cmd/stadtluft":            {"*", "github.com/alecthomas/kong", "github.com/paulmach/orb"},
}

// inTests may be imported by tests alone.
var inTests = []string{
	"export/archive", "export/archive/bucket", "export/archive/bucket/s3test",
	"github.com/nats-io/nats-server/v2", "github.com/paulmach/orb", "github.com/rogpeppe/go-internal", "github.com/eclipse/paho.mqtt.golang", "zombiezen.com/go/sqlite", "github.com/nats-io/nats.go",
	"geo/aggregate", "ingest/averages", "ingest/store", "ingest/httpapi/httpapitest", "geo", "geo/coverage", "ingest/store/sqlite", "ingest/store/influx", "ingest/store/storetest", "ingest/store/influx/influxtest", "ingest/broker", "ingest/natsserver", "ingest/notices/noticestest", "ingest/registry/registrytest", "cmd/stadtluft/simulation",
}

const module = "stadtluft/"

// TestImports reads every source file's imports and package comments.
func TestImports(t *testing.T) {
	commented := map[string]bool{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if entry.IsDir() {
			if name := entry.Name(); rel != "." && strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) == ".go" {
			checkFile(t, path, filepath.ToSlash(rel), commented)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range packages {
		if !commented[pkg] {
			t.Errorf("%s: no package comment, or no such package", pkg)
		}
	}
}

func checkFile(t *testing.T, path, rel string, commented map[string]bool) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		t.Error(err)
		return
	}
	pkg := filepath.ToSlash(filepath.Dir(rel))
	allowed, ok := packages[pkg]
	if !ok {
		t.Errorf("%s: the package %s is not in the list: see packages in this test", rel, pkg)
		return
	}
	test := strings.HasSuffix(rel, "_test.go")
	if !test && file.Doc != nil && len(file.Doc.List) > 0 {
		commented[pkg] = true
	}
	for _, spec := range file.Imports {
		checkImport(t, rel, pkg, allowed, test, spec)
	}
}

func checkImport(t *testing.T, rel, pkg string, allowed []string, test bool, spec *ast.ImportSpec) {
	t.Helper()
	target, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		t.Fatal(err)
	}
	own, ours := strings.CutPrefix(target, module)
	first, _, _ := strings.Cut(target, "/")
	if !ours && !strings.Contains(first, ".") {
		return // the standard library
	}
	if ours {
		target = own
		if from, to := layer(pkg), layer(target); to > from {
			t.Errorf("%s imports %s: from layer %d up to layer %d", rel, target, from, to)
		}
		if target == pkg || slices.Contains(allowed, "*") {
			return
		}
	}
	if permits(allowed, target) || test && permits(inTests, target) {
		return
	}
	t.Errorf("%s imports %s, which %s may not: see packages in this test", rel, target, pkg)
}

func layer(pkg string) int {
	top, _, _ := strings.Cut(pkg, "/")
	return layers[top]
}

// permits reports whether target is one of the list, or a package of a third party's module in it.
func permits(list []string, target string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		return target == entry || strings.Contains(entry, ".") && strings.HasPrefix(target, entry+"/")
	})
}
