package store

import (
	"context"
	"fmt"
	"time"

	"stadtluft/geo/aggregate"
)

// ReplaceGrid makes rows everything there is of the window that starts at start, for cells of one size: rows that
// are stored and not among them are taken away.
func ReplaceGrid(ctx context.Context, s Store, start time.Time, window aggregate.Window, size int32, rows []aggregate.Row) error {
	type key struct {
		north, east int32
		quantity    uint8
	}
	there := make(map[key]bool, len(rows))
	for _, r := range rows {
		there[key{r.Cell.North, r.Cell.East, r.Quantity}] = true
	}
	all := rows[:len(rows):len(rows)]
	err := s.Grid(ctx, GridQuery{From: start, To: start.Add(time.Second), Window: window, Size: size}, func(old aggregate.Row) error {
		if !there[key{old.Cell.North, old.Cell.East, old.Quantity}] {
			all = append(all, aggregate.Row{Cell: old.Cell, Start: old.Start, Window: old.Window, Quantity: old.Quantity})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("replace the averages of %s: %w", start.Format(time.RFC3339), err)
	}
	if len(all) == 0 {
		return nil
	}
	return s.WriteGrid(ctx, all)
}
