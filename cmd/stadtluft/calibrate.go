package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/calibration"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
)

// plotWidth and plotHeight fit a terminal of 80 × 24.
const plotWidth, plotHeight = 60, 16

// calibrateCmd fits a station's sensor to a reference instrument beside it. It may run beside a server.
type calibrateCmd struct {
	configFlag
	Station     string `help:"The station's id." placeholder:"ID"`
	Reference   string `help:"Hourly reference values: CSV with time and value, or the id of an imported official station." placeholder:"FILE.csv|ID"`
	Pairs       bool   `help:"Only list the city's stations within a kilometre of an official one, the nearest first, with how they agree over the last 30 days."`
	Quantity    string `help:"What the reference measures." default:"pm2_5"`
	From        string `help:"Leave out hours before, RFC 3339 or a date." placeholder:"T"`
	To          string `help:"Leave out hours from then on." placeholder:"T"`
	Humidity    bool   `help:"Take the station's relative humidity into the fit."`
	Temperature bool   `help:"Take the station's temperature into the fit."`
	Unit        string `help:"Unit of the reference, such as ppb; the quantity's without it. Gases in ppb or ppm are converted at 20 °C and 1,013 hPa, as the EU does." placeholder:"UNIT"`
	Zone        string `help:"Zone of times without an offset, such as Europe/Berlin; uba is the Umweltbundesamt's, which stamps hours by their end in UTC+1." placeholder:"ZONE"`

	Save  bool   `help:"Put it on the station's record; averages use it from then on."`
	Name  string `help:"Of the reference instrument, for the record; the file's name without it."`
	Since string `help:"From when on readings are calibrated, a full hour; the first hour that was compared without it." placeholder:"T"`
	Until string `help:"Until when; without end without it." placeholder:"T"`

	official string // id of the official station that is the reference; empty for a file
	about    quantity.Quantity
	chosen   interval
	valid    interval
}

// interval is a period; a zero end is open.
type interval struct{ from, to time.Time }

func (s interval) holds(t time.Time) bool {
	return !t.Before(s.from) && (s.to.IsZero() || t.Before(s.to))
}

func (cmd *calibrateCmd) Run(ctx context.Context, std streams) error {
	hours, err := cmd.read()
	if err != nil {
		return usageError{err}
	}
	if cmd.Pairs {
		return cmd.list(ctx, std)
	}
	return cmd.withStation(ctx, cmd.Station, func(r *registry.Registry, st *ingest.Station) error {
		config, err := cmd.load()
		if err != nil {
			return err
		}
		s, err := server.OpenStore(ctx, config)
		if err != nil {
			return err
		}
		defer s.Close()
		if cmd.official != "" {
			if hours, err = cmd.officialHours(ctx, s, r); err != nil {
				return err
			}
		}
		pairs, first, err := cmd.pairs(ctx, s, st, hours)
		if err != nil {
			return err
		}
		fit, err := calibration.Fit(pairs, calibration.Terms{Humidity: cmd.Humidity, Temperature: cmd.Temperature})
		if err != nil {
			return fmt.Errorf("%w (of %d reference hours %d have a mean of the station's %s)", err, len(hours), len(pairs), cmd.Quantity)
		}
		if err := cmd.print(std.out, fit, pairs, len(hours)); err != nil || !cmd.Save {
			return err
		}
		return cmd.save(ctx, std.out, r, st, fit, first)
	})
}

