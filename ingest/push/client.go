package push

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"stadtluft/firmware-protocol/wire"
)

const (
	patience  = 10 * time.Second // for a server to notice new stations, or to come back
	maxAnswer = 16 << 20         // bytes
)

// Client delivers readings of stations that an import adopted to a running server's Handler over HTTP. It is safe for
// concurrent use.
type Client struct {
	URL string // scheme, host and port
	// Password returns the password of imports. It is called for each delivery, because a restarted server has another
	// one.
	Password func() (string, error)
	HTTP     *http.Client // nil means http.DefaultClient

	answered atomic.Bool // the server has answered
}

// Answer is the outcome of a delivery.
type Answer struct {
	Detail   string     `json:"detail"`
	Accepted []Accepted `json:"accepted"`
	Refused  []Refused  `json:"refused"`
}

// Refused is a reading that was refused, or one of its values that conflicts with a stored one.
type Refused struct {
	Reason   wire.Reason `json:"reason"`
	Field    string      `json:"field"`
	Observed string      `json:"observed"`
	Value    *float64    `json:"value"`
}

// Accepted is a reading that is on disk, with its accepted values.
type Accepted struct {
	Time   string                     `json:"time"`
	Values map[string]json.RawMessage `json:"values"`
}

// Is reports whether the accepted reading is r.
func (a Accepted) Is(r wire.Reading, at string) bool {
	return a.Time == at && slices.ContainsFunc(r.Values, func(v wire.Value) bool {
		_, there := a.Values[v.Quantity.String()]
		return there
	})
}

// ReasonOf returns why a reading was refused as a whole; it is empty when it was not.
func (a *Answer) ReasonOf(r wire.Reading, at string) wire.Reason {
	for _, f := range a.Refused {
		conflicts := func(v wire.Value) bool {
			return v.Quantity.String() == f.Field && f.Value != nil && v.Value == *f.Value
		}
		if f.Observed == at && (f.Value == nil || slices.ContainsFunc(r.Values, conflicts)) {
			return f.Reason
		}
	}
	return ""
}

// Deliver sends a payload, and again while the server does not know the station yet, or answers that it accepts nothing
// at the moment.
func (c *Client) Deliver(ctx context.Context, station string, payload []byte) (a Answer, err error) {
	end := time.Now().Add(patience)
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		status := 0
		status, a, err = c.post(ctx, station, payload)
		if status != 0 {
			c.answered.Store(true)
		}
		switch {
		case err == nil && (status == http.StatusAccepted || status == http.StatusUnprocessableEntity):
			return a, nil
		case err == nil && status == http.StatusUnauthorized:
			err = fmt.Errorf("%s answers %d: does it serve from this data folder?", c.URL, status)
		case err == nil:
			err = fmt.Errorf("%s answers %d: %s", c.URL, status, a.Detail)
		}
		busy := status == http.StatusServiceUnavailable
		if ctx.Err() != nil || (time.Now().After(end) || !c.answered.Load()) && !busy {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (c *Client) post(ctx context.Context, station string, payload []byte) (status int, a Answer, err error) {
	password, err := c.Password()
	if err != nil {
		return 0, a, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/api/v1/push/"+Native, bytes.NewReader(payload))
	if err != nil {
		return 0, a, err
	}
	request.SetBasicAuth(station, password)
	response, err := cmp.Or(c.HTTP, http.DefaultClient).Do(request)
	if err != nil {
		return 0, a, fmt.Errorf("is the server running? import needs it: %w", err)
	}
	defer response.Body.Close()
	body := io.LimitReader(response.Body, maxAnswer)
	if err := json.NewDecoder(body).Decode(&a); err != nil {
		return 0, a, fmt.Errorf("%s answers %s: %w", c.URL, response.Status, err)
	}
	_, _ = io.Copy(io.Discard, body) // only a connection that was read to the end is used again
	return response.StatusCode, a, nil
}
