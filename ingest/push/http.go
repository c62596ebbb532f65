package push

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
)

const maxPIN = 3 // digits

// postPush accepts deliveries from kits that cannot speak MQTT: POST /api/v1/push/{family}.
func (h *Handler) postPush(w http.ResponseWriter, r *http.Request) error {
	family := r.PathValue("family")
	return h.answer(w, r, family, func() (part string, err error) {
		if families := Families(); !slices.Contains(families, family) {
			p := httpapi.New(http.StatusNotFound, "family", "the kit family %.80q is not known", family).InGerman("Die Familie %.80q von Bausätzen ist nicht bekannt.", family)
			p.Allowed = families
			return "", p
		}
		header, pin := pinOf(r.Header)
		if family != "airrohr" || pin == "" {
			return "", nil
		}
		if strings.Trim(pin, "0123456789") != "" || len(pin) > maxPIN {
			return "", httpapi.Wrong(header, "the %s %.80q is no number such as 1, 7 or 11", header, pin).InGerman("Die %s %.80q ist keine Zahl wie 1, 7 oder 11.", header, pin)
		}
		return "pin/" + pin, nil // a push in the format for Sensor.Community, one sensor per request
	})
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
func (h *Handler) postWrite(w http.ResponseWriter, r *http.Request) error {
	return h.answer(w, r, "airrohr", func() (string, error) { return "write", nil })
}

// answer delivers the payload of a station's request, and answers with the outcome. It looks at the body only after
// the log-in. partOf returns what the request says of the payload elsewhere; its error is a mistake of the station, like
// one of the body, and told to its owner.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, family string, partOf func() (string, error)) error {
	st, err := h.admit(w, r)
	if err != nil {
		return err
	}
	part, err := partOf()
	var payload []byte
	if err == nil {
		payload, err = readMessage(w, r)
	}
	if err != nil {
		h.refuse(st.ID, err)
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

// admit returns the station that a request logs in as, if it may send now.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request) (*ingest.Station, error) {
	id, password, _ := r.BasicAuth()
	st, ok := h.logIn(strings.ToUpper(strings.TrimSpace(id)), password)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="Stadtluft", charset="UTF-8"`)
		return nil, httpapi.New(http.StatusUnauthorized, "", "wrong station id or token: log in with HTTP Basic, the station's id as user and its token as password").
			InGerman("Kennung der Station oder Token falsch: Melde dich mit HTTP Basic an, mit der Kennung als Benutzer und dem Token als Passwort.")
	}
	if h.Allow == nil || st.Source != "" { // an import delivers a neighbour's days at once
		return st, nil
	}
	if wait := h.Allow(st.ID); wait > 0 {
		seconds := int(math.Ceil(wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		err := httpapi.New(http.StatusTooManyRequests, "", "the station sends more than is taken of one: deliver it again in %d s, and more in one message", seconds).
			InGerman("Die Station sendet mehr, als von einer angenommen wird: Liefere es in %d s noch einmal, und mehr in einer Nachricht.", seconds)
		if h.told.mayTell(st.ID, time.Now()) {
			h.refuse(st.ID, err)
		}
		return nil, err
	}
	return st, nil
}

// reasons are those of refusals for what is wrong with a request, by the status of its answer; of others it is
// wire.Malformed.
var reasons = map[int]wire.Reason{
	http.StatusNotFound: wire.Unsupported, http.StatusUnsupportedMediaType: wire.Unsupported,
	http.StatusRequestEntityTooLarge: wire.TooLarge, http.StatusTooManyRequests: wire.TooFast,
}

// refuse tells the station's owner what is wrong with a request, unless the pipeline is stalled.
func (h *Handler) refuse(station string, err error) {
	var p *httpapi.Problem
	if !errors.As(err, &p) {
		return
	}
	now := time.Now().UTC()
	refusal := ingest.Refusal{Station: station, Received: now, Reason: cmp.Or(reasons[p.Status], wire.Malformed), Detail: ingest.Clip(p.Detail)}
	select {
	case h.Out <- ingest.Message{Received: now, Over: ingest.HTTP, Refused: &refusal}:
	default:
	}
}

// readMessage reads a whole message, which must not be compressed.
func readMessage(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		w.Header().Set("Accept-Encoding", "identity") // RFC 9110, 15.5.16
		return nil, httpapi.New(http.StatusUnsupportedMediaType, "Content-Encoding", "the message is packed with %.80q: send it as it is", coding).InGerman("Die Nachricht ist mit %.80q gepackt: Sende sie, wie sie ist.", coding)
	}
	return httpapi.ReadBody(w, r, wire.MaxMessage)
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
		return "its names are no quantities here: " + ingest.UnknownNames(o.Ignored).EN
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
