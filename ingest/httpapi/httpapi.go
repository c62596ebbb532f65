// Package httpapi serves HTTP for every package that has routes: it checks parameters against a route, reads bodies and tokens,
// and makes what a handler returns as its error a problem document (RFC 9457) whose detail says what, where and what to do, in
// the language that the request wishes. An answer that breaks off after its first byte ends the connection, so that nobody
// takes it for whole. It knows no data.
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
	Allowed    []string `json:"allowed,omitempty"`    // what could stand there
	Suggestion string   `json:"suggestion,omitempty"` // what was perhaps meant, as a question
	Place      *Place   `json:"place,omitempty"`      // the place that it names

	german, germanSuggestion string
}

// Place is where something may stand, in degrees.
type Place struct {
	Lon float64 `json:"lon"`
	Lat float64 `json:"lat"`
}

func (p *Problem) Error() string { return p.Detail }

// New makes a problem. The field may be empty.
func New(status int, field, format string, args ...any) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// InGerman says the detail in German as well. What people reach from a page has it; what only programs ask needs none.
func (p *Problem) InGerman(format string, args ...any) *Problem {
	p.german = fmt.Sprintf(format, args...)
	return p
}

// Suggest asks whether a place was meant, in both languages.
func (p *Problem) Suggest(place Place, english, german string) *Problem {
	p.Place, p.Suggestion, p.germanSuggestion = &place, english, german
	return p
}

// Wrong is a mistake in a query.
func Wrong(field, format string, args ...any) *Problem {
	return New(http.StatusBadRequest, field, format, args...)
}

// Handler answers a request or returns why it cannot.
type Handler func(w http.ResponseWriter, r *http.Request) error

// With serves a handler. An error that is no Problem goes through explain, which may be nil; what that cannot
// explain either is logged and answered with 503.
func With(log *slog.Logger, explain func(error) *Problem, h Handler) http.Handler {
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
			log.Warn("response aborted", "path", r.URL.Path, "err", err)
			panic(http.ErrAbortHandler)
		}
		p := problemOf(err, explain)
		if p == nil {
			log.Error("request failed", "path", r.URL.Path, "err", err)
			p = New(http.StatusServiceUnavailable, "", "this cannot be answered at the moment; try again soon").
				InGerman("Das lässt sich gerade nicht beantworten; versuche es bald noch einmal.")
		}
		p.write(w, r)
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

// write sends the problem in the request's language, as far as it speaks that.
func (p *Problem) write(w http.ResponseWriter, r *http.Request) {
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
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(problem) // nobody is left to tell
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
