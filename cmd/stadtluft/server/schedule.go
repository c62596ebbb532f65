package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"stadtluft/export/metrics"
	"stadtluft/ingest/backup"
)

const (
	backupSuffix = ".tar.gz"
	backupTime   = "20060102T150405Z"
	retryBackup  = 10 * time.Minute // after one that failed, unless backup.every is shorter
)

// schedule makes a backup in a folder every so often, and keeps the newest.
type schedule struct {
	folder, prefix string // of its files; others in the folder are not touched
	every          time.Duration
	keep           int
	write          func(ctx context.Context, path string) (backup.Manifest, error)
	log            *slog.Logger

	mu   sync.Mutex // guards what follows
	last time.Time  // when the newest was made; zero without any
	err  error      // of the last attempt
}

// newSchedule returns the configured schedule; nil without one.
func newSchedule(c Config, b backups, log *slog.Logger) *schedule {
	if c.BackupFolder == "" {
		return nil
	}
	return &schedule{
		folder: c.BackupFolder, prefix: "stadtluft-" + b.registry.Deployment() + "-", every: c.backupEvery(), keep: c.BackupKeep, write: b.write, log: log,
	}
}

func (s *schedule) part() part {
	return part{
		name: "backups", run: s.run,
		problems: func(_ context.Context, add addProblem) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.err != nil {
				add("backup", notice{fmt.Errorf("the last one failed, the newest is of %s: %w", s.newest(), s.err)},
					"free disk space in backup.folder and in the data folder, and look at who may write there; earlier backups stay, and it is tried again")
			}
		},
		measure: func(_ context.Context, c metrics.Collection) {
			s.mu.Lock()
			defer s.mu.Unlock()
			made := 0.0
			if !s.last.IsZero() {
				made = float64(s.last.Unix())
			}
			c.Gauge("backup_last_success_timestamp_seconds", "When the newest backup in backup.folder was made, 0 without any.", made)
			c.Gauge("backup_interval_seconds", "How often a backup is made: backup.every.", s.every.Seconds())
		},
	}
}

func (s *schedule) newest() string {
	if s.last.IsZero() {
		return "never"
	}
	return s.last.Format(time.RFC3339)
}

// run makes backups until ctx ends. The first one is due as long after the newest in the folder as all others.
func (s *schedule) run(ctx context.Context) error {
	list, err := s.list()
	if len(list) > 0 {
		s.made(s.madeAt(list[len(list)-1]))
	}
	s.note(err)
	for wait := time.Until(s.last.Add(s.every)); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = s.every
		if err = s.make(ctx, time.Now().UTC()); ctx.Err() != nil {
			return nil
		}
		if s.note(err); err != nil {
			wait = min(retryBackup, s.every)
		}
	}
}

func (s *schedule) made(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = at
}

// note keeps the result of an attempt, and logs the first failure of several.
func (s *schedule) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && s.err == nil {
		s.log.Error("backup failed, retrying", "folder", s.folder, "newest", s.newest(), "err", err)
	}
	s.err = err
}

// make makes a backup, and removes the oldest when that is verified.
func (s *schedule) make(ctx context.Context, now time.Time) error {
	path := filepath.Join(s.folder, s.prefix+now.Format(backupTime)+backupSuffix)
	begin := time.Now()
	if _, err := s.write(ctx, path); err != nil {
		return err
	}
	s.made(now)
	s.log.Info("backup made", "path", path, "after", time.Since(begin).Round(time.Millisecond))
	list, err := s.list()
	for len(list) > s.keep {
		err = errors.Join(err, os.Remove(filepath.Join(s.folder, list[0])))
		list = list[1:]
	}
	return err
}

// list returns the schedule's files, the oldest first. It removes what interrupted backups have left.
func (s *schedule) list() (names []string, err error) {
	entries, err := os.ReadDir(s.folder)
	for _, e := range entries {
		switch name := e.Name(); {
		case !s.madeAt(name).IsZero():
			names = append(names, name)
		case strings.HasPrefix(name, s.prefix) && strings.HasSuffix(name, ".part"):
			err = errors.Join(err, os.Remove(filepath.Join(s.folder, name)))
		}
	}
	slices.Sort(names)
	return names, err
}

// madeAt returns the time in the name of one of the schedule's files; zero for another file.
func (s *schedule) madeAt(name string) time.Time {
	rest, ok := strings.CutPrefix(name, s.prefix)
	text, whole := strings.CutSuffix(rest, backupSuffix)
	at, err := time.Parse(backupTime, text)
	if !ok || !whole || err != nil {
		return time.Time{}
	}
	return at
}

// backupEvery returns the time between backups.
func (c *Config) backupEvery() time.Duration {
	every, _ := time.ParseDuration(c.BackupEvery) // validated with the configuration
	return every
}

// tryBackupFolder returns an error when backup.folder cannot be written, and whether it is on the disk of the data folder.
func (c *Config) tryBackupFolder() (same bool, err error) {
	trial, err := os.CreateTemp(c.BackupFolder, ".writable-*")
	if err == nil {
		err = errors.Join(trial.Close(), os.Remove(trial.Name()))
	}
	if err != nil {
		return false, fmt.Errorf("backup.folder: %w", err)
	}
	var there, here syscall.Stat_t
	if err := errors.Join(syscall.Stat(c.BackupFolder, &there), syscall.Stat(c.Data, &here)); err != nil {
		return false, err
	}
	return there.Dev == here.Dev, nil
}
