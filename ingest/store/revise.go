package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

const (
	// askedStations is the number of stations up to which their readings are asked for; with more of them an hour's
	// readings are all read.
	askedStations = 20
	// revisedAtOnce bounds the readings that are written together.
	revisedAtOnce = 5000
)

// Revise sets the flags of stored readings from the flags of their hour: of ingest.HourFlagMask a value then has
// exactly those of its HourFlags, and none when it is excluded by itself; other flags stay. Of two HourFlags of one hour, station and quantity the later in the
// list counts. The readings must already be stored. Calling it again changes nothing; after an error the caller repeats
// all of it.
func Revise(ctx context.Context, s Store, hourFlags []ingest.HourFlags) ([]Rejected, error) {
	hourFlags = slices.Clone(hourFlags)
	slices.SortStableFunc(hourFlags, func(a, b ingest.HourFlags) int { return a.Hour.Compare(b.Hour) })
	var rejected []Rejected
	for len(hourFlags) > 0 {
		n := 1
		for n < len(hourFlags) && hourFlags[n].Hour.Equal(hourFlags[0].Hour) {
			n++
		}
		var changed []ingest.Reading
		write := func() error {
			more, err := s.WriteReadings(ctx, changed)
			rejected, changed = append(rejected, more...), changed[:0]
			return err
		}
		err := revised(ctx, s, hourFlags[:n], func(r ingest.Reading) error {
			if changed = append(changed, r); len(changed) < revisedAtOnce {
				return nil
			}
			return write()
		})
		if err == nil {
			err = write()
		}
		if err != nil {
			return nil, fmt.Errorf("revise flags: %w", err)
		}
		hourFlags = hourFlags[n:]
	}
	return rejected, nil
}

// revisedKey is a quantity of a station.
type revisedKey struct {
	station  string
	quantity quantity.Quantity
}

// revised calls yield for the values of an hour whose flags differ from those of their hour, by reading.
func revised(ctx context.Context, s Store, hourFlags []ingest.HourFlags, yield func(ingest.Reading) error) error {
	hour := hourFlags[0].Hour
	flags, q := map[revisedKey]*ingest.HourFlags{}, ReadingQuery{From: hour, To: hour.Add(time.Hour)}
	for i := range hourFlags {
		v := &hourFlags[i]
		flags[revisedKey{v.Station, v.Quantity}] = v
		if !slices.Contains(q.Stations, v.Station) && len(q.Stations) <= askedStations {
			q.Stations = append(q.Stations, v.Station)
		}
	}
	if len(q.Stations) > askedStations {
		q.Stations = nil
	}
	return s.Readings(ctx, q, func(r ingest.Reading) error {
		var values []ingest.Value
		for _, v := range r.Values {
			of := flags[revisedKey{r.Station, v.Quantity}]
			if of == nil {
				continue
			}
			want := v.Flags &^ ingest.HourFlagMask
			if want.Good() {
				want |= of.At(r.Time) & ingest.HourFlagMask
			}
			if want != v.Flags {
				v.Flags = want
				values = append(values, v)
			}
		}
		if len(values) == 0 {
			return nil
		}
		r.Values = values
		return yield(r)
	})
}
