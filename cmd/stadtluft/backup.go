package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/ingest/backup"
)

// backupCmd backs a data folder up: see server.Backup. It may run beside a server.
type backupCmd struct {
	configFlag
	File string `arg:"" help:"The backup, which must not exist; - is the standard output."`
}

func (cmd *backupCmd) Run(ctx context.Context, std streams) error {
	config, err := cmd.load()
	if err != nil {
		return err
	}
	if cmd.File == "-" {
		if _, err := server.ActAsOwner(config.ProcessData()); err != nil {
			return err
		}
		file, _, err := server.OpenBackup(ctx, config)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = io.Copy(std.out, file)
		return err
	}
	m, err := server.Backup(ctx, config, cmd.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s holds %s, and was read back\n", cmd.File, contents(m))
	sayMissing(std.out, m)
	return nil
}

// restoreCmd makes a data folder from a backup: see server.Restore.
type restoreCmd struct {
	configFlag
	File string `arg:"" help:"The backup; - is the standard input."`
}

func (cmd *restoreCmd) Run(ctx context.Context, std streams) error {
	config, err := cmd.load()
	if err != nil {
		return err
	}
	from := os.Stdin
	if cmd.File != "-" {
		if from, err = os.Open(cmd.File); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		defer from.Close()
	}
	m, owner, err := server.Restore(ctx, config, from)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s has what the backup of %s holds: %s\n", config.Data, m.Made.Format(time.RFC3339), contents(m))
	if owner != "" {
		fmt.Fprintf(std.out, "it belongs to the user %s\n", owner)
	}
	sayMissing(std.out, m)
	if m.Store != config.StoreKind {
		return errors.New("its readings were in " + m.Store + ", store.kind is " + config.StoreKind + ": change that before the server starts")
	}
	return nil
}

// contents says what is in a backup.
func contents(m backup.Manifest) string {
	text := fmt.Sprintf("%d stations of installation %s", m.Stations, m.Deployment)
	for _, name := range slices.Sorted(maps.Keys(m.Streams)) {
		s := m.Streams[name]
		text += fmt.Sprintf(", %s up to entry %d", s.Config.Name, s.State.LastSeq)
	}
	for _, f := range m.Files {
		if f.Name == "readings.db" {
			text += fmt.Sprintf(", readings.db of %.1f MB", float64(f.Bytes)/1e6)
		}
	}
	return text
}

// sayMissing says what has to be backed up and restored apart from a backup.
func sayMissing(w io.Writer, m backup.Manifest) {
	if m.Store != "sqlite" {
		fmt.Fprintln(w, "not in it: readings and averages in InfluxDB (influxd backup -portable), but for what the journal has of the last three days")
	}
	fmt.Fprintln(w, "not in it: the archive, whose files never change once they are there, and the configuration")
}
