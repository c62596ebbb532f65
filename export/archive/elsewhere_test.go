package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stadtluft/export/archive/bucket"
	"stadtluft/export/archive/bucket/s3test"
	"stadtluft/export/archive/remote"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// inBucket returns an archive in a bucket, of a machine with a folder of its own and the store of another.
func inBucket(t *testing.T, o bucket.Options, inner store.Store) *Store {
	t.Helper()
	b, err := bucket.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, t.TempDir())
	s.Archive.Files = b
	if inner != nil {
		s.Store = inner
	}
	return s
}

// begun notes that the archive has all days from before, as it is after its first hour.
func begun(t *testing.T, s *Store) {
	t.Helper()
	for _, note := range []string{"seeded", "means"} {
		if err := s.Archive.files().Write(t.Context(), pendingFolder+"/"+note, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func work(t *testing.T, s *Store, now time.Time) {
	t.Helper()
	if err := s.Work(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}

// TestArchiveInABucket archives, corrects and evicts a day with two machines on one bucket: one writes readings and archives, the other
// writes averages. A third reads. Files are the same as in a folder.
func TestArchiveInABucket(t *testing.T) {
	server := s3test.Start(t)
	server.Make("air")
	o := server.Options("air", "koeln")
	writer := inBucket(t, o, nil)
	begun(t, writer)
	other, reader := inBucket(t, o, writer.Store), inBucket(t, o, writer.Store)
	if err := errors.Join(writer.Archive.Adopt(t.Context(), "OURS"), writer.Archive.Files.(*bucket.Bucket).Refresh(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := reader.Archive.Belongs("ANOTHER"); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "s3://air/koeln at "+server.URL) {
		t.Errorf("another installation's: %v", err)
	}
	if refused, err := writer.WriteReadings(t.Context(), day()); err != nil || len(refused) > 0 {
		t.Fatal(refused, err)
	}
	work(t, writer, time.Now().Add(2*buildDelay))
	if revisions, err := writer.Archive.Revisions(may); err != nil || len(revisions) != 1 {
		t.Fatalf("revisions %v, %v", revisions, err)
	}
	if err := other.WriteGrid(t.Context(), grid()); err != nil {
		t.Fatal(err)
	}
	if err := other.Archive.SendMarks(t.Context()); err != nil {
		t.Fatal(err)
	}
	writer.Archive.Retention = 7 * 24 * time.Hour
	work(t, writer, time.Now().Add(2*buildDelay)) // and spares the day
	want := read(t, writer, whole())

	if err := reader.Archive.Files.(*bucket.Bucket).Refresh(t.Context()); err != nil { // as it does by itself after ten seconds
		t.Fatal(err)
	}
	if days, err := reader.Archive.Days(Ends()); err != nil || !slices.Equal(days, []Day{may}) {
		t.Fatalf("the reader sees %v, %v", days, err)
	}
	if revisions, wrong, err := reader.Archive.Verify(may); revisions != 2 || len(wrong) > 0 || err != nil {
		t.Errorf("%d revisions, %v, %v", revisions, wrong, err)
	}
	plain := open(t, t.TempDir())
	fill(t, plain, day())
	build(t, plain, 1)
	same, err := plain.Archive.sums(may, 1)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := reader.Archive.sums(may, 2)
	for _, name := range []string{packageName, manifestName} { // know of the first revision
		delete(same, name)
		delete(sums, name)
	}
	if err != nil || !reflect.DeepEqual(sums, same) {
		t.Errorf("%v, %v, want %v", sums, err, same)
	}

	work(t, writer, time.Now().Add(evictDelay+2*buildDelay))
	if got := read(t, writer.Store, whole()); len(got) != 0 {
		t.Errorf("the store still has %d readings", len(got))
	}
	if got := read(t, inBucket(t, o, writer.Store), whole()); !reflect.DeepEqual(got, want) {
		t.Errorf("%d readings from the bucket, want %d", len(got), len(want))
	}
	if err := os.WriteFile(server.Path("air", "koeln/2026/05/01/r2/"+readingsCSV), []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, wrong, _ := inBucket(t, o, nil).Archive.Verify(may); len(wrong) != 1 || !strings.Contains(wrong[0], readingsCSV) {
		t.Errorf("of a damaged object it says %v", wrong)
	}
}

// TestStorageFailsInTheMiddle has a server that refuses everything after some uploads of a day: nobody sees the day, it stays marked, and
// is whole when the server is back.
func TestStorageFailsInTheMiddle(t *testing.T) {
	server := s3test.Start(t)
	server.Make("air")
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var left atomic.Int64
	left.Store(1 << 30)
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host }}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if left.Load() <= 0 || r.Method == http.MethodPut && left.Add(-1) <= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	o := server.Options("air", "")
	o.Endpoint = proxy.URL
	s := inBucket(t, o, nil)
	begun(t, s)
	fill(t, s, day())
	if err := s.Archive.SendMarks(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Add(2 * buildDelay)
	left.Store(9) // some files
	if err := s.Work(t.Context(), now); err == nil || !strings.Contains(err.Error(), "publish 2026/05/01/r1") || !strings.Contains(err.Error(), proxy.URL) {
		t.Fatalf("work = %v", err)
	}
	direct := inBucket(t, server.Options("air", ""), nil).Archive
	if days, err := direct.Days(Ends()); err != nil || len(days) != 0 {
		t.Errorf("others see %v, %v", days, err)
	}
	if objects, err := os.ReadDir(server.Path("air", "2026/05/01/r1")); err != nil || len(objects) == 0 {
		t.Errorf("nothing was uploaded before: %v", err)
	}
	left.Store(1 << 30)
	var said bytes.Buffer
	s.Archive.Log = slog.New(slog.NewTextHandler(&said, nil))
	s.done(t.Context(), errors.New("503"))
	work(t, s, now)
	s.done(t.Context(), nil)
	if log := said.String(); strings.Count(log, "retrying") != 1 || strings.Count(log, "days are archived again") != 1 {
		t.Errorf("the log has %s", log)
	}
	direct = inBucket(t, server.Options("air", ""), nil).Archive
	if revisions, wrong, err := direct.Verify(may); revisions != 1 || len(wrong) > 0 || err != nil {
		t.Errorf("%d revisions, %v, %v", revisions, wrong, err)
	}
	if pending, err := s.Archive.Pending(t.Context()); err != nil || len(pending) > 0 {
		t.Errorf("pending %v, %v", pending, err)
	}
}

// TestArchiveOverHTTP reads the archive of another process: every file, parts of them and pages are the same, and a new revision is seen
// when the list is asked for again. Nothing can be written.
func TestArchiveOverHTTP(t *testing.T) {
	s, _ := serving(t)
	if err := s.Archive.Adopt(t.Context(), "OURS"); err != nil {
		t.Fatal(err)
	}
	serve := func(a *Archive) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := a.Serve(w, r); err != nil {
				http.Error(w, err.Error(), http.StatusNotFound)
			}
		}))
		t.Cleanup(server.Close)
		return server.URL + Root
	}
	origin := serve(s.Archive)
	files := remote.OverHTTP(origin, "")
	copied := open(t, t.TempDir()).Archive
	copied.Files = files
	web := serve(copied)
	if err := copied.Belongs("ANOTHER"); !errors.Is(err, ErrForeign) {
		t.Errorf("another installation's: %v", err)
	}
	if err := copied.Belongs("OURS"); err != nil {
		t.Error(err)
	}
	if revisions, wrong, err := copied.Verify(may); revisions != 2 || len(wrong) > 0 || err != nil {
		t.Errorf("%d revisions, %v, %v", revisions, wrong, err)
	}
	names, err := s.Archive.list(s.Archive.revisionFolder(may, 2))
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"index.json", "2026/05/01/", "2026/05.tar", "2026/means-1h.parquet", "2026/SHA256SUMS", remote.ListingName}
	for _, name := range names {
		paths = append(paths, "2026/05/01/"+name, "2026/05/01/r1/"+name)
	}
	for _, path := range paths {
		for _, part := range []string{"", "bytes=10-99", "bytes=-7"} {
			got, want := fetch(t, web+path, part), fetch(t, origin+path, part)
			if got != want {
				t.Errorf("%s %s: %.80q, want %.80q", path, part, got, want)
			}
		}
	}
	fill(t, s, []ingest.Reading{{Station: "C", Time: begin, Received: begin, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 2}}}})
	build(t, s, 3)
	s.Archive.listed.made = time.Time{}
	if err := files.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if revisions, err := copied.Revisions(may); err != nil || len(revisions) != 3 {
		t.Errorf("revisions %v, %v", revisions, err)
	}
	if err := errors.Join(files.Write(t.Context(), "x", nil)); err == nil {
		t.Error("a file was written")
	}
	wrong := remote.OverHTTP(strings.TrimSuffix(origin, "archive/")+"archiv/", "")
	if err := wrong.Check(t.Context(), false); err == nil || !strings.Contains(err.Error(), "is it the address of a process") {
		t.Errorf("a wrong address: %v", err)
	}
}

