package influx

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/influx/influxtest"
	"stadtluft/ingest/store/storetest"
)

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestStore runs on the server of INFLUXDB_URL, with a bucket for each test; without one on an InfluxDB 1.8 of its own.
func TestStore(t *testing.T) {
	if running, ok := influxtest.FromEnvironment(); ok {
		storetest.Run(t, func(t *testing.T) store.Store {
			return open(t, Options{URL: running.URL, Token: running.Token, Org: running.Org, Bucket: running.Bucket(t)})
		})
		return
	}
	server := influxtest.Start(t)
	n := 0
	storetest.Run(t, func(t *testing.T) store.Store {
		n++
		return open(t, Options{URL: server.URL, Bucket: fmt.Sprintf("db%d", n)})
	})
}

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func reading(i int) ingest.Reading {
	at := noon.Add(time.Duration(i) * time.Second)
	return ingest.Reading{Station: fmt.Sprint("S", i%10), Time: at, Received: at, Values: []ingest.Value{
		{Quantity: quantity.PM2_5, Value: float64(i)}, {Quantity: quantity.PM10, Value: float64(i) + 0.5},
	}}
}

func readings(n int) []ingest.Reading {
	list := make([]ingest.Reading, n)
	for i := range list {
		list[i] = reading(i)
	}
	return list
}

