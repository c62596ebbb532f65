package api

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/registry"
)

// TestPreparedAnswersAreNotStale changes one thing after another and expects it in the very next answer.
func TestPreparedAnswersAreNotStale(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	const by = registry.Admin
	answers := func() string { return string(h.get("/api/v1/stations")) + string(h.get("/api/v1/city")) }
	edit := func(e registry.Edit) {
		t.Helper()
		if err := h.server.Registry.Edit(t.Context(), h.station.ID, by, e); err != nil {
			t.Fatal(err)
		}
	}
	f := func(what string, change func(), want, unwanted string) {
		t.Helper()
		before := answers()
		if want != "" && strings.Contains(before, want) {
			t.Fatalf("%s is there before: %s", what, before)
		}
		change()
		if after := answers(); want != "" && !strings.Contains(after, want) || unwanted != "" && strings.Contains(after, unwanted) {
			t.Errorf("%s does not show in the next answer: %.3000s", what, after)
		}
	}
	for i := range 20 {
		at := time.Now().UTC().Truncate(time.Second).Add(time.Duration(i-30) * time.Second)
		f("a reading", func() { h.measure(at, value(quantity.PM2_5, 12.5+float64(i))) }, fmt.Sprintf(`"value":%d.5,"unit":"µg/m³","time":%q`, 12+i, at.Format(time.RFC3339)), "")
	}
	f("a flag of the hour", func() {
		h.server.Live.Apply(ingest.HourFlags{Station: h.station.ID, Hour: time.Now().UTC().Add(-11 * time.Second).Truncate(time.Hour), Quantity: quantity.PM2_5, Flags: ingest.Stuck})
	}, `"flags":["stuck"]`, "")
	f("a name", func() { edit(registry.Edit{Name: new("Hinterhof")}) }, "Hinterhof", "Balkon")
	f("a place", func() { edit(registry.Edit{Place: &ingest.Place{Exact: orb.Point{6.99, 50.95}}}) }, "", "CRS3035RES100mN3096600E4107200")
	f("a suspension", func() { edit(registry.Edit{Status: new(ingest.Suspended), Reason: new("it smokes")}) }, "", h.station.ID)
	f("its end", func() { edit(registry.Edit{Status: new(ingest.Active)}) }, h.station.ID, "")
	f("an erasure", func() {
		if err := h.server.Registry.Erase(t.Context(), h.station.ID, by); err != nil {
			t.Fatal(err)
		}
	}, "", h.station.ID)
}

// TestPreparedEncodings expects the same content, tag and length in all encodings, and conditions and HEAD to work.
func TestPreparedEncodings(t *testing.T) {
	h := living(t)
	unpack := map[string]func([]byte) ([]byte, error){
		"identity": func(b []byte) ([]byte, error) { return b, nil },
		"gzip": func(b []byte) ([]byte, error) {
			r, err := gzip.NewReader(bytes.NewReader(b))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(r)
		},
		"zstd": func(b []byte) ([]byte, error) {
			r, err := zstd.NewReader(nil)
			if err != nil {
				return nil, err
			}
			defer r.Close()
			return r.DecodeAll(b, nil)
		},
	}
	for _, route := range []string{"/api/v1/stations", "/api/v1/grid", "/api/v1/grid?format=csv&resolution=100", "/api/v1/grid?window=1h", "/api/v1/city", "/api/v1/coverage"} {
		f := func(accept, want string) {
			t.Helper()
			response, body := h.do("GET", route, "", "Accept-Encoding", accept)
			known, none := h.do("GET", route, "", "Accept-Encoding", accept, "If-None-Match", response.Header.Get("ETag"))
			head, nothing := h.do("HEAD", route, "", "Accept-Encoding", accept)
			again, same := h.do("GET", route, "", "Accept-Encoding", "identity")
			for again.Header.Get("ETag") != response.Header.Get("ETag") { // a second has passed
				response, body = h.do("GET", route, "", "Accept-Encoding", accept)
				known, none = h.do("GET", route, "", "Accept-Encoding", accept, "If-None-Match", response.Header.Get("ETag"))
				head, nothing = h.do("HEAD", route, "", "Accept-Encoding", accept)
				again, same = h.do("GET", route, "", "Accept-Encoding", "identity")
			}
			encoding := cmp.Or(response.Header.Get("Content-Encoding"), "identity")
			if len(same) < minCompressed {
				want = "identity"
			}
			plain, err := unpack[encoding](body)
			if err != nil || encoding != want || len(plain) != len(same) || response.ContentLength != int64(len(body)) || response.Header.Get("Vary") != "Accept-Encoding" || response.Header.Get("Cache-Control") != "no-cache" {
				t.Errorf("%s as %q: %d bytes, %v %v, want %s of %d", route, accept, len(plain), err, response.Header, want, len(same))
			}
			if head.ContentLength != response.ContentLength || len(nothing) > 0 || head.Header.Get("Content-Encoding") != response.Header.Get("Content-Encoding") {
				t.Errorf("HEAD %s as %q: %v", route, accept, head.Header)
			}
			if known.StatusCode != http.StatusNotModified || len(none) > 0 || known.Header.Get("Content-Encoding") != "" {
				t.Errorf("%s with its tag: %s %v", route, known.Status, known.Header)
			}
		}
		f("gzip", "gzip")
		f("gzip, deflate, br, zstd", "zstd")
		f("gzip;q=0.5, zstd;q=0", "gzip")
		f("GZIP", "gzip")
		f("gzip;q=x", "identity")
		f("gzip;Q=0", "identity")
		f("identity", "identity")
		f("br", "identity")
	}
	if response, _ := h.do("GET", "/api/v1/grid?format=parquet", "", "Accept-Encoding", "gzip"); response.StatusCode != http.StatusOK || response.Header.Get("Content-Encoding") != "" {
		t.Errorf("Parquet: %s %v", response.Status, response.Header)
	}
}

