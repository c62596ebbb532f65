package sensorcommunity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/push"
	"stadtluft/ingest/registry"
)

// adopter is a Registry that knows no place west of Greenwich.
type adopter struct {
	takes   time.Duration
	mu      sync.Mutex // guards adopted
	adopted map[string]registry.Foreign
}

func (a *adopter) Adopt(_ context.Context, f registry.Foreign) (*ingest.Station, error) {
	time.Sleep(a.takes)
	if f.Point.Lon() < 0 {
		return nil, &registry.FieldError{Field: "lon", Problem: "no cell"}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.adopted[f.Key] = f
	return &ingest.Station{ID: "EXT" + f.Key}, nil
}

// transport answers requests without a network.
type transport func(*http.Request) (status int, header http.Header, body string)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	status, header, body := f(r)
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// takesAll is a server that accepts every value.
func takesAll(r *http.Request) (int, http.Header, string) {
	payload, _ := io.ReadAll(r.Body)
	var a struct {
		Accepted []map[string]any `json:"accepted"`
	}
	var d wire.Decoder
	for _, reading := range d.Decode(payload).Readings {
		values := map[string]any{}
		for _, v := range reading.Values {
			values[v.Quantity.String()] = v.Value
		}
		a.Accepted = append(a.Accepted, map[string]any{"time": reading.Time.Format(time.RFC3339), "values": values})
	}
	text, _ := json.Marshal(a)
	return http.StatusAccepted, nil, string(text)
}

func newImporter(server transport, problems *[]string) *Importer {
	return &Importer{
		Registry: &adopter{adopted: map[string]registry.Foreign{}}, Boundary: geo.CologneSketch(), Margin: 2e6,
		Client:  &push.Client{URL: "http://server", Password: func() (string, error) { return "secret", nil }, HTTP: &http.Client{Transport: server}},
		Problem: func(text string) { *problems = append(*problems, text) },
	}
}

func (im *Importer) importText(t *testing.T, name, text string) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return im.Import(t.Context(), name, file)
}

const good = "1;SDS011;7;50.941;6.958;2019-04-20T00:00:01;10;;;5;;\n"