func count(t *testing.T, s *Store, q quantity.Quantity) int {
	t.Helper()
	n := 0
	query := store.ReadingQuery{From: noon.Add(-time.Hour), To: noon.Add(24 * time.Hour), Quantities: []quantity.Quantity{q}}
	if err := s.Readings(t.Context(), query, func(ingest.Reading) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestTypeConflictRejectsOnlyItself has a database in which pm10 is already a string.
func TestTypeConflictRejectsOnlyItself(t *testing.T) {
	server := influxtest.Start(t)
	s := open(t, Options{URL: server.URL, Bucket: "old"})
	if err := s.send(t.Context(), []byte(fmt.Sprintf("reading,station=S3 pm10=\"broken\" %d\n", noon.Unix()))); err != nil {
		t.Fatal(err)
	}
	refused, err := s.WriteReadings(t.Context(), readings(20))
	if err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, quantity.PM2_5); got != 20 {
		t.Errorf("%d PM2.5 values, want all 20", got)
	}
	if len(refused) != 20 {
		t.Fatalf("%d refusals, want the 20 PM10 values that conflict: %+v", len(refused), refused)
	}
	if r := store.Refusals(refused)[3]; r.Reason != wire.Unstorable || r.Station != "S3" || r.Field != "pm10" || !strings.Contains(r.Detail, "field type conflict") {
		t.Errorf("refusal = %+v, want the station, the field and InfluxDB's words", r)
	}
	if r := refused[3].Reading; !slices.Equal(r.Values, readings(4)[3].Values[1:]) || !r.Time.Equal(readings(4)[3].Time) {
		t.Errorf("rejected %+v, want the value at fault with its time", r)
	}
}

// TestAReadingThatIsBeingWrittenIsNotRead has a point without its time of receipt, which is what a query may see of one that is
// written while it runs.
func TestAReadingThatIsBeingWrittenIsNotRead(t *testing.T) {
	s := open(t, Options{URL: influxtest.Start(t).URL, Bucket: "half"})
	if rejected, err := s.WriteReadings(t.Context(), readings(1)); err != nil || len(rejected) > 0 {
		t.Fatal(rejected, err)
	}
	if err := s.post(t.Context(), fmt.Appendf(nil, "reading,station=HALF pm10=1 %d\n", reading(0).Time.Unix()+1)); err != nil {
		t.Fatal(err)
	}
	var got []ingest.Reading
	err := s.Readings(t.Context(), store.ReadingQuery{From: reading(0).Time, To: reading(0).Time.Add(time.Hour)}, func(r ingest.Reading) error {
		got = append(got, r)
		return nil
	})
	if err != nil || len(got) != 1 || got[0].Station == "HALF" {
		t.Errorf("got %v, %v, want the whole one alone", got, err)
	}
}

func TestWrongTokenRejectsNothing(t *testing.T) {
	server := influxtest.Start(t, "auth-enabled = true")
	order(t, server.URL+"/query", "CREATE USER admin WITH PASSWORD 'secret' WITH ALL PRIVILEGES")
	s := open(t, Options{URL: server.URL, Bucket: "db", Token: "admin:secret"})
	if refused, err := s.WriteReadings(t.Context(), readings(3)); err != nil || len(refused) > 0 {
		t.Errorf("with the right token: %v %v", refused, err)
	}
	for _, token := range []string{"admin:wrong", ""} {
		if _, err := Open(t.Context(), Options{URL: server.URL, Bucket: "db", Token: token}); err == nil || !strings.Contains(err.Error(), "store.influxdb.token") {
			t.Errorf("token %q: %v, want an error that names store.influxdb.token", token, err)
		}
	}
	order(t, server.URL+"/query?u=admin&p=secret", "SET PASSWORD FOR admin = 'other'")
	if refused, err := s.WriteReadings(t.Context(), readings(3)); err == nil || len(refused) > 0 || !strings.Contains(err.Error(), "store.influxdb.token") {
		t.Errorf("after the password changed: refused %v, error %v, want an error that names store.influxdb.token", refused, err)
	}
}

// order executes a statement. InfluxDB sends the response header before it begins and the body when it is done.
func order(t *testing.T, address, statement string) {
	t.Helper()
	response, err := http.PostForm(address, url.Values{"q": {statement}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK || strings.Contains(string(body), "error") {
		t.Fatalf("%s: %s %s %v", statement, response.Status, body, err)
	}
}

// TestDroppedDatabase expects one failed write, which its caller repeats.
func TestDroppedDatabase(t *testing.T) {
	server := influxtest.Start(t)
	s := open(t, Options{URL: server.URL, Bucket: "db"})
	order(t, server.URL+"/query", "DROP DATABASE db")
	if refused, err := s.WriteReadings(t.Context(), readings(3)); err == nil || len(refused) > 0 || !strings.Contains(err.Error(), "store.influxdb.bucket") {
		t.Errorf("without a database: refused %v, error %v, want an error that names store.influxdb.bucket", refused, err)
	}
	if _, err := s.WriteReadings(t.Context(), readings(3)); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, quantity.PM10); got != 3 {
		t.Errorf("%d readings, want 3", got)
	}
}

func TestOutageLosesNothing(t *testing.T) {
	server := influxtest.Start(t)
	s := open(t, Options{URL: server.URL, Bucket: "db"})
	s.sleep = func(context.Context, time.Duration) error { return nil }
	if _, err := s.WriteReadings(t.Context(), readings(100)); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if refused, err := s.WriteReadings(t.Context(), readings(200)); err == nil || len(refused) > 0 {
		t.Errorf("while InfluxDB is away: refused %v, error %v, want only an error", refused, err)
	}
	server.Restart()
	if _, err := s.WriteReadings(t.Context(), readings(200)); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, quantity.PM10); got != 200 {
		t.Errorf("%d readings, want 200", got)
	}
}

func TestOpenWhileInfluxDBIsDown(t *testing.T) {
	server := influxtest.Start(t)
	server.Stop()
	s := open(t, Options{URL: server.URL, Bucket: "later"})
	s.sleep = func(context.Context, time.Duration) error { return nil }
	if err := s.Ping(t.Context()); err == nil {
		t.Error("Ping without InfluxDB has no error")
	}
	if _, err := s.WriteReadings(t.Context(), readings(5)); err == nil {
		t.Error("a write without InfluxDB has no error")
	}
	server.Restart()
	if _, err := s.WriteReadings(t.Context(), readings(5)); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, quantity.PM10); got != 5 {
		t.Errorf("%d readings, want 5", got)
	}
}

// fake is an InfluxDB 2 with configured responses to writes; there is no binary of one to test with.
type fake struct {
	answers []func(w http.ResponseWriter, lines []string)
	bodies  [][]string
	allBad  bool // also rejects probes
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/v2/buckets" {
		io.WriteString(w, `{"buckets":[{"name":"b","retentionRules":[{"type":"expire","everySeconds":86400}]}]}`)
		return
	}
	if r.URL.Path == "/query" {
		io.WriteString(w, `{"results":[{"statement_id":0}]}`)
		return
	}
	lineReader, err := io.Reader(r.Body), error(nil)
	if r.Header.Get("Content-Encoding") == "gzip" { // what is written after Open
		lineReader, err = gzip.NewReader(r.Body)
	}
	if err != nil || r.URL.Query().Get("precision") != "s" || r.Header.Get("Authorization") != "Token secret" {
		http.Error(w, "not as expected", http.StatusTeapot)
		return
	}
	body, _ := io.ReadAll(lineReader)
	if len(body) == 0 && !f.allBad {
		w.WriteHeader(http.StatusNoContent) // a probe
		return
	}
	lines := strings.Split(strings.TrimSpace(string(body)), "\n")
	f.bodies = append(f.bodies, lines)
	if len(f.answers) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer := f.answers[0]
	if len(f.answers) > 1 {
		f.answers = f.answers[1:]
	}
	answer(w, lines)
}

