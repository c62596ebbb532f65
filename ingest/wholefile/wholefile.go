// Package wholefile writes files that are there whole or not at all: a crash, a full disk or an error leaves the former
// file as it was.
//
// What Write has returned for is on disk. A crash can leave a part beside the file; RemoveUnfinished removes it.
package wholefile

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// part is the pattern of a file's unfinished parts, after its name.
const part = ".*.part"

// Write replaces the file at path by what write writes, with a mode that the umask does not change. It returns when file
// and name are on disk. After an error of write, or another, the former file is unchanged.
func Write(path string, mode fs.FileMode, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+part)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	buffered := bufio.NewWriter(file)
	if err := write(buffered); err != nil {
		return err
	}
	if err := errors.Join(buffered.Flush(), file.Chmod(mode), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// SyncFolder writes a folder's names to disk.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// RemoveUnfinished removes the parts that crashes have left of a file. No other Write of the file may be under way. A
// folder that is missing is no error.
func RemoveUnfinished(path string) error {
	list, err := os.ReadDir(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range list {
		if left, _ := filepath.Match(filepath.Base(path)+part, entry.Name()); left {
			err = errors.Join(err, os.Remove(filepath.Join(filepath.Dir(path), entry.Name())))
		}
	}
	return err
}
