package server

import (
	"context"
	"net/http"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/registry"
)

// hold starts the parts of a city whose registry is missing although there are readings: it says so in /readyz and the log,
// and answers 503 to everything else. The brokers' messages and the journal's entries wait.
func hold(b *base, sup *supervisor, counts counts, missing error) *site {
	b.log.Error("registry is missing, nothing is taken until it is there", "err", missing)
	sup.start(part{name: "registry", run: untilDone, problems: func(_ context.Context, add addProblem) {
		add("registry", missing, "put "+registry.SnapshotFile+" of a backup into the data folder and start again")
	}})
	b.held = true
	return newCity(b, sup, counts, nil)
}

// stateRoutes are the addresses that a process without a registry answers.
var stateRoutes = map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true}

// Why a city is unavailable, for people.
var (
	noRegistry = bilingual.Of("this server takes and shows nothing until its operator has put back the registry of stations: try again later",
		"Dieser Server nimmt und zeigt nichts, bis sein Betreiber das Verzeichnis der Stationen zurückgeholt hat: Versuche es später noch einmal.")
	noStore = bilingual.Of("this city's database is not there yet, and nothing is taken or shown before it is: try again later",
		"Die Datenbank dieser Stadt ist noch nicht da, und vorher wird nichts genommen und gezeigt: Versuche es später noch einmal.")
)

// unavailable answers 503 to everything but the state.
func unavailable(b *base, state http.Handler, why bilingual.Text) http.Handler {
	other := httpapi.With(b.log, nil, func(http.ResponseWriter, *http.Request) error {
		return httpapi.New(http.StatusServiceUnavailable, "", "%s", why.EN).InGerman("%s", why.DE)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stateRoutes[r.URL.Path] {
			state.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
}