func status(code int, header, body string) func(http.ResponseWriter, []string) {
	return func(w http.ResponseWriter, _ []string) {
		w.Header().Set("Content-Type", "application/json")
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func openFake(t *testing.T, answers ...func(http.ResponseWriter, []string)) (*Store, *fake, *[]time.Duration) {
	t.Helper()
	f := &fake{answers: answers}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	s := open(t, Options{URL: server.URL, Token: "secret", Org: "o", Bucket: "b"})
	s.local = false // so that it packs, as for a server elsewhere
	var waits []time.Duration
	s.sleep = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	return s, f, &waits
}

func TestInfluxDB2RejectsOnePoint(t *testing.T) {
	blame := func(w http.ResponseWriter, lines []string) {
		for _, line := range lines {
			if strings.Contains(line, "pm10=7.5") {
				status(http.StatusUnprocessableEntity, "", `{"code":"unprocessable entity","message":"failure writing points to database: pm10"}`)(w, lines)
				return
			}
		}
		w.WriteHeader(http.StatusNoContent)
	}
	s, f, _ := openFake(t, blame)
	refused, err := s.WriteReadings(t.Context(), readings(50))
	if err != nil || len(refused) != 1 || refused[0].Reading.Station != "S7" || refused[0].Reading.Values[0].Quantity != quantity.PM10 || !strings.Contains(refused[0].Detail, "failure writing points") {
		t.Fatalf("refused %+v, error %v, want PM10 of S7 alone", refused, err)
	}
	taken := map[string]bool{}
	for _, lines := range f.bodies {
		if strings.Contains(strings.Join(lines, "\n"), "pm10=7.5") || strings.Contains(lines[0], probeStation) {
			continue
		}
		for _, line := range lines {
			taken[line[strings.LastIndexByte(line, ' '):]] = true
		}
	}
	if len(taken) != 50 {
		t.Errorf("%d of 50 readings were taken at least in part", len(taken))
	}
}

// TestOnlyPointsAreRejected has responses that are not about points, as nginx, other servers and InfluxDB's own
// configuration give them: nothing is rejected, and the error says what came from where.
func TestOnlyPointsAreRejected(t *testing.T) {
	const html = "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"
	server := func(want string) string { return strings.ReplaceAll(want, "known to be good", "InfluxDB at ") }
	f := func(code int, body, want string) {
		t.Helper()
		s, fake, _ := openFake(t, status(code, "", body))
		rejected, err := s.WriteReadings(t.Context(), readings(100))
		if err == nil || len(rejected) > 0 || !strings.Contains(err.Error(), want) {
			t.Errorf("%d %s: rejected %d, error %v, want only an error with %q", code, body, len(rejected), err, want)
		}
		if len(fake.bodies) > 20 {
			t.Errorf("%d %s: %d requests", code, body, len(fake.bodies))
		}
		fake.allBad = true
		if err := s.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), server(want)) {
			t.Errorf("%d %s: Ping says %v, want %q in it", code, body, err, server(want))
		}
		if err := s.WriteGrid(t.Context(), []aggregate.Row{{Quantity: quantity.PM10, Start: noon}}); err == nil || errors.Is(err, store.ErrRejected) {
			t.Errorf("%d %s: WriteGrid says %v, want an error that blames no row", code, body, err)
		}
	}
	f(http.StatusBadRequest, html, `400, which is not InfluxDB's ("400 The plain HTTP request was sent to HTTPS port")`)
	f(http.StatusBadRequest, `{"code":"invalid","message":"Please provide either orgID or org"}`, "set store.influxdb.org")
	f(http.StatusBadRequest, `{"code":"invalid","message":"failed to decode request body"}`, "failed to decode request body")
	f(http.StatusBadRequest, `{"error":"unable to parse 'reading': missing fields"}`, "known to be good")
	f(http.StatusUnprocessableEntity, `{"detail":"validation error"}`, "422, which is not InfluxDB's")
	f(http.StatusUnprocessableEntity, `{"code":"unprocessable entity","message":"failure writing points to database: disk"}`, "known to be good")
	f(http.StatusRequestEntityTooLarge, "<h1>413 Request Entity Too Large</h1>", "413, which is not InfluxDB's")
	f(http.StatusNotFound, "404 page not found", "check store.influxdb.url")
	f(http.StatusOK, "<p>Please log in</p>", `200, which is not InfluxDB's ("Please log in")`)
}