// read checks the command line and reads the reference where it is a file; the id of a station goes to official.
func (cmd *calibrateCmd) read() ([]calibration.Hour, error) {
	var ok bool
	if cmd.about, ok = quantity.Parse(cmd.Quantity); !ok || !slices.Contains(averages.Averaged, cmd.about) {
		return nil, fmt.Errorf("--quantity %q is nothing that is averaged, such as pm2_5 or no2", cmd.Quantity)
	}
	for _, t := range []struct {
		flag, text string
		to         *time.Time
	}{{"from", cmd.From, &cmd.chosen.from}, {"to", cmd.To, &cmd.chosen.to}, {"since", cmd.Since, &cmd.valid.from}, {"until", cmd.Until, &cmd.valid.to}} {
		if err := optionalTime(t.flag, t.text, t.to); err != nil {
			return nil, err
		}
	}
	if cmd.Pairs {
		return nil, nil
	}
	if cmd.Station == "" || cmd.Reference == "" {
		return nil, errors.New("--station and --reference are needed; --pairs lists stations near official ones")
	}
	if id, err := registry.ParseID(cmd.Reference); err == nil {
		if _, err := os.Stat(cmd.Reference); err != nil {
			cmd.official = id
			return nil, nil
		}
	}
	return cmd.readFile()
}

func (cmd *calibrateCmd) readFile() ([]calibration.Hour, error) {
	form, err := formatOf(cmd.Zone)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(cmd.Reference)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hours, err := calibration.ReadReference(file, form)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.Reference, err)
	}
	hours = slices.DeleteFunc(hours, func(h calibration.Hour) bool { return !cmd.chosen.holds(h.Start) })
	if len(hours) == 0 {
		return nil, fmt.Errorf("%s has no hour between --from and --to", cmd.Reference)
	}
	for i, h := range hours {
		if h.Station != hours[0].Station {
			return nil, fmt.Errorf("%s has several stations, %q and %q: keep one", cmd.Reference, hours[0].Station, h.Station)
		}
		var ok bool
		if hours[i].Value, ok = quantity.Convert(cmd.about, cmd.Unit, h.Value); !ok {
			return nil, fmt.Errorf("--unit %q is no unit of %s", cmd.Unit, cmd.about)
		}
	}
	return hours, nil
}

// pairs returns the hours of both instruments, and the first of them. An hour of the station counts as in averages: when
// its good values, as measured, cover three quarters of it.
func (cmd *calibrateCmd) pairs(ctx context.Context, s store.Store, st *ingest.Station, hours []calibration.Hour) (pairs []calibration.Pair, first time.Time, err error) {
	means, err := cmd.means(ctx, s, st.ID, hours[0].Start, hours[len(hours)-1].Start.Add(time.Hour))
	if err != nil {
		return nil, first, err
	}
	for _, h := range hours {
		pair, there := calibration.Pair{Reference: h.Value}, 0
		for _, m := range means.HourStationMeans(h.Start) {
			value := float64(m.Raw) / 1000
			switch m.Quantity {
			case cmd.about:
				pair.Sensor = value
				there++
			case quantity.Humidity:
				pair.Humidity = value
				there += count(cmd.Humidity)
			case quantity.Temperature:
				pair.Temperature = value
				there += count(cmd.Temperature)
			}
		}
		if there == 1+count(cmd.Humidity)+count(cmd.Temperature) {
			if len(pairs) == 0 {
				first = h.Start
			}
			pairs = append(pairs, pair)
		}
	}
	return pairs, first, nil
}

func count(term bool) int {
	if term {
		return 1
	}
	return 0
}

// means returns the averages of the station's good values of a period, as if it had stood in one place. The time before
// tells its sensors' intervals.
func (cmd *calibrateCmd) means(ctx context.Context, s store.Store, id string, from, to time.Time) (*aggregate.Aggregate, error) {
	all := &aggregate.Aggregate{}
	quantities := []quantity.Quantity{cmd.about, quantity.Humidity, quantity.Temperature}
	err := s.Readings(ctx, store.ReadingQuery{From: from.Add(-aggregate.LookBack), To: to, Stations: []string{id}, Quantities: quantities}, func(r ingest.Reading) error {
		for _, v := range r.Values {
			if v.Flags.Good() {
				all.Add(aggregate.Sample{Station: id, Cell: geo.Cell{Size: geo.BaseSize}, Quantity: v.Quantity, Time: r.Time, Received: r.Time, Milli: averages.Milli(v.Value)})
			}
		}
		return nil
	})
	return all, err
}

