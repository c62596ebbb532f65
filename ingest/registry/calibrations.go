package registry

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

const maxReference = 120 // characters of a reference instrument's name

// AddCalibration adds a calibration to a station. It replaces another of the same quantity with the same start; an
// earlier one ends there. Averages of past hours that are no longer in memory stay until they are rebuilt.
func (r *Registry) AddCalibration(ctx context.Context, id string, by By, c ingest.Calibration) error {
	if err := checkCalibration(&c); err != nil {
		return err
	}
	return r.change(ctx, id, by, func(e *edit) {
		e.record.calibrate(calibrationRecord{
			Quantity: c.Quantity.String(), From: c.From.UTC(), To: c.To.UTC(), Intercept: c.Intercept, Slope: c.Slope, Humidity: c.Humidity, Temperature: c.Temperature,
			Reference: c.Reference, R2: c.R2, RMSE: c.RMSE, N: c.N,
		})
		e.wrote("calibration", "", c.Quantity.String()+" since "+c.From.UTC().Format(time.RFC3339))
	})
}

// RemoveCalibration removes the calibration of a quantity that begins at from.
func (r *Registry) RemoveCalibration(ctx context.Context, id string, by By, q quantity.Quantity, from time.Time) error {
	return r.change(ctx, id, by, func(e *edit) {
		since, had := from.UTC().Format(time.RFC3339), len(e.record.Calibrations)
		e.record.Calibrations = slices.DeleteFunc(e.record.Calibrations, func(c calibrationRecord) bool { return c.Quantity == q.String() && c.From.Equal(from) })
		if len(e.record.Calibrations) == had {
			e.check(&FieldError{Field: "calibration", Problem: fmt.Sprintf("station %s has none of %s from %s", id, q, since)})
		}
		e.wrote("calibration", q.String()+" since "+since, "")
	})
}

// checkCalibration cleans a calibration and says what is wrong with it.
func checkCalibration(c *ingest.Calibration) (err error) {
	wrong := func(format string, args ...any) error {
		return &FieldError{Field: "calibration", Problem: fmt.Sprintf(format, args...)}
	}
	if c.Reference, err = cleanText("reference", c.Reference, maxReference); err != nil {
		return err
	}
	for _, v := range []float64{c.Intercept, c.Slope, c.Humidity, c.Temperature, c.R2, c.RMSE} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return wrong("%v is no finite number", v)
		}
	}
	const year = 1970
	switch {
	case !c.Quantity.Valid():
		return wrong("of no quantity")
	case c.Slope == 0:
		return wrong("a slope of 0 makes every value the same")
	case c.From.Year() < year:
		return wrong("say from when on it holds")
	case !c.From.Equal(c.From.Truncate(time.Hour)) || !c.To.Equal(c.To.Truncate(time.Hour)):
		return wrong("it holds for whole hours, not from %s to %s", c.From.Format(time.RFC3339), c.To.Format(time.RFC3339))
	case !c.To.IsZero() && !c.From.Before(c.To):
		return wrong("it ends at %s, before it begins", c.To.Format(time.RFC3339))
	}
	return nil
}
