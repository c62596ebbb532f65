package api

import (
	"maps"
	"net/http"
	"path"

	"stadtluft/ingest/httpapi"
)

// guarded returns the handler of all requests: it sets the headers of all answers, limits how many requests are under way
// and how slowly a body comes, and refuses changes that a page of another site asks a visitor's browser for.
func (s *Server) guarded(next http.Handler) http.Handler {
	if s.limits == nil {
		s.limits = newLimits(Descriptors())
	}
	return headed(s.limited(cleaned(s.sameOrigin(httpapi.TimeBodies(next)))))
}

// headed sets the headers of all answers.
func headed(next http.Handler) http.Handler {
	all := http.Header{"Content-Security-Policy": {contentPolicy("'none'", "")}, "X-Content-Type-Options": {"nosniff"}, "Referrer-Policy": {"no-referrer"}}
	read := maps.Clone(all)
	read.Set("Access-Control-Allow-Origin", "*")
	read.Set("Access-Control-Expose-Headers", exposed)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			maps.Copy(w.Header(), read)
		} else {
			maps.Copy(w.Header(), all)
		}
		next.ServeHTTP(w, r)
	})
}

// cleaned removes slashes too many from the path of a request that sends something: ServeMux would redirect it, which
// kits do not follow.
func cleaned(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean := path.Clean(r.URL.Path)
		if r.Method == http.MethodGet || r.Method == http.MethodHead || clean == r.URL.Path {
			next.ServeHTTP(w, r)
			return
		}
		changed, address := *r, *r.URL
		address.Path, address.RawPath = clean, ""
		changed.URL = &address
		next.ServeHTTP(w, &changed)
	})
}

// sameOrigin refuses requests that change something and come from a page of another site. Programs that are no browsers
// say nothing of a page.
func (s *Server) sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if public := s.City.Access.HTTP; public.Host != "" {
		_ = protection.AddTrustedOrigin(public.Scheme + "://" + public.Host) // a proxy may change the Host; the URL has both parts
	}
	protection.SetDenyHandler(s.answer(func(http.ResponseWriter, *http.Request) error {
		return newProblem(http.StatusForbidden, "Origin", "a page of another site asks for this: only pages of this server may").
			InGerman("Eine Seite eines anderen Servers verlangt das: Das dürfen nur Seiten dieses Servers.")
	}))
	return protection.Handler(next)
}
