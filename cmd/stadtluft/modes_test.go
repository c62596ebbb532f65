package main

import (
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFilesAreForTheirUserAlone starts a server with umasks that let everybody read, or not even its own user: files have the
// mode 0600 and folders 0700.
func TestFilesAreForTheirUserAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: starts servers")
	}
	for _, mask := range []int{0, 0o022, 0o577} {
		data := filepath.Join(t.TempDir(), "data")
		p := prepare(t, data)
		old := syscall.Umask(mask)
		p.begin()
		syscall.Umask(old)
		p.wait()
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-p.done
		seen := 0
		err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			want := fs.FileMode(0o600)
			if entry.IsDir() {
				want = 0o700
			}
			if seen++; info.Mode().Perm() != want {
				t.Errorf("umask %03o: %s has the mode %03o, want %03o", mask, path, info.Mode().Perm(), want)
			}
			return nil
		})
		if err != nil || seen < 10 {
			t.Errorf("%v, %d files and folders", err, seen)
		}
	}
}
