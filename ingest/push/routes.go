package push

import (
	"log/slog"
	"net/http"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

// Routes returns the routes for deliveries.
func (h *Handler) Routes(log *slog.Logger) []openapi.Route {
	return routes(h.postPush, h.postWrite, log)
}

// RoutesElsewhere returns the same routes for a process that accepts no deliveries: they answer 503 and name the role
// that does.
func RoutesElsewhere(log *slog.Logger) []openapi.Route { return routes(refer, refer, log) }

func routes(push, write httpapi.Handler, log *slog.Logger) []openapi.Route {
	delivered := []openapi.Answer{
		{Status: http.StatusAccepted, About: bilingual.Of("on disk", "auf der Platte"), Forms: []openapi.Content{{Type: "application/json", Schema: openapi.SchemaOf(receipt{})}}},
	}
	return []openapi.Route{{
		Method: "POST", Path: "/api/v1/push/{family}", Handler: httpapi.With(log, nil, push), Group: "stations", ID: "push", Free: true, Login: openapi.Station,
		Summary:    bilingual.Of("Readings of a kit that cannot speak MQTT.", "Messwerte eines Bausatzes, der kein MQTT spricht."),
		Parameters: []openapi.Parameter{{Name: "family", Choices: Families(), About: bilingual.Of("the kit’s family of firmware", "Firmware-Familie des Bausatzes")}},
		Body:       []openapi.Content{{Type: "application/json"}}, Answers: delivered,
	}, {
		Method: "POST", Path: "/write", Handler: httpapi.With(log, nil, write), Group: "stations", ID: "pushLines", Free: true, Login: openapi.Station,
		Summary: bilingual.Of("Readings in InfluxDB’s line protocol, as the airRohr firmware sends them.", "Messwerte im Zeilenprotokoll von InfluxDB, wie die airRohr-Firmware sie schickt."),
		Body:    []openapi.Content{{Type: "text/plain"}}, Answers: delivered,
	}}
}

// refer answers that another process accepts readings.
func refer(_ http.ResponseWriter, r *http.Request) error {
	return httpapi.New(http.StatusServiceUnavailable, "", "this process takes no readings: have the proxy send %.80s to the one that has the role ingest", r.URL.Path).
		InGerman("Dieser Prozess nimmt keine Messwerte an: Der Proxy muss %.80s an den mit der Rolle ingest schicken.", r.URL.Path)
}
