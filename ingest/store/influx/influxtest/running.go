package influxtest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// Running is an InfluxDB 2 or 3 that somebody else has started. Tests get buckets of their own, and leave nothing else there.
type Running struct{ URL, Token, Org string }

// FromEnvironment returns the server of INFLUXDB_URL, INFLUXDB_TOKEN and INFLUXDB_ORG, and whether there is one. The token must be allowed
// to make and remove buckets (databases of 3).
func FromEnvironment() (r Running, ok bool) {
	r = Running{URL: strings.TrimSuffix(os.Getenv("INFLUXDB_URL"), "/"), Token: os.Getenv("INFLUXDB_TOKEN"), Org: os.Getenv("INFLUXDB_ORG")}
	return r, r.URL != ""
}

// Bucket makes a bucket and returns its name. It is removed when the test ends.
func (r Running) Bucket(t testing.TB) string {
	t.Helper()
	name := "stadtluft-test-" + strings.ToLower(rand.Text())
	remove, err := r.makeBucket(name)
	if err != nil {
		t.Fatalf("make a bucket at %s: %v", r.URL, err)
	}
	t.Cleanup(func() {
		if _, err := r.ask(http.MethodDelete, remove, nil); err != nil {
			t.Errorf("remove the bucket %s: %v", name, err)
		}
	})
	return name
}

// makeBucket returns the path by which the bucket is removed. InfluxDB 3 has no organisations.
func (r Running) makeBucket(name string) (remove string, err error) {
	if r.Org == "" {
		_, err := r.ask(http.MethodPost, "/api/v3/configure/database", map[string]any{"db": name})
		return "/api/v3/configure/database?db=" + name, err
	}
	var organisations struct{ Orgs []struct{ ID string } }
	text, err := r.ask(http.MethodGet, "/api/v2/orgs?org="+url.QueryEscape(r.Org), nil)
	if err == nil {
		err = json.Unmarshal(text, &organisations)
	}
	if err != nil || len(organisations.Orgs) == 0 {
		return "", fmt.Errorf("organisation %q: %s, %w", r.Org, text, err)
	}
	var bucket struct{ ID string }
	text, err = r.ask(http.MethodPost, "/api/v2/buckets", map[string]any{"name": name, "orgID": organisations.Orgs[0].ID})
	if err == nil {
		err = json.Unmarshal(text, &bucket)
	}
	return "/api/v2/buckets/" + bucket.ID, err
}

func (r Running) ask(method, path string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(method, r.URL+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Token "+r.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s %s", method, path, response.Status, answer)
	}
	return answer, err
}
