package api

import (
	"errors"
	"io/fs"
	"net/http"
)

// getArchive serves the archive's files as they lie there, neither wrapped nor compressed, so that the kernel can send
// them by itself.
func (s *Server) getArchive(w http.ResponseWriter, r *http.Request) {
	err := s.Archive.Serve(w, r)
	if err == nil {
		return
	}
	s.answer(func(http.ResponseWriter, *http.Request) error {
		if errors.Is(err, fs.ErrNotExist) {
			return newProblem(http.StatusNotFound, "", "the archive has no %s; /archive/index.json says what there is", clip(r.URL.Path)).
				InGerman("Das Archiv hat kein %s; was es hat, steht in /archive/index.json.", clip(r.URL.Path))
		}
		return err
	}).ServeHTTP(w, r)
}
