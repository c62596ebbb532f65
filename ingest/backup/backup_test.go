package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// files writes files to a new folder.
func files(t *testing.T, content map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range content {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

var content = map[string]string{"registry.jsonl": "one\ntwo\n", "readings.db": strings.Repeat("0123456789abcdef", 20_000), "empty": ""}

func pack(t *testing.T) []byte {
	t.Helper()
	var w bytes.Buffer
	m, err := Pack(&w, files(t, content), Manifest{Made: time.Unix(1795000000, 0).UTC(), Deployment: "ME", Stations: 2}, []string{"readings.db", "empty", "registry.jsonl"})
	if err != nil || len(m.Files) != 3 || m.Files[0].Bytes != 320_000 {
		t.Fatalf("packed %+v, %v", m, err)
	}
	return w.Bytes()
}

// TestUnpack unpacks what was packed, under a umask that takes every right: the same files, for their user alone.
func TestUnpack(t *testing.T) {
	to := t.TempDir()
	old := syscall.Umask(0o777)
	m, err := Unpack(bytes.NewReader(pack(t)), to)
	syscall.Umask(old)
	if err != nil || m.Deployment != "ME" || m.Stations != 2 || !m.Made.Equal(time.Unix(1795000000, 0)) || m.Format != Format {
		t.Fatalf("%+v, %v", m, err)
	}
	list, err := os.ReadDir(to)
	if err != nil || len(list) != len(content) {
		t.Errorf("%v, %v", list, err)
	}
	for name, want := range content {
		got, err := os.ReadFile(filepath.Join(to, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v, want %d", name, len(got), err, len(want))
		}
		if info, err := os.Stat(filepath.Join(to, name)); err != nil || info.Mode() != fs.FileMode(0o600) {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	if _, err := Unpack(bytes.NewReader(pack(t)), to); err == nil {
		t.Error("files that are there were replaced")
	}
}

// TestDamageIsRefused truncates an archive at many places and flips bits everywhere in it.
func TestDamageIsRefused(t *testing.T) {
	whole := pack(t)
	for n := 0; n < len(whole); n += 97 {
		if _, err := Unpack(bytes.NewReader(whole[:n]), t.TempDir()); err == nil {
			t.Errorf("truncated to %d of %d bytes it is taken", n, len(whole))
		}
	}
	for n := 10; n < len(whole); n += 61 { // the first ten bytes are gzip's header with nothing that counts
		damaged := bytes.Clone(whole)
		damaged[n] ^= 4
		if _, err := Unpack(bytes.NewReader(damaged), t.TempDir()); err == nil {
			t.Errorf("with a bit flipped in byte %d of %d it is taken", n, len(whole))
		}
	}
}

// TestForeignArchivesAreRefused changes a manifest or the files, with all checksums of tar and gzip right.
func TestForeignArchivesAreRefused(t *testing.T) {
	sum := "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // of nothing, FIPS 180-4
	for name, c := range map[string]struct {
		manifest any
		names    []string
		want     string
	}{
		"newer":      {map[string]any{"format": 2, "files": "something else"}, nil, "newer Stadtluft (format 2, this one reads up to 1)"},
		"no json":    {"x", nil, "damaged: backup.json"},
		"missing":    {Manifest{Format: 1, Files: []File{{"a", 0, sum}}}, nil, "damaged: a: EOF"},
		"more":       {Manifest{Format: 1}, []string{"a"}, "more files than its manifest names"},
		"another":    {Manifest{Format: 1, Files: []File{{"a", 0, sum}}}, []string{"b"}, `damaged: a: "b" of 0 bytes`},
		"upwards":    {Manifest{Format: 1, Files: []File{{"../a", 0, sum}}}, []string{"../a"}, "outside the folder"},
		"below":      {Manifest{Format: 1, Files: []File{{"a/b", 0, sum}}}, []string{"a/b"}, "outside the folder"},
		"the parent": {Manifest{Format: 1, Files: []File{{"..", 0, sum}}}, []string{".."}, "outside the folder"},
		"checksum":   {Manifest{Format: 1, Files: []File{{"a", 0, strings.Repeat("0", 64)}}}, []string{"a"}, "its SHA-256 is " + sum},
	} {
		head, err := json.Marshal(c.manifest)
		if err != nil {
			t.Fatal(err)
		}
		var w bytes.Buffer
		zipped := gzip.NewWriter(&w)
		archive := tar.NewWriter(zipped)
		archive.WriteHeader(header("backup.json", int64(len(head)), time.Now()))
		archive.Write(head)
		for _, file := range c.names {
			archive.WriteHeader(header(file, 0, time.Now()))
		}
		archive.Close()
		zipped.Close()
		if _, err := Unpack(&w, t.TempDir()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	var old bytes.Buffer
	zipped := gzip.NewWriter(&old)
	archive := tar.NewWriter(zipped)
	archive.WriteHeader(header("registry.jsonl", 0, time.Now()))
	archive.Close()
	zipped.Close()
	if _, err := Unpack(&old, t.TempDir()); err == nil || !strings.Contains(err.Error(), "earlier version") {
		t.Errorf("one without a manifest: %v", err)
	}
}