// TestPreparedOnce lets many ask at once: an answer is made once for all of them, and once more when a reading came.
func TestPreparedOnce(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	var made atomic.Int64
	handler := h.server.prepare(true, func(w http.ResponseWriter, _ *http.Request) error {
		made.Add(1)
		_, err := fmt.Fprintf(w, "%d", h.server.Live.Version())
		return err
	})
	route := openapi.Route{Method: "GET", Path: "/x", Handler: handler}
	mux := http.NewServeMux()
	httpapi.Mount(mux, []openapi.Route{route})
	second := int64(0)
	for second != time.Now().Unix() || made.Load() == 0 { // again when a second ended meanwhile
		made.Store(0)
		h.server.Live.Observe(ingest.Reading{Station: h.station.ID, Time: time.Now()})
		second = time.Now().Unix()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				w := &whole{header: http.Header{}}
				r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://x/x", nil)
				mux.ServeHTTP(w, r)
				if got, want := string(w.body), fmt.Sprint(h.server.Live.Version()); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
		all.Wait()
	}
	if made.Load() != 1 {
		t.Errorf("made %d times, want once", made.Load())
	}
}

// TestPreparedAnswersAreBounded asks for many addresses with long answers, and for many that fail.
func TestPreparedAnswersAreBounded(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	p := h.server.prepare(true, func(w http.ResponseWriter, r *http.Request) error {
		if r.URL.RawQuery == "" {
			return newProblem(http.StatusNotFound, "", "nothing")
		}
		_, err := w.Write(make([]byte, 5<<20))
		return err
	})
	ask := func(address string) {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", address, nil)
		p.ServeHTTP(&whole{header: http.Header{}}, r)
	}
	for i := range 30 {
		ask(fmt.Sprintf("http://x/?%d", i))
	}
	for i := range 2 * mostPrepared {
		ask(fmt.Sprintf("http://x/%d", i))
	}
	var held int64
	for _, o := range h.server.prepared.slots {
		held += o.size()
	}
	if n := len(h.server.prepared.slots); n > mostPrepared || held > maxPrepared {
		t.Errorf("%d answers of %d bytes are kept", n, held)
	}
	ask("http://x/?again")
	if o := h.server.prepared.slots["/?again"]; o == nil || o.last.Load() == nil {
		t.Error("the last one is not kept")
	}
	h.server.prepared.forget()
	if len(h.server.prepared.slots) == 0 {
		t.Error("what was asked for just now is forgotten")
	}
}

// TestLongAnswersStand makes a long answer: readings do not make it again at once, a station in the registry does.
func TestLongAnswersStand(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	made := 0
	p := h.server.prepare(true, func(w http.ResponseWriter, _ *http.Request) error {
		made++
		_, err := w.Write(make([]byte, long))
		return err
	})
	f := func(what string, want int) {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://x/", nil)
		p.ServeHTTP(&whole{header: http.Header{}}, r)
		if made != want {
			t.Errorf("%s: made %d times, want %d", what, made, want)
		}
	}
	f("at first", 1)
	stands := h.server.prepared.slots["/"].last.Load()
	stands.until = time.Now().Add(time.Hour)
	h.server.Live.Observe(ingest.Reading{Station: h.station.ID, Time: time.Now()})
	f("after a reading", 1)
	stands.until = time.Now()
	f("after its time", 2)
	if err := h.server.Registry.Edit(t.Context(), h.station.ID, registry.Admin, registry.Edit{Name: new("Hof")}); err != nil {
		t.Fatal(err)
	}
	f("after a change of a station", 3)
}

// TestPreparedFailsOnceForAll lets an answer fail while others wait for it: they share the error of one attempt more, and who comes later
// gets a new one.
func TestPreparedFailsOnceForAll(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	const clients = 8
	var made atomic.Int64
	begun, fail := make(chan struct{}, clients), make(chan struct{})
	p := h.server.prepare(true, func(http.ResponseWriter, *http.Request) error {
		made.Add(1)
		begun <- struct{}{}
		<-fail
		return newProblem(http.StatusServiceUnavailable, "", "the store is away")
	}).(*prepared)
	o := &slot{}
	ask := func() {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://x/", nil)
		if _, err := o.take(p, r, newQuery(r)); err == nil {
			t.Error("no error")
		}
	}
	var all sync.WaitGroup
	all.Go(ask)
	<-begun
	for range clients - 1 {
		before := o.asked.Load()
		for all.Go(ask); o.asked.Load() == before; {
			runtime.Gosched()
		}
	}
	close(fail)
	all.Wait()
	if n := made.Load(); n != 2 {
		t.Errorf("%d attempts for %d clients, want 2", n, clients)
	}
	if ask(); made.Load() != 3 {
		t.Errorf("%d attempts, want another one later", made.Load())
	}
}
