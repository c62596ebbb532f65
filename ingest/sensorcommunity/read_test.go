package sensorcommunity

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stadtluft/firmware-protocol/wire"
)

const header = "sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2\n"

// collect reads everything as short text, one line for each row or refusal.
func collect(name, content string) (lines []string, err error) {
	err = Read(context.Background(), name, strings.NewReader(content), func(r Row) error {
		text := fmt.Sprintf("%d %s/%s %s %v %s", r.Line, r.Location, r.Sensor, r.Type, r.Point, wire.AppendReading(nil, r.Reading))
		for _, f := range r.Refused {
			text += fmt.Sprintf(" !%s %s", f.Reason, f.Field)
		}
		lines = append(lines, text)
		return nil
	}, func(b Broken) { lines = append(lines, fmt.Sprintf("%d broken %s", b.Line, b.Reason)) })
	return lines, err
}

func TestRead(t *testing.T) {
	f := func(content string, want ...string) {
		t.Helper()
		got, err := collect("x", content)
		if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("Read(%q) = %v\n%s\nwant\n%s", content, err, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	f(header)
	f(header+"1;SDS011;7;50.9;6.9;2019-04-20T00:00:01;1999.90;;;5.6;;\r\n",
		`2 7/1 SDS011 [6.9 50.9] {"t":1555718401,"pm2_5":5.6,"pm10":1999.9}`)
	f(header+"1;PMS7003;7;50.9;6.9;2019-04-20T00:00:01;nan;;;unavailable;;\n", `2 7/1 PMS7003 [6.9 50.9] {"t":1555718401} !not_a_number P1 !not_a_number P2`)
	f(header+"1;PPD42NS;7;50.9;6.9;2019-04-20T00:00:01;1000;1;0.1;;;\n", `2 7/1 PPD42NS [6.9 50.9] {"t":1555718401} !unsupported P1`)
	f("sensor_id;sensor_type;location;lat;lon;timestamp;pressure;altitude;pressure_sealevel;temperature;humidity\n1;BME280;7;50.9;6.9;2019-04-20T00:00:01;100063.81;;;-1.5;99.90",
		`2 7/1 BME280 [6.9 50.9] {"t":1555718401,"temperature":-1.5,"humidity":99.9,"pressure":1000.6381}`)
	f("timestamp;lon;lat;location;sensor_type;sensor_id;noise_LAeq\n2019-04-20T00:00:01;6.9;50.9;7;Laerm;1;51.5\n", `2 7/1 Laerm [6.9 50.9] {"t":1555718401,"noise_laeq":51.5}`)
	f(header+"1;SDS011;7;50.9;6.9\n1;SDS011;7;x;6.9;2019-04-20T00:00:01;1;;;2;;\n1;SDS011;7;50.9;6.9;yesterday;1;;;2;;\n1;XYZ;7;50.9;6.9;2019-04-20T00:00:01;1;;;2;;\n1;SDS011;;50.9;6.9;2019-04-20T00:00:01;1;;;2;;\n"+
		strings.Repeat("9", maxLine+1)+"\n1;SDS011;7;50.9;6.9;2019-04-20T00:00:01;1;;;2;;\n",
		"2 broken malformed", "3 broken malformed", "4 broken bad_time", "5 broken unsupported", "6 broken malformed", "7 broken too_large",
		`8 7/1 SDS011 [6.9 50.9] {"t":1555718401,"pm2_5":2,"pm10":1}`)
	f(`[{"a":"`+strings.Repeat("x", maxRecord)+`"},{"timestamp":"2019-04-25 01:51:12","location":{"id":"7","latitude":50.9,"longitude":"6.9"},"sensor":{"id":1,"sensor_type":{"name":"DHT22"}},
	   "sensordatavalues":[{"value":"none","value_type":"temperature"},{"value":"","value_type":"humidity"}]}]`,
		"1 broken too_large", `2 7/1 DHT22 [6.9 50.9] {"t":1556157072} !not_a_number temperature`)
	f(`[{"timestamp":"2019-04-25 01:51:12","location":{"id":1071,"latitude":"52.544","longitude":"13.374","indoor":1},"sensor":{"id":2129,"sensor_type":{"name":"SDS011"}},
	   "sensordatavalues":[{"value":"19.13","value_type":"P1"},{"value":16.23,"value_type":"P2"},{"value":null,"value_type":"P0"}]},{"timestamp":1},{}]`,
		`1 1071/2129 SDS011 [13.374 52.544] {"t":1556157072,"pm2_5":16.23,"pm10":19.13}`, "2 broken malformed", "3 broken malformed")
	f("[]")
	f("[]\n \n")
	f("[] x", "1 broken malformed")
	f(`[{"timestamp":"2019-04-25 01:51:12","location":{"id":7,"latitude":50.9,"longitude":6.9},"sensor":{"id":1,"sensor_type":{"name":"SDS011"}},"sensordatavalues":[{"value":"1","value_type":"P1"}]}][{}]`,
		`1 7/1 SDS011 [6.9 50.9] {"t":1556157072,"pm10":1}`, "2 broken malformed")
}

// TestIndoorByName: the archive tells only by the name of a sensor's file that it hangs indoors.
func TestIndoorByName(t *testing.T) {
	for name, want := range map[string]bool{
		"2019-04-25_sds011_sensor_99999_indoor.csv": true, "a/2019-04-25_SDS011_sensor_99999_INDOOR.CSV.GZ": true, "x.zip/2019-04-25_sds011_sensor_99999_indoor.csv": true,
		"2019-04-25_sds011_sensor_99999.csv": false, "indoor/2019-04-25_sds011_sensor_99999.csv": false,
	} {
		n := 0
		err := Read(t.Context(), name, strings.NewReader(header+"99999;SDS011;58;50.941;6.958;2019-04-25T00:01:00;42.50;;;26.10;;\n"), func(r Row) error {
			n++
			if r.Indoor != want || r.station() != map[bool]string{true: "58-indoor", false: "58"}[want] {
				t.Errorf("%s: indoor %v, station %s", name, r.Indoor, r.station())
			}
			return nil
		}, nil)
		if err != nil || n != 1 {
			t.Errorf("%s: %d rows, %v", name, n, err)
		}
	}
}

func TestReadFails(t *testing.T) {
	f := func(content, want string, wantLines int) {
		t.Helper()
		lines, err := collect("a.csv", content)
		if err == nil || !strings.Contains(err.Error(), want) || len(lines) != wantLines {
			t.Errorf("Read(%q) = %d lines, %v, want %d and %q", content, len(lines), err, wantLines, want)
		}
	}
	f("", "a.csv: the file is empty", 0)
	f(`[{"timestamp":1},{"a":"`+strings.Repeat("x", 2*maxAhead)+`"}]`, "a.csv: record 2: more than", 1)
	f("time;value\n1;2\n", `no column "sensor_id"`, 0)
	f("{}", "no column", 0)
	f(`[{"timestamp":1},{"timestamp"`, "a.csv: record 2", 1)
	f(`[{"timestamp":1}`, "breaks off", 1)
	f("\x1f\x8b", "a.csv", 0)
}

func TestFiles(t *testing.T) {
	folder := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, header+"1;SDS011;7;50.9;6.9;2019-04-20T00:00:01;1;;;2;;\n")
	z.Close()
	var archive bytes.Buffer
	a := zip.NewWriter(&archive)
	for _, name := range []string{"x.csv", "y.csv.gz", "notes.txt"} {
		w, err := a.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(packed.Bytes())
	}
	a.Close()
	for name, content := range map[string][]byte{"b/2.csv.gz": packed.Bytes(), "a/1.ZIP": archive.Bytes(), "readme.txt": nil} {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Files(t.Context(), []string{folder})
	if err != nil || len(files) != 2 || filepath.Base(files[0]) != "1.ZIP" {
		t.Fatalf("Files = %v, %v", files, err)
	}
	rows := 0
	for _, file := range files {
		if err := readPath(t, file, func(Row) error { rows++; return nil }); err != nil {
			t.Error(err)
		}
	}
	if rows != 3 {
		t.Errorf("%d rows, want 3", rows)
	}
	if _, err := Files(t.Context(), []string{filepath.Join(folder, "missing")}); err == nil {
		t.Error("a missing file is no error")
	}
	stop := errors.New("stop")
	if err := readPath(t, files[0], func(Row) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("stopped with %v", err)
	}
}

// readPath reads a file in which no line is broken.
func readPath(t *testing.T, path string, row func(Row) error) error {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return ReadFile(t.Context(), path, file, row, func(b Broken) { t.Errorf("broken: %+v", b) })
}

// TestBrokenParts keeps what can be read of an archive whose parts are cut off.
func TestBrokenParts(t *testing.T) {
	var good, cut bytes.Buffer
	z := gzip.NewWriter(&good)
	fmt.Fprint(z, header+"1;SDS011;7;50.9;6.9;2019-04-20T00:00:01;1;;;2;;\n")
	z.Close()
	cut.Write(good.Bytes()[:good.Len()-9])
	path := filepath.Join(t.TempDir(), "x.zip")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	a := zip.NewWriter(file)
	for name, content := range map[string][]byte{"a.csv": []byte("time;value\n1;2\n"), "b.csv.gz": cut.Bytes(), "c.csv.gz": good.Bytes()} {
		w, err := a.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(content)
	}
	if err := errors.Join(a.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	var of []string
	err = readPath(t, path, func(r Row) error { of = append(of, filepath.Base(r.File)); return nil })
	if err == nil || !strings.Contains(err.Error(), `x.zip/a.csv: line 1: no column "sensor_id"`) || !strings.Contains(err.Error(), "x.zip/b.csv.gz: line") {
		t.Errorf("told %v", err)
	}
	if !slices.Contains(of, "c.csv.gz") {
		t.Errorf("rows of %q, want those of c.csv.gz", of)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(header + "1;SDS011;7;50.9;6.9;2019-04-20T00:00:01;1;;;2;;\n")
	f.Add(`[{"timestamp":"2019-04-25 01:51:12","location":{"id":1,"latitude":"5","longitude":"3"},"sensor":{"id":2,"sensor_type":{"name":"SDS011"}},"sensordatavalues":[{"value":"1","value_type":"P1"}]}]`)
	f.Fuzz(func(t *testing.T, content string) {
		last := 0
		check := func(line int) {
			if line <= last {
				t.Errorf("line %d after %d", line, last)
			}
			last = line
		}
		_ = Read(t.Context(), "x", strings.NewReader(content), func(r Row) error {
			check(r.Line)
			if r.Reading.Time.IsZero() || r.Location == "" {
				t.Errorf("row %+v", r)
			}
			return nil
		}, func(b Broken) { check(b.Line) })
	})
}

func BenchmarkReadCSV(b *testing.B) {
	content := header + strings.Repeat("1;SDS011;7;50.941;6.958;2019-04-20T00:00:01;12.34;;;5.67;;\n", 1000)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Read(b.Context(), "x", strings.NewReader(content), func(Row) error { return nil }, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/row")
}
