package sqlite

import (
	"context"
	"fmt"
	"os"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Position returns the journal entry up to which everything is in the file.
func (s *Store) Position(ctx context.Context) (at ingest.Position, err error) {
	err = with(ctx, s.read, func(conn *sqlite.Conn) (err error) {
		at, err = storedPosition(conn)
		return err
	})
	if err != nil {
		return ingest.Position{}, fmt.Errorf("read the store's position in the journal: %w", err)
	}
	return at, nil
}

func storedPosition(conn *sqlite.Conn) (at ingest.Position, err error) {
	err = sqlitex.Execute(conn, "SELECT journal, seq, appended FROM position", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		at = ingest.Position{Journal: row.ColumnText(0), Seq: uint64(row.ColumnInt64(1)), Time: time.Unix(0, row.ColumnInt64(2)).UTC()}
		return nil
	}})
	return at, err
}

// Advance stores readings and the position in one transaction. It rejects nothing.
func (s *Store) Advance(ctx context.Context, readings []ingest.Reading, from, to ingest.Position, _ func([]store.Rejected) error) error {
	err := s.transact(ctx, func(conn *sqlite.Conn) error {
		at, err := storedPosition(conn)
		if err != nil {
			return err
		}
		if !at.Equal(from) {
			return ingest.ErrPosition
		}
		if err := s.insertReadings(conn, readings); err != nil {
			return err
		}
		return sqlitex.Execute(conn, "INSERT OR REPLACE INTO position (one, journal, seq, appended) VALUES (1, ?, ?, ?)",
			&sqlitex.ExecOptions{Args: []any{to.Journal, int64(to.Seq), to.Time.UnixNano()}})
	})
	if err != nil {
		return fmt.Errorf("store %d readings and the position in the journal: %w", len(readings), err)
	}
	return nil
}

// Deployment returns the id of the installation whose file it is.
func (s *Store) Deployment(ctx context.Context) (id string, err error) {
	err = with(ctx, s.read, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "SELECT id FROM deployment", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			id = row.ColumnText(0)
			return nil
		}})
	})
	if err != nil {
		return "", fmt.Errorf("read whose store it is: %w", err)
	}
	return id, nil
}

// Adopt marks the file as an installation's unless it is another's.
func (s *Store) Adopt(ctx context.Context, id string) error {
	if err := s.execute(ctx, "INSERT OR IGNORE INTO deployment (one, id) VALUES (1, ?)", id); err != nil {
		return fmt.Errorf("mark the store: %w", err)
	}
	return nil
}

// Replaced returns an error when the file was deleted or replaced after it was opened: what is written goes to a file
// without a name, and is gone after Close.
func (s *Store) Replaced() error {
	now, err := os.Stat(s.path)
	if err == nil && !os.SameFile(now, s.opened) {
		err = fmt.Errorf("%s is another file than the one that was opened", s.path)
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}
