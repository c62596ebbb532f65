package ingest

import (
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
)

// Calibration is a quantity's calibration of a station beside a reference instrument: value = Intercept +
// Slope·measured + Humidity·rh + Temperature·t, in the quantity's unit, % and °C. It does not change readings; hourly
// means enter averages calibrated.
type Calibration struct {
	Quantity    quantity.Quantity
	From, To    time.Time // the readings it applies to: whole hours, UTC; To is not included, and zero means no end
	Intercept   float64
	Slope       float64
	Humidity    float64 // per % of the station's own relative humidity; 0 without the term
	Temperature float64 // per °C of the station's own temperature; 0 without the term
	Reference   string  // name of the instrument, such as "LANUV Chorweiler"
	R2, RMSE    float64 // of the fit, RMSE in the quantity's unit
	N           int     // hours in the fit
}

// IsSignal reports whether values of a quantity are only a sensor's signal without a calibration: gas cells of one
// type differ by a third and more.
func IsSignal(q quantity.Quantity) bool {
	switch q {
	case quantity.NO2, quantity.NO, quantity.O3, quantity.SO2, quantity.CO:
		return true
	}
	return false
}

// Calibrated reports whether the station has a calibration of a quantity that applies at a time. An official instrument
// is always calibrated.
func (s *Station) Calibrated(q quantity.Quantity, at time.Time) bool {
	return s.Official() || slices.ContainsFunc(s.Calibrations, func(c Calibration) bool {
		return c.Quantity == q && !at.Before(c.From) && (c.To.IsZero() || at.Before(c.To))
	})
}
