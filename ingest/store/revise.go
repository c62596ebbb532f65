package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// Revise sets the flags of stored readings from the flags of their hour: of ingest.HourFlagMask a value then has
// exactly those of its HourFlags; other flags stay. The readings must already be stored. Calling it again changes
// nothing; after an error the caller repeats all of it.
func Revise(ctx context.Context, s Store, hourFlags []ingest.HourFlags) ([]Rejected, error) {
	hourFlags = slices.Clone(hourFlags)
	slices.SortStableFunc(hourFlags, func(a, b ingest.HourFlags) int {
		return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Station, b.Station))
	})
	var rejected []Rejected
	for len(hourFlags) > 0 {
		first := hourFlags[0]
		n := 1
		for n < len(hourFlags) && hourFlags[n].Station == first.Station && hourFlags[n].Hour.Equal(first.Hour) {
			n++
		}
		changed, err := revised(ctx, s, hourFlags[:n])
		if err != nil {
			return nil, fmt.Errorf("revise flags: %w", err)
		}
		if len(changed) > 0 {
			more, err := s.WriteReadings(ctx, changed)
			if err != nil {
				return nil, fmt.Errorf("revise flags: %w", err)
			}
			rejected = append(rejected, more...)
		}
		hourFlags = hourFlags[n:]
	}
	return rejected, nil
}

// revised returns the values of the stations and hours whose flags differ from those of their hour. Of two HourFlags
// of one quantity the later in the list counts.
func revised(ctx context.Context, s Store, hourFlags []ingest.HourFlags) ([]ingest.Reading, error) {
	flags := map[quantity.Quantity]ingest.Flags{}
	for _, v := range hourFlags {
		flags[v.Quantity] = v.Flags & (ingest.HourFlagMask | ingest.Humid)
	}
	hour := hourFlags[0].Hour
	var changed []ingest.Reading
	err := s.Readings(ctx, ReadingQuery{From: hour, To: hour.Add(time.Hour), Stations: []string{hourFlags[0].Station}}, func(r ingest.Reading) error {
		var values []ingest.Value
		for _, v := range r.Values {
			want, checked := flags[v.Quantity]
			if want |= v.Flags &^ ingest.HourFlagMask; checked && want != v.Flags {
				v.Flags = want
				values = append(values, v)
			}
		}
		if len(values) > 0 {
			r.Values = values
			changed = append(changed, r)
		}
		return nil
	})
	return changed, err
}
