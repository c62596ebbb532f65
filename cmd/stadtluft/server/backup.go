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

	"stadtluft/export/api"
)

const (
	writtenEvery = 50 * time.Millisecond // how often a backup looks whether the store has caught up
	writtenTime  = 20 * time.Second      // how long it waits for that
)

// backup is what is copied: the registry, what the checks remember, and the readings where they are in a file of ours. The
// journal is not: what it had when asked is in the store before the readings are copied, and fill does the rest. The
// archive is not either; it may be large, and its files can be copied as they lie there.
func (s *server) backup() []api.Copy {
	copies := []api.Copy{{Name: "registry.db", Make: s.registry.Backup}}
	checks := filepath.Join(s.config.Data, hourCheckerFile)
	if exists(checks) {
		copies = append(copies, api.Copy{Name: hourCheckerFile, Make: func(_ context.Context, path string) error { return copyFile(checks, path) }})
	}
	if letters := s.deadLetters().Path; exists(letters) {
		copies = append(copies, api.Copy{Name: filepath.Base(letters), Make: func(_ context.Context, path string) error { return copyFile(letters, path) }})
	}
	file, ok := s.store.Store.(interface {
		Backup(ctx context.Context, path string) error
	})
	if !ok {
		return copies
	}
	return append(copies, api.Copy{Name: "readings.db", Make: func(ctx context.Context, path string) error {
		if err := s.written(ctx); err != nil {
			return err
		}
		return file.Backup(ctx, path)
	}})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// written waits until the store has what the journal has now.
func (s *server) written(ctx context.Context) error {
	asked, err := s.journal.Stats(ctx)
	if err != nil {
		return err
	}
	late, again := time.After(writtenTime), time.NewTicker(writtenEvery)
	defer again.Stop()
	for {
		stats, err := s.journal.Stats(ctx)
		if err != nil || stats.AckFloor >= asked.LastSeq {
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

// copyFile copies a file that is only ever replaced whole or appended to.
func copyFile(from, to string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	return WriteWhole(to, 0o600, func(w io.Writer) error {
		_, err := io.Copy(w, file)
		return err
	})
}
