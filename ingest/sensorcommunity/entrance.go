package sensorcommunity

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest/push"
)

const (
	patience  = 10 * time.Second // that a server gets to notice new stations, or to come back
	maxAnswer = 16 << 20         // bytes
)

// Entrance is the running server's entrance for readings of neighbours' stations.
type Entrance struct {
	URL string // scheme, host and port
	// Password is what lets an import in. It is asked for each delivery: a server that has started anew has another.
	Password func() (string, error)
	Client   *http.Client // nil is the default

	reached bool // the server has answered
}

// answer is what a delivery became.
type answer struct {
	Detail   string     `json:"detail"`
	Accepted []accepted `json:"accepted"`
	Refused  []struct {
		Reason wire.Reason `json:"reason"`
		Detail string      `json:"detail"`
	} `json:"refused"`
}

type accepted struct {
	Time   string                     `json:"time"`
	Values map[string]json.RawMessage `json:"values"`
}

// is reports whether the accepted reading is r.
func (a accepted) is(r wire.Reading, at string) bool {
	return a.Time == at && slices.ContainsFunc(r.Values, func(v wire.Value) bool {
		_, there := a.Values[v.Quantity.String()]
		return there
	})
}

// refused is why a reading was refused as a whole; empty when it was not. A refusal quotes the reading's time, and that
// of a second value the value.
func (a *answer) refused(r wire.Reading, at string) wire.Reason {
	for _, f := range a.Refused {
		if !strings.Contains(f.Detail, at) {
			continue
		}
		quoted := func(v wire.Value) bool {
			return strings.Contains(f.Detail, fmt.Sprintf("; %v comes too late", v.Value))
		}
		if f.Reason != wire.Duplicate || slices.ContainsFunc(r.Values, quoted) {
			return f.Reason
		}
	}
	return ""
}

// deliver delivers until it is taken. A server that does not know a new station yet is asked again, one that takes
// nothing at the moment as long as it says so.
func (e *Entrance) deliver(ctx context.Context, station string, payload []byte) (a answer, err error) {
	give := time.Now().Add(patience)
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		status := 0
		status, a, err = e.post(ctx, station, payload)
		switch {
		case err == nil && (status == http.StatusAccepted || status == http.StatusUnprocessableEntity):
			return a, nil
		case err == nil && status == http.StatusUnauthorized:
			err = fmt.Errorf("%s answers %d: does it serve from this data folder?", e.URL, status)
		case err == nil:
			err = fmt.Errorf("%s answers %d: %s", e.URL, status, a.Detail)
		}
		e.reached = e.reached || status != 0
		busy := status == http.StatusServiceUnavailable
		if ctx.Err() != nil || (time.Now().After(give) || !e.reached) && !busy {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (e *Entrance) post(ctx context.Context, station string, payload []byte) (status int, a answer, err error) {
	password, err := e.Password()
	if err != nil {
		return 0, a, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL+"/api/v1/push/"+push.Native, bytes.NewReader(payload))
	if err != nil {
		return 0, a, err
	}
	request.SetBasicAuth(station, password)
	response, err := cmp.Or(e.Client, http.DefaultClient).Do(request)
	if err != nil {
		return 0, a, fmt.Errorf("is the server running? import needs it: %w", err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&a); err != nil {
		return 0, a, fmt.Errorf("%s answers %s: %w", e.URL, response.Status, err)
	}
	return response.StatusCode, a, nil
}