// TestRetentionOfABucket reads it as InfluxDB 2 returns it; its InfluxQL says 0s for every bucket.
func TestRetentionOfABucket(t *testing.T) {
	s, _, _ := openFake(t, status(http.StatusNoContent, "", ""))
	if keep, err := s.Retention(t.Context()); err != nil || keep != 24*time.Hour {
		t.Errorf("Retention = %v, %v, want 24 h", keep, err)
	}
}

// TestMessagesAreShort has no database at an address with a password: messages name the host, neither the password nor the whole query.
func TestMessagesAreShort(t *testing.T) {
	f := func(address string) {
		t.Helper()
		s := open(t, Options{URL: address, Bucket: "b"})
		s.sleep = func(context.Context, time.Duration) error { return nil }
		readErr := s.Readings(t.Context(), store.ReadingQuery{From: noon, To: noon.Add(time.Hour)}, func(ingest.Reading) error { return nil })
		_, writeErr := s.WriteReadings(t.Context(), readings(1))
		for _, err := range []error{readErr, writeErr} {
			if err == nil || len(err.Error()) > 250 || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "127.0.0.1:") {
				t.Errorf("%s: %v", address, err)
			}
		}
	}
	f("http://user:secret@127.0.0.1:1")
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	f(strings.Replace(server.URL, "://", "://user:secret@", 1))
}

// TestTooLargeIsSplit has a proxy that accepts 20 lines at once.
func TestTooLargeIsSplit(t *testing.T) {
	s, f, _ := openFake(t, func(w http.ResponseWriter, lines []string) {
		if len(lines) > 20 {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	rejected, err := s.WriteReadings(t.Context(), readings(100))
	taken := 0
	for _, lines := range f.bodies {
		if len(lines) <= 20 {
			taken += len(lines)
		}
	}
	if err != nil || len(rejected) > 0 || taken != 100 {
		t.Errorf("rejected %v, error %v, %d of 100 lines taken", rejected, err, taken)
	}
}

// TestOlderThanTheBucketKeeps has readings and rows that a real InfluxDB drops for their age, and others that it
// accepts.
func TestOlderThanTheBucketKeeps(t *testing.T) {
	server := influxtest.Start(t)
	s := open(t, Options{URL: server.URL, Bucket: "short"})
	order(t, server.URL+"/query", `ALTER RETENTION POLICY "autogen" ON "short" DURATION 24h SHARD DURATION 1h`)
	if keep, err := s.Retention(t.Context()); err != nil || keep != 24*time.Hour {
		t.Errorf("Retention = %v, %v, want 24 h", keep, err)
	}
	list := readings(4)
	now := time.Now().UTC().Truncate(time.Second)
	list[1].Time, list[3].Time = now, now
	rejected, err := s.WriteReadings(t.Context(), list)
	if err != nil || len(rejected) != 4 || rejected[0].Reading.Station != "S0" || rejected[2].Reading.Station != "S2" || !strings.Contains(rejected[0].Detail, "beyond retention") {
		t.Errorf("rejected %+v, error %v, want both values of S0 and S2", rejected, err)
	}
	cell, _ := geo.CellAt(orb.Point{6.96, 50.94}, 1000)
	row := aggregate.Row{Cell: cell, Quantity: quantity.PM10, Window: aggregate.Hour, Start: noon, Stations: 1, Readings: 20}
	if err := s.WriteGrid(t.Context(), []aggregate.Row{row}); !errors.Is(err, store.ErrRejected) {
		t.Errorf("an old row: %v, want ErrRejected", err)
	}
	row.Start = now.Truncate(time.Hour)
	if err := s.WriteGrid(t.Context(), []aggregate.Row{row}); err != nil {
		t.Errorf("a row of now: %v", err)
	}
}

func TestInfluxDB2Busy(t *testing.T) {
	s, f, waits := openFake(t,
		status(http.StatusTooManyRequests, "Retry-After: 7", `{"code":"too many requests","message":"limit"}`),
		status(http.StatusServiceUnavailable, "", `{"code":"unavailable","message":"wait"}`),
		status(http.StatusNoContent, "", ""),
	)
	if _, err := s.WriteReadings(t.Context(), readings(1)); err != nil {
		t.Fatal(err)
	}
	if len(f.bodies) != 3 || len(*waits) != 2 || (*waits)[0] != 7*time.Second {
		t.Errorf("%d requests, waits %v, want 3 with the 7 s InfluxDB asked for first", len(f.bodies), *waits)
	}
}

func TestInfluxDB2Configuration(t *testing.T) {
	f := func(code int, body, want string) {
		t.Helper()
		s, fake, _ := openFake(t, status(code, "", body))
		refused, err := s.WriteReadings(t.Context(), readings(3))
		if err == nil || len(refused) > 0 || !strings.Contains(err.Error(), want) || len(fake.bodies) != 1 {
			t.Errorf("%d: refused %v, error %v after %d requests, want an error with %q after 1", code, refused, err, len(fake.bodies), want)
		}
	}
	f(http.StatusUnauthorized, `{"code":"unauthorized","message":"unauthorized access"}`, "store.influxdb.token")
	f(http.StatusForbidden, `{"code":"forbidden","message":"insufficient permissions"}`, "store.influxdb.token")
	f(http.StatusNotFound, `{"code":"not found","message":"bucket \"b\" not found"}`, "store.influxdb.bucket")
}

func TestTruncatedResponse(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Query().Get("q"), "SELECT") {
			io.WriteString(w, `{"results":[{"series":[{"columns":["time"],"values":[[`)
			return
		}
		if strings.Contains(r.URL.Query().Get("q"), "FIELD KEYS") {
			io.WriteString(w, `{"results":[{"series":[{"name":"reading","columns":["fieldKey","fieldType"],"values":[["pm10","float"],["received","integer"]]}]}]}`)
			return
		}
		io.WriteString(w, `{"results":[{}]}`)
	}))
	defer server.Close()
	s := open(t, Options{URL: server.URL, Bucket: "b"})
	err := s.Readings(t.Context(), store.ReadingQuery{From: noon, To: noon.Add(time.Hour)}, func(ingest.Reading) error { return nil })
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error = %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

