package registry

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"stadtluft/ingest/wholefile"
)

// SnapshotFile is the name of the copy of the registry in the data folder: a line of JSON about the deployment, then
// one for each station, as in the bucket. It is written at most a second after a change, or later when it is large, and
// at once when something was deleted. A bucket that is lost is made from it. In a backup the record of changes follows.
// Refusals are in neither.
const SnapshotFile = "registry.jsonl"

const (
	snapshotWait  = time.Second
	snapshotShare = 20 // part of the time that writing may take
)

// header is the first line of a snapshot.
type header struct {
	Deployment deployment `json:"deployment"`
	Bucket     time.Time  `json:"bucket"`            // when it was made
	Cluster    bool       `json:"cluster"`           // it is on a cluster, not in the embedded server
	Revision   uint64     `json:"revision"`          // of the bucket
	Stations   int        `json:"stations"`          // lines that follow
	Changes    int        `json:"changes,omitempty"` // lines that follow those
	Admin      string     `json:"admin,omitempty"`
}

// snapshot is the state of the file.
type snapshot struct {
	once  sync.Once
	dirty chan struct{} // has one element when something has changed since the last write

	mu   sync.Mutex // held while the file is written; guards what follows
	err  error      // of the last write
	took time.Duration
}

func (s *snapshot) changes() chan struct{} {
	s.once.Do(func() { s.dirty = make(chan struct{}, 1) })
	return s.dirty
}

func (s *snapshot) changed() {
	select {
	case s.changes() <- struct{}{}:
	default:
	}
}

func (s *snapshot) problem() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *snapshot) pause() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(snapshotWait, snapshotShare*s.took)
}

// keepSnapshot writes the snapshot after changes until ctx ends.
func (r *Registry) keepSnapshot(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.snapshot.changes():
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(r.snapshot.pause()):
		}
		failed := r.snapshot.problem() != nil
		if err := r.saveSnapshot(); err != nil && !failed {
			r.log.Error("registry snapshot write failed, retrying", "err", err)
		}
		if r.discardAgain(ctx); r.Problem() != nil {
			r.snapshot.changed() // for another attempt
		}
	}
}

func (r *Registry) snapshotPath() string {
	if r.options.Folder == "" {
		return ""
	}
	return filepath.Join(r.options.Folder, SnapshotFile)
}

// saveSnapshot writes the snapshot, unless the file is as new or newer: other processes on the folder write it too.
func (r *Registry) saveSnapshot() error {
	if r.options.Folder == "" {
		return nil
	}
	r.snapshot.mu.Lock()
	defer r.snapshot.mu.Unlock()
	begin := time.Now()
	r.snapshot.err = wrap("write "+r.snapshotPath(), r.writeSnapshot())
	r.snapshot.took = time.Since(begin)
	return r.snapshot.err
}

func (r *Registry) writeSnapshot() error {
	release, err := lockFolder(r.options.Folder)
	if err != nil {
		return err
	}
	defer release()
	head, entries := r.copy()
	there, err := readHeader(r.snapshotPath())
	if err == nil && there.Deployment.ID == head.Deployment.ID && there.Bucket.Equal(head.Bucket) && there.Revision >= head.Revision {
		return nil
	}
	return wholefile.Write(r.snapshotPath(), 0o600, func(w io.Writer) error { return writeLines(w, head, entries) })
}

func (r *Registry) copy() (header, []entry) {
	head, entries := r.memory.head(), r.memory.entries() // what comes in between makes the file newer than it says
	head.Deployment, head.Stations, head.Cluster = r.deployment, len(entries), r.options.InProcess == nil
	return head, entries
}

