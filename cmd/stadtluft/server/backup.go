package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"stadtluft/ingest"
	"stadtluft/ingest/backup"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store/sqlite"
	"stadtluft/ingest/streams"
	"stadtluft/ingest/wholefile"
)

const (
	backupLock    = "lock.backup" // held in the data folder while a backup is made
	scratchPrefix = ".backup-"    // of a folder in the data folder, with what a backup is made of and what is unpacked to verify it
	streamSuffix  = ".stream"     // of a file in a backup that holds a stream
	settleTries   = 3             // attempts at copies between which no station was erased
	journalSuffix = "_JOURNAL"    // of the journal's stream, after nats.prefix
)

// streamNames are those of the streams in a backup: the journal with what it set aside, and refusals. The registry is a
// file of its own, which every version reads.
func (c *Config) streamNames() []string {
	return []string{c.NATSPrefix + journalSuffix, c.NATSPrefix + journalSuffix + "_ASIDE", c.NATSPrefix + "_REFUSALS"}
}

// backups makes backups of a data folder, one at a time: everything but the configuration, the archive, the
// comparison and a store elsewhere.
type backups struct {
	config   Config
	registry *registry.Registry
	nats     registry.InProcess // nil when nats.url names a cluster
	log      *slog.Logger
}

func newBackups(b *base) backups {
	made := backups{config: b.config, registry: b.registry, log: b.log}
	if b.nats != nil {
		made.nats = b.nats.InProcess()
	}
	return made
}

// Backup writes a backup of a data folder to a path that must not exist: through the server that runs on the folder, or on the folder
// itself where none runs. It returns what is in it. Root makes it as the folder's owner, and keeps it where only root may write.
func Backup(ctx context.Context, c Config, path string) (m backup.Manifest, err error) {
	if uid, _, err := ownerOf(c.ProcessData()); err == nil && uid != 0 && os.Geteuid() == 0 {
		return backupForRoot(ctx, c, path)
	}
	err = withBackups(ctx, c, func(b backups) error {
		m, err = b.write(ctx, path)
		return err
	})
	return m, err
}

// OpenBackup makes one as Backup does, and returns it as a file without a name, which goes when it is closed.
func OpenBackup(ctx context.Context, c Config) (file *os.File, m backup.Manifest, err error) {
	err = withBackups(ctx, c, func(b backups) error {
		file, m, err = b.openNew(ctx)
		return err
	})
	return file, m, err
}

func backupForRoot(ctx context.Context, c Config, path string) (m backup.Manifest, err error) {
	if exists(path) {
		return m, fmt.Errorf("back up to %s: the file exists", path)
	}
	back, err := ActAsOwner(c.ProcessData())
	if err != nil {
		return m, err
	}
	file, m, err := OpenBackup(ctx, c)
	if err := errors.Join(err, back()); err != nil {
		return m, err
	}
	defer file.Close()
	err = wholefile.Write(path, 0o600, func(w io.Writer) error {
		_, err := io.Copy(w, file)
		return err
	})
	return m, err
}

func withBackups(ctx context.Context, c Config, use func(backups) error) error {
	if c.NATSURL == "" && !exists(filepath.Join(c.ProcessData(), natsFolder)) && !exists(filepath.Join(c.Data, registry.SnapshotFile)) {
		return fmt.Errorf("the data folder %s holds nothing yet", c.Data)
	}
	return withRegistry(ctx, c, func(r *registry.Registry, nats registry.InProcess) error {
		return use(backups{c, r, nats, slog.New(slog.DiscardHandler)})
	})
}

// open returns a new backup as a file without a name, which goes when it is closed.
func (b backups) open(ctx context.Context) (file *os.File, err error) {
	file, _, err = b.openNew(ctx)
	return file, err
}

func (b backups) openNew(ctx context.Context) (file *os.File, m backup.Manifest, err error) {
	path := filepath.Join(b.config.Data, scratchPrefix+rand.Text())
	if m, err = b.write(ctx, path); err != nil {
		return nil, m, err
	}
	defer os.Remove(path)
	file, err = os.Open(path)
	return file, m, err
}

// write makes a backup and verifies it by reading it back: every checksum, the stations, the store's file, and each stream up to
// its last entry. After an error there is no file.
func (b backups) write(ctx context.Context, path string) (m backup.Manifest, err error) {
	if exists(path) {
		return m, fmt.Errorf("back up to %s: the file exists", path)
	}
	scratch, end, err := b.begin()
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, end()) }()
	m, names, err := b.settled(ctx, scratch)
	if err != nil {
		return m, err
	}
	if err = wholefile.Write(path, 0o600, func(w io.Writer) error {
		m, err = backup.Pack(w, scratch, m, names)
		return err
	}); err != nil {
		return m, fmt.Errorf("write the backup: %w", err)
	}
	if err := errors.Join(emptyFolder(scratch), b.config.verify(ctx, path, scratch)); err != nil {
		return m, errors.Join(fmt.Errorf("read the backup back: %w", err), os.Remove(path))
	}
	return m, nil
}

