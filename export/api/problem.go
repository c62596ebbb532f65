package api

import (
	"net/http"

	"stadtluft/ingest/httpapi"
)

// problem is a problem document (RFC 9457) and the error that becomes one.
type problem = httpapi.Problem

func newProblem(status int, field, format string, args ...any) *problem {
	return httpapi.New(status, field, format, args...)
}

// wrong returns a problem with a query's parameter, with status 400.
func wrong(field, format string, args ...any) *problem { return httpapi.Wrong(field, format, args...) }

// answer returns a handler that answers a handler's error with a problem document.
func (s *Server) answer(h handler) http.Handler {
	return httpapi.With(s.Log, nil, httpapi.Handler(h))
}

// writeJSON answers with one document.
func writeJSON(w http.ResponseWriter, status int, mediaType string, v any) error {
	return httpapi.JSON(w, status, mediaType, v)
}

// noRoute answers 404 to unknown paths below /api/.
func (s *Server) noRoute(_ http.ResponseWriter, r *http.Request) error {
	return newProblem(http.StatusNotFound, "", "there is no %s %.80s; see /api for all there is", r.Method, r.URL.Path).
		InGerman("%s %.80s gibt es nicht; was es gibt, steht unter /api.", r.Method, r.URL.Path)
}
