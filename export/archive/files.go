package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"stadtluft/ingest/wholefile"
)

// Files are an archive's published files, wherever they lie, by names with slashes such as 2026/05/01/r1/readings.parquet.
// Opened files are io.ReaderAt and io.Seeker. Errors for what does not exist are fs.ErrNotExist.
type Files interface {
	fs.StatFS
	fs.ReadDirFS

	// Publish makes a folder of this machine's disk the folder name, which must not exist. Readers see all of it, or nothing:
	// SHA256SUMS, which names the others, comes last where files come one by one.
	Publish(ctx context.Context, folder, name string) error
	// Write makes or replaces a small file. Readers see the former or the new content.
	Write(ctx context.Context, name string, content []byte) error
}

// Marks is implemented by Files that processes of several machines write to. A day's marks are names that begin with its date.
type Marks interface {
	AddMark(ctx context.Context, name string) error
	Marks(ctx context.Context) ([]string, error) // as they are now
	RemoveMark(ctx context.Context, name string) error
}

// files returns where the published files lie.
func (a *Archive) files() Files {
	if a.Files != nil {
		return a.Files
	}
	return folder(a.Dir)
}

// file is a file that is open.
type file interface {
	fs.File
	io.ReaderAt
	io.Seeker
}

// open opens a published file.
func (a *Archive) open(name string) (file, error) {
	opened, err := a.files().Open(name)
	if err != nil {
		return nil, err
	}
	f, ok := opened.(file)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%s cannot be read from its middle", name), opened.Close())
	}
	return f, nil
}

// list returns the names in a folder, sorted; none when it does not exist.
func (a *Archive) list(name string) ([]string, error) {
	entries, err := a.files().ReadDir(name)
	return names(entries, err)
}

// names returns the entries' names; none when the folder does not exist.
func names(entries []fs.DirEntry, err error) ([]string, error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.Name()
	}
	return list, nil
}

// folder is a folder of this machine with an archive's files.
type folder string

func (f folder) Open(name string) (fs.File, error)          { return os.Open(f.path(name)) }
func (f folder) Stat(name string) (fs.FileInfo, error)      { return os.Stat(f.path(name)) }
func (f folder) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(f.path(name)) }
func (f folder) path(name string) string                    { return filepath.Join(string(f), filepath.FromSlash(name)) }

// Publish renames the folder, which must be on the archive's disk.
func (f folder) Publish(_ context.Context, from, name string) error {
	if err := errors.Join(wholefile.SyncFolder(from), os.MkdirAll(f.path(path.Dir(name)), 0o700)); err != nil {
		return err
	}
	if err := os.Rename(from, f.path(name)); err != nil {
		return err
	}
	var errs []error
	for name != "." {
		name = path.Dir(name)
		errs = append(errs, wholefile.SyncFolder(f.path(name)))
	}
	return errors.Join(errs...)
}

func (f folder) Write(_ context.Context, name string, content []byte) error {
	if err := os.MkdirAll(f.path(path.Dir(name)), 0o700); err != nil {
		return err
	}
	return wholefile.Write(f.path(name), 0o600, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
