package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store/sqlite"
)

// shell runs a command in this process, which must succeed.
func shell(t *testing.T, args ...string) string {
	t.Helper()
	var out, messages bytes.Buffer
	if status := run(args, &out, &messages); status != 0 {
		t.Fatalf("stadtluft %s: %d %s", strings.Join(args, " "), status, messages.String())
	}
	return out.String()
}

// beside holds the values of a station and a reference instrument on 1 May 2026, hour by hour from midnight. The
// reference is 1.5 + 0.8·sensor, and 1 more and 1 less in turn, which cancels out: so slope 0.8, intercept 1.5 and RMSE
// 1. R² is 0.64·1000 / (0.64·1000 + 8), as the squared deviations of the sensor from its mean of 25 add up to 1000.
var beside = []struct{ sensor, reference float64 }{
	{10, 10.5}, {20, 16.5}, {30, 26.5}, {40, 32.5}, {10, 8.5}, {20, 18.5}, {30, 24.5}, {40, 34.5},
}

var mayDay = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

// measureBeside stores the station's values, five minutes apart around each hour's mean; one that is flagged; and an hour
// with too few.
func measureBeside(t *testing.T, data, id string, q quantity.Quantity) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(data, "readings.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var readings []ingest.Reading
	add := func(at time.Time, value float64, flags ingest.Flags) {
		readings = append(readings, ingest.Reading{Station: id, Time: at, Received: at, Values: []ingest.Value{{Quantity: q, Value: value, Flags: flags}}})
	}
	for h, b := range beside {
		for i := range 12 {
			at := mayDay.Add(time.Duration(h)*time.Hour + time.Duration(i)*5*time.Minute)
			add(at, b.sensor+float64(i)-5.5, 0)
			add(at.Add(time.Minute), 1999.9, ingest.Sentinel)
		}
	}
	for i := range 8 {
		add(mayDay.Add(8*time.Hour+time.Duration(i)*5*time.Minute), 500, 0)
	}
	if refused, err := s.WriteReadings(t.Context(), readings); err != nil || len(refused) > 0 {
		t.Fatal(refused, err)
	}
}

// referenceFile writes the reference as the Umweltbundesamt does: the ends of hours, in UTC+1, with a decimal comma.
func referenceFile(t *testing.T) string {
	text := "Zeit;Messwert\n"
	for h, b := range beside {
		text += fmt.Sprintf("01.05.2026 %02d:00;%s\n", h+2, strings.Replace(fmt.Sprint(b.reference), ".", ",", 1))
	}
	return writeFile(t, "reference.csv", text+"01.05.2026 10:00;3\n")
}

func newStation(t *testing.T, data string) string {
	t.Helper()
	var made struct{ ID string }
	text := shell(t, "station", "add", "--data", data, "--name", "Container", "--lon", "6.9583", "--lat", "50.9413", "--kit", "sds011", "--json")
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	return made.ID
}

