package sensorcommunity

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheImporterStops ends the context while the importer reads something that does not end, or waits for something that
// does not come: it returns within a second.
func TestTheImporterStops(t *testing.T) {
	f := func(what string, feed func(w io.Writer) error) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		begun, ended := make(chan struct{}), make(chan error)
		if feed != nil {
			go func() {
				w, err := os.OpenFile(path, os.O_WRONLY, 0)
				if err != nil {
					t.Error(err)
				}
				defer w.Close()
				for err, first := feed(w), true; err == nil; err, first = feed(w), false {
					if first {
						close(begun)
					}
				}
			}()
		} else {
			close(begun)
		}
		go func() {
			file, err := Open(ctx, path)
			if err == nil {
				err = newImporter(takesAll, new([]string)).Import(ctx, path, file)
			}
			ended <- err
		}()
		<-begun
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(time.Second):
			t.Errorf("%s: still reading after a second", what)
		}
	}
	again := func(text string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
	}
	f("nobody at the other end", nil)
	silent, asked := make(chan struct{}), false
	defer close(silent)
	f("somebody who says nothing more", func(w io.Writer) error {
		if asked {
			<-silent
		}
		asked = true
		return again(header)(w)
	})
	f("a line without an end", again(strings.Repeat("a", 64<<10)))
	f("an array without an end", again("["+strings.Repeat(`{"id":1},`, 1000)))
	started := false
	f("rows without a place", func(w io.Writer) error {
		if !started {
			started = true
			return again(header)(w)
		}
		return again(strings.Repeat("x;y;z\n", 1000))(w)
	})
	var packer *gzip.Writer
	zeros := make([]byte, 1<<20)
	f("zeros in gzip", func(w io.Writer) error {
		if packer == nil {
			packer = gzip.NewWriter(w)
		}
		_, err := packer.Write(zeros)
		return err
	})
}
