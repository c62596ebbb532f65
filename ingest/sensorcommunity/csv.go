package sensorcommunity

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"stadtluft/firmware-protocol/wire"
)

// readCSV reads the archive's CSV: semicolons, no quotes, columns by the names in the header.
func readCSV(file string, r io.Reader, row func(Row) error, broken func(Broken)) error {
	lines, indoor := bufio.NewReaderSize(r, maxLine), isIndoor(file)
	header, err := readLine(lines)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: the file is empty", file)
	} else if err != nil {
		return fmt.Errorf("%s: line 1: %w", file, err)
	}
	names := strings.Split(strings.TrimPrefix(header, "\ufeff"), ";")
	var at [6]int
	for i, name := range []string{"sensor_id", "sensor_type", "location", "lat", "lon", "timestamp"} {
		if at[i] = slices.Index(names, name); at[i] < 0 {
			return fmt.Errorf("%s: line 1: no column %q: is this Sensor.Community's archive?", file, name)
		}
	}
	for number := 2; ; number++ {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return nil
		}
		fail := func(reason wire.Reason, detail string) { broken(Broken{file, number, reason, detail}) }
		if errors.Is(err, bufio.ErrBufferFull) {
			fail(wire.TooLarge, fmt.Sprintf("the line has more than %d bytes", maxLine))
			continue
		} else if err != nil {
			return fmt.Errorf("%s: line %d: %w", file, number, err)
		}
		if line == "" {
			continue
		}
		fields := strings.Split(line, ";")
		if len(fields) != len(names) {
			fail(wire.Malformed, fmt.Sprintf("%d fields, the header has %d", len(fields), len(names)))
			continue
		}
		n := Row{File: file, Line: number, Sensor: fields[at[0]], Type: fields[at[1]], Location: fields[at[2]], Indoor: indoor}
		if reason, problem := n.place(fields[at[4]], fields[at[3]], fields[at[5]]); problem != "" {
			fail(reason, problem)
			continue
		}
		for i, name := range names {
			if !slices.Contains(at[:], i) {
				n.value(name, fields[i])
			}
		}
		if err := row(n); err != nil {
			return err
		}
	}
}

// isIndoor reports whether an archive's file is of a sensor that hangs indoors, such as
// 2019-04-25_sds011_sensor_45534_indoor.csv.
func isIndoor(file string) bool {
	return strings.HasSuffix(strings.TrimSuffix(strings.ToLower(file), ".gz"), "_indoor.csv")
}

// readLine reads a line without its end. It skips a line that is too long.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		return "", bufio.ErrBufferFull
	}
	if err != nil && len(line) == 0 {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// place sets where and when a row was measured, or returns what is wrong with it.
func (r *Row) place(lon, lat, at string) (wire.Reason, string) {
	var ok bool
	switch {
	case r.Sensor == "" || r.Location == "" || len(r.Sensor) > maxName || len(r.Location) > maxName:
		return wire.Malformed, "the sensor or its location has no name"
	case sensorOf(r.Type) == 0:
		return wire.Unsupported, fmt.Sprintf("the sensor type %.*q is not known", maxName, r.Type)
	}
	if r.Point, ok = parsePlace(lon, lat); !ok {
		return wire.Malformed, fmt.Sprintf("longitude %q, latitude %q is no place", lon, lat)
	}
	if r.Reading.Time, ok = parseTime(at); !ok {
		return wire.BadTime, fmt.Sprintf("%q is no time", at)
	}
	return "", ""
}
