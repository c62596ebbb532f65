package ingest

import (
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
)

// Calibration is what is on record of how a quantity of a station was calibrated beside a reference instrument:
// value = Intercept + Slope·measured + Humidity·rh + Temperature·t, in the quantity's unit, % and °C. It changes
// no reading; hourly means enter averages calibrated.
type Calibration struct {
	Quantity    quantity.Quantity
	From, To    time.Time // of the readings it holds for, whole hours, UTC; To is not included, and zero is no end
	Intercept   float64
	Slope       float64
	Humidity    float64 // per % of the station's own relative humidity; 0 without the term
	Temperature float64 // per °C of the station's own temperature; 0 without the term
	Reference   string  // which instrument, such as "LANUV Chorweiler"
	R2, RMSE    float64 // of the fit, RMSE in the quantity's unit
	N           int     // hours it was made of
}

// IsSignal reports whether a value of a quantity is no more than its sensor's signal without a calibration: cells for
// gases differ by a third and more between two of one type.
func IsSignal(q quantity.Quantity) bool {
	switch q {
	case quantity.NO2, quantity.NO, quantity.O3, quantity.SO2, quantity.CO:
		return true
	}
	return false
}

// Calibrated reports whether a calibration of a quantity of the station holds at a time.
func (s *Station) Calibrated(q quantity.Quantity, at time.Time) bool {
	return slices.ContainsFunc(s.Calibrations, func(c Calibration) bool {
		return c.Quantity == q && !at.Before(c.From) && (c.To.IsZero() || at.Before(c.To))
	})
}
