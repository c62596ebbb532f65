package wholefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// names returns the names in a folder.
func names(t *testing.T, folder string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// TestModes writes files under several umasks: each has the mode that was given.
func TestModes(t *testing.T) {
	for _, mask := range []int{0, 0o022, 0o577} {
		for _, mode := range []fs.FileMode{0o600, 0o644} {
			path := filepath.Join(t.TempDir(), "file")
			old := syscall.Umask(mask)
			err := Write(path, mode, text("new"))
			syscall.Umask(old)
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != mode {
				t.Errorf("umask %03o: the mode is %v, %v, want %v", mask, info.Mode(), err, mode)
			}
		}
	}
}

// TestAnErrorChangesNothing fails after some of the new text, and where a folder has the file's name.
func TestAnErrorChangesNothing(t *testing.T) {
	folder := t.TempDir()
	path, full := filepath.Join(folder, "file"), errors.New("no space left")
	if err := Write(path, 0o600, text("old")); err != nil {
		t.Fatal(err)
	}
	err := Write(path, 0o600, func(w io.Writer) error {
		if got := names(t, folder); len(got) != 2 {
			t.Errorf("while it is written there are %v", got)
		}
		io.WriteString(w, strings.Repeat("new", 10_000))
		return full
	})
	if body, _ := os.ReadFile(path); string(body) != "old" || !errors.Is(err, full) {
		t.Errorf("%v, the file holds %q", err, body)
	}
	if err := os.Mkdir(filepath.Join(folder, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(folder, "taken"), 0o600, text("new")); err == nil {
		t.Error("a folder is replaced by a file")
	}
	if got := names(t, folder); !slices.Equal(got, []string{"file", "taken"}) {
		t.Errorf("the folder holds %v", got)
	}
}

// TestRemoveUnfinished ends a write as a crash does, then removes what it left and nothing of another file.
func TestRemoveUnfinished(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	func() {
		defer func() {
			recover() // the file is not closed and not removed
		}()
		Write(path, 0o600, func(io.Writer) error { panic("crash") })
	}()
	if got := names(t, folder); len(got) != 1 {
		t.Fatalf("a crash leaves %v", got)
	}
	for _, other := range []string{"file", "file2.1.part", "file.part"} {
		if err := os.WriteFile(filepath.Join(folder, other), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(RemoveUnfinished(path), RemoveUnfinished(filepath.Join(folder, "none", "file"))); err != nil {
		t.Error(err)
	}
	if got := names(t, folder); !slices.Equal(got, []string{"file", "file.part", "file2.1.part"}) {
		t.Errorf("what is left: %v", got)
	}
}
