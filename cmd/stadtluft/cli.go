package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/export"
	"stadtluft/export/archive"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// cli is the command line.
type cli struct {
	Serve     serveCmd       `cmd:"" help:"Take readings, keep them, average them and publish them: everything in one process, or a part of it."`
	Simulate  simulateCmd    `cmd:"" help:"Stations that behave like real ones, over real MQTT, marked as demo data."`
	Station   stationCmd     `cmd:"" help:"The registry of stations from a shell."`
	Admin     adminTokenCmd  `cmd:"" name:"admin-token" help:"Make a new token for the administrator; the old one ends."`
	Import    importCmd      `cmd:"" help:"Bring neighbours' open data into the same map."`
	Compare   compareCmd     `cmd:"" help:"Compare the city's stations with official ones; a server does it every night."`
	Calibrate calibrateCmd   `cmd:"" help:"Fit a station's sensor to a reference instrument beside it."`
	Rebuild   rebuildCmd     `cmd:"" help:"Compute averages again, from stored readings."`
	Letters   deadLettersCmd `cmd:"" name:"dead-letters" help:"Values that the store rejected."`
	Archive   archiveCmd     `cmd:"" help:"Closed days as files."`
	Backup    backupCmd      `cmd:"" help:"Write everything but the archive and the configuration to one file, also while the server runs."`
	Restore   restoreCmd     `cmd:"" help:"Make an empty data folder what a backup says."`
	Check     checkCmd       `cmd:"" help:"Try every setting and connection, before you rely on it."`
	Health    healthCmd      `cmd:"" help:"Ask the running server whether it is ready; the status is 1 when it is not."`
	Export    exportCmd      `cmd:"" help:"Write readings or grid averages of a period to a file."`

	Completion completionCmd `cmd:"" help:"Print a script that completes commands in a shell: bash, zsh or fish."`

	Version kong.VersionFlag `help:"Print the version and end."`
}

// configFlag is shared by every command that works on a server's data.
type configFlag struct {
	Config string `help:"The configuration, a YAML file; without it ${system_config}, where that is." placeholder:"FILE" env:"STADTLUFT_CONFIG"`
	Data   string `help:"The data folder; wins over the configuration." placeholder:"DIR"`
	City   string `help:"The city, where the configuration has several; serve and check take some with commas between, all or none." placeholder:"ID"`
}

// systemConfig is the configuration of an installed server, so that commands without --config agree with it.
const systemConfig = "/etc/stadtluft/stadtluft.yaml"

// path returns the path of the configuration; empty for none. An empty STADTLUFT_CONFIG means none.
func (f configFlag) path() string {
	if _, named := os.LookupEnv("STADTLUFT_CONFIG"); named || f.Config != "" {
		return f.Config
	}
	if _, err := os.Stat(systemConfig); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return systemConfig
}

// loadAsOwner is load for a command that works on the data folder: it goes on as the folder's owner, see server.ActAsOwner.
func (f configFlag) loadAsOwner() (server.Config, error) {
	c, err := f.load()
	if err == nil {
		_, err = server.ActAsOwner(c.ProcessData())
	}
	return c, err
}

// load reads the configuration of one city.
func (f configFlag) load() (server.Config, error) {
	c, err := f.loadAll()
	if err != nil {
		return c, err
	}
	if c, err = c.Single(f.City); err != nil {
		err = usageError{err}
	}
	return c, err
}

// loadAll reads the configuration of all cities; overrides are environment variables of our own making.
func (f configFlag) loadAll(overrides ...string) (server.Config, error) {
	if f.Data != "" {
		overrides = append(overrides, "STADTLUFT_DATA="+f.Data)
	}
	c, err := server.LoadConfig(f.path(), append(os.Environ(), overrides...))
	if err == nil && f.Data != "" {
		if err = c.DataHasCities(); err != nil {
			err = usageError{err}
		}
	}
	return c, err
}

