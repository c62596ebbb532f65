package remote

import (
	"context"
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

// scripted is a source whose list is returned after something else has happened.
type scripted func() (files []Entry, version string)

func (s scripted) List(context.Context, string) ([]Entry, string, error) {
	files, version := s()
	return files, version, nil
}

func (scripted) Read(context.Context, Entry, []byte, int64) error { return nil }

// TestAddedWhileTheListIsRead adds a file while a list is on its way that does not have it, and one after others have changed the list:
// who added them sees them at once.
func TestAddedWhileTheListIsRead(t *testing.T) {
	var f *FS
	var during func()
	f = New(scripted(func() ([]Entry, string) {
		during()
		return []Entry{{Name: "old"}}, "1"
	}))
	refresh := func(meanwhile func()) {
		t.Helper()
		during = meanwhile
		if err := f.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		during = func() {}
	}
	sees := func(name string) {
		t.Helper()
		f.asking.Lock() // the source takes its time
		defer f.asking.Unlock()
		if _, err := f.Stat(name); err != nil {
			t.Error(err)
		}
	}
	refresh(func() {})
	sees("old")
	f.Added([]Entry{{Name: "after others"}}, "0", "2")
	sees("after others")
	refresh(func() {})
	refresh(func() { f.Added([]Entry{{Name: "meanwhile"}}, "1", "2") })
	sees("meanwhile")
}
