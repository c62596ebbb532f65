package parquet

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
)

// stationMeans returns means of two stations over an hour, in the order of the files of single stations.
func stationMeans(start time.Time) (list []aggregate.StationWindow) {
	for _, station := range []string{"AAAA", "BBBB"} {
		for i, q := range []quantity.Quantity{quantity.Humidity, quantity.PM10, quantity.PM2_5} {
			m := aggregate.StationWindow{Start: start, Window: aggregate.Hour, Corrected: i > 0}
			m.Station, m.Quantity, m.Cell = station, q, geo.Cell{Size: 100, North: 3096600, East: 4107200}
			m.Mean, m.Raw, m.Readings, m.Coverage = int64(1000*i+1), int64(2000*i+1), 24, 917
			list = append(list, m)
		}
	}
	return list
}

func TestJoinedFilesAreOne(t *testing.T) {
	var files [][]byte
	for hour := range 3 {
		var b bytes.Buffer
		meta := export.Meta{Licence: "dl-zero-de/2.0", Demo: hour == 1, Averaging: []string{"one", "two", "one"}[hour]}
		put(t, NewStationMeans(&b, meta, nil), stationMeans(noon.Add(time.Duration(hour)*time.Hour)))
		files = append(files, b.Bytes())
	}
	var empty bytes.Buffer
	put(t, NewStationMeans(&empty, export.Meta{}, nil), nil)
	files = append(files, empty.Bytes())
	var j Joiner
	whole := j.Begin()
	for _, text := range files {
		from, length, err := j.Add(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		whole = append(whole, text[from:from+length]...)
	}
	end, err := j.End()
	if err != nil {
		t.Fatal(err)
	}
	whole = append(whole, end...)
	file, err := parquet.OpenFile(bytes.NewReader(whole), int64(len(whole)))
	if err != nil || file.NumRows() != 18 || len(file.RowGroups()) != 3 {
		t.Fatalf("%v, %v", file, err)
	}
	for key, want := range map[string]string{"demo": "true", "averaging": "one\ntwo"} {
		if got, _ := file.Lookup(key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	for _, station := range []string{"AAAA", "BBBB"} {
		var got []aggregate.StationWindow
		err := ReadStationMeans(bytes.NewReader(whole), int64(len(whole)), aggregate.Hour, station, func(m aggregate.StationWindow) error {
			got = append(got, m)
			return nil
		})
		if err != nil || len(got) != 9 {
			t.Fatalf("%d means of %s, %v, want 9", len(got), station, err)
		}
		for i, m := range got {
			want := stationMeans(noon.Add(time.Duration(i/3) * time.Hour))[i%3]
			if want.Station = station; m != want {
				t.Errorf("mean %d of %s is %+v, want %+v", i, station, m, want)
			}
		}
	}
	if err := ReadStationMeans(bytes.NewReader(whole), int64(len(whole)), aggregate.Hour, "ABCD", func(aggregate.StationWindow) error { return errors.New("a mean") }); err != nil {
		t.Errorf("of a station that has none: %v", err)
	}
}

func TestFilesOfOtherColumnsAreNotJoined(t *testing.T) {
	var means, grid bytes.Buffer
	put(t, NewStationMeans(&means, export.Meta{}, nil), stationMeans(noon))
	put(t, NewGrid(&grid, export.Meta{}, nil), nil)
	var j Joiner
	j.Begin()
	if _, _, err := j.Add(bytes.NewReader(means.Bytes()), int64(means.Len())); err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.Add(bytes.NewReader(grid.Bytes()), int64(grid.Len())); !errors.Is(err, ErrOtherColumns) {
		t.Errorf("a grid after means: %v", err)
	}
	if _, _, err := j.Add(bytes.NewReader([]byte("PAR1")), 4); err == nil || errors.Is(err, ErrOtherColumns) {
		t.Errorf("no file at all: %v", err)
	}
}

func put[R any](t *testing.T, e export.Encoder[R], rows []R) {
	t.Helper()
	err := e.Begin()
	for i := 0; err == nil && i < len(rows); i++ {
		err = e.Add(rows[i])
	}
	if err = errors.Join(err, e.End()); err != nil {
		t.Fatal(err)
	}
}
