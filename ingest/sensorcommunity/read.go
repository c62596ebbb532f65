package sensorcommunity

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
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

// Files returns the readable files of paths: a file itself, and those in a folder and below it, by name.
func Files(paths []string) ([]string, error) {
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
// rows before it.
func ReadFile(name string, file *os.File, row func(Row) error, broken func(Broken)) error {
	const zipped = "PK\x03\x04" // APPNOTE.TXT, 4.3.7
	head := make([]byte, len(zipped))
	if n, _ := file.ReadAt(head, 0); string(head[:n]) == zipped {
		return readZip(name, file, row, broken)
	}
	return Read(name, file, row, broken)
}

// readZip reads each part that can be read. A part that is cut off does not prevent the others.
func readZip(name string, file *os.File, row func(Row) error, broken func(Broken)) error {
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
		if !readable(entry.Name) {
			continue
		}
		part, err := entry.Open()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s/%s: %w", name, entry.Name, err))
			continue
		}
		err = Read(name+"/"+entry.Name, part, func(r Row) error {
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

// Read reads CSV, or JSON if it begins with a bracket, either of them also in gzip.
func Read(name string, r io.Reader, row func(Row) error, broken func(Broken)) error {
	buffered := bufio.NewReader(r)
	if head, _ := buffered.Peek(2); string(head) == "\x1f\x8b" {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer unpacked.Close()
		buffered = bufio.NewReader(unpacked)
	}
	limited := &io.LimitedReader{R: buffered, N: maxBytes}
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
