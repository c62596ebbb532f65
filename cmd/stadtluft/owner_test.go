package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCommandsOfRoot runs commands as root on the data folder of another user: everything in it stays that user's, and a server
// that root starts, or that finds files of others, says so and what to do.
func TestCommandsOfRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("left out: only root can work for another user")
	}
	const other = 65534
	folder := t.TempDir()
	data := filepath.Join(folder, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(data, other, other); err != nil {
		t.Fatal(err)
	}
	reachable(t, folder)
	f := func(want string, args ...string) {
		t.Helper()
		c := exec.Command(os.Args[0], append(args, "--data", data)...)
		c.Env = append(os.Environ(), asProgram+"=1", "STADTLUFT_CONFIG=", "STADTLUFT_HTTP_LISTEN="+freeAddr(t), "STADTLUFT_MQTT_LISTEN="+freeAddr(t))
		c.Dir = folder
		if out, err := c.CombinedOutput(); !strings.Contains(string(out), want) {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
	}
	f(`"id"`, "station", "add", "--name", "Dach", "--lon", "6.95", "--lat", "50.94", "--kit", "custom", "--json")
	f("readings and answers", "check")
	files := 0
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != other {
			t.Errorf("%s belongs to user %d", path, info.Sys().(*syscall.Stat_t).Uid)
		}
		files++
		return err
	})
	if err != nil || files < 10 {
		t.Errorf("%v, %d files and folders", err, files)
	}
	f("belongs to nobody: run it as that user, with systemctl start or runuser -u nobody", "serve")
	root := filepath.Join(data, "registry.jsonl")
	if err := os.Chown(root, 0, 0); err != nil {
		t.Fatal(err)
	}
	f(root+" belongs to root, but this runs as nobody: chown -R nobody "+data, "check")
}

// reachable lets other users reach what is in a test's folder.
func reachable(t *testing.T, folder string) {
	t.Helper()
	for ; folder != os.TempDir(); folder = filepath.Dir(folder) {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
