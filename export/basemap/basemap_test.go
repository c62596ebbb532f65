package basemap

import (
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// archive returns the smallest archive of PMTiles Version 3: a header, a root directory of one byte, metadata {}, no
// leaves, one byte of a tile.
func archive() []byte {
	b := make([]byte, 127, 131)
	copy(b, "PMTiles\x03")
	for i, section := range [][2]uint64{{127, 1}, {128, 2}, {130, 0}, {130, 1}} {
		binary.LittleEndian.PutUint64(b[8+16*i:], section[0])
		binary.LittleEndian.PutUint64(b[16+16*i:], section[1])
	}
	b[97], b[98], b[99] = 1, 1, 1 // nothing is compressed; vector tiles
	return append(b, "\x00{}t"...)
}

func write(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "city.pmtiles")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen(t *testing.T) {
	f := func(change func(b []byte) []byte, want string) {
		t.Helper()
		_, err := Open(write(t, change(archive())))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("Open: %v, want %q", err, want)
		}
	}
	set := func(at int, v byte) func(b []byte) []byte {
		return func(b []byte) []byte { b[at] = v; return b }
	}
	f(func(b []byte) []byte { return b }, "")
	f(func(b []byte) []byte { return b[:100] }, "is not PMTiles: it is shorter")
	f(func(b []byte) []byte { return b[:130] }, "is not whole: its tiles end at byte 131, the file at 130")
	f(func(b []byte) []byte { return append([]byte("<!doctype html>"), b...) }, `is not PMTiles: it begins with "<!docty"`)
	f(set(7, 2), "is PMTiles of version 2")
	f(set(99, 2), "holds PNG tiles")
	f(set(99, 200), "vector tiles (MVT) are needed")
	f(set(15, 0xff), "is not whole: its root directory")
	f(func(b []byte) []byte {
		binary.LittleEndian.PutUint64(b[8:], 1<<15)
		return append(b, make([]byte, 1<<16)...)
	}, "its root directory ends at byte 32769")
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("Open of a folder: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("Open of nothing: no error")
	}
}

func TestTilesAreServedInParts(t *testing.T) {
	path := write(t, archive())
	tiles, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	get := func(part string) (*http.Response, string) {
		r := httptest.NewRequest("GET", Route, nil)
		r.Header.Set("Range", part)
		w := httptest.NewRecorder()
		tiles.ServeHTTP(w, r)
		return w.Result(), w.Body.String()
	}
	response, body := get("bytes=0-6")
	if response.StatusCode != http.StatusPartialContent || body != "PMTiles" || response.Header.Get("Content-Range") != "bytes 0-6/131" {
		t.Errorf("the first seven bytes: %s %q %q", response.Status, body, response.Header.Get("Content-Range"))
	}
	if kind := response.Header.Get("Content-Type"); kind != "application/vnd.pmtiles" {
		t.Errorf("Content-Type %q", kind)
	}
	if err := os.WriteFile(path, append(archive(), 'x'), 0o600); err != nil {
		t.Fatal(err)
	}
	if other, _ := get("bytes=0-6"); other.Header.Get("ETag") == response.Header.Get("ETag") {
		t.Error("a file that took its place has the same tag")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if gone, _ := get("bytes=0-6"); gone.StatusCode != http.StatusNotFound {
		t.Errorf("a file that is gone: %s", gone.Status)
	}
}

func TestOrigin(t *testing.T) {
	f := func(address, want string) {
		t.Helper()
		if got, err := Origin(address); got != want || (err == nil) != (want != "") {
			t.Errorf("Origin(%q) = %q, %v, want %q", address, got, err, want)
		}
	}
	f("https://tiles.example.org/style.json?key=1", "https://tiles.example.org")
	f("http://127.0.0.1:8081/a", "http://127.0.0.1:8081")
	for _, wrong := range []string{"", "style.json", "//tiles.example.org/a", "ftp://tiles.example.org/a", "https:///a", "https://a;b/c", "https://a,b/c", "https://u:p@a/c", "https://*.a/c", "https://a b/c"} {
		f(wrong, "")
	}
}

func TestLook(t *testing.T) {
	answer, allow := "", "*"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/style.json" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", allow)
		io.WriteString(w, strings.ReplaceAll(answer, "SELF", "http://"+r.Host))
	}))
	defer server.Close()
	wrong := func(path, body, want string) {
		t.Helper()
		answer = body
		if _, err := Look(t.Context(), server.URL+path, "https://luft.example.org"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Look at %s: %v, want %q", body, err, want)
		}
	}
	wrong("/gone.json", "", "404 Not Found")
	wrong("/style.json", "<!doctype html>", "is not a style: it is not JSON")
	wrong("/style.json", `[1]`, "is not JSON as")
	wrong("/style.json", `{"version":7,"layers":[{}]}`, "it has version 7")
	wrong("/style.json", `{"version":8,"layers":[]}`, "0 layers")
	wrong("/style.json", strings.Repeat(" ", maxStyleBytes+1), "is larger than")

	answer = `{"version":8,"glyphs":"https://fonts.example.net/{fontstack}/{range}.pbf","sprite":[{"id":"a","url":"https://sprites.example.net/s"}],
		"sources":{"a":{"url":"SELF/tiles.json"},"b":{"tiles":["https://a.example.net/{z}/{x}/{y}.mvt","https://a.example.net/x"]},"c":{"data":{"type":"FeatureCollection"}},
		"d":{"url":"pmtiles:///basemap.pmtiles"},"e":{"url":"pmtiles://https://archive.example.net/a.pmtiles"}},"layers":[{"id":"a"},{"id":"b"}]}`
	seen, err := Look(t.Context(), server.URL+"/style.json", "https://luft.example.org")
	blocked := []string{"https://a.example.net", "https://archive.example.net", "https://fonts.example.net", "https://sprites.example.net"}
	if err != nil || seen.Layers != 2 || seen.Unreadable || !slices.Equal(seen.Blocked, blocked) {
		t.Errorf("Look = %+v, %v, want 2 layers and %q", seen, err, blocked)
	}
	answer, allow = `{"version":8,"layers":[{"id":"a"}]}`, "https://other.example.org"
	if seen, err = Look(t.Context(), server.URL+"/style.json", "https://luft.example.org"); err != nil || !seen.Unreadable {
		t.Errorf("for others alone: %+v, %v", seen, err)
	}
	if seen, err = Look(t.Context(), server.URL+"/style.json", server.URL); err != nil || seen.Unreadable {
		t.Errorf("from its own origin: %+v, %v", seen, err)
	}
}
