package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"stadtluft/export/archive"
	"stadtluft/export/metrics"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/influx"
	"stadtluft/ingest/store/sqlite"
)

const (
	readingsFile  = "readings.db" // of the embedded store
	archiveFolder = "archive"

	// watchEvery is the interval at which the store's file is looked for.
	watchEvery = time.Second
	// leastRetention is how long the store must keep data so that late readings correct their hours and days.
	leastRetention = aggregate.Retention + aggregate.LookBack + 24*time.Hour
	// openTime bounds how long a start waits for the store. A store that is away may come later.
	openTime = 10 * time.Second
)

// OpenStore opens the store that the configuration names. A file of an earlier version is migrated, however long that takes.
func OpenStore(ctx context.Context, c Config) (store.Store, error) {
	if c.StoreKind == "influxdb" {
		ctx, cancel := context.WithTimeout(ctx, c.openTime)
		defer cancel()
		return influx.Open(ctx, influx.Options{URL: c.InfluxURL, Token: c.InfluxToken, Org: c.InfluxOrg, Bucket: c.InfluxBucket})
	}
	return sqlite.Open(ctx, filepath.Join(c.Data, readingsFile))
}

// OpenArchive opens the store and the archive for a command. It refuses what is another installation's than the registry.
func OpenArchive(ctx context.Context, c Config, r *registry.Registry) (*archive.Store, error) {
	a := NewArchive(c, r, slog.New(slog.DiscardHandler))
	if err := a.Belongs(r.Deployment()); err != nil {
		return nil, err
	}
	opened, err := OpenStore(ctx, c)
	if err != nil {
		return nil, err
	}
	return &archive.Store{Store: &store.Owned{Store: opened, Installation: r.Deployment()}, Archive: a}, nil
}

// shortRetention returns a warning when the store deletes readings while late ones can still correct their averages,
// else an empty text.
func shortRetention(ctx context.Context, s store.Store) string {
	bucket, ok := s.(interface {
		Retention(ctx context.Context) (time.Duration, error)
	})
	if !ok {
		return ""
	}
	keep, err := bucket.Retention(ctx)
	if err != nil || keep == 0 || keep >= leastRetention {
		return ""
	}
	return fmt.Sprintf("the bucket keeps data for %v only: it drops late readings and averages; set its retention to %v or more", keep, leastRetention)
}

// storage is the store joined with the archive, and the result of the last write.
type storage struct {
	archive.Store
	opened     store.Store                                                      // below Store
	ours       string                                                           // the installation's id
	writeError atomic.Pointer[error]                                            // the error of the writer's last batch; nil after success
	flush      func(ctx context.Context, from, to time.Time, stations []string) // journal.Flush; nil before the journal is open
}

// Readings has what waits in the journal of the period stored first.
func (s *storage) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	if s.flush != nil {
		s.flush(ctx, q.From, q.To, q.Stations)
	}
	return s.Store.Readings(ctx, q, yield)
}

// openStorage opens the store and the archive of an installation, and refuses those of another. A store that is away is
// logged: readings wait in the journal until it is back.
func openStorage(ctx context.Context, c Config, r *registry.Registry, log *slog.Logger) (*storage, error) {
	opened, err := OpenStore(ctx, c)
	if err != nil {
		return nil, storeError{err, false}
	}
	ctx, cancel := context.WithTimeout(ctx, c.openTime)
	defer cancel()
	files := NewArchive(c, r, log)
	owned := &store.Owned{Store: opened, Installation: r.Deployment()}
	err = owned.Ping(ctx)
	if foreign := openArchive(ctx, c, files, r.Deployment(), log); foreign != nil || errors.Is(err, store.ErrForeign) {
		return nil, storeError{errors.Join(cmp.Or(foreign, err), opened.Close()), false}
	}
	if err != nil {
		log.Error("store takes no readings, they wait in the journal", "err", err)
	} else if words := shortRetention(ctx, opened); words != "" {
		log.Warn(words)
	}
	return &storage{Store: archive.Store{Store: owned, Archive: files}, opened: opened, ours: r.Deployment()}, nil
}

// openArchive makes a folder that is no archive yet the installation's. An archive on another machine may be away, which is logged, and is
// made the installation's by who archives.
func openArchive(ctx context.Context, c Config, a *archive.Archive, installation string, log *slog.Logger) error {
	if !c.archiveElsewhere() {
		return a.Adopt(ctx, installation)
	}
	err := a.Belongs(installation)
	if err == nil || errors.Is(err, archive.ErrForeign) {
		return err
	}
	log.Warn("the archive does not answer, its days are missing until it does", "err", err)
	return nil
}

// part returns the part that closes the store after everything above it has ended.
func (s *storage) part() part {
	p := closing("store", s.Close)
	p.problems = func(ctx context.Context, add addProblem) {
		err := s.Ping(ctx)
		if last := s.writeError.Load(); err == nil && last != nil {
			err = *last
		}
		add("store", err, "readings are safe in the journal until it takes them")
	}
	return p
}

// watch returns the part that stops the program when the file of the store was deleted or replaced: systemd then starts
// the program again, and the writer fills the store from the journal.
func (s *storage) watch() part {
	return part{name: "store watch", run: func(ctx context.Context) error {
		file, ok := s.opened.(interface{ Replaced() error })
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			if !ok {
				continue
			}
			if err := file.Replaced(); err != nil {
				return err
			}
		}
	}}
}

// archiving returns the part that archives closed days and deletes them from the store.
func (s *storage) archiving() part {
	return part{
		name: "archive", run: s.Run,
		problems: func(_ context.Context, add addProblem) {
			add("archive", s.Archive.Belongs(s.ours), "put the archive folder back that belongs to this installation")
			add("archive", s.Problem(), "free disk space where the data folder lies, and see the log; nothing half-written is published, and it is tried again at least every minute")
		},
		measure: func(_ context.Context, c metrics.Collection) {
			archived := s.Status()
			c.Counter("archive_revisions_total", "Days archived, and archived again after a correction.", float64(archived.Built))
			c.Counter("archive_failures_total", "Attempts at archiving that failed.", float64(archived.Failed))
		},
	}
}
