package api

import (
	"net"
	"net/http"
	"strings"

	"stadtluft/ingest/httpapi/openapi"
)

// HostName returns a host without its port and the brackets of an IPv6 address, in lower case.
func HostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// Beside makes s a site at the address that front serves: they share their limits, and their streams end with it. It is called
// before the handler of s is made.
func (s *Server) Beside(front *Server) {
	if front.limits == nil {
		front.limits = newLimits(Descriptors())
	}
	s.limits = front.limits
}

// Hosts returns the handler of an address with several sites: each at its host name, and at all others that of rest.
func (s *Server) Hosts(sites map[string]http.Handler, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if site := sites[HostName(s.Proxies.Host(r))]; site != nil {
			site.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// HandlerOfPortal returns the handler of the page of all cities: routes at its own host, at others those of them that are the
// page itself, and the state of the process at both. It needs what HandlerWithoutPages needs, and where the address is not empty its
// City.Access.
func (s *Server) HandlerOfPortal(page, catalogue []openapi.Route) http.Handler {
	everywhere, own := http.NewServeMux(), http.NewServeMux()
	for _, mux := range []*http.ServeMux{everywhere, own} {
		mountOpenly(mux, s.stateRoutes())
		mountOpenly(mux, page)
		mux.Handle("/", s.answer(s.notOfPortal))
	}
	mountOpenly(own, catalogue)
	host := HostName(s.City.Access.HTTP.Host)
	atOther, atOwn := s.Proxies.Handler(s.guarded(everywhere)), s.Proxies.Handler(s.guarded(own))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // before the proxy's address becomes the client's
		if host == "" || HostName(s.Proxies.Host(r)) == host {
			atOwn.ServeHTTP(w, r)
			return
		}
		atOther.ServeHTTP(w, r)
	})
}

// notOfPortal answers what only a city has.
func (s *Server) notOfPortal(_ http.ResponseWriter, r *http.Request) error {
	return newProblem(http.StatusNotFound, "", "%.80s is not here: each city has an address of its own, which / lists", r.URL.Path).
		InGerman("%.80s gibt es hier nicht: Jede Stadt hat eine eigene Adresse, die / nennt.", r.URL.Path)
}

// HandlerElsewhere returns the handler of a city that another process serves.
func (s *Server) HandlerElsewhere(city string) http.Handler {
	return s.Proxies.Handler(s.guarded(s.answer(func(http.ResponseWriter, *http.Request) error {
		return newProblem(http.StatusMisdirectedRequest, "", "this process does not serve %s: ask its operator to send this host name to the one that does", city).
			InGerman("Dieser Prozess bedient %s nicht: Sein Betreiber muss diesen Rechnernamen zu dem leiten, der es tut.", city)
	})))
}
