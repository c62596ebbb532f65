package official

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/paulmach/orb"
)

const (
	maxAnswer = 64 << 20 // bytes of one answer
	fetchTime = 2 * time.Minute
	// mostDays is the longest period of one request.
	mostDays = 92
)

// Agency is the interface of an agency over HTTP.
type Agency struct {
	URL    string               // up to the version, such as https://…/api/air_data/v3
	Agent  string               // the User-Agent
	HTTP   *http.Client         // nil means one with a timeout of two minutes
	Only   []string             // numbers or codes of the stations to import; empty means all that Within takes
	Within func(orb.Point) bool // whether a place is of interest
	// Problem is called with what is wrong with one station or answer, while the others are imported.
	Problem func(text string)
}

// get decodes the JSON of an address below URL.
func (a *Agency) get(ctx context.Context, path string, query url.Values, into any) error {
	address := strings.TrimSuffix(a.URL, "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", a.Agent)
	request.Header.Set("Accept", "application/json")
	response, err := cmp.Or(a.HTTP, &http.Client{Timeout: fetchTime}).Do(request)
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("fetch %s: %s", address, response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("fetch %s: %w", address, err)
	}
	return nil
}

// wants reports whether a station is to be imported.
func (a *Agency) wants(st Station, names ...string) bool {
	if len(a.Only) == 0 {
		return a.Within(st.Point)
	}
	for _, only := range a.Only {
		for _, name := range append(names, st.Key) {
			if strings.EqualFold(only, name) {
				return true
			}
		}
	}
	return false
}

// spans splits a period into parts of at most mostDays.
func spans(from, to time.Time, each func(from, to time.Time) error) error {
	for from.Before(to) {
		end := from.AddDate(0, 0, mostDays)
		if end.After(to) {
			end = to
		}
		if err := each(from, end); err != nil {
			return err
		}
		from = end
	}
	return nil
}
