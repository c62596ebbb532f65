package api

import (
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// getArchive serves the archive's files with their own writer and without compression, so that the kernel can send them.
// Lists of files get an ETag.
func (s *Server) getArchive(w http.ResponseWriter, r *http.Request) {
	serve := s.Archive.Serve
	if strings.HasSuffix(r.URL.Path, "/") || path.Base(r.URL.Path) == "index.json" {
		serve = s.tagged(serve)
	}
	err := serve(w, r)
	if err == nil {
		return
	}
	s.answer(func(http.ResponseWriter, *http.Request) error {
		if errors.Is(err, fs.ErrNotExist) {
			return newProblem(http.StatusNotFound, "", "the archive has no %.80s; /archive/index.json says what there is", r.URL.Path).
				InGerman("Das Archiv hat kein %.80s; was es hat, steht in /archive/index.json.", r.URL.Path)
		}
		return err
	}).ServeHTTP(w, r)
}
