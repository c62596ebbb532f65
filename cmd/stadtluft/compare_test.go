package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// comparedDays are enough for a proposal.
const comparedDays = 16

// besideOfficial returns tables of the last days: an official station's hours, and a neighbour's sensors 200 m away. Their
// PM2.5 is 2 µg/m³ too low in dry air and has grown with κ = 0.15, the default: by 1.0909 at 50 % and 1.3636 at 80 %.
func besideOfficial(now time.Time) (official, particles, climate string) {
	var o, p, c strings.Builder
	o.WriteString("time,value\n")
	p.WriteString("sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2\n")
	c.WriteString("sensor_id;sensor_type;location;lat;lon;timestamp;pressure;altitude;pressure_sealevel;temperature;humidity\n")
	from := now.Truncate(24*time.Hour).AddDate(0, 0, -comparedDays-1)
	for h := range 24 * (comparedDays + 1) {
		at := from.Add(time.Duration(h) * time.Hour)
		air, humidity, growth := 12+5*math.Sin(float64(h)/9), 50.0, 1+0.15/1.65
		if h%3 == 0 {
			humidity, growth = 80, 1+0.15/1.65*4
		}
		fmt.Fprintf(&o, "%s,%.3f\n", at.Format(time.RFC3339), air)
		for i := range 12 {
			stamp := at.Add(time.Duration(i) * 5 * time.Minute).Format("2006-01-02T15:04:05")
			// It swings within the hour, so that no check takes it for a sensor that is stuck.
			fmt.Fprintf(&p, "11;SDS011;7;50.941;6.958;%s;%.2f;;;%.4f;;\n", stamp, 2*air+float64(i%2), (air-2)*growth+0.1*(float64(i)-5.5))
			fmt.Fprintf(&c, "14;BME280;7;50.941;6.958;%s;101325.00;;;%.2f;%.2f\n", stamp, 10+0.1*float64(i), humidity)
		}
	}
	return o.String(), p.String(), c.String()
}

