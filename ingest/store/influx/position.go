package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// Position returns the journal entry of the newest point of measurement journal.
func (s *Store) Position(ctx context.Context) (ingest.Position, error) {
	at, _, err := s.position(ctx)
	return at, err
}

// position returns the position and the time of its point.
func (s *Store) position(ctx context.Context) (at ingest.Position, point time.Time, err error) {
	if s.isClosed() {
		return at, point, errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	if err = s.prepare(ctx); err == nil {
		err = s.query(ctx, `SELECT "id", "seq", "appended" FROM "journal" ORDER BY time DESC LIMIT 1`, http.MethodGet, func(r result) error {
			return r.each(func(row []cell) error {
				if len(row) != 4 {
					return fmt.Errorf("InfluxDB: a position of %d columns, want 4", len(row))
				}
				at.Journal = row[1].text()
				at.Seq, at.Time = uint64(row[2].whole()), time.Unix(0, row[3].whole()).UTC()
				point = time.UnixMilli(row[0].whole()).UTC()
				return nil
			})
		})
	}
	s.forgetMissing(err)
	if err != nil {
		return ingest.Position{}, time.Time{}, fmt.Errorf("read the store's position in the journal: %w", err)
	}
	return at, point, nil
}

// Deployment returns the id in the newest point of measurement deployment.
func (s *Store) Deployment(ctx context.Context) (id string, err error) {
	if s.isClosed() {
		return "", errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	if err = s.prepare(ctx); err == nil {
		err = s.query(ctx, `SELECT "id" FROM "deployment" ORDER BY time DESC LIMIT 1`, http.MethodGet, func(r result) error {
			return r.each(func(row []cell) error {
				if len(row) == 2 {
					id = row[1].text()
				}
				return nil
			})
		})
	}
	s.forgetMissing(err)
	if err != nil {
		return "", fmt.Errorf("read whose store it is: %w", err)
	}
	if id != "" {
		s.deployment.Store(&id)
	}
	return id, nil
}

// Adopt marks the database with an installation's id, in a point of its own. Advance writes it again, as the bucket may keep points
// for some days only.
func (s *Store) Adopt(ctx context.Context, id string) error {
	var e lineprotocol.Encoder
	e.SetPrecision(lineprotocol.Second)
	encodeDeployment(&e, id, time.Now().UTC().Truncate(time.Hour))
	if err := errors.Join(e.Err(), s.post(ctx, e.Bytes())); err != nil {
		return fmt.Errorf("mark the store: %w", err)
	}
	return nil
}

func encodeDeployment(e *lineprotocol.Encoder, id string, at time.Time) {
	e.StartLine("deployment")
	value, _ := lineprotocol.StringValue(id)
	e.AddField("id", value)
	e.EndLine(at)
}

// forgetMissing makes the next request create the database again after an answer that there is none.
func (s *Store) forgetMissing(err error) {
	var answer *answerError
	if errors.As(err, &answer) && answer.status == http.StatusNotFound {
		s.prepared.Store(false)
	}
}

// Advance stores readings, then the position as a point of its own measurement. One point an hour stays; it is never
// older than the one before, even if the clock is.
func (s *Store) Advance(ctx context.Context, readings []ingest.Reading, from, to ingest.Position, keep func([]store.Rejected) error) error {
	var at ingest.Position
	var last time.Time
	err := s.retried(ctx, func() (err error) {
		at, last, err = s.position(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if !at.Equal(from) {
		return ingest.ErrPosition
	}
	rejected, err := s.WriteReadings(ctx, readings)
	if err == nil && len(rejected) > 0 {
		err = keep(rejected)
	}
	if err != nil {
		return err
	}
	point := time.Now().UTC().Truncate(time.Hour)
	if point.Before(last) {
		point = last
	}
	var e lineprotocol.Encoder
	e.SetPrecision(lineprotocol.Second)
	e.StartLine("journal")
	e.AddField("appended", lineprotocol.IntValue(to.Time.UnixNano()))
	id, _ := lineprotocol.StringValue(to.Journal)
	e.AddField("id", id)
	e.AddField("seq", lineprotocol.IntValue(int64(to.Seq)))
	e.EndLine(point)
	if ours := s.deployment.Load(); ours != nil {
		encodeDeployment(&e, *ours, point)
	}
	if err := errors.Join(e.Err(), s.post(ctx, e.Bytes())); err != nil {
		return fmt.Errorf("store the position in the journal: %w", err)
	}
	return nil
}
