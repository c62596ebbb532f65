package export

import (
	"time"

	"stadtluft/ingest"
)

// Calibration is a calibration on a station's record, as it is published:
// value = intercept + slope·measured + humidity·rh + temperature·t.
type Calibration struct {
	Quantity    string  `json:"quantity"`
	Unit        string  `json:"unit"`
	From        string  `json:"from"`
	To          *string `json:"to"` // not included; null is no end
	Intercept   float64 `json:"intercept"`
	Slope       float64 `json:"slope"`
	Humidity    float64 `json:"humidity"`    // per %; 0 without the term
	Temperature float64 `json:"temperature"` // per °C; 0 without the term
	Reference   string  `json:"reference"`
	R2          float64 `json:"r2"`
	RMSE        float64 `json:"rmse"` // in the unit
	N           int     `json:"n"`    // hours it was made of
}

// Calibrations are those on a station's record.
func Calibrations(st *ingest.Station) []Calibration {
	list := make([]Calibration, len(st.Calibrations))
	for i, c := range st.Calibrations {
		list[i] = Calibration{
			Quantity: c.Quantity.String(), Unit: c.Quantity.Unit(), From: c.From.Format(time.RFC3339), Intercept: c.Intercept, Slope: c.Slope,
			Humidity: c.Humidity, Temperature: c.Temperature, Reference: c.Reference, R2: c.R2, RMSE: c.RMSE, N: c.N,
		}
		if !c.To.IsZero() {
			to := c.To.Format(time.RFC3339)
			list[i].To = &to
		}
	}
	return list
}
