// Package httpapitest sends requests to packages that serve HTTP, for their tests. A request that fails ends the test.
package httpapitest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

// Client sends requests to a server.
type Client struct {
	T   testing.TB
	URL string // of the server, without a slash at its end
}

// Serve serves routes behind a proxy of this host until the test ends.
func Serve(t testing.TB, routes []openapi.Route) *Client {
	t.Helper()
	mux := http.NewServeMux()
	httpapi.Mount(mux, routes)
	proxies, err := httpapi.ParseProxies(httpapi.LocalProxies)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(proxies.Handler(mux))
	t.Cleanup(server.Close)
	return &Client{t, server.URL}
}

// Do sends a request and returns the answer with its whole body. The header is names and values in turn; a body is JSON
// unless it says otherwise.
func (c *Client) Do(method, address, body string, header ...string) (*http.Response, []byte) {
	c.T.Helper()
	if !strings.HasPrefix(address, "http") {
		address = c.URL + address
	}
	request, err := http.NewRequestWithContext(c.T.Context(), method, address, strings.NewReader(body))
	if err != nil {
		c.T.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.T.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.T.Fatalf("%s %s: %v", method, address, err)
	}
	return response, text
}

// Get returns the body of an address that must exist.
func (c *Client) Get(address string) []byte {
	c.T.Helper()
	response, body := c.Do("GET", address, "")
	if response.StatusCode != http.StatusOK {
		c.T.Fatalf("GET %s: %s: %s", address, response.Status, body)
	}
	return body
}

// JSON decodes the document of an address.
func (c *Client) JSON(address string, into any) {
	c.T.Helper()
	if body := c.Get(address); json.Unmarshal(body, into) != nil {
		c.T.Fatalf("GET %s: %s", address, body)
	}
}
