// Package httpapi holds what all packages with HTTP routes share: it checks parameters against a route, reads bodies and
// tokens, and turns the error of a handler into a problem document (RFC 9457) whose detail says what is wrong, where,
// and what to do, in the language that the request prefers. An answer that fails after its first byte ends the
// connection, so that nobody takes it for complete. The package knows no data.
package httpapi

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

// Problem is a problem document (RFC 9457) and the error that becomes one.
type Problem struct {
	Type       string   `json:"type"`
	Title      string   `json:"title"`
	Status     int      `json:"status"`
	Detail     string   `json:"detail"`
	Field      string   `json:"field,omitempty"`      // the parameter or member at fault
	Allowed    []string `json:"allowed,omitempty"`    // the valid values
	Suggestion string   `json:"suggestion,omitempty"` // what was probably meant, as a question
	Place      *Place   `json:"place,omitempty"`      // the place that the suggestion names

	german, germanSuggestion string
}

// Place is a suggested place, in degrees.
type Place struct {
	Lon float64 `json:"lon"`
	Lat float64 `json:"lat"`
}

func (p *Problem) Error() string { return p.Detail }

// New returns a problem. The field may be empty.
func New(status int, field, format string, args ...any) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// InGerman adds the detail in German. Problems that people see on a page have it; those that only programs see need
// none.
func (p *Problem) InGerman(format string, args ...any) *Problem {
	p.german = fmt.Sprintf(format, args...)
	return p
}

// Suggest adds a question whether a place was meant, in both languages.
func (p *Problem) Suggest(place Place, english, german string) *Problem {
	p.Place, p.Suggestion, p.germanSuggestion = &place, english, german
	return p
}

// Wrong returns a problem with a query's parameter, with status 400.
func Wrong(field, format string, args ...any) *Problem {
	return New(http.StatusBadRequest, field, format, args...)
}

// Handler answers a request or returns an error.
type Handler func(w http.ResponseWriter, r *http.Request) error

// With returns a handler that answers h's error with a problem document. An error that is not a Problem goes through
// explain, which may be nil; an error without an explanation is logged and answered with 503.
func With(log *slog.Logger, explain func(error) *Problem, h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tracked := &tracker{ResponseWriter: w}
		err := h(tracked, r)
		if err == nil {
			return
		}
		if given := new(Problem); r.Context().Err() != nil && !errors.As(err, &given) {
			panic(http.ErrAbortHandler) // the client has disconnected, or the server stops; a body that is too slow ends the context too
		}
		if tracked.begun {
			log.Warn("response aborted", "path", r.URL.Path, "err", err)
			panic(http.ErrAbortHandler)
		}
		p := problemOf(err, explain)
		if p == nil {
			log.Error("request failed", "path", r.URL.Path, "err", err)
			p = New(http.StatusServiceUnavailable, "", "this cannot be answered at the moment; try again soon").
				InGerman("Das lässt sich gerade nicht beantworten; versuche es bald noch einmal.")
		}
		p.Write(w, r)
	})
}

func problemOf(err error, explain func(error) *Problem) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	if explain != nil {
		return explain(err)
	}
	return nil
}

// Write answers with the problem in the request's language, if it has a text in it. A body that was not read ends the
// connection, so that the answer does not wait for it.
func (p *Problem) Write(w http.ResponseWriter, r *http.Request) {
	problem, language := *p, "en"
	if p.german != "" && Language(r) == "de" {
		problem.Detail, problem.Suggestion, language = p.german, p.germanSuggestion, "de"
	}
	header := w.Header()
	header.Set("Content-Language", language)
	header.Del("Content-Disposition")
	header.Del("ETag")
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	if unread(r) || p.Status == http.StatusLengthRequired {
		header.Set("Connection", "close")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(problem) // the client may have disconnected
}

// tracker records whether anything was written.
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

// Unwrap returns the underlying writer for http.ResponseController.
func (t *tracker) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// JSON answers with one document.
func JSON(w http.ResponseWriter, status int, mediaType string, v any) error {
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
