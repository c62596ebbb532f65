// Package s3test starts a real S3-compatible server for tests, the Versity gateway, on a free port, with its objects in a folder of the
// test.
package s3test

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"stadtluft/export/archive/bucket"
)

// The keys of the server's only user.
const (
	AccessKey = "test-access-key"
	SecretKey = "test-secret-key"
)

// patience bounds the start.
const patience = time.Minute

// Server is a running server. It is stopped when the test ends.
type Server struct {
	URL string

	t      testing.TB
	addr   string
	folder string
	cmd    *exec.Cmd
	output bytes.Buffer
}

// Start starts a server without buckets and waits until it answers. The binary is .tools/bin/versitygw of the project.
func Start(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: needs an S3 server")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, addr: l.Addr().String(), folder: t.TempDir()}
	s.URL = "http://" + s.addr
	l.Close()
	for _, name := range []string{"objects", "attributes"} {
		if err := os.Mkdir(filepath.Join(s.folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// Restart starts the server again after Stop and waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.cmd = exec.Command(binary(s.t), "--quiet", "--port", s.addr, "--access", AccessKey, "--secret", SecretKey, "--health", "/health",
		"posix", "--sidecar", filepath.Join(s.folder, "attributes"), filepath.Join(s.folder, "objects"))
	s.output.Reset()
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start the S3 server: %v", err)
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !s.healthy(); <-ticker.C {
		if time.Now().After(deadline) {
			s.Stop()
			s.t.Fatalf("the S3 server does not answer after %v:\n%s", patience, s.output.String())
		}
	}
}

func (s *Server) healthy() bool {
	response, err := http.Get(s.URL + "/health")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Stop kills the server; its objects stay for Restart.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // the error is that it was killed
	s.cmd = nil
}

// Make makes a bucket.
func (s *Server) Make(name string) {
	s.t.Helper()
	if err := os.Mkdir(filepath.Join(s.folder, "objects", name), 0o700); err != nil {
		s.t.Fatal(err)
	}
}

// Path returns where the server keeps an object: a test may damage it there.
func (s *Server) Path(bucket, key string) string {
	return filepath.Join(s.folder, "objects", bucket, filepath.FromSlash(key))
}

// Options returns the options of a bucket.
func (s *Server) Options(name, prefix string) bucket.Options {
	return bucket.Options{Endpoint: s.URL, Region: "us-east-1", AccessKey: AccessKey, SecretKey: SecretKey, Bucket: name, Prefix: prefix}
}

func binary(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	for ; err == nil && folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		path := filepath.Join(folder, ".tools", "bin", "versitygw")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("no versitygw: run `make tools`")
	return ""
}
