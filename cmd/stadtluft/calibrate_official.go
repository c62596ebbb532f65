package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/calibration"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
)

const (
	// pairWithin is how far from an official station a station is proposed for a comparison, metres. The US EPA's
	// protocol wants 20 m; places are known to 100 m.
	pairWithin = 1000
	// maxPairs is how many pairs are listed.
	maxPairs = 20
	// pairDays is the period over which a list tells how a pair agrees.
	pairDays = 30
	// officialDays is the period of an official reference without --from.
	officialDays = 365
)

// officialHours returns the stored hours of the official station that is the reference.
func (cmd *calibrateCmd) officialHours(ctx context.Context, s store.Store, r *registry.Registry) ([]calibration.Hour, error) {
	st, ok := r.Station(cmd.official)
	if !ok || !st.Official() {
		return nil, fmt.Errorf("%s is neither a file nor an official station", cmd.Reference)
	}
	cmd.Name = cmp.Or(cmd.Name, st.Name)
	hours, err := cmd.hoursOf(ctx, s, st.ID, cmd.chosen)
	if err == nil && len(hours) == 0 {
		err = fmt.Errorf("%s (%s) has no hour of %s between --from and --to", st.ID, st.Name, cmd.about)
	}
	return hours, err
}

// hoursOf returns the hours of an official station in a period, by default the last year.
func (cmd *calibrateCmd) hoursOf(ctx context.Context, s store.Store, id string, period interval) (hours []calibration.Hour, err error) {
	q := store.ReadingQuery{From: period.from, To: period.to, Stations: []string{id}}
	if q.To.IsZero() {
		q.To = time.Now()
	}
	if q.From.IsZero() {
		q.From = q.To.AddDate(0, 0, -officialDays)
	}
	err = s.Readings(ctx, q, func(reading ingest.Reading) error {
		for _, v := range reading.Values {
			if v.Quantity == cmd.about && v.Flags.Good() && reading.Time.Equal(reading.Time.Truncate(time.Hour)) {
				hours = append(hours, calibration.Hour{Start: reading.Time, Value: v.Value})
			}
		}
		return nil
	})
	return hours, err
}

// besidePair is a station near an official one.
type besidePair struct {
	station, official *ingest.Station
	metres            float64
}

// list prints the pairs of stations that may be compared.
func (cmd *calibrateCmd) list(ctx context.Context, std streams) error {
	return cmd.withRegistry(ctx, func(config server.Config, r *registry.Registry) error {
		s, err := server.OpenStore(ctx, config)
		if err != nil {
			return err
		}
		defer s.Close()
		near := nearOfficial(r.Stations(), time.Now())
		if len(near) == 0 {
			return fmt.Errorf("no station stands within %d m of an official one: see stadtluft import official", pairWithin)
		}
		for _, p := range near[:min(len(near), maxPairs)] {
			if err := cmd.listed(ctx, std, s, p); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintln(std.out, "a calibration needs a station beside the instrument, at most 20 m away (EPA/600/R-20/280): go and look, places are public to 100 m only")
		return err
	})
}

// nearOfficial returns the outdoor stations within pairWithin of official ones by their public places, the nearest first.
func nearOfficial(stations []*ingest.Station, now time.Time) (near []besidePair) {
	for _, official := range stations {
		for _, st := range stations {
			if !official.Official() || st.Official() || !st.Shown() || st.Exposure != ingest.Outdoor {
				continue
			}
			if d := geo.Distance(st.PlaceAt(now).Public, official.PlaceAt(now).Public); d <= pairWithin {
				near = append(near, besidePair{st, official, d})
			}
		}
	}
	slices.SortFunc(near, func(a, b besidePair) int {
		return cmp.Or(cmp.Compare(a.metres, b.metres), cmp.Compare(a.station.ID, b.station.ID), cmp.Compare(a.official.ID, b.official.ID))
	})
	return near
}

func (cmd *calibrateCmd) listed(ctx context.Context, std streams, s store.Store, p besidePair) error {
	to := time.Now().UTC().Truncate(time.Hour)
	hours, err := cmd.hoursOf(ctx, s, p.official.ID, interval{to.AddDate(0, 0, -pairDays), to})
	if err != nil {
		return err
	}
	agreement := fmt.Sprintf("no %s of the official station in %d days", cmd.about, pairDays)
	if len(hours) > 0 {
		pairs, _, err := cmd.pairs(ctx, s, p.station, hours)
		if err != nil {
			return err
		}
		agreement = fmt.Sprintf("%d hours of both in %d days", len(pairs), pairDays)
		if fit, err := calibration.Fit(pairs, calibration.Terms{}); err == nil {
			agreement += fmt.Sprintf(", R² %.2f, RMSE %.1f %s", fit.Raw.R2, fit.Raw.RMSE, cmd.about.Unit())
		}
	}
	_, err = fmt.Fprintf(std.out, "%.0f m  --station %s --reference %s  %s beside %s: %s\n", p.metres, p.station.ID, p.official.ID, p.station.Name, p.official.Name, agreement)
	return err
}
