package influxtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// TestBucket records what a server of each version is asked for a bucket, and to remove it.
func TestBucket(t *testing.T) {
	f := func(org string, want ...string) {
		t.Helper()
		var asked []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			asked = append(asked, r.Method+" "+r.URL.RequestURI()+" "+string(body)+" "+r.Header.Get("Authorization"))
			fmt.Fprint(w, map[bool]string{true: `{"orgs":[{"id":"0f"}]}`, false: `{"id":"0b"}`}[r.URL.Path == "/api/v2/orgs"])
		}))
		defer server.Close()
		t.Setenv("INFLUXDB_URL", server.URL+"/")
		t.Setenv("INFLUXDB_TOKEN", "secret")
		t.Setenv("INFLUXDB_ORG", org)
		t.Run("a test", func(t *testing.T) {
			r, ok := FromEnvironment()
			if name := r.Bucket(t); !ok || !strings.HasPrefix(name, "stadtluft-test-") {
				t.Errorf("the bucket is %q", name)
			}
		})
		if len(asked) != len(want) {
			t.Fatalf("asked %q, want %q", asked, want)
		}
		for i := range want {
			if !regexp.MustCompile("^" + want[i] + " Token secret$").MatchString(asked[i]) {
				t.Errorf("asked %q, want %q", asked[i], want[i])
			}
		}
	}
	const name = `"stadtluft-test-[a-z0-9]+"`
	f("my city", `GET /api/v2/orgs\?org=my\+city null`, `POST /api/v2/buckets \{"name":`+name+`,"orgID":"0f"\}`, `DELETE /api/v2/buckets/0b null`)
	f("", `POST /api/v3/configure/database \{"db":`+name+`\}`, `DELETE /api/v3/configure/database\?db=stadtluft-test-[a-z0-9]+ null`)
}
