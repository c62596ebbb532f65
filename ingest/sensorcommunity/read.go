package sensorcommunity

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxBytes bounds the uncompressed size of a file: a month of one type of sensor has about 3 GB.
const maxBytes = 16 << 30

// Open opens a file until ctx ends: a pipe opens when its other end does.
func Open(ctx context.Context, path string) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		file, err := os.Open(path)
		done <- opened{file, err}
	}()
	select {
	case o := <-done:
		return o.file, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Files returns the readable files of paths: a file itself, and those in a folder and below it, by name.
func Files(ctx context.Context, paths []string) ([]string, error) {
	var files []string
	var errs []error
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		var within []string
		err = filepath.WalkDir(path, func(p string, entry fs.DirEntry, err error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil && !entry.IsDir() && readable(p) {
				within = append(within, p)
			}
			return err
		})
		errs = append(errs, err)
		slices.Sort(within)
		files = append(files, within...)
	}
	return files, errors.Join(errs...)
}

func readable(path string) bool {
	bare := strings.TrimSuffix(strings.ToLower(path), ".gz")
	return strings.HasSuffix(bare, ".csv") || strings.HasSuffix(bare, ".json") || strings.HasSuffix(bare, ".zip")
}

// ReadFile reads an open file, which may be compressed or an archive; name is the File of its rows. It calls row in
// the file's order. An error is about the whole file, from row, or where the file is cut off: row was called for the
// rows before it. When ctx ends, ReadFile closes the file, and so ends a read that waits.
func ReadFile(ctx context.Context, name string, file *os.File, row func(Row) error, broken func(Broken)) error {
	stop := context.AfterFunc(ctx, func() { file.Close() })
	defer stop()
	const zipped = "PK\x03\x04" // APPNOTE.TXT, 4.3.7
	head := make([]byte, len(zipped))
	if n, _ := file.ReadAt(head, 0); string(head[:n]) == zipped {
		return readZip(ctx, name, file, row, broken)
	}
	return Read(ctx, name, file, row, broken)
}

// readZip reads each part that can be read. A part that is cut off does not prevent the others.
func readZip(ctx context.Context, name string, file *os.File, row func(Row) error, broken func(Broken)) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(file, info.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var stop error
	var errs []error
	for _, entry := range archive.File {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !readable(entry.Name) {
			continue
		}
		part, err := entry.Open()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s/%s: %w", name, entry.Name, err))
			continue
		}
		err = Read(ctx, name+"/"+entry.Name, part, func(r Row) error {
			stop = row(r)
			return stop
		}, broken)
		part.Close()
		if stop != nil {
			return stop
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Read reads CSV, or JSON if it begins with a bracket, either of them also in gzip, until ctx ends.
func Read(ctx context.Context, name string, r io.Reader, row func(Row) error, broken func(Broken)) error {
	buffered := bufio.NewReader(untilEnd{ctx, r})
	if head, _ := buffered.Peek(2); string(head) == "\x1f\x8b" {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer unpacked.Close()
		buffered = bufio.NewReader(unpacked)
	}
	limited := &io.LimitedReader{R: untilEnd{ctx, buffered}, N: maxBytes}
	read := readCSV
	if head, _ := buffered.Peek(1); string(head) == "[" {
		read = readJSON
	}
	if err := read(name, limited, row, broken); err != nil {
		return err
	}
	if limited.N == 0 {
		return fmt.Errorf("%s: more than %d bytes: the rest is not read", name, int64(maxBytes))
	}
	return nil
}

// untilEnd is a reader that ends with ctx.
type untilEnd struct {
	ctx context.Context
	io.Reader
}

func (u untilEnd) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(p)
}