// begin keeps other backups out until end, and makes a folder for what is needed meanwhile. It removes those of backups that were
// interrupted.
func (b backups) begin() (scratch string, end func() error, err error) {
	data := b.config.Data
	lock, err := os.OpenFile(filepath.Join(data, backupLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", nil, fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return "", nil, fmt.Errorf("data folder %s: another backup is being made", data)
	}
	left, err := filepath.Glob(filepath.Join(data, scratchPrefix+"*"))
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	if err == nil {
		scratch, err = os.MkdirTemp(data, scratchPrefix)
	}
	if err != nil {
		lock.Close()
		return "", nil, fmt.Errorf("data folder: %w", err)
	}
	return scratch, func() error { return errors.Join(os.RemoveAll(scratch), lock.Close()) }, nil
}

// removeUnfinished removes what backups have left that were interrupted, unless one is being made now.
func (b backups) removeUnfinished() error {
	if _, end, err := b.begin(); err == nil {
		return end()
	}
	return nil
}

// settled copies everything into a folder, again when a station was erased meanwhile: its readings must not be in one of the
// copies when its registration is gone from another.
func (b backups) settled(ctx context.Context, folder string) (m backup.Manifest, names []string, err error) {
	for range settleTries {
		erased := map[string]bool{}
		for _, st := range b.registry.Stations() {
			erased[st.ID] = st.Status == ingest.Erased
		}
		if m, names, err = b.stage(ctx, folder); err != nil {
			return m, nil, err
		}
		now := maps.Collect(func(yield func(string, bool) bool) {
			for id := range erased {
				if st, known := b.registry.Station(id); known && !yield(id, st.Status == ingest.Erased) {
					return
				}
			}
		})
		if maps.Equal(erased, now) {
			return m, names, nil
		}
		if err := emptyFolder(folder); err != nil {
			return m, nil, err
		}
	}
	return m, nil, errors.New("stations are being erased: back up again when they are")
}

// stage copies everything into a folder: the store first, so that the journal has what the store does not, and the
// registry last, so that it knows every station of both. All of it is what it was at some moment after the call.
func (b backups) stage(ctx context.Context, folder string) (m backup.Manifest, names []string, err error) {
	m = backup.Manifest{
		Made: time.Now().UTC().Truncate(time.Second), Program: Version(), Deployment: b.registry.Deployment(), Store: b.config.StoreKind,
		Streams: map[string]streams.Snapshot{},
	}
	if from := filepath.Join(b.config.Data, readingsFile); m.Store == "sqlite" && exists(from) {
		if err := sqlite.Copy(ctx, from, filepath.Join(folder, readingsFile)); err != nil {
			return m, nil, err
		}
		names = append(names, readingsFile)
	}
	for _, name := range []string{hourCheckerFile, filepath.Base(DeadLetters(b.config).Path), clientIDFile} {
		if !exists(filepath.Join(b.config.Data, name)) {
			continue
		}
		if err := copyFile(filepath.Join(b.config.Data, name), filepath.Join(folder, name)); err != nil {
			return m, nil, err
		}
		names = append(names, name)
	}
	if err := b.stageStreams(ctx, folder, m.Streams); err != nil {
		return m, nil, err
	}
	names = append(names, slices.Sorted(maps.Keys(m.Streams))...)
	stations := filepath.Join(folder, registry.SnapshotFile)
	if err := b.registry.Backup(ctx, stations); err != nil {
		return m, nil, err
	}
	_, m.Stations, err = registry.CheckSnapshot(stations)
	return m, append(names, registry.SnapshotFile), err
}

// stageStreams copies the streams that there are.
func (b backups) stageStreams(ctx context.Context, folder string, into map[string]streams.Snapshot) error {
	nc, err := streams.Connect("backup", b.config.NATSURL, b.nats, b.log)
	if err != nil {
		return err
	}
	defer nc.Close()
	for _, name := range b.config.streamNames() {
		if there, err := nc.Has(ctx, name, b.registry.Deployment()); err != nil {
			return err
		} else if !there {
			continue // nothing was ever appended
		}
		var s streams.Snapshot
		err := wholefile.Write(filepath.Join(folder, name+streamSuffix), 0o600, func(w io.Writer) error {
			s, err = nc.Snapshot(ctx, name, w)
			return err
		})
		if err != nil {
			return err
		}
		into[name+streamSuffix] = s
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// copyFile copies a file that is only replaced whole or appended to.
func copyFile(from, to string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	return wholefile.Write(to, 0o600, func(w io.Writer) error {
		_, err := io.Copy(w, file)
		return err
	})
}

func emptyFolder(folder string) error {
	list, err := os.ReadDir(folder)
	for _, entry := range list {
		err = errors.Join(err, os.RemoveAll(filepath.Join(folder, entry.Name())))
	}
	return err
}
