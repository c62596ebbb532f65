package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"stadtluft/ingest/registry"
	"stadtluft/ingest/registry/registrytest"
)

// TestAMigrationTakesItsTime starts on a file of an earlier version whose migration takes longer than a start waits for a store.
func TestAMigrationTakesItsTime(t *testing.T) {
	c := defaults()
	c.Data = t.TempDir()
	r := registrytest.Open(t, registry.Options{Zone: "Europe/Berlin", Licence: "dl-zero-de/2.0"})
	s, err := OpenStore(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	conn, err := sqlite.OpenConn(filepath.Join(c.Data, readingsFile))
	if err != nil {
		t.Fatal(err)
	}
	err = sqlitex.ExecuteScript(conn, `DROP TRIGGER reading_deleted; DROP TABLE by_hour; DROP TABLE by_station_until;
		CREATE INDEX reading_by_station ON reading (station, time);
		INSERT INTO reading (time, station, received, time_source) WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT i, 'A', 0, 0 FROM n;
		PRAGMA user_version = 3`, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	c.openTime = time.Millisecond
	storage, err := openStorage(t.Context(), c, r, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	storage.Close()
}

// TestAStoreThatHangsIsNoSilenceOfNATS looks for readings in an InfluxDB that takes connections and says nothing. Who opens the registry
// would take the end of that time for NATS's, and try again.
func TestAStoreThatHangsIsNoSilenceOfNATS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := defaults()
	c.Data, c.StoreKind, c.InfluxURL, c.InfluxBucket = t.TempDir(), "influxdb", "http://"+l.Addr().String(), "luft"
	c.openTime = 50 * time.Millisecond
	_, err = c.hasReadings(t.Context())
	if !c.waits(err) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = c.hasReadings(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the server stops: got %v", err)
	}
}