// TestAnswerWithoutItsEnd has a proxy between that ends an answer after a whole chunk, as one that speaks HTTP/1.0 with InfluxDB
// does when InfluxDB ends.
func TestAnswerWithoutItsEnd(t *testing.T) {
	f := func(rows string, whole bool) {
		t.Helper()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch q := r.URL.Query().Get("q"); {
			case strings.Contains(q, "FIELD KEYS"):
				io.WriteString(w, `{"results":[{"series":[{"name":"reading","columns":["fieldKey","fieldType"],"values":[["pm10","float"]]}]}]}`)
			case strings.Contains(q, "ORDER BY"):
				io.WriteString(w, rows)
			case r.URL.Path == "/query":
				io.WriteString(w, `{"results":[{}]}`)
			default:
				w.WriteHeader(http.StatusNoContent)
			}
		}))
		defer server.Close()
		s, n := open(t, Options{URL: server.URL, Bucket: "b"}), 0
		err := s.Readings(t.Context(), store.ReadingQuery{From: time.Unix(0, 0), To: time.Unix(10, 0)}, func(ingest.Reading) error { n++; return nil })
		if !whole && !errors.Is(err, io.ErrUnexpectedEOF) || whole && (err != nil || n != 2) {
			t.Errorf("%d readings, error %v, whole %v", n, err, whole)
		}
	}
	const first = `{"results":[{"series":[{"columns":["time","station","received","time_source","pm10"],"values":[[1000,"A",1000,0,5]],"partial":true}],"partial":true}]}` + "\n"
	const last = `{"results":[{"series":[{"columns":["time","station","received","time_source","pm10"],"values":[[2000,"A",2000,0,5]]}]}]}` + "\n"
	f(first+last, true)
	f(first, false)
}

func BenchmarkWrite(b *testing.B) {
	s := open(b, Options{URL: influxtest.Start(b).URL, Bucket: "db"})
	n := 0
	for b.Loop() {
		batch := readings(5000)
		for i := range batch {
			batch[i].Time = batch[i].Time.Add(time.Duration(n) * time.Second)
		}
		if _, err := s.WriteReadings(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		n += len(batch)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "readings/s")
}

func BenchmarkRead(b *testing.B) {
	s := open(b, Options{URL: influxtest.Start(b).URL, Bucket: "db"})
	if _, err := s.WriteReadings(b.Context(), readings(50_000)); err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		if err := s.Readings(b.Context(), store.ReadingQuery{From: noon, To: noon.Add(24 * time.Hour)}, func(ingest.Reading) error { n++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "readings/s")
}
