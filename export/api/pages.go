package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// readyTime bounds the checks of /readyz.
const readyTime = 3 * time.Second

// pagePatterns are the addresses of pages; export/web/src/routes.ts maps each to its page.
var pagePatterns = []string{
	"/{$}", "/register", "/stations/{id}", "/coverage", "/comparison", "/data", "/about", "/school", "/mine", "/specification", "/admin", "/notices/{action}/{id}/{token}", "/embed/{kind}/{id}", "/embed/{kind}",
}

// publicPages are the pages that search engines should know; other packages have more.
var publicPages = []string{"/", "/register", "/coverage", "/comparison", "/data", "/about", "/school", "/specification"}

// mapPatterns are the pages that may show a map, and so the basemap.
var mapPatterns = []string{"/{$}", "/register", "/stations/{id}", "/coverage", "/embed/map"}

// getPage answers with the one HTML document that all pages share.
func (s *Server) getPage(w http.ResponseWriter, r *http.Request) error {
	ancestors, elsewhere := "'none'", ""
	pattern := strings.TrimPrefix(r.Pattern, "GET ")
	if strings.HasPrefix(pattern, "/embed/") {
		ancestors, pattern = "'self' "+s.FrameAncestors, r.URL.Path
	}
	if slices.Contains(mapPatterns, pattern) {
		elsewhere = s.City.Basemap.Elsewhere()
	}
	w.Header().Set("Content-Security-Policy", contentPolicy(ancestors, elsewhere))
	if pattern == "/data" {
		return s.writePage(w, http.StatusOK, s.dataset(r))
	}
	return s.writePage(w, http.StatusOK, nil)
}

// dataset returns the description of the data for search engines, for the page with the downloads. It is data, so the
// policy on scripts does not apply.
func (s *Server) dataset(r *http.Request) []byte {
	described, err := s.catalogue().SchemaOrg(r.Context(), s.Base(r), time.Now().UTC())
	if err != nil {
		s.Log.Warn("data page served without schema.org description", "err", err)
		return nil
	}
	return slices.Concat([]byte(`<script type="application/ld+json">`), described, []byte("</script>\n  "))
}

// getFile serves the files that pages consist of. Files with a hash in their name never change. An unknown address is
// answered with a page for browsers and a problem document for programs.
func (s *Server) getFile(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return newProblem(http.StatusMethodNotAllowed, "", "%.80s is not for %s", r.URL.Path, r.Method).InGerman("%.80s ist nichts für %s.", r.URL.Path, r.Method)
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	file, err := s.Pages.Open(name)
	if err == nil {
		defer file.Close()
	}
	content, ok := file.(io.ReadSeeker)
	switch {
	case err == nil && ok && name != "index.html" && name != "placeholder":
	case strings.Contains(r.Header.Get("Accept"), "text/html"):
		return s.writePage(w, http.StatusNotFound, nil)
	default:
		return newProblem(http.StatusNotFound, "", "there is no page %.80s", r.URL.Path).InGerman("Eine Seite %.80s gibt es nicht.", r.URL.Path)
	}
	w.Header().Set("Cache-Control", "no-cache")
	if path.Ext(name) == ".webmanifest" {
		w.Header().Set("Content-Type", "application/manifest+json") // which Go does not know
	}
	if strings.HasPrefix(name, "assets/") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, content)
	return nil
}

// writePage writes the HTML document, which decides by its address what to show, with more at the end of its head.
func (s *Server) writePage(w http.ResponseWriter, status int, more []byte) error {
	page, err := fs.ReadFile(s.Pages, "index.html")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	if errors.Is(err, fs.ErrNotExist) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		status, page = http.StatusServiceUnavailable, []byte("the pages are not built: run make\n")
	} else if err != nil {
		return err
	}
	w.WriteHeader(status)
	end := []byte("</head>")
	_, err = w.Write(bytes.Replace(page, end, slices.Concat(more, end), 1))
	return err
}

// getHealthz answers 200 while the program runs.
func (s *Server) getHealthz(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := io.WriteString(w, "ok\n")
	return err
}

// getReadyz answers with the problems of the parts and what to do; 200 when they are notices at most.
func (s *Server) getReadyz(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	state := s.State(ctx)
	status := http.StatusOK
	if !state.Ready {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, status, "application/json", state)
}
