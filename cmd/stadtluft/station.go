package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/paulmach/orb"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/export"
	"stadtluft/firmware-protocol/kits"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// stationCmd changes stations: through the server that runs on the data folder, or on the folder where none runs.
type stationCmd struct {
	Add         stationAddCmd         `cmd:"" help:"Register a station and print its credentials, once."`
	List        stationListCmd        `cmd:"" help:"List every station."`
	Show        stationShowCmd        `cmd:"" help:"Show a station, without its credentials."`
	Approve     stationApproveCmd     `cmd:"" help:"Let in a station that waits for approval; a suspended one is again what it was."`
	Suspend     stationSuspendCmd     `cmd:"" help:"Take nothing more from a station and show it to nobody, until it is approved again."`
	Expose      stationExposeCmd      `cmd:"" help:"Say that a station measures outdoors or indoors from a moment on; what it measured before stays what it was."`
	Device      stationDeviceCmd      `cmd:"" help:"Give a station the name that a device has in its own firmware's world."`
	Calibration stationCalibrationCmd `cmd:"" help:"Put a calibration made elsewhere on a station's record, or take one off it."`
	Rotate      stationRotateCmd      `cmd:"" help:"Give a station a new token; the old one ends."`
	Retire      stationRetireCmd      `cmd:"" help:"End a station; its readings stay."`
}

type stationAddCmd struct {
	configFlag
	Name     string   `required:"" help:"What people call it."`
	Lon      float64  `required:"" help:"Longitude in degrees, WGS 84. Never published."`
	Lat      float64  `required:"" help:"Latitude in degrees, WGS 84. Never published."`
	Kit      string   `required:"" help:"The kit, such as sds011-bme280."`
	Sensors  []string `help:"Its sensors, where the kit's name does not tell."`
	Height   *float64 `help:"Metres above ground, where it is known."`
	Exposure string   `help:"outdoor or indoor." enum:"outdoor,indoor" default:"outdoor"`
	Email    string   `help:"The owner's address; never published."`
	Device   string   `help:"FAMILY:KEY of a device whose firmware has topics of its own, such as airgradient:ecda3b1eaaaf; never published."`
	JSON     bool     `help:"Print JSON."`
}

func (cmd *stationAddCmd) Run(ctx context.Context, std streams) error {
	var devices []ingest.Device
	if cmd.Device != "" {
		devices = append(devices, parseDevice(cmd.Device))
	}
	return cmd.withRegistry(ctx, func(_ server.Config, r *registry.Registry) error {
		credentials, station, err := r.Add(ctx, registry.Registration{
			Name: cmd.Name, Point: orb.Point{cmd.Lon, cmd.Lat}, Kit: cmd.Kit, Sensors: cmd.Sensors, Devices: devices,
			Height: cmd.Height, Exposure: ingest.Exposure(cmd.Exposure), Email: cmd.Email, LicenceConsent: true,
		})
		if err != nil {
			return err
		}
		if cmd.JSON {
			return printJSON(std.out, map[string]string{
				"id": credentials.ID, "token": credentials.Token, "manage_token": credentials.ManageToken,
			})
		}
		public := station.Places[0].Public
		_, err = fmt.Fprintf(std.out, "station       %s\ntoken         %s\nmanage token  %s\npublic place  %.6f %.6f (the centre of its 100 m cell)\n\nThe tokens are shown only now.\n",
			credentials.ID, credentials.Token, credentials.ManageToken, public.Lon(), public.Lat())
		return err
	})
}

type stationListCmd struct {
	configFlag
	JSON bool `help:"Print JSON."`
}

func (cmd *stationListCmd) Run(ctx context.Context, std streams) error {
	return cmd.withRegistry(ctx, func(_ server.Config, r *registry.Registry) error {
		stations := r.Stations()
		if cmd.JSON {
			list := make([]stationJSON, len(stations))
			for i, s := range stations {
				list[i] = publicStation(s)
			}
			return printJSON(std.out, list)
		}
		table := tabwriter.NewWriter(std.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "STATION\tSTATUS\tKIT\tEXPOSURE\tSINCE\tNAME")
		for _, s := range stations {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Status, s.Kit, s.Exposure, s.Created.Format("2006-01-02"), s.Name)
		}
		return table.Flush()
	})
}

type stationShowCmd struct {
	configFlag
	ID       string `arg:"" help:"The station's id."`
	Settings bool   `help:"Print settings ready to paste for each firmware instead."`
	Token    string `help:"The station's token, to stand in the settings."`
}

func (cmd *stationShowCmd) Run(ctx context.Context, std streams) error {
	config, err := cmd.load()
	if err != nil {
		return err
	}
	return cmd.withStation(ctx, cmd.ID, func(r *registry.Registry, s *ingest.Station) error {
		if cmd.Settings {
			access := config.Local(config.Access())
			access.Station, access.Token, access.Serial = s.ID, cmd.Token, s.Device("airgradient")
			return printRecipes(std.out, kits.Recipes(access))
		}
		return printJSON(std.out, publicStation(s))
	})
}