// TestCompare imports official hours and a neighbour's readings of the same days, compares them, and reads what is
// published.
func TestCompare(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	official, particles, climate := besideOfficial(time.Now().UTC())
	if status, out, messages := importing(t, p, data, writeFile(t, "p.csv", particles), writeFile(t, "c.csv", climate)); status != 0 {
		t.Fatalf("neighbours: %d %s %s", status, out, messages)
	}
	status, out, messages := importingFrom(t, p, data, "official", "--licence", "CC0-1.0", "--station", "DOM", "--lon", "6.9605", "--lat", "50.941", writeFile(t, "o.csv", official))
	if status != 0 {
		t.Fatalf("official: %d %s %s", status, out, messages)
	}
	hours := 24 * (comparedDays + 1)
	eventually(t, "the store to have everything", func() bool {
		return strings.Count(string(p.get("/api/v1/readings?format=csv&source=official&from="+time.Now().AddDate(0, 0, -30).UTC().Format(time.DateOnly))), "\n") == 1+hours
	})
	out = shell(t, "compare", "--data", data)
	for _, want := range []string{"pm2_5: over 90 days -2.0 µg/m³ against the official instruments", "typically ±0.0", "within 1000 m", "pm2_5: kappa 0.15 comes closest", "in force is 0.15"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	// The same station is proposed for a calibration beside the instrument, which is a reference by its id.
	ids := regexp.MustCompile(`--station (\w+) --reference (\w+) .*: 408 hours of both in 30 days, R²`).FindStringSubmatch(shell(t, "calibrate", "--data", data, "--pairs"))
	if ids == nil {
		t.Fatal("no pair is proposed")
	}
	out = shell(t, "calibrate", "--data", data, "--station", ids[1], "--reference", ids[2], "--humidity")
	for _, want := range []string{"pm2_5 of station " + ids[1] + " beside DOM: 408 hours of both, of 408 of the reference", "calibrated, the sensor meets", "precision not judged: one sensor"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	p.kill()
	p.start()
	var doc struct {
		Until    string
		Headline []struct {
			Quantity string
			Radius   int `json:"radius_m"`
			Bias, SD float64
		}
		Kappas []struct {
			Proposed float64
			Curve    []any
		}
		Stations []struct{ Name, Source string }
		Rows     []struct {
			Official  string
			Corrected bool
			Bias      float64
		}
	}
	if err := json.Unmarshal(p.get("/api/v1/comparison?quantity=pm2_5&radius=1000&days=90&official=all"), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Headline) != 1 || math.Abs(doc.Headline[0].Bias+2) > 0.01 || doc.Headline[0].SD > 0.01 || doc.Headline[0].Radius != 1000 {
		t.Errorf("headline %+v", doc.Headline)
	}
	if len(doc.Kappas) != 1 || doc.Kappas[0].Proposed != 0.15 || len(doc.Kappas[0].Curve) != 61 || doc.Until == "" {
		t.Errorf("kappas %+v until %q", doc.Kappas, doc.Until)
	}
	if len(doc.Stations) != 1 || doc.Stations[0].Source != "official" || len(doc.Rows) != 6 { // all, 50 to 70 % and 70 to 85 %, raw and corrected
		t.Errorf("stations %+v, %d rows", doc.Stations, len(doc.Rows))
	}
	csv := string(p.get("/api/v1/comparison?format=csv&official=all&days=30"))
	if !strings.HasPrefix(csv, "official,quantity,unit,radius_m,period_days,humidity,corrected,n,") || !strings.Contains(csv, "\nall,pm2_5,µg/m³,1000,30,all,true,") {
		t.Errorf("the table is %.400s", csv)
	}
	yesterday := time.Now().UTC().AddDate(0, 0, -2).Format(time.DateOnly)
	eventually(t, "the hours, of days that the start compares again", func() bool {
		pairs := string(p.get("/api/v1/comparison/hours?from=" + yesterday + "&to=" + yesterday + "T06:00:00Z"))
		return strings.Count(pairs, "\n") == 1+6 && strings.Contains(pairs, ",pm2_5,µg/m³,1000,")
	})
	archivesHours(t, p, data)
	if status := string(p.get("/readyz")); strings.Contains(status, "nothing has been compared") {
		t.Errorf("readyz: %s", status)
	}
	if out := shell(t, "check", "--data", data); !strings.Contains(out, "quality.kappa 0.15 agrees") {
		t.Errorf("check: %s", out)
	}
}

// TestNothingCompared says so while there is no official station.
func TestNothingCompared(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	eventually(t, "the notice", func() bool {
		return strings.Contains(string(p.get("/readyz")), "nothing has been compared with official instruments")
	})
	if doc := string(p.get("/api/v1/comparison")); !strings.Contains(doc, `"until":null,"kappa":0.15,"headline":[],"kappas":[],"stations":[],"rows":[]`) {
		t.Errorf("the comparison is %s", doc)
	}
	if out := shell(t, "check", "--data", data); !strings.Contains(out, "nothing has been compared with official instruments") {
		t.Errorf("check: %s", out)
	}
}

// archivesHours archives a day, and expects the hours of its comparison there as the interface has them.
func archivesHours(t *testing.T, p *process, data string) {
	t.Helper()
	closed := time.Now().UTC().AddDate(0, 0, -6)
	name := closed.Format(time.DateOnly)
	shell(t, "archive", "build", "--data", data, "--from", name, "--to", name)
	packed, err := gzip.NewReader(bytes.NewReader(p.get("/archive/" + closed.Format("2006/01/02") + "/comparison-1h.csv.gz")))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(packed)
	if err != nil {
		t.Fatal(err)
	}
	from := closed.Truncate(24 * time.Hour).Add(-time.Hour) // days begin an hour before midnight UTC
	want := p.get("/api/v1/comparison/hours?radius=1000&from=" + from.Format(time.RFC3339) + "&to=" + from.Add(24*time.Hour).Format(time.RFC3339))
	lines := slices.Collect(strings.Lines(string(text)))
	near := slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, ",3000,") || strings.Contains(line, ",5000,") })
	if got := strings.Join(near, ""); got != string(want) || len(near) != 1+24 {
		t.Errorf("the archive has\n%s\nthe interface\n%s", got, want)
	}
}
