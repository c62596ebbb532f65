package main

import (
	"context"
	"fmt"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// stationCalibrationCmd changes a station's record of calibrations; `calibrate --save` adds one that it made.
type stationCalibrationCmd struct {
	configFlag
	ID          string  `arg:"" help:"The station's id."`
	Quantity    string  `required:"" help:"What is calibrated, such as no2."`
	Since       string  `required:"" help:"From when on readings are calibrated, a full hour." placeholder:"T"`
	Until       string  `help:"Until when; without end without it." placeholder:"T"`
	Slope       float64 `help:"Per unit of the sensor." default:"1"`
	Intercept   float64 `help:"In the quantity's unit."`
	Humidity    float64 `help:"Per % of the station's relative humidity."`
	Temperature float64 `help:"Per °C of the station's temperature."`
	Reference   string  `help:"Which instrument, or whose word, it rests on."`
	R2          float64 `name:"r2" help:"Of the fit."`
	RMSE        float64 `name:"rmse" help:"Of the fit, in the quantity's unit."`
	N           int     `name:"n" help:"Hours it was made of."`
	Remove      bool    `help:"Take the one off that begins then."`
}

func (cmd *stationCalibrationCmd) Run(ctx context.Context, std streams) error {
	c := ingest.Calibration{
		Intercept: cmd.Intercept, Slope: cmd.Slope, Humidity: cmd.Humidity, Temperature: cmd.Temperature, Reference: cmd.Reference, R2: cmd.R2, RMSE: cmd.RMSE, N: cmd.N,
	}
	var ok bool
	if c.Quantity, ok = quantity.Parse(cmd.Quantity); !ok {
		return usageError{fmt.Errorf("--quantity %q is none, such as no2", cmd.Quantity)}
	}
	for _, t := range []struct {
		flag, text string
		to         *time.Time
	}{{"since", cmd.Since, &c.From}, {"until", cmd.Until, &c.To}} {
		if err := optionalTime(t.flag, t.text, t.to); err != nil {
			return usageError{err}
		}
	}
	return cmd.withStation(ctx, cmd.ID, func(r *registry.Registry, st *ingest.Station) error {
		if cmd.Remove {
			if err := r.RemoveCalibration(ctx, st.ID, registry.Shell, c.Quantity, c.From); err != nil {
				return err
			}
			_, err := fmt.Fprintf(std.out, "off the record of %s\n", st.ID)
			return err
		}
		if err := r.AddCalibration(ctx, st.ID, registry.Shell, c); err != nil {
			return err
		}
		return sayCalibrated(std.out, st.ID, c.From)
	})
}
