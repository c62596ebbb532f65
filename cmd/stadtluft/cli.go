package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	Serve     serveCmd       `cmd:"" default:"withargs" help:"Take readings, keep them, average them and publish them: everything in one process, or a part of it."`
	Simulate  simulateCmd    `cmd:"" help:"Stations that behave like real ones, over real MQTT, marked as demo data."`
	Station   stationCmd     `cmd:"" help:"The registry of stations from a shell."`
	Import    importCmd      `cmd:"" help:"Bring neighbours' open data into the same map."`
	Calibrate calibrateCmd   `cmd:"" help:"Fit a station's sensor to a reference instrument beside it."`
	Rebuild   rebuildCmd     `cmd:"" help:"Compute averages again, from stored readings."`
	Letters   deadLettersCmd `cmd:"" name:"dead-letters" help:"Values that the store rejected."`
	Archive   archiveCmd     `cmd:"" help:"Closed days as files."`
	Check     checkCmd       `cmd:"" help:"Try every setting and connection, before you rely on it."`
	Export    exportCmd      `cmd:"" help:"Write readings or grid averages of a period to a file."`

	Version kong.VersionFlag `help:"Print the version and end."`
}

// configFlag is shared by every command that works on a server's data.
type configFlag struct {
	Config string `help:"The configuration, a YAML file." placeholder:"FILE" env:"STADTLUFT_CONFIG"`
	Data   string `help:"The data folder; wins over the configuration." placeholder:"DIR"`
}

// load reads the configuration; overrides are environment variables of our own making.
func (f configFlag) load(overrides ...string) (Config, error) {
	c, err := loadConfig(f.Config, append(os.Environ(), overrides...))
	if f.Data != "" {
		c.Data = f.Data
	}
	return c, err
}

// streams are where a command writes.
type streams struct{ out, err io.Writer }

// exitStatus carries kong's wish to end through a panic, so that run always returns.
type exitStatus int

// run is the program: it returns the exit status. 0 is success, 1 a failure, 2 a wrong command line
// or configuration.
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
	var commands cli
	parser, err := kong.New(&commands,
		kong.Name("stadtluft"),
		kong.Description("City air, measured by its citizens, published for everyone."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exitStatus(code)) }),
		kong.Vars{"version": version()},
	)
	if err != nil {
		fmt.Fprintln(stderr, "stadtluft:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(stderr, "stadtluft:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(streams{stdout, stderr})
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(stderr, "stadtluft:", err)
		var wrong configError
		if errors.As(err, &wrong) {
			return 2
		}
		return 1
	}
	return 0
}

// configError marks a mistake of the operator's that no retry mends.
type configError struct{ error }

func (e configError) Unwrap() error { return e.error }
