package sqlite

import (
	"context"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Copy writes a consistent copy of the store's file to a path that must not exist. Other programs may use the store meanwhile.
func Copy(ctx context.Context, from, to string) error {
	own, err := sqlitex.NewPool(from, sqlitex.PoolOptions{Flags: sqlite.OpenReadWrite, PoolSize: 1, PrepareConn: func(conn *sqlite.Conn) error {
		conn.SetBusyTimeout(busyTimeout)
		return nil
	}})
	if err == nil {
		defer own.Close()
		err = with(ctx, own, func(conn *sqlite.Conn) error {
			return sqlitex.Execute(conn, "VACUUM INTO ?", &sqlitex.ExecOptions{Args: []any{to}})
		})
	}
	if err != nil {
		return fmt.Errorf("copy the store %s: %w", from, err)
	}
	return nil
}

// Check reads all of a store's file that nobody uses (PRAGMA quick_check), and returns what is wrong with it, or that it
// was written by a newer version. It changes nothing.
func Check(ctx context.Context, path string) error {
	if err := check(ctx, path); err != nil {
		return fmt.Errorf("store %s: %w", path, err)
	}
	return nil
}

func check(ctx context.Context, path string) error {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetInterrupt(ctx.Done())
	version, err := versionOf(conn)
	if err != nil {
		return err
	}
	if version == 0 {
		return fmt.Errorf("it has no tables")
	}
	var wrong []string
	err = sqlitex.Execute(conn, "PRAGMA quick_check", &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
		wrong = append(wrong, row.ColumnText(0))
		return nil
	}})
	if err == nil && strings.Join(wrong, "") != "ok" {
		err = fmt.Errorf("it is damaged: %s", strings.Join(wrong, "; "))
	}
	return err
}