// fetch returns the status, what identifies the content, and the content.
func fetch(t *testing.T, url, part string) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if part != "" {
		request.Header.Set("Range", part)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.Status + response.Header.Get("ETag") + response.Header.Get("Content-Range") + string(body)
}

// TestYoungReadingsNeedNoArchive reads the store while the archive does not answer.
func TestYoungReadingsNeedNoArchive(t *testing.T) {
	s := open(t, t.TempDir())
	s.Archive.Files = remote.OverHTTP("http://127.0.0.1:9/archive/", "")
	now := time.Now().Truncate(time.Second)
	if refused, err := s.Store.WriteReadings(t.Context(), []ingest.Reading{{Station: "A", Time: now, Received: now, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 2}}}}); err != nil || len(refused) > 0 {
		t.Fatal(refused, err)
	}
	if got := read(t, s, store.ReadingQuery{From: now.Add(-48 * time.Hour), To: now.Add(time.Hour)}); len(got) != 1 {
		t.Errorf("%d readings, want the one of now", len(got))
	}
	if err := s.Readings(t.Context(), store.ReadingQuery{From: now.AddDate(0, 0, -30), To: now}, func(ingest.Reading) error { return nil }); err == nil {
		t.Error("readings of a month ago are complete without the archive")
	}
}