func writeLines(w io.Writer, head header, entries []entry, changes ...[]byte) error {
	if err := json.NewEncoder(w).Encode(head); err != nil {
		return err
	}
	lines := make([][]byte, 0, len(entries)+len(changes))
	for _, e := range entries {
		lines = append(lines, e.data)
	}
	for _, line := range append(lines, changes...) {
		if _, err := fmt.Fprintf(w, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}

// Backup writes a snapshot with the record of changes to a path that must not exist.
func (r *Registry) Backup(ctx context.Context, path string) error {
	if exists(path) {
		return fmt.Errorf("registry: copy to %s: the file exists", path)
	}
	var changes [][]byte
	err := r.bucket.read(ctx, r.bucket.changes, 1, func(m message) error {
		changes = append(changes, m.value)
		return nil
	}, r.bucket.changesName()+".>")
	if err == nil {
		head, entries := r.copy()
		head.Changes = len(changes)
		err = wholefile.Write(path, 0o600, func(w io.Writer) error { return writeLines(w, head, entries, changes...) })
	}
	return wrap("registry: copy", err)
}

// openSnapshot opens a snapshot and reads its first line. Without a file there is neither.
func openSnapshot(path string) (head header, rest *json.Decoder, close func() error, err error) {
	file, err := os.Open(path)
	if path == "" || errors.Is(err, fs.ErrNotExist) {
		return head, nil, func() error { return nil }, nil
	}
	if err != nil {
		return head, nil, nil, err
	}
	rest = json.NewDecoder(bufio.NewReader(file))
	err = rest.Decode(&head)
	if err == nil && head.Deployment.ID == "" {
		err = errors.New("its first line names no deployment")
	}
	if err = cmp.Or(wrap(path, err), head.Deployment.readable(path)); err != nil {
		file.Close()
		return head, nil, nil, err
	}
	return head, rest, file.Close, nil
}

// readHeader reads the first line of a snapshot; the zero value when there is none.
func readHeader(path string) (header, error) {
	head, _, close, err := openSnapshot(path)
	if err != nil {
		return head, err
	}
	return head, close()
}

// readSnapshot reads a snapshot. One that is not complete is an error.
func readSnapshot(path string) (head header, records []*record, changes []Change, err error) {
	head, rest, close, err := openSnapshot(path)
	if err != nil {
		return head, nil, nil, err
	}
	defer close()
	incomplete := func(err error) error {
		return fmt.Errorf("%s is not complete, it should have %d stations and %d changes: %w: take it from a backup", path, head.Stations, head.Changes, err)
	}
	for range head.Stations {
		rec := &record{}
		if err := rest.Decode(rec); err != nil {
			return head, nil, nil, incomplete(err)
		}
		records = append(records, rec)
	}
	for range head.Changes {
		var c Change
		if err := rest.Decode(&c); err != nil {
			return head, nil, nil, incomplete(err)
		}
		changes = append(changes, c)
	}
	return head, records, changes, nil
}

// CheckSnapshot reads a snapshot to its end, and returns whose it is and how many stations it has. One that is missing, not
// complete or of a newer version is an error.
func CheckSnapshot(path string) (deployment string, stations int, err error) {
	head, records, _, err := readSnapshot(path)
	if err == nil && head.Deployment.ID == "" {
		err = fmt.Errorf("%s is missing", path)
	}
	return head.Deployment.ID, len(records), err
}

// fillFromSnapshot makes the bucket from the snapshot, and the record of changes from a backup unless there is one.
func (r *Registry) fillFromSnapshot(ctx context.Context) error {
	head, records, changes, err := readSnapshot(r.snapshotPath())
	if err == nil {
		err = r.fill(ctx, records, head.Admin)
	}
	if err == nil && r.bucket.changes.CachedInfo().State.Msgs == 0 {
		err = r.recordAll(ctx, changes)
	}
	if err == nil {
		err = r.complete(ctx, head.Deployment)
	}
	return err
}

// catchUp brings a bucket that has lost its last changes to the state of the snapshot.
func (r *Registry) catchUp(ctx context.Context) error {
	head, records, _, err := readSnapshot(r.snapshotPath())
	if err == nil {
		err = r.load(ctx)
	}
	if err != nil {
		return err
	}
	gone := map[string]uint64{}
	for _, e := range r.memory.entries() {
		gone[e.record.ID] = e.revision
	}
	for _, rec := range records {
		delete(gone, rec.ID)
		e, known := r.memory.entry(rec.ID)
		if !known {
			continue // for fill
		}
		if _, err := r.write(ctx, e, rec); err != nil {
			return err
		}
	}
	for id, revision := range gone {
		if err := r.purge(ctx, id, revision); err != nil {
			return err
		}
	}
	return r.fill(ctx, records, head.Admin)
}

// lockFolder waits until no other process starts or writes a snapshot in a data folder.
func lockFolder(folder string) (release func(), err error) {
	if folder == "" {
		return func() {}, nil
	}
	file, err := os.OpenFile(filepath.Join(folder, "lock.registry"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		file.Close()
		return nil, fmt.Errorf("data folder: lock %s: %w", file.Name(), err)
	}
	return func() { file.Close() }, nil
}
