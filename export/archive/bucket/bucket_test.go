package bucket_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"stadtluft/export/archive"
	"stadtluft/export/archive/bucket"
	"stadtluft/export/archive/bucket/s3test"
)

var (
	_ archive.Files = (*bucket.Bucket)(nil)
	_ archive.Marks = (*bucket.Bucket)(nil)
)

func open(t *testing.T, o bucket.Options) *bucket.Bucket {
	t.Helper()
	b, err := bucket.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// revision returns a folder with the files of a revision.
func revision(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

var files = map[string]string{"SHA256SUMS": "sums", "a.csv": "a", "zero": "", "readings.parquet": strings.Repeat("0123456789abcdef", 3<<16)} // of 3 MiB

// TestFileSystem publishes a revision, and reads it as Go's own test of file systems does, in the process that wrote it and in another.
func TestFileSystem(t *testing.T) {
	server := s3test.Start(t)
	server.Make("air")
	for _, prefix := range []string{"", "city/archive"} {
		writer := open(t, server.Options("air", prefix))
		if err := writer.Publish(t.Context(), revision(t, files), "2026/05/01/r1"); err != nil {
			t.Fatal(err)
		}
		if err := writer.Write(t.Context(), "installation", []byte("id")); err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string]*bucket.Bucket{"writer": writer, "reader": open(t, server.Options("air", prefix))} {
			if err := fstest.TestFS(b, "2026/05/01/r1/SHA256SUMS", "2026/05/01/r1/readings.parquet", "2026/05/01/r1/zero", "installation"); err != nil && prefix != "" { // without one it also sees the other's
				t.Errorf("%s: %v", name, err)
			}
			for file, want := range files {
				if got, err := fs.ReadFile(b, "2026/05/01/r1/"+file); err != nil || string(got) != want {
					t.Errorf("%s: %s has %d bytes, %v, want %d", name, file, len(got), err, len(want))
				}
			}
		}
	}
}

// TestUnfinished leaves a revision without its last file, as a process does that is killed: nobody sees it, and it is made anew.
func TestUnfinished(t *testing.T) {
	server := s3test.Start(t)
	server.Make("air")
	b := open(t, server.Options("air", ""))
	some := maps.Clone(files)
	delete(some, "SHA256SUMS")
	some["more.csv"] = "of the unfinished one"
	if err := b.Publish(t.Context(), revision(t, some), "2026/05/01/r1"); err != nil {
		t.Fatal(err)
	}
	reader := open(t, server.Options("air", ""))
	if entries, err := reader.ReadDir("."); err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "2026" }) {
		t.Errorf("a reader sees %v, %v", entries, err)
	}
	if err := b.Publish(t.Context(), revision(t, files), "2026/05/01/r1"); err != nil {
		t.Fatal(err)
	}
	if err := reader.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := reader.ReadDir("2026/05/01/r1")
	if err != nil || len(entries) != len(files) {
		t.Errorf("then it sees %v, %v", entries, err)
	}
	if err := b.Publish(t.Context(), revision(t, map[string]string{"SHA256SUMS": "others"}), "2026/05/01/r1"); err == nil || !strings.Contains(err.Error(), "it is there already") {
		t.Errorf("publishing it a second time: %v", err)
	}
	if text, err := os.ReadFile(server.Path("air", "2026/05/01/r1/SHA256SUMS")); err != nil || string(text) != "sums" {
		t.Errorf("it has become %q, %v", text, err)
	}
}

// TestOthersSee changes an archive in one process: another sees it when it looks again, and a file that was replaced with its new content.
func TestOthersSee(t *testing.T) {
	server := s3test.Start(t)
	server.Make("air")
	writer, other, reader := open(t, server.Options("air", "")), open(t, server.Options("air", "")), open(t, server.Options("air", ""))
	for _, b := range []*bucket.Bucket{writer, other, reader} {
		if _, err := b.Stat("2026"); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("an empty bucket has %v", err)
		}
	}
	for i, text := range []string{"1", "12"} {
		if err := writer.Write(t.Context(), "2026/05/01/forgotten", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := other.Publish(t.Context(), revision(t, files), "2026/05/0"+text+"/r1"); err != nil {
			t.Fatal(err)
		}
		if err := reader.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string]*bucket.Bucket{"the reader": reader, "the other writer": other} {
			if got, err := fs.ReadFile(b, "2026/05/01/forgotten"); err != nil || string(got) != text {
				t.Errorf("%d: %s reads %q, %v, want %q", i, name, got, err, text)
			}
		}
	}
	if err := writer.Write(t.Context(), "x", nil); err != nil { // notices that the other has written
		t.Fatal(err)
	}
	if _, err := writer.Stat("2026/05/012/r1/SHA256SUMS"); err != nil {
		t.Errorf("the first writer: %v", err)
	}
}

