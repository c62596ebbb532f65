package parquet

import (
	"bytes"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

func TestInstallations(t *testing.T) {
	st := &ingest.Station{
		ID: "K7M2Q9X", Name: "Balkon", Height: new(4.5), Places: []ingest.Place{{From: noon, Public: orb.Point{6.957988, 50.941012}}, {From: noon.Add(time.Hour), Public: orb.Point{7, 51}}},
		Exposure: ingest.Outdoor, Kit: "sds011", Sensors: []string{"sds011", "bme280"},
		Calibrations: []ingest.Calibration{{Quantity: quantity.NO2, From: noon, To: noon.Add(time.Hour), Slope: 1.5, Reference: "LANUV", N: 7}, {Quantity: quantity.NO2, From: noon.Add(time.Hour), Slope: 2}},
	}
	var periods, calibrations bytes.Buffer
	put(t, NewInstallations(&periods, export.Meta{}, nil), export.Installations(st, time.Time{}, time.Time{}))
	put(t, NewCalibrations(&calibrations, export.Meta{}, nil), export.CalibratedOf(st, time.Time{}, time.Time{}))
	hasColumns(t, "installations", &periods)
	hasColumns(t, "calibrations", &calibrations)
	type row struct {
		Station  string   `parquet:"station"`
		From     int64    `parquet:"valid_from"`
		To       *int64   `parquet:"valid_to"`
		Lon      float64  `parquet:"lon"`
		Exposure string   `parquet:"exposure"`
		Height   *float64 `parquet:"height"`
		Sensors  string   `parquet:"sensors"`
	}
	rows := readBack[row](t, &periods)
	if len(rows) != 2 || rows[0].From != noon.UnixMilli() || rows[0].To == nil || *rows[0].To != rows[1].From || rows[1].To != nil {
		t.Fatalf("periods %+v", rows)
	}
	if r := rows[0]; r.Lon != 6.957988 || r.Exposure != "outdoor" || r.Height == nil || *r.Height != 4.5 || r.Sensors != "sds011|bme280" {
		t.Errorf("the first is %+v", r)
	}
	type calibration struct {
		To    *int64  `parquet:"valid_to"`
		Slope float64 `parquet:"slope"`
		Hours int32   `parquet:"hours"`
	}
	made := readBack[calibration](t, &calibrations)
	if len(made) != 2 || made[0].To == nil || made[0].Slope != 1.5 || made[0].Hours != 7 || made[1].To != nil {
		t.Errorf("calibrations %+v", made)
	}
}
