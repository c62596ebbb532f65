package push

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
)

const (
	maxPIN   = 3                // digits
	bodyTime = 30 * time.Second // to receive a message
)

// postPush accepts deliveries from kits that cannot speak MQTT: POST /api/v1/push/{family}.
func (d deliverer) postPush(w http.ResponseWriter, r *http.Request) error {
	family := r.PathValue("family")
	if families := Families(); !slices.Contains(families, family) {
		p := httpapi.New(http.StatusNotFound, "family", "the kit family %.80q is not known", family).InGerman("Die Familie %.80q von Bausätzen ist nicht bekannt.", family)
		p.Allowed = families
		return p
	}
	part := ""
	if header, pin := pinOf(r.Header); family == "airrohr" && pin != "" {
		if strings.Trim(pin, "0123456789") != "" || len(pin) > maxPIN {
			return httpapi.Wrong(header, "the %s %.80q is no number such as 1, 7 or 11", header, pin).InGerman("Die %s %.80q ist keine Zahl wie 1, 7 oder 11.", header, pin)
		}
		part = "pin/" + pin // a push in the format for Sensor.Community, one sensor per request
	}
	return d(w, r, family, part)
}

// pinOf returns the header that says which kind of sensor a push to Sensor.Community is of: X-PIN, or PIN of older
// firmware. Their X-Sensor and Sensor say which station; here its log-in does.
func pinOf(h http.Header) (name, pin string) {
	if pin := h.Get("X-PIN"); pin != "" {
		return "X-PIN", pin
	}
	return "PIN", h.Get("PIN")
}

// postWrite takes InfluxDB's line protocol as the airRohr firmware sends it: POST /write.
func (d deliverer) postWrite(w http.ResponseWriter, r *http.Request) error {
	return d(w, r, "airrohr", "write")
}

// answer delivers the payload of a station's request, and answers with the outcome.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, family, part string) error {
	id, password, _ := r.BasicAuth()
	st, ok := h.logIn(strings.ToUpper(strings.TrimSpace(id)), password)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="Stadtluft", charset="UTF-8"`)
		return httpapi.New(http.StatusUnauthorized, "", "wrong station id or token: log in with HTTP Basic, the station's id as user and its token as password").
			InGerman("Kennung der Station oder Token falsch: Melde dich mit HTTP Basic an, mit der Kennung als Benutzer und dem Token als Passwort.")
	}
	payload, err := readMessage(w, r)
	if err != nil {
		return err
	}
	outcome, err := h.deliver(r.Context(), st.ID, family, part, payload)
	if errors.Is(err, errBusy) {
		w.Header().Set("Retry-After", "60")
		return httpapi.New(http.StatusServiceUnavailable, "", "%v", err).InGerman("Gerade kommt zu viel auf einmal: Versuche es in einer Minute noch einmal.")
	} else if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	status, answer := newReceipt(st.ID, family, outcome)
	return httpapi.JSON(w, status, "application/json", answer)
}

// readMessage reads a whole message, which must not be compressed.
func readMessage(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		w.Header().Set("Accept-Encoding", "identity") // RFC 9110, 15.5.16
		return nil, httpapi.New(http.StatusUnsupportedMediaType, "Content-Encoding", "the message is packed with %.80q: send it as it is", coding).InGerman("Die Nachricht ist mit %.80q gepackt: Sende sie, wie sie ist.", coding)
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTime)) // every connection supports deadlines
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxMessage))
	_ = control.SetReadDeadline(time.Time{}) // for whoever waits for the client to go
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, httpapi.New(http.StatusRequestEntityTooLarge, "", "the message has more than %d bytes: split it", wire.MaxMessage).InGerman("Die Nachricht hat mehr als %d Byte: Teile sie.", wire.MaxMessage)
	} else if err != nil {
		return nil, httpapi.Wrong("", "the message broke off: %v", err).InGerman("Die Nachricht brach ab.")
	}
	return payload, nil
}

// receipt is the answer to a delivery: the values that are on disk, and the refused ones with their reasons.
type receipt struct {
	Station    string                    `json:"station"`
	Accepted   []acceptedReading         `json:"accepted"`
	Duplicates int                       `json:"repeated"`         // values that were stored already
	Refused    []ingest.ExplainedRefusal `json:"refused"`          // each with its reason
	Ignored    []string                  `json:"left,omitempty"`   // names that are not quantities
	Detail     string                    `json:"detail,omitempty"` // set when nothing was taken
}

type acceptedReading struct {
	Time   string                   `json:"time"`
	Values map[string]acceptedValue `json:"values"`
}

type acceptedValue struct {
	Value float64  `json:"value"`
	Unit  string   `json:"unit"`
	Flags []string `json:"flags,omitempty"`
}

// chatty are the families whose firmware also sends messages that carry no reading, such as joins and status
// messages: there taking nothing is not a mistake, and a webhook that gets 4xx for them is switched off.
var chatty = []string{"esphome", "openair-noise", "smartcitizen", "tasmota", "ttn"}

// newReceipt returns the answer to a delivery of a family, and its status.
func newReceipt(station, family string, o ingest.Outcome) (status int, r receipt) {
	r = receipt{Station: station, Accepted: make([]acceptedReading, len(o.Readings)), Duplicates: o.Duplicates, Refused: ingest.ExplainRefusals(o.Refusals), Ignored: o.Ignored}
	for i, reading := range o.Readings {
		r.Accepted[i] = newAcceptedReading(reading)
	}
	if len(o.Readings) > 0 || o.Duplicates > 0 || len(o.Refusals) == 0 && slices.Contains(chatty, family) {
		return http.StatusAccepted, r
	}
	r.Detail = "nothing of the message was taken; " + why(o)
	if len(o.Refusals) > 0 && o.Refusals[0].Reason == wire.Inactive {
		return http.StatusForbidden, r
	}
	return http.StatusUnprocessableEntity, r
}

// why returns where an answer says why nothing was taken.
func why(o ingest.Outcome) string {
	switch {
	case len(o.Refusals) > 0:
		return "\"refused\" says why"
	case len(o.Ignored) > 0:
		return "\"left\" has its names, which are no quantities here"
	}
	return "it has no values"
}

func newAcceptedReading(r ingest.Reading) acceptedReading {
	a := acceptedReading{r.Time.Format(time.RFC3339), map[string]acceptedValue{}}
	for _, v := range r.Values {
		a.Values[v.Quantity.String()] = acceptedValue{v.Value, v.Quantity.Unit(), v.Flags.Names()}
	}
	return a
}
