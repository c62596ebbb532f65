package airindex

import (
	"math"
	"testing"
)

func TestEAQI(t *testing.T) {
	f := func(pollutant string, mean float64, want Class) {
		t.Helper()
		if got, ok := EAQI(pollutant, mean); got != want || ok != (want != None) {
			t.Errorf("EAQI(%s, %v) = %d, %v, want %d", pollutant, mean, got, ok, want)
		}
	}
	// Both sides of every bound of ETC HE Report 2024/17.
	f("pm2_5", -2, Good)
	f("pm2_5", 0, Good)
	f("pm2_5", 5, Good)
	f("pm2_5", 5.001, Fair)
	f("pm2_5", 15, Fair)
	f("pm2_5", 15.001, Moderate)
	f("pm2_5", 50, Moderate)
	f("pm2_5", 50.001, Poor)
	f("pm2_5", 90, Poor)
	f("pm2_5", 90.001, VeryPoor)
	f("pm2_5", 140, VeryPoor)
	f("pm2_5", 140.001, ExtremelyPoor)
	f("pm10", 15, Good)
	f("pm10", 15.001, Fair)
	f("pm10", 45, Fair)
	f("pm10", 45.001, Moderate)
	f("pm10", 120, Moderate)
	f("pm10", 120.001, Poor)
	f("pm10", 195, Poor)
	f("pm10", 195.001, VeryPoor)
	f("pm10", 270, VeryPoor)
	f("pm10", 270.001, ExtremelyPoor)
	f("no2", 10, Good)
	f("no2", 10.001, Fair)
	f("no2", 150.001, ExtremelyPoor)
	f("o3", 60, Good)
	f("o3", 180.001, ExtremelyPoor)
	f("so2", 20, Good)
	f("so2", 275.001, ExtremelyPoor)
	f("temperature", 20, None)
	f("pm2_5", math.NaN(), None)
	f("pm2_5", math.Inf(1), ExtremelyPoor)
}
