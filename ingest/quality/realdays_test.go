package quality

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// realColumns are the columns of Sensor.Community's archive that are quantities, with what brings them to our units.
var realColumns = map[string]struct {
	quantity quantity.Quantity
	per      float64
}{
	"P1": {quantity.PM10, 1}, "P2": {quantity.PM2_5, 1}, "temperature": {quantity.Temperature, 1}, "humidity": {quantity.Humidity, 1}, "pressure": {quantity.Pressure, 100},
}

// realStation is what two sensors of one place measured on 20 April 2019.
type realStation struct {
	station     *ingest.Station
	east, north float64 // metres, near enough for Aberdeen
	readings    []wire.Reading
	stuck999    int // rows of a DHT22 that say 99.9 %
}

// realDays are the stations by location. The test is left out where ../shared, the folder with real data, is not beside the project.
func realDays(t *testing.T) map[string]*realStation {
	if _, err := os.Stat("../../../shared"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("left out: ../shared is not beside the project")
	}
	files, _ := filepath.Glob("../../../shared/data/sensor-community/*.csv")
	days := map[string]*realStation{}
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		reader := csv.NewReader(file)
		reader.Comma = ';'
		records, err := reader.ReadAll()
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records[1:] {
			id := record[2]
			s := days[id]
			if s == nil {
				lat, lon := number64(record[3]), number64(record[4])
				s = &realStation{station: &ingest.Station{ID: id}, east: lon * 111_320 * math.Cos(57.1*math.Pi/180), north: lat * 111_320}
				days[id] = s
			}
			s.addRow(records[0], record)
		}
	}
	for _, s := range days {
		slices.SortStableFunc(s.readings, func(a, b wire.Reading) int { return a.Time.Compare(b.Time) })
	}
	return days
}

