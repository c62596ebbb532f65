// Package calibration fits a sensor to a reference instrument beside it: hourly reference values on the sensor's
// hourly means, by ordinary least squares, optionally with humidity and temperature. It also compares the sensor with
// the targets of the US EPA.
//
// It only computes: its callers read the sensor's hours and keep the calibration. It promises nothing about air that
// was not among the pairs: a fit of a mild week says little about a frosty one.
package calibration

import (
	"errors"
	"fmt"
	"math"
)

// Pair is one hour of both instruments.
type Pair struct {
	Reference   float64 // the reference instrument's value
	Sensor      float64 // mean of the sensor's values
	Humidity    float64 // relative humidity in %, if the fit has the term
	Temperature float64 // °C, if the fit has the term
}

// Terms are the optional terms of a fit.
type Terms struct{ Humidity, Temperature bool }

// Calibration is value = Intercept + Slope·sensor + Humidity·rh + Temperature·t.
type Calibration struct {
	Terms       Terms
	Intercept   float64
	Slope       float64 // per unit of the sensor
	Humidity    float64 // per % of relative humidity; 0 without the term
	Temperature float64 // per °C; 0 without the term

	// Raw compares the sensor itself with the reference, Fitted the calibrated sensor, on the same hours that made
	// the fit. Fitted.R2 and Fitted.RMSE are those of the regression.
	Raw, Fitted Performance
}

// Fit returns the calibration of a sensor from hours beside a reference. Too few pairs, a value that is not a finite
// number, a sensor or a reference that never varies, and a term that depends on those before it are errors, which
// name it.
func Fit(pairs []Pair, terms Terms) (Calibration, error) {
	columns := columnsOf(pairs, terms)
	reference := make([]float64, len(pairs))
	for i, p := range pairs {
		reference[i] = p.Reference
	}
	if err := check(columns, reference); err != nil {
		return Calibration{}, fmt.Errorf("calibrate: %w", err)
	}
	x := make([][]float64, len(columns))
	for i, c := range columns {
		x[i] = c.values
	}
	intercept, coefficients, dependent := leastSquares(x, reference)
	if dependent == 0 {
		return Calibration{}, fmt.Errorf("calibrate: the %s does not vary", columns[0].name)
	}
	if dependent > 0 {
		return Calibration{}, fmt.Errorf("calibrate: the %s does not vary by itself: leave it out", columns[dependent].name)
	}
	c := Calibration{Terms: terms, Intercept: intercept}
	for i, column := range columns {
		*column.coefficient(&c) = coefficients[i]
	}
	c.Raw = performance(pairs, func(p Pair) float64 { return p.Sensor })
	c.Fitted = performance(pairs, func(p Pair) float64 { return c.Apply(p.Sensor, p.Humidity, p.Temperature) })
	return c, nil
}

// Apply returns the calibrated value of a sensor's value at a relative humidity in % and a temperature in °C, which
// do not matter without their terms. It may be below 0.
func (c Calibration) Apply(sensor, humidity, temperature float64) float64 {
	value := c.Intercept + c.Slope*sensor
	if c.Terms.Humidity {
		value += c.Humidity * humidity
	}
	if c.Terms.Temperature {
		value += c.Temperature * temperature
	}
	return value
}

// column is one term of the fit with its values and a pointer to its coefficient.
type column struct {
	name        string
	values      []float64
	coefficient func(*Calibration) *float64
}

func columnsOf(pairs []Pair, terms Terms) []column {
	var all []column
	add := func(name string, of func(Pair) float64, coefficient func(*Calibration) *float64) {
		values := make([]float64, len(pairs))
		for i, p := range pairs {
			values[i] = of(p)
		}
		all = append(all, column{name, values, coefficient})
	}
	add("sensor", func(p Pair) float64 { return p.Sensor }, func(c *Calibration) *float64 { return &c.Slope })
	if terms.Humidity {
		add("humidity", func(p Pair) float64 { return p.Humidity }, func(c *Calibration) *float64 { return &c.Humidity })
	}
	if terms.Temperature {
		add("temperature", func(p Pair) float64 { return p.Temperature }, func(c *Calibration) *float64 { return &c.Temperature })
	}
	return all
}

func check(columns []column, reference []float64) error {
	// One pair more than coefficients and intercept, so that the fit can be judged.
	if least := len(columns) + 2; len(reference) < least {
		return fmt.Errorf("%d pairs of hours, at least %d are needed", len(reference), least)
	}
	varies := false
	for i, y := range reference {
		if !finite(y) {
			return fmt.Errorf("pair %d: the reference is %v", i+1, y)
		}
		for _, c := range columns {
			if !finite(c.values[i]) {
				return fmt.Errorf("pair %d: the %s is %v", i+1, c.name, c.values[i])
			}
		}
		varies = varies || y != reference[0]
	}
	if !varies {
		return errors.New("the reference does not vary")
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
