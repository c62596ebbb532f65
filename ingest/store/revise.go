package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"stadtluft/ingest"
)

// Revise gives stored readings the flags of verdicts on their hour: of ingest.HourFlags a value then has exactly
// those of its verdict, all others stay. The readings must be stored already. Doing it again changes
// nothing; after an error the caller does all of it again.
func Revise(ctx context.Context, s Store, verdicts []ingest.Verdict) ([]Rejected, error) {
	verdicts = slices.Clone(verdicts)
	slices.SortStableFunc(verdicts, func(a, b ingest.Verdict) int {
		return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Station, b.Station))
	})
	var rejected []Rejected
	for len(verdicts) > 0 {
		first := verdicts[0]
		n := 1
		for n < len(verdicts) && verdicts[n].Station == first.Station && verdicts[n].Hour.Equal(first.Hour) {
			n++
		}
		changed, err := revised(ctx, s, verdicts[:n])
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
		verdicts = verdicts[n:]
	}
	return rejected, nil
}

// revised are the values of one station and hour whose flags differ from their verdicts'. Of two verdicts on one
// quantity the later in the list counts.
func revised(ctx context.Context, s Store, verdicts []ingest.Verdict) ([]ingest.Reading, error) {
	flags := map[uint8]ingest.Flags{}
	for _, v := range verdicts {
		flags[uint8(v.Quantity)] = v.Flags & (ingest.HourFlags | ingest.Humid)
	}
	hour := verdicts[0].Hour
	var changed []ingest.Reading
	err := s.Readings(ctx, ReadingQuery{From: hour, To: hour.Add(time.Hour), Stations: []string{verdicts[0].Station}}, func(r ingest.Reading) error {
		var values []ingest.Value
		for _, v := range r.Values {
			want, judged := flags[uint8(v.Quantity)]
			if want |= v.Flags &^ ingest.HourFlags; judged && want != v.Flags {
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
