package store

import (
	"context"
	"slices"
	"testing"
	"time"

	"stadtluft/geo"
	"stadtluft/geo/aggregate"
)

// rowsStore has rows and records what is written.
type rowsStore struct {
	Store
	rows, written []aggregate.Row
}

func (s *rowsStore) Grid(_ context.Context, _ GridQuery, yield func(aggregate.Row) error) error {
	for _, r := range s.rows {
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *rowsStore) WriteGrid(_ context.Context, rows []aggregate.Row) error {
	s.written = append(s.written, rows...)
	return nil
}

// TestReplaceGridWritesWhatDiffers has a row that is the same, one that changed, one that goes and one that is new.
func TestReplaceGridWritesWhatDiffers(t *testing.T) {
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	row := func(east int32, mean int64) aggregate.Row {
		return aggregate.Row{Cell: geo.Cell{Size: 1000, North: 3096000, East: east}, Start: start, Mean: mean, Stations: 1}
	}
	s := &rowsStore{rows: []aggregate.Row{row(1, 5), row(2, 5), row(3, 5)}}
	s.rows[0].Start = start.In(time.FixedZone("", 3600)) // the same moment
	if err := ReplaceGrid(t.Context(), s, start, aggregate.Hour, 1000, []aggregate.Row{row(1, 5), row(2, 6), row(4, 5)}, nil); err != nil {
		t.Fatal(err)
	}
	gone := row(3, 0)
	gone.Stations = 0
	want := []aggregate.Row{gone, row(2, 6), row(4, 5)}
	if !slices.Equal(s.written, want) {
		t.Errorf("written %+v, want %+v", s.written, want)
	}
	s.written, s.rows[1].Readings, s.rows[2].Readings = nil, 2, 3
	var asked []int
	keep := func(old aggregate.Row) bool {
		asked = append(asked, old.Readings)
		return old.Readings == 3
	}
	if err := ReplaceGrid(t.Context(), s, start, aggregate.Hour, 1000, []aggregate.Row{row(1, 5), row(2, 6), row(4, 5)}, keep); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.written, want[1:]) || !slices.Equal(asked, []int{2, 3}) {
		t.Errorf("written %+v, asked for rows of %v values, want %+v, and one kept of 2 and 3", s.written, asked, want[1:])
	}
}
