package quantity

import (
	"math"
	"testing"
)

// TestConvert compares with molar masses (CIAAW 2021) over the 24.055 litres of a mole at 20 °C and 1,013 hPa.
func TestConvert(t *testing.T) {
	f := func(q Quantity, unit string, value, want float64) {
		t.Helper()
		if got, ok := Convert(q, unit, value); !ok || math.Abs(got-want) > 1e-4*math.Abs(want) {
			t.Errorf("Convert(%v, %q, %v) = %v, %v, want %v", q, unit, value, got, ok, want)
		}
	}
	f(NO2, "ppb", 20, 20*46.006/24.055)
	f(NO, "ppb", 20, 20*30.006/24.055)
	f(O3, "ppm", 0.06, 60*47.998/24.055)
	f(SO2, "ppb", 5, 5*64.066/24.055)
	f(CO, "ppm", 0.4, 0.4*28.010/24.055)
	f(CO, "ppb", 400, 0.4*28.010/24.055)
	f(CO, "ug.m-3", 300, 0.3)
	f(CO, "mg.m-3", 0.3, 0.3)
	f(PM2_5, "ug.m-3", 12, 12)
	f(PM10, "mg/m3", 0.02, 20)
	f(NO2, "", 7, 7)
	f(CO2, "ppm", 420, 420)
	for _, bad := range []struct {
		q    Quantity
		unit string
	}{{PM2_5, "ppb"}, {Temperature, "ppm"}, {NO2, "K"}, {Humidity, "µg/m³"}, {0, ""}} {
		if got, ok := Convert(bad.q, bad.unit, 1); ok {
			t.Errorf("Convert(%v, %q, 1) = %v", bad.q, bad.unit, got)
		}
	}
}
