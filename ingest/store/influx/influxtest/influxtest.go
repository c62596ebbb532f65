// Package influxtest starts a real InfluxDB 1.8 for tests, on free ports, with its data in a folder of
// the test.
package influxtest

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Server is a running InfluxDB. It is stopped when the test ends.
type Server struct {
	URL string

	t      testing.TB
	folder string
	config string
	cmd    *exec.Cmd
	output bytes.Buffer
}

// patience bounds the start: InfluxDB replays its log before it answers.
const patience = 60 * time.Second

// Start starts InfluxDB and waits until it answers. The binary is INFLUXD_BINARY, influxd in PATH, or
// .tools/bin/influxd of the project. Settings are lines of its [http] section, such as "auth-enabled = true".
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: needs InfluxDB")
	}
	folder := t.TempDir()
	addr, rpc := freeAddr(t), freeAddr(t)
	s := &Server{URL: "http://" + addr, t: t, folder: folder, config: filepath.Join(folder, "influxdb.conf")}
	text := fmt.Sprintf("reporting-disabled = true\nbind-address = %q\n[meta]\ndir = %q\n[data]\ndir = %q\nwal-dir = %q\n[http]\nbind-address = %q\nlog-enabled = false\n",
		rpc, folder+"/meta", folder+"/data", folder+"/wal", addr)
	for _, line := range settings {
		text += line + "\n"
	}
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// Restart starts InfluxDB again after Stop and waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.cmd = exec.Command(binary(s.t), "run", "-config", s.config)
	s.output.Reset()
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start InfluxDB: %v", err)
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !s.healthy(); <-ticker.C {
		if time.Now().After(deadline) {
			s.Stop()
			s.t.Fatalf("InfluxDB does not answer after %v:\n%s", patience, s.output.String())
		}
	}
}

// CPU returns the processor time that InfluxDB has used since it was started.
func (s *Server) CPU() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')'):]))
	user, _ := strconv.Atoi(fields[12])
	system, _ := strconv.Atoi(fields[13])
	return time.Duration(user+system) * 10 * time.Millisecond // from hundredths of a second, proc(5)
}

func (s *Server) healthy() bool {
	response, err := http.Get(s.URL + "/health")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Stop kills InfluxDB; its data stays for Restart.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // the error is that it was killed
	s.cmd = nil
}

// Empty kills InfluxDB, deletes its data and starts it again.
func (s *Server) Empty() {
	s.t.Helper()
	s.Stop()
	for _, name := range []string{"meta", "data", "wal"} {
		if err := os.RemoveAll(filepath.Join(s.folder, name)); err != nil {
			s.t.Fatal(err)
		}
	}
	s.Restart()
}

func binary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("INFLUXD_BINARY"); path != "" {
		return path
	}
	if path, err := exec.LookPath("influxd"); err == nil {
		return path
	}
	folder, err := os.Getwd()
	for ; err == nil && folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		path := filepath.Join(folder, ".tools", "bin", "influxd")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("no influxd: run `make tools`, or set INFLUXD_BINARY")
	return ""
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Bytes returns what InfluxDB has on disk.
func (s *Server) Bytes() (sum int64) {
	filepath.WalkDir(s.folder, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			if info, err := entry.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil // files come and go
	})
	return sum
}
