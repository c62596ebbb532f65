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
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/wire"
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

func TestStore(t *testing.T) {
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
		{Quantity: wire.PM2_5, Value: float64(i)}, {Quantity: wire.PM10, Value: float64(i) + 0.5},
	}}
}

func readings(n int) []ingest.Reading {
	list := make([]ingest.Reading, n)
	for i := range list {
		list[i] = reading(i)
	}
	return list
}

func count(t *testing.T, s *Store, q wire.Quantity) int {
	t.Helper()
	n := 0
	query := store.ReadingQuery{From: noon.Add(-time.Hour), To: noon.Add(24 * time.Hour), Quantities: []wire.Quantity{q}}
	if err := s.Readings(t.Context(), query, func(ingest.Reading) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestATypeConflictCostsOnlyItself has a database in which pm10 is a string already.
func TestATypeConflictCostsOnlyItself(t *testing.T) {
	server := influxtest.Start(t)
	s := open(t, Options{URL: server.URL, Bucket: "old"})
	if err := s.post(t.Context(), []byte(fmt.Sprintf("reading,station=S3 pm10=\"broken\" %d\n", noon.Unix()))); err != nil {
		t.Fatal(err)
	}
	refused, err := s.WriteReadings(t.Context(), readings(20))
	if err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, wire.PM2_5); got != 20 {
		t.Errorf("%d PM2.5 values, want all 20", got)
	}
	if len(refused) != 20 {
		t.Fatalf("%d refusals, want the 20 PM10 values that conflict: %+v", len(refused), refused)
	}
	if r := refused[3]; r.Reason != wire.Unstorable || r.Station != "S3" || r.Field != "pm10" || !strings.Contains(r.Detail, "field type conflict") {
		t.Errorf("refusal = %+v, want the station, the field and InfluxDB's words", r)
	}
}

func TestAWrongTokenIsNobodysFault(t *testing.T) {
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

// order has a statement done. InfluxDB sends the answer's header before it begins and the body when it is done.
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

// TestADatabaseThatWasDropped costs one write, which its caller does again.
func TestADatabaseThatWasDropped(t *testing.T) {
	server := influxtest.Start(t)
	s := open(t, Options{URL: server.URL, Bucket: "db"})
	order(t, server.URL+"/query", "DROP DATABASE db")
	if refused, err := s.WriteReadings(t.Context(), readings(3)); err == nil || len(refused) > 0 || !strings.Contains(err.Error(), "store.influxdb.bucket") {
		t.Errorf("without a database: refused %v, error %v, want an error that names store.influxdb.bucket", refused, err)
	}
	if _, err := s.WriteReadings(t.Context(), readings(3)); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, wire.PM10); got != 3 {
		t.Errorf("%d readings, want 3", got)
	}
}

func TestAnAbsenceLosesNothing(t *testing.T) {
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
	if got := count(t, s, wire.PM10); got != 200 {
		t.Errorf("%d readings, want 200", got)
	}
}

func TestInfluxDBMayComeLater(t *testing.T) {
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
	if got := count(t, s, wire.PM10); got != 5 {
		t.Errorf("%d readings, want 5", got)
	}
}

// fake is an InfluxDB 2 that answers writes as it is told; there is no binary of one to test with.
type fake struct {
	answers []func(w http.ResponseWriter, lines []string)
	bodies  [][]string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/query" {
		io.WriteString(w, `{"results":[{"statement_id":0}]}`)
		return
	}
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil || r.URL.Query().Get("precision") != "s" || r.Header.Get("Authorization") != "Token secret" {
		http.Error(w, "not as expected", http.StatusTeapot)
		return
	}
	body, _ := io.ReadAll(unzipped)
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
	var waits []time.Duration
	s.sleep = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	return s, f, &waits
}

func TestInfluxDB2RefusesOnePoint(t *testing.T) {
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
	if err != nil || len(refused) != 1 || refused[0].Station != "S7" || refused[0].Field != "pm10" || !strings.Contains(refused[0].Detail, "failure writing points") {
		t.Fatalf("refused %+v, error %v, want PM10 of S7 alone", refused, err)
	}
	taken := map[string]bool{}
	for _, lines := range f.bodies {
		if bad := strings.Contains(strings.Join(lines, "\n"), "pm10=7.5"); bad {
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

func TestInfluxDB2SetUp(t *testing.T) {
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

func TestAnAnswerThatBreaksOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Query().Get("q"), "SELECT") {
			io.WriteString(w, `{"results":[{"series":[{"columns":["time"],"values":[[`)
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
