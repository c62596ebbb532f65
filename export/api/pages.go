package api

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"stadtluft/export/web"
)

// readyTime bounds how long /readyz asks around.
const readyTime = 3 * time.Second

// pagePaths are the addresses that the pages answer for.
var pagePaths = []string{"/"}

// getPage serves the built pages. Files whose names carry a hash never change.
func (s *Server) getPage(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return newProblem(http.StatusMethodNotAllowed, "", "%s is not for %s", clip(r.URL.Path), r.Method)
	}
	if !web.Built() {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, err := io.WriteString(w, "the pages are not built: run make\n")
		return err
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	for _, page := range pagePaths {
		if r.URL.Path == page {
			name = "index.html"
		}
	}
	if _, err := fs.Stat(web.Files(), name); errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || name == "placeholder" {
		return newProblem(http.StatusNotFound, "", "there is no page %s", clip(r.URL.Path))
	}
	if strings.HasPrefix(name, "assets/") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	file, err := web.Files().Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	content, ok := file.(io.ReadSeeker)
	if !ok {
		return newProblem(http.StatusNotFound, "", "there is no page %s", clip(r.URL.Path))
	}
	http.ServeContent(w, r, name, time.Time{}, content)
	return nil
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
	return writeJSON(w, status, "application/json", readiness{len(problems) == 0, append([]Problem{}, problems...)})
}

type readiness struct {
	Ready    bool      `json:"ready"`
	Problems []Problem `json:"problems"`
}
