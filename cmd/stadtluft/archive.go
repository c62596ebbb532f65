package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/export/archive"
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
	return cmd.withArchive(ctx, func(_ server.Config, s *archive.Store) error {
		now := time.Now()
		first, err := s.First(ctx, now)
		if err != nil {
			return err
		}
		from, to, err := days(cmd.From, cmd.To, s.Archive.DayOf(first), s.Archive.DayOf(now.Add(-archive.Closed-24*time.Hour)))
		if err != nil {
			return usageError{err}
		}
		if cmd.To != "" && !s.Archive.IsClosed(to, now) {
			return usageError{fmt.Errorf("--to %s is not closed yet: a day is closed %v after its end", to, archive.Closed)}
		}
		empty := 0
		for d := from; d.Compare(to) <= 0; d = d.Next() {
			m, made, err := s.Archive.Build(ctx, s, d)
			if err != nil {
				return err
			}
			if m.Revision == 0 {
				empty++
				continue
			}
			word := "is as it was"
			if made {
				word = "is written"
			}
			fmt.Fprintf(std.out, "%s r%d %s: %d readings of %d stations\n", m.Day, m.Revision, word, m.Readings, m.Stations)
		}
		if empty > 0 {
			fmt.Fprintf(std.out, "%d days without readings are not written\n", empty)
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
	config, err := cmd.loadAsOwner()
	if err != nil {
		return err
	}
	first, last := archive.Ends()
	from, to, err := days(cmd.From, cmd.To, first, last)
	if err != nil {
		return usageError{err}
	}
	a := server.NewArchive(config, nil, slog.New(slog.DiscardHandler))
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

// days parses the first and the last day of a period, both included; the defaults are first and last.
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