func printRecipes(w io.Writer, recipes []kits.Recipe) error {
	for _, r := range recipes {
		if _, err := fmt.Fprintf(w, "%s\n%s\n\n%s\n\n", r.Title.EN, r.How.EN, strings.TrimRight(r.Settings, "\n")); err != nil {
			return err
		}
	}
	return nil
}

type stationDeviceCmd struct {
	configFlag
	ID     string `arg:"" help:"The station's id."`
	Device string `arg:"" help:"FAMILY:KEY, such as ttn:eui-70b3d57ed0001234; never published."`
	Remove bool   `help:"Take it away instead."`
}

func (cmd *stationDeviceCmd) Run(ctx context.Context, std streams) error {
	return cmd.withStation(ctx, cmd.ID, func(r *registry.Registry, s *ingest.Station) error {
		change, done := r.AddDevice, "has"
		if cmd.Remove {
			change, done = r.RemoveDevice, "no longer has"
		}
		if err := change(ctx, s.ID, registry.Shell, parseDevice(cmd.Device)); err != nil {
			return err
		}
		_, err := fmt.Fprintf(std.out, "%s %s the device %s\n", s.ID, done, cmd.Device)
		return err
	})
}

// parseDevice splits FAMILY:KEY; the registry validates it.
func parseDevice(text string) ingest.Device {
	family, key, _ := strings.Cut(text, ":")
	return ingest.Device{Family: family, Key: key}
}

type stationApproveCmd struct {
	configFlag
	ID string `arg:"" help:"The station's id."`
}

func (cmd *stationApproveCmd) Run(ctx context.Context, std streams) error {
	return cmd.withStation(ctx, cmd.ID, func(r *registry.Registry, s *ingest.Station) error {
		if s.Status != ingest.Pending && s.Status != ingest.Suspended {
			return fmt.Errorf("%s is %s: it neither waits for approval nor is suspended", s.ID, s.Status)
		}
		if err := r.Edit(ctx, s.ID, registry.Shell, registry.Edit{Status: new(ingest.Active)}); err != nil {
			return err
		}
		s, _ = r.Station(s.ID)
		_, err := fmt.Fprintf(std.out, "%s is %s\n", s.ID, s.Status)
		return err
	})
}

type stationSuspendCmd struct {
	configFlag
	ID     string `arg:"" help:"The station's id."`
	Reason string `required:"" help:"Why, for its owner; its page shows it."`
}

func (cmd *stationSuspendCmd) Run(ctx context.Context, std streams) error {
	return cmd.withStation(ctx, cmd.ID, func(r *registry.Registry, s *ingest.Station) error {
		if err := r.Edit(ctx, s.ID, registry.Shell, registry.Edit{Status: new(ingest.Suspended), Reason: &cmd.Reason}); err != nil {
			return err
		}
		_, err := fmt.Fprintf(std.out, "%s is suspended\n", s.ID)
		return err
	})
}

type stationRotateCmd struct {
	configFlag
	ID string `arg:"" help:"The station's id."`
}

func (cmd *stationRotateCmd) Run(ctx context.Context, std streams) error {
	return cmd.withStation(ctx, cmd.ID, func(r *registry.Registry, s *ingest.Station) error {
		token, err := r.Rotate(ctx, s.ID, registry.Shell)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(std.out, token)
		return err
	})
}

type stationRetireCmd struct {
	configFlag
	ID string `arg:"" help:"The station's id."`
}

func (cmd *stationRetireCmd) Run(ctx context.Context, std streams) error {
	return cmd.withStation(ctx, cmd.ID, func(r *registry.Registry, s *ingest.Station) error {
		if err := r.Retire(ctx, s.ID, registry.Shell); err != nil {
			return err
		}
		_, err := fmt.Fprintf(std.out, "%s is retired; its readings stay\n", s.ID)
		return err
	})
}

// stationJSON is a station in the output for shells.
type stationJSON struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Kit      string          `json:"kit"`
	Sensors  []string        `json:"sensors"`
	Exposure ingest.Exposure `json:"exposure"`
	Height   *float64        `json:"height"`
	Status   ingest.Status   `json:"status"`
	Reason   string          `json:"reason,omitempty"`
	Created  string          `json:"created"`
	Demo     bool            `json:"demo"`
	Lon      float64         `json:"public_lon"`
	Lat      float64         `json:"public_lat"`

	Calibrations []export.Calibration `json:"calibrations"`
}

func publicStation(s *ingest.Station) stationJSON {
	place := s.Places[len(s.Places)-1].Public
	return stationJSON{
		ID: s.ID, Name: s.Name, Kit: s.Kit, Sensors: s.Sensors, Exposure: s.Exposure, Height: s.Height, Status: s.Status, Reason: s.Reason,
		Created: s.Created.Format("2006-01-02T15:04:05Z"), Demo: s.Demo, Lon: place.Lon(), Lat: place.Lat(),
		Calibrations: export.Calibrations(s),
	}
}

func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
