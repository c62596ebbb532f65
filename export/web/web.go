// Package web holds the built web pages. Their sources beside this file are TypeScript and eat only the
// public API; `make pages` builds them into dist, which is embedded here. Without them the program still
// builds, and the server says so instead of showing a blank screen.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files are the built pages, with index.html at the root; without it they are not built.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // dist is embedded above
	}
	return files
}
