package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"stadtluft/ingest/wholefile"
)

// building is the suffix of a mark whose day is being built.
const building = ".building"

func (a *Archive) mark(d Day) string { return filepath.Join(a.Dir, ".pending", d.String()) }

// Mark records that a day has something the archive does not have yet. It is on disk when Mark returns.
func (a *Archive) Mark(d Day) error {
	path := a.mark(d)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			file, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		err = errors.Join(file.Close(), wholefile.SyncFolder(filepath.Dir(path)))
	}
	if err != nil {
		return fmt.Errorf("mark %s for the archive: %w", d, err)
	}
	return nil
}

// Pending is a marked day and the time of its mark.
type Pending struct {
	Day   Day
	Since time.Time
}

// Pending returns the marked days, ascending.
func (a *Archive) Pending() ([]Pending, error) {
	folder := filepath.Join(a.Dir, ".pending")
	names, err := list(folder)
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	var days []Pending
	for _, name := range names {
		d, wrong := ParseDay(name)
		info, gone := os.Stat(filepath.Join(folder, name))
		if wrong == nil && gone == nil {
			days = append(days, Pending{d, info.ModTime()})
		}
	}
	return days, nil
}

// isPending reports whether a day is marked, or being built.
func (a *Archive) isPending(d Day) bool {
	_, marked := os.Stat(a.mark(d))
	_, works := os.Stat(a.mark(d) + building)
	return marked == nil || works == nil
}

// beginBuild begins a build: what is written from now on marks the day again. The day need not be marked.
func (a *Archive) beginBuild(d Day) error {
	err := os.Rename(a.mark(d), a.mark(d)+building)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// endBuild ends a build; undone puts the mark back.
func (a *Archive) endBuild(d Day, undone bool) error {
	path := a.mark(d)
	var err error
	if undone {
		err = os.Rename(path+building, path)
	} else {
		err = os.Remove(path + building)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// recover puts back marks and removes folders of builds that were killed. It needs the lock.
func (a *Archive) recover() error {
	names, err := list(filepath.Join(a.Dir, ".pending"))
	errs := []error{err}
	for _, name := range names {
		if d, wrong := ParseDay(strings.TrimSuffix(name, building)); wrong == nil && strings.HasSuffix(name, building) {
			errs = append(errs, a.endBuild(d, true))
		}
	}
	names, err = list(a.Dir)
	errs = append(errs, err)
	for _, name := range names {
		if strings.HasPrefix(name, partPrefix) {
			errs = append(errs, os.RemoveAll(filepath.Join(a.Dir, name)))
		}
	}
	return errors.Join(errs...)
}
