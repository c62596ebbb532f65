package archive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"stadtluft/ingest/wholefile"
)

const (
	// pendingFolder has the marks, and notes of what was done once.
	pendingFolder = ".pending"
	// building is the suffix of a mark whose day is being built, or which is being sent.
	building = ".building"
)

func (a *Archive) marksFolder() string { return filepath.Join(a.Dir, pendingFolder) }

func (a *Archive) mark(d Day) string { return filepath.Join(a.marksFolder(), d.String()) }

// Mark records that a day has something the archive does not have yet. It is on this machine's disk when Mark returns.
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

// Pending returns the marked days, ascending; of Marks those that were sent.
func (a *Archive) Pending(ctx context.Context) (days []Pending, err error) {
	if a.shared() == nil {
		days, err = a.ownMarks()
	} else {
		days, err = a.sharedMarks(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return days, nil
}

// ownMarks returns the days that are marked on this machine.
func (a *Archive) ownMarks() ([]Pending, error) {
	list, err := names(os.ReadDir(a.marksFolder()))
	var days []Pending
	for _, name := range list {
		d, wrong := ParseDay(name)
		info, gone := os.Stat(filepath.Join(a.marksFolder(), name))
		if wrong == nil && gone == nil {
			days = append(days, Pending{d, info.ModTime()})
		}
	}
	return days, err
}

// isPending reports whether a day is marked, or being built.
func (a *Archive) isPending(ctx context.Context, d Day) (bool, error) {
	_, marked := os.Stat(a.mark(d))
	_, works := os.Stat(a.mark(d) + building)
	if marked == nil || works == nil || a.shared() == nil {
		return marked == nil || works == nil, nil
	}
	marks, err := a.marksOf(ctx, d)
	return len(marks) > 0, err
}

// begin begins a build: what is written from now on marks the day again. The day need not be marked. After end(true), of a build that
// failed, it is marked as before.
func (a *Archive) begin(ctx context.Context, d Day) (end func(undone bool) error, err error) {
	if a.shared() == nil {
		return func(undone bool) error { return a.endBuild(d, undone) }, a.beginBuild(d)
	}
	marks, err := a.marksOf(ctx, d)
	return func(undone bool) error {
		var errs []error
		for i := 0; i < len(marks) && !undone; i++ {
			errs = append(errs, a.shared().RemoveMark(ctx, marks[i]))
		}
		return errors.Join(errs...)
	}, err
}

func (a *Archive) beginBuild(d Day) error {
	err := os.Rename(a.mark(d), a.mark(d)+building)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

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

// Recover puts back marks and removes folders of builds that were killed.
func (a *Archive) Recover(ctx context.Context) error {
	unlock, err := a.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return a.recover()
}

// recover needs the lock.
func (a *Archive) recover() error {
	marks, err := names(os.ReadDir(a.marksFolder()))
	errs := []error{err}
	for _, name := range marks {
		if d, wrong := ParseDay(strings.TrimSuffix(name, building)); wrong == nil && strings.HasSuffix(name, building) {
			errs = append(errs, a.endBuild(d, true))
		}
	}
	parts, err := names(os.ReadDir(a.Dir))
	errs = append(errs, err)
	for _, name := range parts {
		if strings.HasPrefix(name, partPrefix) {
			errs = append(errs, os.RemoveAll(filepath.Join(a.Dir, name)))
		}
	}
	return errors.Join(errs...)
}

// shared returns the marks that processes of several machines share; nil where they share a folder.
func (a *Archive) shared() Marks {
	marks, _ := a.files().(Marks)
	return marks
}

// SendMarks hands the days that are marked on this machine to those who build. Without Marks it does nothing.
func (a *Archive) SendMarks(ctx context.Context) error {
	if a.shared() == nil {
		return nil
	}
	unlock, err := a.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := a.recover(); err != nil {
		return err
	}
	own, err := a.ownMarks()
	for i := 0; err == nil && i < len(own); i++ {
		d := own[i].Day
		if err = a.beginBuild(d); err == nil {
			err = a.shared().AddMark(ctx, fmt.Sprintf("%s.%d.%s", d, own[i].Since.Unix(), rand.Text()))
			err = errors.Join(err, a.endBuild(d, err != nil))
		}
	}
	if err != nil {
		return fmt.Errorf("send marks of changed days: %w", err)
	}
	return nil
}

// parseMark returns the day and the time of a shared mark.
func parseMark(name string) (p Pending, ok bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 3 {
		return p, false
	}
	d, err := ParseDay(parts[0])
	since, wrong := strconv.ParseInt(parts[1], 10, 64)
	return Pending{d, time.Unix(since, 0)}, errors.Join(err, wrong) == nil
}

// sharedMarks returns the days that others and this machine have marked, each since its first mark.
func (a *Archive) sharedMarks(ctx context.Context) ([]Pending, error) {
	marks, err := a.shared().Marks(ctx)
	var days []Pending
	for _, name := range slices.Sorted(slices.Values(marks)) {
		if p, ok := parseMark(name); ok && (len(days) == 0 || days[len(days)-1].Day != p.Day) {
			days = append(days, p)
		}
	}
	return days, err
}

// marksOf returns the shared marks of a day.
func (a *Archive) marksOf(ctx context.Context, d Day) ([]string, error) {
	marks, err := a.shared().Marks(ctx)
	return slices.DeleteFunc(marks, func(name string) bool { return !strings.HasPrefix(name, d.String()+".") }), err
}
