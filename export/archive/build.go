package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"stadtluft/export"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

const (
	// partPrefix begins the names of folders of unfinished revisions.
	partPrefix = ".part-"
	// lockEvery is the interval at which a lock is tried that another process holds.
	lockEvery = 100 * time.Millisecond
)

// Build writes a closed day's files from s. When they are the same as those of the newest revision it makes none. It
// returns the manifest of the newest revision, and whether it made that. A day without readings gets no first revision: its
// manifest has the revision 0.
func (a *Archive) Build(ctx context.Context, s store.Store, d Day) (m Manifest, made bool, err error) {
	unlock, err := a.lock(ctx)
	if err == nil {
		defer unlock()
		err = a.recover()
	}
	if err == nil {
		var end func(undone bool) error
		if end, err = a.begin(ctx, d); err == nil {
			m, made, err = a.build(ctx, s, d)
			err = errors.Join(err, end(err != nil))
		}
	}
	if err != nil {
		return Manifest{}, false, fmt.Errorf("archive %s: %w", d, err)
	}
	return m, made, nil
}

// lock keeps other processes from building at the same time. The lock ends with the process.
func (a *Archive) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(a.Dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, ctx.Err()
		case <-time.After(lockEvery):
		}
	}
}

func (a *Archive) build(ctx context.Context, s store.Store, d Day) (m Manifest, made bool, err error) {
	part, err := os.MkdirTemp(a.Dir, partPrefix)
	if err != nil {
		return m, false, err
	}
	defer os.RemoveAll(part) // does nothing after success
	m, w, err := a.writeDay(ctx, s, d, part)
	if err != nil {
		return m, false, err
	}
	newest, err := a.newest(d)
	if err != nil {
		return m, false, err
	}
	if newest == 0 && m.Readings == 0 {
		return m, false, nil
	}
	if newest > 0 {
		old, err := a.Manifest(d, newest)
		if err != nil {
			return m, false, err
		}
		if m.Differs = differ(old.Files, m.Files); len(m.Differs) == 0 {
			return old, false, nil
		}
	}
	m.Revision = newest + 1
	err = w.dataPackage(m)
	m.Files = w.files
	if err = errors.Join(err, writeManifest(part, m)); err != nil {
		return m, false, err
	}
	return m, true, a.files().Publish(ctx, part, a.revisionFolder(d, m.Revision))
}

// differ returns the names of the files that differ, but for the package, which names the revision.
func differ(old, files []File) []string {
	sums := map[string]string{}
	isPackage := func(f File) bool { return f.Name == packageName }
	old, files = slices.DeleteFunc(slices.Clone(old), isPackage), slices.DeleteFunc(slices.Clone(files), isPackage)
	for _, f := range old {
		sums[f.Name] = f.SHA256
	}
	var names []string
	for _, f := range files {
		if sums[f.Name] != f.SHA256 {
			names = append(names, f.Name)
		}
		delete(sums, f.Name)
	}
	for name := range sums {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// writeDay writes a day's data into a folder, without the package and the manifest.
func (a *Archive) writeDay(ctx context.Context, s store.Store, d Day, folder string) (Manifest, *writer, error) {
	from, to := a.Period(d)
	all := a.Stations.Stations()
	meta := a.Meta.From(filter(all, func(st *ingest.Station) bool { return stood(st, from, to) || st.Source != "" }))
	w := &writer{archive: a, folder: folder, from: from, to: to, meta: meta, notes: a.Rules.notes()}
	m := Manifest{Format: manifestFormat, Day: d.String(), From: from, To: to, Licence: meta.Licence, Attribution: meta.Attribution,
		Licences: meta.Licences, Notice: export.Disclaimer, Demo: meta.Demo, Rules: a.Rules, Resolution: a.Size}
	seen, err := w.readings(ctx, s)
	if err != nil {
		return m, w, err
	}
	if err := errors.Join(w.grid(ctx, s), w.means(ctx, s), w.comparison(ctx, s)); err != nil {
		return m, w, err
	}
	stations := filter(all, func(st *ingest.Station) bool { return seen.has(st.ID) || stood(st, from, to) })
	if err := errors.Join(w.stations(stations), w.installations(stations)); err != nil {
		return m, w, err
	}
	seen.describe(&m, stations, from)
	slices.SortFunc(w.files, func(x, y File) int { return strings.Compare(x.Name, y.Name) })
	m.Files = w.files
	return m, w, nil
}

func filter(stations []*ingest.Station, keep func(*ingest.Station) bool) []*ingest.Station {
	return slices.DeleteFunc(slices.Clone(stations), func(st *ingest.Station) bool { return !keep(st) })
}

// stood reports whether a station was in service in a period. A station that waits for approval or is suspended was not.
func stood(st *ingest.Station, from, to time.Time) bool {
	return st.Status != ingest.Pending && st.Status != ingest.Suspended && st.Places[0].From.Before(to) && (st.Ended.IsZero() || st.Ended.After(from))
}