func TestMarks(t *testing.T) {
	server := s3test.Start(t)
	server.Make("air")
	b := open(t, server.Options("air", "city"))
	for _, name := range []string{"2026-05-01.1.A", "2026-05-02.1.B"} {
		if err := b.AddMark(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	other := open(t, server.Options("air", "city"))
	if err := other.RemoveMark(t.Context(), "2026-05-01.1.A"); err != nil {
		t.Fatal(err)
	}
	if names, err := b.Marks(t.Context()); err != nil || !slices.Equal(names, []string{"2026-05-02.1.B"}) {
		t.Errorf("%v, %v", names, err)
	}
	if entries, err := b.ReadDir("."); err != nil || len(entries) != 0 {
		t.Errorf("marks are among the files: %v, %v", entries, err)
	}
}

// TestCheck asks with wrong keys, of a bucket that is not there, and of a server that is away.
func TestCheck(t *testing.T) {
	server := s3test.Start(t)
	server.Make("air")
	f := func(change func(*bucket.Options), want string) {
		t.Helper()
		o := server.Options("air", "")
		change(&o)
		err := open(t, o).Check(t.Context(), true)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "s3://")) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f(func(*bucket.Options) {}, "")
	f(func(o *bucket.Options) { o.AccessKey = "other" }, "access key")
	f(func(o *bucket.Options) { o.SecretKey = "other" }, "signature")
	f(func(o *bucket.Options) { o.AccessKey, o.SecretKey = "", "" }, "ccess")
	f(func(o *bucket.Options) { o.Bucket = "water" }, "does not exist")
	f(func(o *bucket.Options) { o.Endpoint = "http://127.0.0.1:9" }, "connection refused")
}

// TestAway stops the server: what is known stays readable, what is not is an error, and nothing is half published.
func TestAway(t *testing.T) {
	server := s3test.Start(t)
	server.Make("air")
	b := open(t, server.Options("air", ""))
	if err := b.Publish(t.Context(), revision(t, files), "2026/05/01/r1"); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(b, "2026/05/01/r1/a.csv"); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if err := b.Refresh(t.Context()); err == nil || b.Problem() == nil {
		t.Errorf("the server is away: %v, %v", err, b.Problem())
	}
	if text, err := fs.ReadFile(b, "2026/05/01/r1/a.csv"); err != nil || string(text) != "a" {
		t.Errorf("what is in memory: %q, %v", text, err)
	}
	if _, err := fs.ReadFile(b, "2026/05/01/r1/readings.parquet"); err == nil || !strings.Contains(err.Error(), server.URL) {
		t.Errorf("what is not: %v", err)
	}
	if err := b.Publish(t.Context(), revision(t, files), "2026/05/02/r1"); err == nil {
		t.Error("a day was published nowhere")
	}
	server.Restart()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := b.Publish(ctx, revision(t, files), "2026/05/02/r1"); err != nil {
		t.Error(err)
	}
	if _, err := b.Stat("2026/05/02/r1/SHA256SUMS"); err != nil || b.Problem() != nil {
		t.Errorf("%v, %v", err, b.Problem())
	}
}

// TestReplacedWithinASecond replaces a file by one of the same size and time, as servers tell it that count whole seconds.
func TestReplacedWithinASecond(t *testing.T) {
	server := s3test.Start(t)
	server.Make("air")
	writer, reader := open(t, server.Options("air", "")), open(t, server.Options("air", ""))
	at := time.Now().Truncate(time.Second)
	for _, text := range []string{"1", "2"} {
		if err := writer.Write(t.Context(), "2026/05/01/forgotten", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(server.Path("air", "2026/05/01/forgotten"), at, at); err != nil {
			t.Fatal(err)
		}
		if err := reader.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(reader, "2026/05/01/forgotten"); err != nil || string(got) != text {
			t.Errorf("%q, %v, want %q", got, err, text)
		}
	}
}

// TestTwoPublishOneDay replaces a file of a revision whose upload is not finished, as another process does that builds the same day: the
// revision does not count, and is made anew.
func TestTwoPublishOneDay(t *testing.T) {
	server := s3test.Start(t)
	server.Make("air")
	other := open(t, server.Options("air", ""))
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.Request.Method == http.MethodPut && strings.HasSuffix(r.Request.URL.Path, "/zero") { // the last but SHA256SUMS
			return other.Write(t.Context(), "2026/05/01/r1/a.csv", []byte("b"))
		}
		return nil
	}
	between := httptest.NewServer(proxy)
	t.Cleanup(between.Close)
	o := server.Options("air", "")
	o.Endpoint = between.URL
	if err := open(t, o).Publish(t.Context(), revision(t, files), "2026/05/01/r1"); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("published: %v", err)
	}
	if err := other.Publish(t.Context(), revision(t, files), "2026/05/01/r1"); err != nil {
		t.Error(err)
	}
}
