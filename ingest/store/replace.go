package store

import (
	"context"
	"fmt"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
)

// ReplaceGrid stores rows as all rows of the window that starts at start, for cells of one size: it deletes stored
// rows that are not among them. It writes only what differs from what is stored. keep, which may be nil, is asked for
// each stored row that is made of more values than its new one; when it returns true the stored row stays.
func ReplaceGrid(ctx context.Context, s Store, start time.Time, window aggregate.Window, size int32, rows []aggregate.Row, keep func(old aggregate.Row) bool) error {
	type key struct {
		north, east int32
		quantity    quantity.Quantity
	}
	keyOf := func(r *aggregate.Row) key { return key{r.Cell.North, r.Cell.East, r.Quantity} }
	wanted := make(map[key]*aggregate.Row, len(rows))
	for i := range rows {
		wanted[keyOf(&rows[i])] = &rows[i]
	}
	var changed []aggregate.Row
	err := s.Grid(ctx, GridQuery{From: start, To: start.Add(time.Second), Window: window, Size: size}, func(old aggregate.Row) error {
		row, there := wanted[keyOf(&old)]
		if keep != nil && (!there || row.Readings < old.Readings) && keep(old) {
			delete(wanted, keyOf(&old))
			return nil
		}
		if !there {
			changed = append(changed, aggregate.Row{Cell: old.Cell, Start: old.Start, Window: old.Window, Quantity: old.Quantity})
		} else if row.Start.Equal(old.Start) {
			if old.Start = row.Start; old == *row {
				delete(wanted, keyOf(&old))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("replace the averages of %s: %w", start.Format(time.RFC3339), err)
	}
	for i := range rows {
		if wanted[keyOf(&rows[i])] != nil {
			changed = append(changed, rows[i])
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return s.WriteGrid(ctx, changed)
}