func number64(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

func (s *realStation) addRow(header, record []string) {
	if sensor := strings.ToLower(record[1]); !slices.Contains(s.station.Sensors, sensor) {
		s.station.Sensors = append(s.station.Sensors, sensor)
	}
	when, err := time.Parse("2006-01-02T15:04:05", record[5])
	if err != nil {
		return
	}
	r := wire.Reading{Time: when}
	for i, name := range header {
		column, ok := realColumns[name]
		if v := number64(record[i]); ok && !math.IsNaN(v) {
			r.Values = append(r.Values, wire.Value{Quantity: column.quantity, Value: v / column.per})
		}
		if record[1] == "DHT22" && name == "humidity" && record[i] == "99.90" {
			s.stuck999++
		}
	}
	s.readings = append(s.readings, r)
}

// TestRealDays replays sixteen real sensor-days, two a station; -v prints the flags by sensor. What is wanted was found by
// looking at the files:
//
//   - no fine particles above the coarse, nothing out of range, and no run of equal values longer than three rows of
//     particles or 41 minutes of temperature: nothing is inconsistent, range or stuck;
//   - two DHT22 (locations 11441 and 11473) say 99.9 % all night and, one of them, half the day: their mark for "no value";
//   - the air by the sea was humid all night: most particles of the night are humid. At 8655 it never had 75 %;
//   - a station has three others within 10 km at the most: nobody can be an outlier, and one day is no past.
func TestRealDays(t *testing.T) {
	days := realDays(t)
	counts, rows := map[string]map[quantity.Quantity]map[ingest.Flags]int{}, 0
	values := map[string]map[quantity.Quantity]int{}
	hourly := map[time.Time]map[string]map[quantity.Quantity][]Sample{}
	checker := New(DefaultRules())
	for id, s := range days {
		counts[id], values[id] = map[quantity.Quantity]map[ingest.Flags]int{}, map[quantity.Quantity]int{}
		for _, r := range s.readings {
			keep, refused, _ := checker.Check(s.station, ingest.Arrival{Received: r.Time}, r)
			if len(refused) > 0 {
				t.Errorf("%s: refused %+v", id, refused)
			}
			rows++
			hour := r.Time.Truncate(time.Hour)
			if hourly[hour] == nil {
				hourly[hour] = map[string]map[quantity.Quantity][]Sample{}
			}
			if hourly[hour][id] == nil {
				hourly[hour][id] = map[quantity.Quantity][]Sample{}
			}
			for _, v := range keep.Values {
				values[id][v.Quantity]++
				if counts[id][v.Quantity] == nil {
					counts[id][v.Quantity] = map[ingest.Flags]int{}
				}
				for _, f := range v.Flags.Each() {
					counts[id][v.Quantity][f]++
				}
				if v.Flags.Good() {
					hourly[hour][id][v.Quantity] = append(hourly[hour][id][v.Quantity], Sample{uint16(r.Time.Unix() % 3600), v.Value})
				}
			}
		}
	}
	if rows != 9089 || len(days) != 8 {
		t.Errorf("%d rows of %d stations, want 9089 of eight", rows, len(days))
	}
	hourFlags := checkReal(days, hourly, func(id string, q quantity.Quantity, f ingest.Flags, values int) { counts[id][q][f] += values })
	t.Log(realTable(days, values, counts, hourFlags))
	for id, s := range days {
		for q, flags := range counts[id] {
			for f, n := range flags {
				if f != ingest.Sentinel && f != ingest.Humid {
					t.Errorf("%s %s: %d values are %s", id, q, n, f)
				}
			}
		}
		if got := counts[id][quantity.Humidity][ingest.Sentinel]; got != s.stuck999 {
			t.Errorf("%s: %d values of humidity are marks, %d rows say 99.90", id, got, s.stuck999)
		}
		for f, n := range hourFlags[id] {
			if f != ingest.Humid && f != byNeighbour {
				t.Errorf("%s: %d hours are %s", id, n, f)
			}
		}
	}
	if a, b := days["11441"].stuck999, days["11473"].stuck999; a < 178 || b < 188 {
		t.Errorf("%d and %d rows of 99.90, want the nights", a, b)
	}
	if dry, wet := counts["8655"][quantity.PM10][ingest.Humid], counts["7832"][quantity.PM10][ingest.Humid]; dry != 0 || wet < values["7832"][quantity.PM10]*98/100 {
		t.Errorf("humid: %d at the dry station, %d at the wet one, which had 81 %% at the least", dry, wet)
	}
	// 4.4 km from a station that is humid all day, and has no hygrometer of its own at night.
	if hourFlags["11441"][byNeighbour] < 6 || hourFlags["11473"][byNeighbour] != 0 {
		t.Errorf("hours humid by a neighbour: %v near one, %v far from all", hourFlags["11441"], hourFlags["11473"])
	}
}

// byNeighbour stands for hours that are humid at a station without a humidity of its own in them.
const byNeighbour = ingest.Flags(1 << 19)

// checkReal counts flags of hours by station, and passes on how many values have them.
func checkReal(days map[string]*realStation, hourly map[time.Time]map[string]map[quantity.Quantity][]Sample, count func(id string, q quantity.Quantity, f ingest.Flags, values int)) map[string]map[ingest.Flags]int {
	hourChecker, found := NewHourChecker(DefaultRules()), map[string]map[ingest.Flags]int{}
	for start := time.Date(2019, 4, 20, 0, 0, 0, 0, time.UTC); start.Day() == 20; start = start.Add(time.Hour) {
		var list []StationHour
		for id, quantities := range hourly[start] {
			for q, v := range quantities {
				list = append(list, stationHour(days[id].station, cellAt(days[id].east, days[id].north), q, v))
			}
		}
		for _, v := range hourChecker.Hour(start, list) {
			if found[v.Station] == nil {
				found[v.Station] = map[ingest.Flags]int{}
			}
			for _, f := range v.Flags.Each() {
				found[v.Station][f]++
				if f == ingest.Humid && len(hourly[start][v.Station][quantity.Humidity]) == 0 {
					found[v.Station][byNeighbour]++
				}
				count(v.Station, v.Quantity, f, len(hourly[start][v.Station][v.Quantity]))
			}
			for _, s := range v.Humid {
				count(v.Station, v.Quantity, ingest.Humid, int(s.Values))
			}
		}
	}
	return found
}

func realTable(days map[string]*realStation, values map[string]map[quantity.Quantity]int, counts map[string]map[quantity.Quantity]map[ingest.Flags]int, hourFlags map[string]map[ingest.Flags]int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "20 April 2019, Aberdeen: values with flags, and hours (of a quantity) with flags\n%-9s %-15s %-12s %7s  flags", "location", "sensors", "quantity", "values")
	for _, id := range slices.Sorted(keys(days)) {
		for _, q := range quantity.All() {
			if n := values[id][q]; n > 0 {
				fmt.Fprintf(&b, "\n%-9s %-15s %-12s %7d ", id, strings.Join(days[id].station.Sensors, "-"), q, n)
				for _, f := range ingest.AllFlags() {
					if n := counts[id][q][f]; n > 0 {
						fmt.Fprintf(&b, " %s=%d", f, n)
					}
				}
			}
		}
		for _, f := range ingest.AllFlags() {
			if n := hourFlags[id][f]; n > 0 {
				fmt.Fprintf(&b, "\n%-9s %-15s hours %s=%d", id, "", f, n)
			}
		}
	}
	return b.String()
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