// TestKilledWhileSending leaves what a process leaves that ends while it hands a mark over: the mark is sent by the next.
func TestKilledWhileSending(t *testing.T) {
	server := s3test.Start(t)
	server.Make("air")
	s := inBucket(t, server.Options("air", ""), nil)
	if err := errors.Join(s.Archive.Mark(may), s.Archive.beginBuild(may)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Archive.SendMarks(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if pending, err := s.Archive.Pending(t.Context()); err != nil || len(pending) != 1 || pending[0].Day != may {
		t.Errorf("pending %v, %v", pending, err)
	}
	if left, err := filepath.Glob(filepath.Join(s.Archive.marksFolder(), "*")); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	if _, err := fs.Stat(s.Archive.files(), pendingFolder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("marks among the files: %v", err)
	}
}

// waitingMarks are marks of a server that does not answer; they keep how long they may be waited for.
type waitingMarks struct {
	folder
	most time.Duration
}

func (*waitingMarks) AddMark(context.Context, string) error    { return nil }
func (*waitingMarks) RemoveMark(context.Context, string) error { return nil }
func (m *waitingMarks) Marks(ctx context.Context) ([]string, error) {
	m.most = time.Hour
	if end, ok := ctx.Deadline(); ok {
		m.most = time.Until(end)
	}
	return nil, context.DeadlineExceeded
}

// TestForgettingHoldsWritersShortly deletes an hour from the store while the marks' server does not answer: writers wait meanwhile.
func TestForgettingHoldsWritersShortly(t *testing.T) {
	s := open(t, t.TempDir())
	marks := &waitingMarks{folder: folder(s.Archive.Dir)}
	s.Archive.Files = marks
	if done, err := s.forgetHour(t.Context(), may, begin); done || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("forgotten %t, %v", done, err)
	}
	if marks.most > 2*time.Second {
		t.Errorf("writers wait for up to %v", marks.most)
	}
}
