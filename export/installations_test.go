package export

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// traveller is a station that stood outdoors for a day, moved, went indoors an hour later, and got other sensors then; NO2 was
// calibrated twice.
func traveller() *ingest.Station {
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	return &ingest.Station{
		ID: "K7M2Q9X", Name: `Balkon, "Mitte"`, Kit: "sps30", Sensors: []string{"sps30"}, Exposure: ingest.Indoor, Height: new(4.5), Licence: "dl-zero-de/2.0",
		Places:        []ingest.Place{{From: at(0), Public: orb.Point{6.957988, 50.941012}}, {From: at(24), Public: orb.Point{7.050123, 50.900456}}},
		Exposures:     []ingest.ExposedSince{{From: at(0), Exposure: ingest.Outdoor}, {From: at(25), Exposure: ingest.Indoor}},
		Installations: []ingest.Installation{{From: at(0), Kit: "sds011-bme280", Sensors: []string{"sds011", "bme280"}}, {From: at(25), Kit: "sps30", Sensors: []string{"sps30"}}},
		Calibrations: []ingest.Calibration{
			{Quantity: quantity.NO2, From: at(1), To: at(3), Slope: 2, Reference: "LANUV", R2: 0.5, RMSE: 3.25, N: 120},
			{Quantity: quantity.NO2, From: at(3), Intercept: -1.5, Slope: 1.75, Humidity: 0.125, Reference: "LANUV, Köln", R2: 0.75, RMSE: 2.5, N: 400},
		},
	}
}

func installedList() []Installed { return Installations(traveller(), time.Time{}, time.Time{}) }

func TestInstallations(t *testing.T) {
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	f := func(st *ingest.Station, from, to time.Time, want ...string) {
		t.Helper()
		var got []string
		for _, o := range Installations(st, from, to) {
			end := "-"
			if !o.To.IsZero() {
				end = fmt.Sprint(o.To.Sub(noon).Hours())
			}
			got = append(got, fmt.Sprint(o.From.Sub(noon).Hours(), " ", end, " ", o.Place.Public.Lon(), " ", o.Exposure, " ", o.Kit))
		}
		if strings.Join(got, "; ") != strings.Join(want, "; ") {
			t.Errorf("periods of %v to %v are\n%s\nwant\n%s", from, to, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	first, second, third := "0 24 6.957988 outdoor sds011-bme280", "24 25 7.050123 outdoor sds011-bme280", "25 - 7.050123 indoor sps30"
	f(traveller(), time.Time{}, time.Time{}, first, second, third)
	f(traveller(), at(24), time.Time{}, second, third)
	f(traveller(), at(0), at(24), first)
	// What was changed later is not known in the files of an earlier day.
	f(traveller(), at(0), at(12), "0 - 6.957988 outdoor sds011-bme280")
	f(traveller(), at(12), at(25), first, second)
	f(traveller(), at(-24), at(0))
	retired := traveller()
	retired.Ended = at(24).Add(30 * time.Minute)
	f(retired, time.Time{}, time.Time{}, first, "24 24.5 7.050123 outdoor sds011-bme280")
	plain := traveller()
	plain.Places, plain.Exposures, plain.Installations = plain.Places[:1], nil, nil
	f(plain, time.Time{}, time.Time{}, "0 - 6.957988 indoor sps30")
}

func TestCalibrations(t *testing.T) {
	f := func(from, to int, want ...string) {
		t.Helper()
		var got []string
		for _, c := range CalibratedOf(traveller(), noon.Add(time.Duration(from)*time.Hour), noon.Add(time.Duration(to)*time.Hour)) {
			got = append(got, fmt.Sprint(c.Slope, " ", !c.To.IsZero()))
		}
		if strings.Join(got, "; ") != strings.Join(want, "; ") {
			t.Errorf("calibrations of %d to %d: %v, want %v", from, to, got, want)
		}
	}
	f(0, 1)
	f(0, 2, "2 false") // its end is known only later
	f(0, 4, "2 true", "1.75 false")
	f(3, 4, "1.75 false")
}
