package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"stadtluft/ingest/admin"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/wholefile"
)

const (
	writtenEvery = 50 * time.Millisecond // interval at which a backup checks whether the store has caught up
	writtenTime  = 20 * time.Second      // longest wait for that
)

// backup copies the registry, the state of the checks, and the readings when they are in a file of ours. It leaves out
// the journal: what the journal has at the request is in the store before the readings are copied, and fill reads it
// from there. It leaves out the archive too: that may be large, and its files can be copied while the server runs.
type backup struct {
	folder   string // data
	registry *registry.Registry
	storage  *storage
	journal  *journal.Journal
	checks   string // a file
	letters  string // a file
}

func newBackup(b *base) backup {
	return backup{
		folder: b.config.Data, registry: b.registry, storage: b.storage, journal: b.journal,
		checks: filepath.Join(b.config.Data, hourCheckerFile), letters: DeadLetters(b.config).Path,
	}
}

// download returns the backup for the administrator.
func (b backup) download() admin.Backup { return admin.Backup{Folder: b.folder, Copies: b.copies} }

// copies returns the files of a backup that exist.
func (b backup) copies() []admin.Copy {
	copies := []admin.Copy{{Name: registry.SnapshotFile, Make: b.registry.Backup}}
	for _, path := range []string{b.checks, b.letters} {
		if exists(path) {
			copies = append(copies, admin.Copy{Name: filepath.Base(path), Make: func(_ context.Context, to string) error { return copyFile(path, to) }})
		}
	}
	file, ok := b.storage.Store.Store.(interface {
		Backup(ctx context.Context, path string) error
	})
	if !ok {
		return copies
	}
	return append(copies, admin.Copy{Name: "readings.db", Make: func(ctx context.Context, path string) error {
		if err := b.written(ctx); err != nil {
			return err
		}
		return file.Backup(ctx, path)
	}})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// written waits until the store has what the journal has at the call.
func (b backup) written(ctx context.Context) error {
	asked, err := b.journal.Stats(ctx)
	if err != nil {
		return err
	}
	late, again := time.After(writtenTime), time.NewTicker(writtenEvery)
	defer again.Stop()
	for {
		stats, err := b.journal.Stats(ctx)
		if err != nil || stats.Written >= asked.LastSeq {
			return err
		}
		select {
		case <-again.C:
		case <-late:
			return fmt.Errorf("%d journal entries still wait for the store, see /readyz", stats.Unwritten)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
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
