package airindex

import (
	"math"
	"testing"

	"stadtluft/firmware-protocol/quantity"
)

func TestEAQI(t *testing.T) {
	f := func(pollutant quantity.Quantity, mean float64, want Class) {
		t.Helper()
		if got, ok := EAQI(pollutant, mean); got != want || ok != (want != None) {
			t.Errorf("EAQI(%s, %v) = %d, %v, want %d", pollutant, mean, got, ok, want)
		}
	}
	// Both sides of every bound of ETC HE Report 2024/17.
	f(quantity.PM2_5, -2, Good)
	f(quantity.PM2_5, 0, Good)
	f(quantity.PM2_5, 5, Good)
	f(quantity.PM2_5, 5.001, Fair)
	f(quantity.PM2_5, 15, Fair)
	f(quantity.PM2_5, 15.001, Moderate)
	f(quantity.PM2_5, 50, Moderate)
	f(quantity.PM2_5, 50.001, Poor)
	f(quantity.PM2_5, 90, Poor)
	f(quantity.PM2_5, 90.001, VeryPoor)
	f(quantity.PM2_5, 140, VeryPoor)
	f(quantity.PM2_5, 140.001, ExtremelyPoor)
	f(quantity.PM10, 15, Good)
	f(quantity.PM10, 15.001, Fair)
	f(quantity.PM10, 45, Fair)
	f(quantity.PM10, 45.001, Moderate)
	f(quantity.PM10, 120, Moderate)
	f(quantity.PM10, 120.001, Poor)
	f(quantity.PM10, 195, Poor)
	f(quantity.PM10, 195.001, VeryPoor)
	f(quantity.PM10, 270, VeryPoor)
	f(quantity.PM10, 270.001, ExtremelyPoor)
	f(quantity.NO2, 10, Good)
	f(quantity.NO2, 10.001, Fair)
	f(quantity.NO2, 25, Fair)
	f(quantity.NO2, 25.001, Moderate)
	f(quantity.NO2, 60, Moderate)
	f(quantity.NO2, 60.001, Poor)
	f(quantity.NO2, 100, Poor)
	f(quantity.NO2, 100.001, VeryPoor)
	f(quantity.NO2, 150, VeryPoor)
	f(quantity.NO2, 150.001, ExtremelyPoor)
	f(quantity.O3, 60, Good)
	f(quantity.O3, 60.001, Fair)
	f(quantity.O3, 100, Fair)
	f(quantity.O3, 100.001, Moderate)
	f(quantity.O3, 120, Moderate)
	f(quantity.O3, 120.001, Poor)
	f(quantity.O3, 160, Poor)
	f(quantity.O3, 160.001, VeryPoor)
	f(quantity.O3, 180, VeryPoor)
	f(quantity.O3, 180.001, ExtremelyPoor)
	f(quantity.SO2, 20, Good)
	f(quantity.SO2, 20.001, Fair)
	f(quantity.SO2, 40, Fair)
	f(quantity.SO2, 40.001, Moderate)
	f(quantity.SO2, 125, Moderate)
	f(quantity.SO2, 125.001, Poor)
	f(quantity.SO2, 190, Poor)
	f(quantity.SO2, 190.001, VeryPoor)
	f(quantity.SO2, 275, VeryPoor)
	f(quantity.SO2, 275.001, ExtremelyPoor)
	f(quantity.Temperature, 20, None)
	f(quantity.PM2_5, math.NaN(), None)
	f(quantity.PM2_5, math.Inf(1), ExtremelyPoor)
}