func TestCalibrateParticles(t *testing.T) {
	data := t.TempDir()
	id := newStation(t, data)
	measureBeside(t, data, id, quantity.PM2_5)
	out := shell(t, "calibrate", "--data", data, "--station", id, "--reference", referenceFile(t), "--zone", "uba")
	for _, want := range []string{
		"8 hours of both, of 9 of the reference", "slope        0.8000\n", "intercept    1.5000 µg/m³\n", "R²           0.9877\n", "RMSE         1.0000 µg/m³\n", "n            8\n",
		"as it measured, the sensor meets the US EPA's targets for PM2.5 that can be judged", "precision not judged: one sensor",
		// The sensor on the reference: 800 / 648; the root of the mean of (0.2·sensor − 1.5)² + 1.
		"yes slope     1.235  wanted 0.65 to 1.35", "yes RMSE      4.272 µg/m³, NRMSE 20 %  wanted 7 µg/m³ or less, or NRMSE 30 % or less", "calibrated, the sensor meets", "reference.csv",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if text := shell(t, "station", "show", "--data", data, id); !strings.Contains(text, `"calibrations": []`) {
		t.Errorf("without --save the record has %s", text)
	}
}

// TestACalibratedGasEntersAverages follows a gas: a signal until it is calibrated, then in averages; its readings stay
// as measured.
func TestACalibratedGasEntersAverages(t *testing.T) {
	data := t.TempDir()
	id := newStation(t, data)
	measureBeside(t, data, id, quantity.NO2)
	day := []string{"--data", data, "--from", "2026-05-01", "--to", "2026-05-02"}
	export := func(what string) string {
		shell(t, append([]string{"rebuild"}, day...)...)
		return shell(t, append([]string{"export", "--what", what}, day...)...)
	}
	if rows := export("grid"); strings.Count(rows, "\n") != 1 {
		t.Errorf("an uncalibrated gas has averages:\n%s", rows)
	}
	before := export("readings")
	out := shell(t, "calibrate", "--data", data, "--station", id, "--reference", referenceFile(t), "--zone", "uba", "--quantity", "no2",
		"--save", "--name", "LANUV Chorweiler", "--since", "2026-05-01T03:00:00Z")
	if !strings.Contains(out, "targets are for PM2.5 alone") || !strings.Contains(out, "stadtluft rebuild --from 2026-05-01T03:00:00Z") {
		t.Errorf("calibrate says\n%s", out)
	}
	rows := strings.Split(strings.TrimSpace(export("grid")), "\n")[1:]
	if len(rows) != 5 {
		t.Fatalf("%d hours, want those of 03 to 07:\n%s", len(rows), strings.Join(rows, "\n"))
	}
	for i, row := range rows {
		sensor := beside[i+3].sensor
		start := mayDay.Add(time.Duration(i+3) * time.Hour).Format(time.RFC3339)
		want := fmt.Sprintf("%s,3600,no2,µg/m³,%.3f,", start, 1.5+0.8*sensor)
		if !strings.Contains(row, want) || !strings.Contains(row, fmt.Sprintf(",0,%.3f,0,0.000,single station,", sensor)) {
			t.Errorf("row %s, want %s and the raw mean %v", row, want, sensor)
		}
	}
	if after := export("readings"); after != before {
		t.Errorf("readings changed:\n%s\nwere\n%s", after, before)
	}
	if text := shell(t, "station", "show", "--data", data, id); !strings.Contains(text, `"reference": "LANUV Chorweiler"`) {
		t.Errorf("the record is not shown: %s", text)
	}
	shell(t, "station", "calibration", "--data", data, id, "--quantity", "no2", "--since", "2026-05-01T03:00:00Z", "--remove")
	if rows := export("grid"); strings.Count(rows, "\n") != 1 {
		t.Errorf("off the record it still has averages:\n%s", rows)
	}
	out = shell(t, "station", "calibration", "--data", data, id, "--quantity", "no2", "--since", "2026-05-01", "--until", "2026-05-01T01:00:00Z", "--slope", "2", "--reference", "laboratory")
	if rows := export("grid"); strings.Count(rows, "\n") != 2 || !strings.Contains(rows, "no2,µg/m³,20.000,") {
		t.Errorf("%s\nan hour with a calibration from elsewhere has\n%s", out, rows)
	}
}

func TestCalibrateMistakes(t *testing.T) {
	data := t.TempDir()
	id := newStation(t, data)
	f := func(want string, args ...string) {
		t.Helper()
		var out, messages bytes.Buffer
		status := run(append([]string{"calibrate", "--data", data, "--reference", referenceFile(t)}, args...), &out, &messages)
		if status == 0 || !strings.Contains(messages.String(), want) {
			t.Errorf("%v: %d %s, want %q", args, status, messages.String(), want)
		}
	}
	f("--station and --reference are needed", "--zone", "uba")
	f("is neither a file nor an official station", "--station", id, "--reference", id)
	f("no station stands within 1000 m of an official one", "--pairs")
	f(`--quantity "rssi"`, "--station", id, "--zone", "uba", "--quantity", "rssi")
	f("no zone is given", "--station", id)
	f(`--zone "Mars"`, "--station", id, "--zone", "Mars")
	f("no hour between", "--station", id, "--zone", "uba", "--from", "2026-06-01")
	f("--from:", "--station", id, "--zone", "uba", "--from", "yesterday")
	f("of 9 reference hours 0 have a mean", "--station", id, "--zone", "uba")
	f("no station 0000000", "--station", "0000000", "--zone", "uba")
}
