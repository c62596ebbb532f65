package server

import (
	"bufio"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"stadtluft/ingest/averages"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/wholefile"
)

// hourCheckerFile holds what the checks remember of the hours before, as quality.HourChecker saves it. It is a cache: without
// it a start reads the hours that checks look back on from the store, and finds the same flags.
const hourCheckerFile = "checks.state"

// checkerFile is the file of the checks in the data folder, which is written once for each new hour.
type checkerFile struct {
	path  string
	rules quality.Rules
	log   *slog.Logger
	saved time.Time // the newest hour in it; zero for no file
}

func newCheckerFile(data string, rules quality.Rules, log *slog.Logger) *checkerFile {
	return &checkerFile{path: filepath.Join(data, hourCheckerFile), rules: rules, log: log}
}

// fresh returns checks that remember nothing.
func (f *checkerFile) fresh() averages.Checker { return quality.NewHourChecker(f.rules) }

// load returns the checks that were saved; nil when there are none that serve.
func (f *checkerFile) load() averages.Checker {
	if err := wholefile.RemoveUnfinished(f.path); err != nil {
		f.log.Warn("removal of unfinished files failed", "file", f.path, "err", err)
	}
	c := quality.NewHourChecker(f.rules)
	file, err := os.Open(f.path)
	if err == nil {
		err = errors.Join(c.Load(bufio.NewReader(file)), file.Close())
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		f.log.Warn("load of checks failed, their past comes from the store", "file", f.path, "err", err)
		return nil
	}
	f.saved = c.Newest()
	return c
}

// save writes the file when an hour is new, and removes it for nil: what checks remember has changed.
func (f *checkerFile) save(c averages.Checker) {
	if c == nil {
		f.saved = time.Time{}
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.log.Warn("remove of checks failed", "file", f.path, "err", err)
		}
		return
	}
	if newest := c.Newest(); newest.After(f.saved) {
		f.saved = newest
		if err := wholefile.Write(f.path, 0o600, c.(*quality.HourChecker).Save); err != nil {
			f.log.Warn("save of checks failed", "file", f.path, "err", err)
		}
	}
}
