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

	"stadtluft/ingest/admin"
)

// readyTime bounds how long /readyz asks around.
const readyTime = 3 * time.Second

// pagePatterns are the addresses that the pages answer for; export/web/src/routes.ts leads each to its page.
var pagePatterns = []string{
	"/{$}", "/register", "/stations/{id}", "/coverage", "/data", "/about", "/school", "/admin", "/embed/{kind}/{id}", "/embed/{kind}",
}

// publicPages are those of them that search engines should know; other packages have more.
var publicPages = []string{"/", "/register", "/coverage", "/data", "/about", "/school"}

// mapPatterns are those that may show a map, and with it the basemap.
var mapPatterns = []string{"/{$}", "/register", "/stations/{id}", "/coverage", "/embed/map"}

// getPage serves the one document that every page is made of.
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

// dataset is what search engines read of the page with the downloads. It is data, which the policy on scripts does not concern.
func (s *Server) dataset(r *http.Request) []byte {
	described, err := s.catalogue().SchemaOrg(r.Context(), s.base(r), time.Now().UTC())
	if err != nil {
		s.Log.Warn("data page served without schema.org description", "err", err)
		return nil
	}
	return slices.Concat([]byte(`<script type="application/ld+json">`), described, []byte("</script>\n  "))
}

// getFile serves the files that pages are made of. Those whose names carry a hash never change. A person who asks for an
// address that is none gets a page that says so, a program a problem.
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
	if strings.HasPrefix(name, "assets/") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, content)
	return nil
}

// writePage writes the document, which finds by its address what to show, with something more at the end of its head.
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

// getHealthz says that the program lives.
func (s *Server) getHealthz(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := io.WriteString(w, "ok\n")
	return err
}

// getReadyz says whether everything works, and what does not and what to do.
func (s *Server) getReadyz(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	problems := s.Problems(ctx)
	status := http.StatusOK
	if len(problems) > 0 {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, status, "application/json", readiness{len(problems) == 0, append([]admin.Problem{}, problems...)})
}

type readiness struct {
	Ready    bool            `json:"ready"`
	Problems []admin.Problem `json:"problems"`
}