// TestProblems expects every bad line of each file, their total, and always how a file ends.
func TestProblems(t *testing.T) {
	var problems []string
	im := newImporter(takesAll, &problems)
	for name, text := range map[string]string{
		"a.csv": header + strings.Repeat("broken\n", 3) + good,
		"b.csv": header + strings.Repeat("broken\n", 25) + good,
		"c.csv": "time;value\n",
		"d.csv": header + strings.Replace(good, "6.958", "-6.958", 1) + strings.Replace(good, ";7;", ";8;", 1),
	} {
		if err := errors.Join(im.importText(t, name, text), im.Flush(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(problems)
	count := func(part string) int {
		return len(slices.DeleteFunc(slices.Clone(problems), func(s string) bool { return !strings.Contains(s, part) }))
	}
	for part, want := range map[string]int{
		"a.csv:": 3, "a.csv:4: 1 fields": 1, "b.csv:": 25, "b.csv:26: 1 fields": 1, `c.csv: line 1: no column "sensor_id"`: 1, "d.csv:2: lon: no cell": 1,
	} {
		if got := count(part); got != want {
			t.Errorf("%q is reported %d times, want %d: %q", part, got, want, problems)
		}
	}
	stats := im.Stats
	if stats.Files != 4 || stats.Rows != 32 || stats.Stored != 3 || stats.Broken != 28 || stats.BadLines != 29 || stats.Refused["malformed"] != 29 || len(stats.Stations) != 2 {
		t.Errorf("stats %+v", stats)
	}
}

// TestBadValues names each line with a value that is none, and a particle counter once.
func TestBadValues(t *testing.T) {
	var problems []string
	im := newImporter(takesAll, &problems)
	const row = "99998;SDS011;57;50.941;6.958;2019-04-25T00:"
	text := header + row + "01:00;12.50;;;6.10;;\n" + row + "03:30;12,50;;;6,10;;\n" + row + "06:00;12. Mai;;;6.10;;\n" + row + "08:30;nan;;;nan;;\n" + row + "11:00;12.90;;;6.40;;\n"
	counter := header + strings.Repeat("1;PPD42NS;7;50.941;6.958;2019-04-20T00:00:01;1000;1;0.1;;;\n", 30)
	if err := errors.Join(im.importText(t, "a.csv", text), im.importText(t, "b.csv", counter), im.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`a.csv:3: P1 is a number, not "12,50"; P2 is a number, not "6,10"`, `a.csv:4: P1 is a number, not "12. Mai"`, `a.csv:5: P1 is a number, not "nan"; P2 is a number, not "nan"`,
		"b.csv: 30 rows of particle counters, which do not weigh particles",
	}
	if !slices.Equal(problems, want) {
		t.Errorf("problems\n%q, want\n%q", problems, want)
	}
	if s := im.Stats; s.BadLines != 3 || s.Broken != 0 || s.Stored != 3 || s.Values.Stored != 5 || s.Refused["not_a_number"] != 2 || s.Values.Refused["not_a_number"] != 1 || s.Refused["unsupported"] != 30 {
		t.Errorf("stats %+v", s)
	}
}

// TestExpand compares with the boundary's own distance: the box contains everything within the margin.
func TestExpand(t *testing.T) {
	city := geo.CologneSketch()
	const margin = 5000
	im := Importer{Boundary: city, Margin: margin}
	inside, outside := 0, 0
	for lon := 6.5; lon < 7.5; lon += 0.003 {
		for lat := 50.6; lat < 51.3; lat += 0.003 {
			p := orb.Point{lon, lat}
			want := city.Distance(p) <= margin
			if im.within(p) != want {
				t.Fatalf("%v is %v m away: within is %v", p, city.Distance(p), !want)
			}
			if want {
				inside++
			} else if im.box.Contains(p) {
				outside++
			}
		}
	}
	if inside == 0 || outside == 0 {
		t.Errorf("%d places inside and %d beside, want some of each", inside, outside)
	}
}

// TestSeveralAtOnce has a registry and a server that take a second for each station: AtOnce stations take one of each. What is
// refused is named in the order of the stations, and when one fails the rest is not delivered.
func TestSeveralAtOnce(t *testing.T) {
	text := header
	for i := range 2 * AtOnce {
		lon := 6.958
		if i%10 == 1 {
			lon = -lon
		}
		text += fmt.Sprintf("1;SDS011;%d;50.941;%.3f;2019-04-20T00:00:01;10;;;5;;\n", 100+i, lon)
	}
	f := func(what string, server func(station string) int, wantStored int, want string, wantTook time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			var problems []string
			im := newImporter(func(r *http.Request) (int, http.Header, string) {
				time.Sleep(time.Second)
				if station, _, _ := r.BasicAuth(); server(station) != http.StatusAccepted {
					return server(station), nil, `{"detail":"words"}`
				}
				return takesAll(r)
			}, &problems)
			im.Registry.(*adopter).takes = time.Second
			begin := time.Now()
			err := errors.Join(im.importText(t, "a.csv", text), im.Flush(t.Context()))
			if fmt.Sprint(err) != want || time.Since(begin) != wantTook {
				t.Errorf("%s: %v after %v, want %s after %v", what, err, time.Since(begin), want, wantTook)
			}
			if s := im.Stats; s.Stored != wantStored || len(s.Stations) != wantStored || s.Refused["malformed"] != 4 {
				t.Errorf("%s: %+v, want %d stored, and 4 refused", what, s, wantStored)
			}
			if named := []string{"a.csv:3: lon: no cell", "a.csv:13: lon: no cell", "a.csv:23: lon: no cell", "a.csv:33: lon: no cell"}; !slices.Equal(problems, named) {
				t.Errorf("%s: problems %q, want %q", what, problems, named)
			}
		})
	}
	f("all is taken", func(string) int { return http.StatusAccepted }, 2*AtOnce-4, "<nil>", 4*time.Second)
	f("a server that fails from the 17th station on", func(station string) int {
		if station >= "EXT118" { // the first AtOnce that are not refused are 100 to 117
			return http.StatusInternalServerError
		}
		return http.StatusAccepted
	}, AtOnce, "http://server answers 500: words", 13*time.Second+500*time.Millisecond) // 3 s, and seven answers with pauses of 0.1 s to 1 s
}

// TestStations expects one station for each place, with every sensor there.
func TestStations(t *testing.T) {
	var problems []string
	im := newImporter(takesAll, &problems)
	climate := "sensor_id;sensor_type;location;lat;lon;timestamp;temperature;humidity\n2;DHT22;7;50.941;6.958;2019-04-20T00:00:03;7.5;80\n"
	for _, text := range []string{header + good, climate} {
		if err := im.importText(t, "x.csv", text); err != nil {
			t.Fatal(err)
		}
	}
	if err := im.Flush(t.Context()); err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	st := im.Registry.(*adopter).adopted["7"]
	at := func(second int) time.Time { return time.Date(2019, 4, 20, 0, 0, second, 0, time.UTC) }
	fitted := []registry.Fitted{{ID: "1", Type: "sds011", Kind: "particles", From: at(1), Until: at(1)}, {ID: "2", Type: "dht22", Kind: "climate", From: at(3), Until: at(3)}}
	if !slices.Equal(st.Fitted, fitted) || st.Exposure != ingest.Outdoor || st.Source != registry.SensorCommunity || st.Licence != "ODbL-1.0" || im.Stats.Values.Stored != 4 {
		t.Errorf("station %+v, stats %+v", st, im.Stats)
	}
}

// TestWatch expects fetches every five minutes if the address has changed, later if the neighbour asks for it, and
// again after a failed delivery.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var rounds, problems []string
		down := true
		neighbour := transport(func(r *http.Request) (int, http.Header, string) {
			rounds = append(rounds, fmt.Sprint(time.Since(start), r.Header["If-None-Match"], r.Header["If-Modified-Since"], r.UserAgent()))
			switch len(rounds) {
			case 4:
				return http.StatusNotModified, nil, ""
			case 5:
				return http.StatusServiceUnavailable, http.Header{"Retry-After": {"900"}}, ""
			}
			return http.StatusOK, http.Header{"Etag": {`"a"`}, "Last-Modified": {"then"}}, header + good
		})
		server := transport(func(r *http.Request) (int, http.Header, string) {
			if down {
				return 0, nil, ""
			}
			return takesAll(r)
		})
		feed := Feed{URL: "http://neighbour/data", Agent: "stadtluft/1 (+http://city)", Client: &http.Client{Transport: neighbour}}
		ctx, cancel := context.WithCancel(t.Context())
		var outcomes []string
		feed.Watch(ctx, newImporter(server, &problems), 5*time.Minute, func(changed bool, err error) {
			outcomes = append(outcomes, fmt.Sprint(changed, err == nil))
			if down = len(outcomes) < 2; len(outcomes) == 6 {
				cancel()
			}
		})
		const agent = "stadtluft/1 (+http://city)"
		want := []string{
			"0s [] []" + agent, "5m0s [] []" + agent, "10m0s [] []" + agent, `15m0s ["a"] [then]` + agent, `20m0s ["a"] [then]` + agent, `35m0s ["a"] [then]` + agent,
		}
		if !slices.Equal(rounds, want) {
			t.Errorf("rounds\n%q, want\n%q", rounds, want)
		}
		if got := strings.Join(outcomes, ", "); got != "true false, true false, true true, false true, false false, true true" {
			t.Errorf("outcomes %s", got)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := func(text string, want time.Duration) {
			t.Helper()
			if got := retryAfter(text); got != want {
				t.Errorf("retryAfter(%q) = %v, want %v", text, got, want)
			}
		}
		f("", 0)
		f("120", 2*time.Minute)
		f("-5", 0)
		f("99999999999999", maxRetry)
		f("soon", 0)
		f(time.Now().UTC().Add(10*time.Minute).Format(http.TimeFormat), 10*time.Minute)
		f(time.Now().UTC().Add(-time.Minute).Format(http.TimeFormat), 0)
		f(time.Now().UTC().Add(24*time.Hour).Format(http.TimeFormat), maxRetry)
	})
}

// BenchmarkImport imports rows of which most are far away, as in the files of the whole network; its peer checks the
// boundary alone.
func BenchmarkImport(b *testing.B) {
	var content strings.Builder
	content.WriteString(header)
	for i := range 1000 {
		fmt.Fprintf(&content, "%d;SDS011;%d;%.3f;%.3f;2019-04-20T00:00:01;10;;;5;;\n", i, i, 47+float64(i%80)/10, 6+float64(i%83)/10)
	}
	run := func(name string, im *Importer, row func(Row) error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := Read(b.Context(), "x", strings.NewReader(content.String()), row, nil); err != nil {
					b.Fatal(err)
				}
				im.rows = im.rows[:0]
			}
			b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	im := &Importer{Boundary: geo.CologneSketch(), Margin: 5000}
	run("box", im, func(r Row) error { return im.row(b.Context(), r) })
	run("boundary", im, func(r Row) error { im.Boundary.Distance(r.Point); return nil })
}