func (cmd *calibrateCmd) print(w io.Writer, fit calibration.Calibration, pairs []calibration.Pair, hours int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of station %s beside %s: %d hours of both, of %d of the reference\n\n", cmd.Quantity, cmd.Station, cmd.name(), len(pairs), hours)
	if err := calibration.Plot(&b, pairs, fit, plotWidth, plotHeight); err != nil {
		return err
	}
	unit := cmd.about.Unit()
	fmt.Fprintf(&b, "\nthe calibration: reference = intercept + slope · sensor\n  slope        %.4f\n  intercept    %.4f %s\n", fit.Slope, fit.Intercept, unit)
	if cmd.Humidity {
		fmt.Fprintf(&b, "  humidity     %.4f %s per %%\n", fit.Humidity, unit)
	}
	if cmd.Temperature {
		fmt.Fprintf(&b, "  temperature  %.4f %s per °C\n", fit.Temperature, unit)
	}
	fmt.Fprintf(&b, "  R²           %.4f\n  RMSE         %.4f %s\n  n            %d\n", fit.Fitted.R2, fit.Fitted.RMSE, unit, fit.Fitted.N)
	if cmd.about == quantity.PM2_5 {
		targets(&b, "as it measured", fit.Raw)
		targets(&b, "calibrated", fit.Fitted)
	} else {
		b.WriteString("\nThe US EPA's targets are for PM2.5 alone.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// targets writes a sensor's performance and the US EPA's targets.
func targets(b *strings.Builder, how string, p calibration.Performance) {
	verdict := "does not meet"
	if p.Meets() {
		verdict = "meets"
	}
	fmt.Fprintf(b, "\n%s, the sensor %s the US EPA's targets for PM2.5 that can be judged (EPA/600/R-20/280; made for days, and hours scatter more):\n", how, verdict)
	for _, t := range p.Targets() {
		switch {
		case !t.Judged:
			fmt.Fprintf(b, "   -  %-9s not judged: one sensor  wanted %s\n", t.Name, t.Wanted)
		case t.Met:
			fmt.Fprintf(b, "  yes %-9s %s  wanted %s\n", t.Name, t.Value, t.Wanted)
		default:
			fmt.Fprintf(b, "  no  %-9s %s  wanted %s\n", t.Name, t.Value, t.Wanted)
		}
	}
}

// name returns the name of the reference instrument.
func (cmd *calibrateCmd) name() string {
	if cmd.Name != "" {
		return cmd.Name
	}
	return filepath.Base(cmd.Reference)
}

func (cmd *calibrateCmd) save(ctx context.Context, w io.Writer, r *registry.Registry, st *ingest.Station, fit calibration.Calibration, first time.Time) error {
	if cmd.valid.from.IsZero() {
		cmd.valid.from = first
	}
	err := r.AddCalibration(ctx, st.ID, registry.Shell, ingest.Calibration{
		Quantity: cmd.about, From: cmd.valid.from, To: cmd.valid.to, Intercept: fit.Intercept, Slope: fit.Slope, Humidity: fit.Humidity, Temperature: fit.Temperature,
		Reference: cmd.name(), R2: fit.Fitted.R2, RMSE: fit.Fitted.RMSE, N: fit.Fitted.N,
	})
	if err != nil {
		return err
	}
	return sayCalibrated(w, st.ID, cmd.valid.from)
}

// sayCalibrated writes the effect of a calibration from a time on, and what is left to do.
func sayCalibrated(w io.Writer, id string, from time.Time) error {
	now := time.Now().UTC()
	if _, err := fmt.Fprintf(w, "\nOn the record of %s from %s on. A running server calibrates the averages of the last two days by it.\n", id, from.Format(time.RFC3339)); err != nil || aggregate.Kept(from, now) {
		return err
	}
	_, err := fmt.Fprintf(w, "For those before: stadtluft rebuild --from %s --to %s\n", from.Format(time.RFC3339), now.Format(time.RFC3339))
	return err
}
