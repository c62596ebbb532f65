package api

import (
	"errors"
	"fmt"
	"net/http"

	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/registry"
)

// problem is a problem document (RFC 9457) and the error that becomes one.
type problem = httpapi.Problem

func newProblem(status int, field, format string, args ...any) *problem {
	return httpapi.New(status, field, format, args...)
}

// wrong is a mistake in a query.
func wrong(field, format string, args ...any) *problem { return httpapi.Wrong(field, format, args...) }

func clip(s string) string { return httpapi.Clip(s) }

// answer turns a handler's error into a problem document.
func (s *Server) answer(h handler) http.Handler {
	return httpapi.With(s.Log, explain, httpapi.Handler(h))
}

// explain makes problems of the registry's errors.
func explain(err error) *problem {
	var field *registry.FieldError
	switch {
	case errors.As(err, &field):
		p := newProblem(http.StatusUnprocessableEntity, field.Field, "%s: %s", field.Field, field.Problem).InGerman("%s", field.German)
		if at := field.Meant; at != nil {
			p.Suggest(httpapi.Place{Lon: at.Lon(), Lat: at.Lat()}, field.Suggestion(), fmt.Sprintf("Meintest du Breite %.5f, Länge %.5f?", at.Lat(), at.Lon()))
		}
		return p
	case errors.Is(err, registry.ErrClosed):
		return newProblem(http.StatusForbidden, "", "%v", err).InGerman("In dieser Stadt meldet die Stadt selbst die Stationen an: Wende dich an sie.")
	case errors.Is(err, registry.ErrTooMany):
		return newProblem(http.StatusTooManyRequests, "", "%v", err).
			InGerman("Von einer Adresse aus lassen sich am Tag höchstens %d Stationen anmelden: Versuche es morgen wieder.", registry.DefaultPerDay)
	}
	return nil
}

// writeJSON answers with one document.
func writeJSON(w http.ResponseWriter, status int, mediaType string, v any) error {
	return httpapi.JSON(w, status, mediaType, v)
}

// noRoute answers for everything below /api/ that is not there.
func (s *Server) noRoute(_ http.ResponseWriter, r *http.Request) error {
	return newProblem(http.StatusNotFound, "", "there is no %s %s; see /api for all there is", r.Method, clip(r.URL.Path)).
		InGerman("%s %s gibt es nicht; was es gibt, steht unter /api.", r.Method, clip(r.URL.Path))
}
