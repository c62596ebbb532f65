package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"stadtluft/export"
	"stadtluft/export/archive"
	"stadtluft/ingest/registry"
)

// archiveCmd makes and checks the files of closed days. It may run beside a server.
type archiveCmd struct {
	Build  archiveBuildCmd  `cmd:"" help:"Write the files of closed days, and a new revision where something has changed."`
	Verify archiveVerifyCmd `cmd:"" help:"Compare the files with their checksums."`
}

type archiveBuildCmd struct {
	configFlag
	From string `help:"First day, a date; that of the first reading without it." placeholder:"DAY"`
	To   string `help:"Last day, included; the last closed one without it." placeholder:"DAY"`
}

func (cmd *archiveBuildCmd) Run(ctx context.Context, std streams) error {
	return withArchive(ctx, cmd.configFlag, func(s *archive.Store) error {
		now := time.Now()
		first, err := s.First(ctx, now)
		if err != nil {
			return err
		}
		from, to, err := days(cmd.From, cmd.To, s.Archive.DayOf(first), s.Archive.DayOf(now.Add(-archive.Closed-24*time.Hour)))
		if err != nil {
			return configError{err}
		}
		if cmd.To != "" && !s.Archive.IsClosed(to, now) {
			return configError{fmt.Errorf("--to %s is not closed yet: a day is closed %v after its end", to, archive.Closed)}
		}
		for d := from; d.Compare(to) <= 0; d = d.Next() {
			m, made, err := s.Archive.Build(ctx, s, d)
			if err != nil {
				return err
			}
			word := "is as it was"
			if made {
				word = "is written"
			}
			fmt.Fprintf(std.out, "%s r%d %s: %d readings of %d stations\n", m.Day, m.Revision, word, m.Readings, m.Stations)
		}
		return nil
	})
}

type archiveVerifyCmd struct {
	configFlag
	From string `help:"First day, a date." placeholder:"DAY"`
	To   string `help:"Last day, included." placeholder:"DAY"`
}

func (cmd *archiveVerifyCmd) Run(ctx context.Context, std streams) error {
	config, err := cmd.load()
	if err != nil {
		return configError{err}
	}
	first, last := archive.Ends()
	from, to, err := days(cmd.From, cmd.To, first, last)
	if err != nil {
		return configError{err}
	}
	a := archiveOf(config, nil, slog.New(slog.DiscardHandler))
	list, err := a.Days(from, to)
	if err != nil {
		return err
	}
	revisions, wrong := 0, 0
	for _, d := range list {
		n, lines, err := a.Verify(d)
		if err != nil {
			return err
		}
		revisions, wrong = revisions+n, wrong+len(lines)
		for _, line := range lines {
			fmt.Fprintln(std.out, line)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if wrong > 0 {
		return fmt.Errorf("the archive is not as it was written: %d differences", wrong)
	}
	_, err = fmt.Fprintf(std.out, "%d days with %d revisions are as they were written\n", len(list), revisions)
	return err
}

// days reads two ends of a period of days, both included.
func days(from, to string, first, last archive.Day) (archive.Day, archive.Day, error) {
	var errs [2]error
	if from != "" {
		first, errs[0] = archive.ParseDay(from)
	}
	if to != "" {
		last, errs[1] = archive.ParseDay(to)
	}
	err := errors.Join(errs[:]...)
	if err == nil && from != "" && first.Compare(last) > 0 {
		err = fmt.Errorf("--from %s is after --to %s", first, last)
	}
	return first, last, err
}

// withArchive opens the store and the archive of a data folder for a command.
func withArchive(ctx context.Context, f configFlag, do func(*archive.Store) error) error {
	return withRegistry(ctx, f, func(r *registry.Registry) error {
		config, err := f.load()
		if err != nil {
			return configError{err}
		}
		s, err := openStore(ctx, config)
		if err != nil {
			return err
		}
		defer s.Close()
		return do(&archive.Store{Store: s, Archive: archiveOf(config, r, slog.New(slog.DiscardHandler))})
	})
}

// archiveOf is the archive that the configuration describes.
func archiveOf(c Config, stations archive.Stations, log *slog.Logger) *archive.Archive {
	return &archive.Archive{
		Dir: filepath.Join(c.Data, "archive"), DayOffset: c.dayOffset(), Size: int32(c.GridResolution), Stations: stations, Log: log,
		Meta: export.Meta{Licence: c.LicenceID, Attribution: c.LicenceAttribution}, Rules: c.rules(), Retention: c.retention(),
	}
}

// rules are those in force, as they travel with the data.
func (c *Config) rules() archive.Rules {
	thresholds := map[string]string{}
	for _, t := range c.Quality.Thresholds() {
		thresholds[t.Key] = fmt.Sprintf("%v %s", *t.Value, t.Unit)
	}
	return archive.Rules{
		Averaging: fmt.Sprintf("A cell's value is the mean of its stations' means, particles corrected for humidity (kappa-Koehler, kappa %v). "+
			"An hour of a station counts with values in 9 of its 12 five-minute slots, a day with 18 of its 24 hours. "+
			"Windows are stamped by their start; a day begins %d h before midnight UTC. Only good values of outdoor stations count, gases only with a calibration.", c.QualityKappa, c.CityDay),
		Quality: thresholds,
	}
}