// rolesFlag sets the roles of a command for one run.
type rolesFlag struct {
	configFlag
	Roles string `help:"What this process does: ingest, write, aggregate, web, with commas between; wins over the configuration." placeholder:"ROLES"`
}

// load reads the configuration of all cities.
func (f rolesFlag) load() (server.Config, error) {
	var overrides []string
	if f.Roles != "" {
		overrides = append(overrides, "STADTLUFT_ROLES="+f.Roles)
	}
	if f.City != "" {
		overrides = append(overrides, "STADTLUFT_SERVE="+f.City)
	}
	return f.loadAll(overrides...)
}

// withRegistry opens the registry of a data folder for a command.
func (f configFlag) withRegistry(ctx context.Context, use func(server.Config, *registry.Registry) error) error {
	config, err := f.loadAsOwner()
	if err != nil {
		return err
	}
	r, close, err := server.OpenRegistry(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(use(config, r), close())
}

// withStation opens the registry for a command on one of its stations.
func (f configFlag) withStation(ctx context.Context, id string, use func(*registry.Registry, *ingest.Station) error) error {
	return f.withRegistry(ctx, func(_ server.Config, r *registry.Registry) error {
		parsed, err := registry.ParseID(id)
		if err != nil {
			return err
		}
		station, ok := r.Station(parsed)
		if !ok {
			return fmt.Errorf("no station %s is registered", parsed)
		}
		return use(r, station)
	})
}

// withArchive opens the store and the archive of a data folder for a command.
func (f configFlag) withArchive(ctx context.Context, use func(server.Config, *archive.Store) error) error {
	return f.withRegistry(ctx, func(config server.Config, r *registry.Registry) error {
		s, err := server.OpenArchive(ctx, config, r)
		if err != nil {
			return err
		}
		defer s.Close()
		return use(config, s)
	})
}

// period parses a period's start and end.
func period(from, to string) (start, end time.Time, err error) {
	if start, err = export.ParseTime(from); err == nil {
		end, err = export.ParseTime(to)
	}
	if err == nil && !start.Before(end) {
		err = fmt.Errorf("--from %s is not before --to %s", from, to)
	}
	return start, end, err
}

// optionalTime parses the time of an optional flag.
func optionalTime(flag, text string, to *time.Time) (err error) {
	if text == "" {
		return nil
	}
	if *to, err = export.ParseTime(text); err != nil {
		return fmt.Errorf("--%s: %w", flag, err)
	}
	return nil
}

// streams are the outputs of a command.
type streams struct{ out, err io.Writer }

// exitStatus carries kong's exit through a panic, so that run always returns.
type exitStatus int

// run runs the program and returns the exit status: 0 is success, 1 a failure, 2 a wrong command line or configuration.
func run(args []string, stdout, stderr io.Writer) (status int) {
	defer func() {
		if r := recover(); r != nil {
			exit, ok := r.(exitStatus)
			if !ok {
				panic(r)
			}
			status = int(exit)
		}
	}()
	syscall.Umask(0o077) // whatever is written is for its user alone
	var commands cli
	parser, err := kong.New(&commands,
		kong.Name("stadtluft"),
		kong.Description("City air, measured by its citizens, published for everyone."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exitStatus(code)) }),
		kong.Vars{"version": server.Version(), "system_config": systemConfig},
	)
	if err != nil {
		fmt.Fprintln(stderr, "stadtluft:", err)
		return 2
	}
	parsed, err := parser.Parse(asked(args))
	if err != nil {
		fmt.Fprintln(stderr, "stadtluft:", server.ForPeople(err.Error()))
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(streams{stdout, stderr})
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(stderr, "stadtluft:", server.ForPeople(err.Error()))
		var usage usageError
		var config server.ConfigError
		if errors.As(err, &usage) || errors.As(err, &config) {
			return 2
		}
		return 1
	}
	return 0
}

// asked returns the arguments of what a person means: help about all of it without any, and about a command with help in front.
func asked(args []string) []string {
	if len(args) == 0 {
		return []string{"--help"}
	}
	if args[0] == "help" {
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}

// usageError is an error in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
