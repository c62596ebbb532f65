package remote

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestInstallationThatGrows reads the installation's file before and after the archive gets an id of its own.
func TestInstallationThatGrows(t *testing.T) {
	said := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"`+said[len(said)-1:]+`"`)
		_ = json.NewEncoder(w).Encode(Listing{Installation: said})
	}))
	t.Cleanup(server.Close)
	files := OverHTTP(server.URL+"/archive/", "")
	for _, said = range []string{"OURS", "OURS\nARCHIVE", "THEM\nARCHIVF"} {
		if err := files.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(files, InstallationName); err != nil || string(got) != said {
			t.Errorf("%q, %v, want %q", got, err, said)
		}
	}
}
