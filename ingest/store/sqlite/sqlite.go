// Package sqlite stores readings and grid rows in one SQLite file, readings.db: the store that needs no server. Its
// tables are wide, one row for each reading and one column for each quantity, as an operator would expect them in a
// spreadsheet.
//
// A committed batch survives a power cut (synchronous FULL). Writers wait for each other; readers neither wait nor
// make others wait (write-ahead log).
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/store"
)

const (
	readers      = 8                     // connections that read at the same time
	firstPage    = 250                   // readings of the first page: many results are short, and it shows which columns are needed
	pageReadings = 4000                  // of all others, each read in one transaction: a slow client delays no checkpoint
	busyTimeout  = 10 * time.Second      // for another program's lock
	busyEvery    = 10 * time.Millisecond // between attempts when SQLite does not wait itself

	// The caches are per connection, in KiB. Readers take turns and read most pages once.
	writeCache = "cache_size = -16000"
	readCache  = "cache_size = -1000"
)

// Store is an open file. It implements store.Store.
type Store struct {
	path   string
	opened os.FileInfo   // the file that was opened
	write  *sqlitex.Pool // one connection
	read   *sqlitex.Pool
	sql    statements
	now    func() time.Time
	layout atomic.Pointer[layout] // of the table of readings

	closing sync.Once // a pool can be closed only once
}

var _ store.Store = (*Store)(nil)

// Open opens the file at path, which it creates if it is missing.
func Open(ctx context.Context, path string) (*Store, error) {
	return openAt(ctx, path, time.Now)
}

func openAt(ctx context.Context, path string, now func() time.Time) (*Store, error) {
	s := &Store{path: path, sql: compose(quantity.All()), now: now}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("store %s: %w", path, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	settings := []string{"journal_mode = WAL", "synchronous = FULL"}
	if s.write, err = pool(s.path, 1, append(settings, writeCache)); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if s.read, err = pool(s.path, readers, append(settings, readCache, "query_only = 1")); err != nil {
		return err
	}
	if s.opened, err = os.Stat(s.path); err != nil {
		return err
	}
	return s.Ping(ctx)
}

// pool opens connections to a file, which it creates if it is missing, with settings that each connection gets before
// its first use. Programs that create the file at the same time can each hold a lock that the other needs; SQLite
// then returns an error at once, and pool applies the settings again.
func pool(path string, size int, settings []string) (*sqlitex.Pool, error) {
	return sqlitex.NewPool(path, sqlitex.PoolOptions{Flags: sqlite.OpenReadWrite | sqlite.OpenCreate, PoolSize: size, PrepareConn: func(conn *sqlite.Conn) error {
		conn.SetBusyTimeout(busyTimeout)
		for _, setting := range settings {
			for end := time.Now().Add(busyTimeout); ; time.Sleep(busyEvery) {
				err := sqlitex.ExecuteTransient(conn, "PRAGMA "+setting, nil)
				if err == nil {
					break
				} else if sqlite.ErrCode(err).ToPrimary() != sqlite.ResultBusy || time.Now().After(end) {
					return err
				}
			}
		}
		return nil
	}})
}

// with calls work with a connection of a pool; work must leave no open transaction. When ctx ends, so does work, and
// the error is that of ctx.
func with(ctx context.Context, pool *sqlitex.Pool, work func(*sqlite.Conn) error) error {
	conn, err := pool.Take(ctx)
	if err == nil {
		defer pool.Put(conn)
		err = work(conn)
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if code := sqlite.ErrCode(err).ToPrimary(); code == sqlite.ResultCorrupt || code == sqlite.ResultNotADB {
		return fmt.Errorf("readings.db is damaged, stop the server and move readings.db, -wal and -shm away: the next start makes a new file with what the journal has, older readings are in backups and the archive: %w", err)
	}
	return err
}

// transact calls work in a transaction.
func (s *Store) transact(ctx context.Context, work func(*sqlite.Conn) error) error {
	return with(ctx, s.write, func(conn *sqlite.Conn) (err error) {
		end, err := begin(ctx, conn)
		defer end(&err)
		if err != nil {
			return err
		}
		return work(conn)
	})
}

// begin waits for another program's lock until ctx ends, at most busyTimeout.
func begin(ctx context.Context, conn *sqlite.Conn) (end func(*error), err error) {
	waiting, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	conn.SetBlockOnBusy()
	conn.SetInterrupt(waiting.Done())
	defer conn.SetInterrupt(ctx.Done())
	if end, err = sqlitex.ImmediateTransaction(conn); err != nil && ctx.Err() == nil && waiting.Err() != nil {
		err = fmt.Errorf("another program has the file locked for more than %v: %w", busyTimeout, err)
	}
	return end, err
}

// execute runs one statement without results, in a transaction.
func (s *Store) execute(ctx context.Context, statement string, args ...any) error {
	return s.transact(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, statement, &sqlitex.ExecOptions{Args: args})
	})
}

// Ping reports whether the file can be read.
func (s *Store) Ping(ctx context.Context) error {
	err := with(ctx, s.read, func(conn *sqlite.Conn) error { return sqlitex.Execute(conn, "SELECT count(*) FROM sqlite_schema", nil) })
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// Close ends running work and closes the file. Calling it again does nothing.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		for _, pool := range []*sqlitex.Pool{s.read, s.write} {
			if pool != nil {
				err = errors.Join(err, pool.Close())
			}
		}
	})
	return err
}
