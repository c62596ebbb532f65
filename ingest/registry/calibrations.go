package registry

import (
	"context"
	"database/sql"
	"fmt"
	"math"
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
	to := int64(0)
	if !c.To.IsZero() {
		to = c.To.Unix()
	}
	return r.change(ctx, id, by, func(e *edit) {
		e.exec(`INSERT INTO calibration (station, quantity, since, until, intercept, slope, humidity, temperature, reference, r2, rmse, n)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (station, quantity, since) DO UPDATE SET until = excluded.until, intercept = excluded.intercept,
			slope = excluded.slope, humidity = excluded.humidity, temperature = excluded.temperature, reference = excluded.reference, r2 = excluded.r2,
			rmse = excluded.rmse, n = excluded.n`,
			id, c.Quantity.String(), c.From.Unix(), to, c.Intercept, c.Slope, c.Humidity, c.Temperature, c.Reference, c.R2, c.RMSE, c.N)
		e.wrote(nil, "calibration", "", c.Quantity.String()+" since "+c.From.UTC().Format(time.RFC3339))
	})
}

// RemoveCalibration removes the calibration of a quantity that begins at from.
func (r *Registry) RemoveCalibration(ctx context.Context, id string, by By, q quantity.Quantity, from time.Time) error {
	return r.change(ctx, id, by, func(e *edit) {
		since := from.UTC().Format(time.RFC3339)
		if e.exec("DELETE FROM calibration WHERE station = ? AND quantity = ? AND since = ?", id, q.String(), from.Unix()) == 0 {
			e.check(&FieldError{Field: "calibration", Problem: fmt.Sprintf("station %s has none of %s from %s", id, q, since)})
		}
		e.wrote(nil, "calibration", q.String()+" since "+since, "")
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

func (s *snapshot) loadCalibrations(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT station, quantity, since, until, intercept, slope, humidity, temperature, reference, r2, rmse, n FROM calibration ORDER BY station, quantity, since`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, name string
		var from, to int64
		var c ingest.Calibration
		if err := rows.Scan(&id, &name, &from, &to, &c.Intercept, &c.Slope, &c.Humidity, &c.Temperature, &c.Reference, &c.R2, &c.RMSE, &c.N); err != nil {
			return err
		}
		known := false
		if c.Quantity, known = quantity.Parse(name); !known {
			return fmt.Errorf("station %s: calibration of the unknown quantity %q", id, name)
		}
		c.From = time.Unix(from, 0).UTC()
		if to != 0 {
			c.To = time.Unix(to, 0).UTC()
		}
		if e := s.byID[id]; e != nil {
			e.station.Calibrations = append(e.station.Calibrations, c)
		}
	}
	return rows.Err()
}
