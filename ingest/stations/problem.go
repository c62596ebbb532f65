package stations

import (
	"errors"
	"fmt"
	"net/http"

	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/registry"
)

// answer returns a handler that turns the registry's errors into problem documents.
func (s *Service) answer(h httpapi.Handler) http.Handler { return httpapi.With(s.log, explain, h) }

// explain returns the problem for an error of the registry.
func explain(err error) *httpapi.Problem {
	var field *registry.FieldError
	switch {
	case errors.As(err, &field):
		p := httpapi.New(http.StatusUnprocessableEntity, field.Field, "%s: %s", field.Field, field.Problem).InGerman("%s", field.German)
		if at := field.Meant; at != nil {
			p.Suggest(httpapi.Place{Lon: at.Lon(), Lat: at.Lat()}, field.Suggestion(), fmt.Sprintf("Meintest du Breite %.5f, Länge %.5f?", at.Lat(), at.Lon()))
		}
		return p
	case errors.Is(err, registry.ErrClosed):
		return httpapi.New(http.StatusForbidden, "", "%v", err).InGerman("In dieser Stadt meldet die Stadt selbst die Stationen an: Wende dich an sie.")
	case errors.Is(err, registry.ErrTooMany):
		return httpapi.New(http.StatusTooManyRequests, "", "%v", err).
			InGerman("Von einer Adresse aus lassen sich am Tag höchstens %d Stationen anmelden: Versuche es morgen wieder.", registry.DefaultPerDay)
	case errors.Is(err, registry.ErrTooManyAddresses):
		return httpapi.New(http.StatusTooManyRequests, "", "%v", err).InGerman("Heute wurden schon zu viele Adressen eingetragen: Versuche es morgen wieder.")
	case errors.Is(err, registry.ErrNoLink):
		return httpapi.New(http.StatusNotFound, "", "%v: it was used, or a newer mail has another one", registry.ErrNoLink).
			InGerman("Dieser Link gilt nicht mehr: Er wurde benutzt, oder in einer neueren Mail steht ein anderer.")
	}
	return nil
}
