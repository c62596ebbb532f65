package ingest

import (
	"time"

	"stadtluft/firmware-protocol/wire"
)

// Calibration is what is on record of how a quantity of a station was calibrated beside a reference instrument:
// value = Intercept + Slope·measured + Humidity·rh + Temperature·t, in the quantity's unit, % and °C. It changes
// no reading; hourly means enter averages calibrated.
type Calibration struct {
	Quantity    wire.Quantity
	From, To    time.Time // of the readings it holds for, whole hours, UTC; To is not included, and zero is no end
	Intercept   float64
	Slope       float64
	Humidity    float64 // per % of the station's own relative humidity; 0 without the term
	Temperature float64 // per °C of the station's own temperature; 0 without the term
	Reference   string  // which instrument, such as "LANUV Chorweiler"
	R2, RMSE    float64 // of the fit, RMSE in the quantity's unit
	N           int     // hours it was made of
}
