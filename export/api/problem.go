package api

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"stadtluft/ingest/registry"
)

// problem is a problem document (RFC 9457) and the error that becomes one.
type problem struct {
	Type       string   `json:"type"`
	Title      string   `json:"title"`
	Status     int      `json:"status"`
	Detail     string   `json:"detail"`
	Field      string   `json:"field,omitempty"`      // the parameter or member at fault
	Allowed    []string `json:"allowed,omitempty"`    // what could stand there
	Suggestion string   `json:"suggestion,omitempty"` // what was perhaps meant
}

func (p *problem) Error() string { return p.Detail }

func newProblem(status int, field, format string, args ...any) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// wrong is a mistake in a query.
func wrong(field, format string, args ...any) *problem {
	return newProblem(http.StatusBadRequest, field, format, args...)
}

// wrongChoice is a value that is none of those allowed.
func wrongChoice(field, value string, allowed []string) *problem {
	p := wrong(field, "%s %q is not one of those allowed", field, clip(value))
	p.Allowed = allowed
	return p
}

func clip(s string) string {
	const most = 80
	return s[:min(len(s), most)]
}

// answer turns a handler's error into a problem document. After the first byte has gone it ends the
// connection instead, so that the client sees an answer that broke off.
func (s *Server) answer(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tracked := &tracker{ResponseWriter: w}
		err := h(tracked, r)
		if err == nil {
			return
		}
		if r.Context().Err() != nil {
			panic(http.ErrAbortHandler) // the client has gone, or we go
		}
		if tracked.begun {
			s.Log.Warn("an answer broke off", "path", r.URL.Path, "err", err)
			panic(http.ErrAbortHandler)
		}
		p := s.problem(r, err)
		header := w.Header()
		header.Del("Content-Disposition")
		header.Del("ETag")
		header.Set("Content-Type", "application/problem+json")
		header.Set("Cache-Control", "no-store")
		w.WriteHeader(p.Status)
		_ = json.NewEncoder(w).Encode(p) // nobody is left to tell
	})
}

func (s *Server) problem(r *http.Request, err error) *problem {
	var p *problem
	var field *registry.FieldError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &field):
		p = newProblem(http.StatusUnprocessableEntity, field.Field, "%s: %s", field.Field, field.Problem)
		p.Suggestion = field.Suggestion
		return p
	case errors.Is(err, registry.ErrClosed):
		return newProblem(http.StatusForbidden, "", "%v", err)
	case errors.Is(err, registry.ErrTooMany):
		return newProblem(http.StatusTooManyRequests, "", "%v", err)
	}
	s.Log.Error("a request failed", "path", r.URL.Path, "err", err)
	return newProblem(http.StatusServiceUnavailable, "", "this cannot be answered at the moment; try again soon")
}

// tracker knows whether anything was written.
type tracker struct {
	http.ResponseWriter
	begun bool
}

func (t *tracker) WriteHeader(status int) {
	t.begun = true
	t.ResponseWriter.WriteHeader(status)
}

func (t *tracker) Write(b []byte) (int, error) {
	t.begun = true
	return t.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find the writer below.
func (t *tracker) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// writeJSON answers with one document.
func writeJSON(w http.ResponseWriter, status int, mediaType string, v any) error {
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	buffered := bufio.NewWriter(w)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	return buffered.Flush()
}

// noRoute answers for everything below /api/ that is not there.
func (s *Server) noRoute(_ http.ResponseWriter, r *http.Request) error {
	return newProblem(http.StatusNotFound, "", "there is no %s %s; see /api for all there is", r.Method, clip(r.URL.Path))
}
