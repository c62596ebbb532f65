package download

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/store/storetest"
)

// recordingStore is a Store in memory that records its queries.
type recordingStore struct {
	storetest.Memory
	asked []store.ReadingQuery
}

func (s *recordingStore) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	s.asked = append(s.asked, q)
	return s.Memory.Readings(ctx, q, yield)
}

var (
	noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	town = city{
		"AAAA": {ID: "AAAA", Exposure: ingest.Outdoor, Places: []ingest.Place{place(6.95, 50.94)}},
		"BBBB": {ID: "BBBB", Exposure: ingest.Outdoor, Places: []ingest.Place{place(6.97, 50.95)}}, // 2 km from A
		"CCCC": {ID: "CCCC", Exposure: ingest.Outdoor, Places: []ingest.Place{place(7.10, 50.94)}, Source: "sensor-community"},
		"DDDD": {ID: "DDDD", Exposure: ingest.Indoor, Places: []ingest.Place{place(6.95, 50.94)}},
	}
)

func place(lon, lat float64) ingest.Place {
	return ingest.Place{Exact: orb.Point{lon, lat}, Public: orb.Point{lon, lat}}
}

func at(station string, minutes int, values ...ingest.Value) ingest.Reading {
	return ingest.Reading{Station: station, Time: noon.Add(time.Duration(minutes) * time.Minute), Values: values}
}

func value(q quantity.Quantity, v float64) ingest.Value { return ingest.Value{Quantity: q, Value: v} }

func TestReadingsThatAreAskedFor(t *testing.T) {
	flagged := ingest.Value{Quantity: quantity.PM10, Value: 1, Flags: ingest.Range}
	humid := ingest.Value{Quantity: quantity.PM10, Value: 1, Flags: ingest.Humid}
	s := Source{Stations: town, Store: &storetest.Memory{Held: []ingest.Reading{
		at("AAAA", 0, flagged, value(quantity.Humidity, 50)), at("BBBB", 0, humid), at("CCCC", 0, value(quantity.PM2_5, 1)), at("XXXX", 0, value(quantity.PM10, 1)), at("AAAA", 1, flagged),
	}}}
	f := func(q Readings, want string) {
		t.Helper()
		if q.To.IsZero() {
			q.From, q.To = noon, noon.Add(time.Hour)
		}
		var got []string
		err := s.Readings(t.Context(), q, func(r ingest.Reading) error {
			for _, v := range r.Values {
				got = append(got, r.Station[:1]+" "+v.Quantity.String())
			}
			return nil
		})
		if all := strings.Join(got, ", "); err != nil || all != want {
			t.Errorf("%+v: %s, %v, want %s", q, all, err, want)
		}
	}
	f(Readings{Source: export.AllSources}, "A pm10, A humidity, B pm10, C pm2_5, X pm10, A pm10")
	f(Readings{Source: export.AllSources, From: noon, To: noon.Add(time.Minute)}, "A pm10, A humidity, B pm10, C pm2_5, X pm10")
	f(Readings{Source: export.AllSources, Stations: []string{"AAAA"}}, "A pm10, A humidity, A pm10")
	f(Readings{Source: export.AllSources, Quantities: []quantity.Quantity{quantity.Humidity, quantity.PM2_5}}, "A humidity, C pm2_5")
	f(Readings{Source: export.AllSources, OnlyGood: true}, "A humidity, B pm10, C pm2_5, X pm10")
	f(Readings{Source: export.OwnSource}, "A pm10, A humidity, B pm10, A pm10") // X is not registered
	f(Readings{Source: "sensor-community"}, "C pm2_5")
	east := func(p orb.Point) bool { return p.Lon() > 6.96 }
	f(Readings{Source: export.AllSources, Within: east}, "B pm10, C pm2_5")
	f(Readings{Source: export.OwnSource, Within: east, OnlyGood: true, Quantities: []quantity.Quantity{quantity.PM10}}, "B pm10")
}

// means returns the means of a query as text.
func means(t *testing.T, s Source, q Readings) string {
	t.Helper()
	q.Source = export.AllSources
	var got []string
	err := s.Means(t.Context(), q, func(m aggregate.StationWindow) error {
		got = append(got, fmt.Sprintf("%s %s %s %d %d of %d", m.Start.Format("02T15:04"), m.Station[:1], m.Quantity, m.Mean, m.Raw, m.Readings))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(got, ", ")
}

// TestWindowsAtTheEdges expects whole windows, those that start in the period.
func TestWindowsAtTheEdges(t *testing.T) {
	s := Source{Stations: town, DayOffset: 2 * time.Hour, Store: &storetest.Memory{}}
	for minute := -15 * 60; minute < 36*60; minute += 5 { // the hours since noon
		s.Store.(*storetest.Memory).Held = append(s.Store.(*storetest.Memory).Held, at("AAAA", minute, value(quantity.PM10, math.Floor(float64(minute)/60))))
	}
	f := func(resolution Resolution, from, to time.Duration, want string) {
		t.Helper()
		if got := means(t, s, Readings{Resolution: resolution, From: noon.Add(from), To: noon.Add(to)}); got != want {
			t.Errorf("%s from %v to %v: %s, want %s", resolution, from, to, got, want)
		}
	}
	const first, second = "01T12:00 A pm10 0 0 of 12", "01T13:00 A pm10 1000 1000 of 12"
	f(Hours, 0, time.Hour, first)
	f(Hours, -time.Second, time.Hour, first)
	f(Hours, time.Second, 2*time.Hour, second)
	f(Hours, 0, time.Hour+time.Second, first+", "+second)
	f(Hours, time.Second, time.Hour, "")
	f(FiveMinutes, 30*time.Minute, 31*time.Minute, "01T12:30 A pm10 0 0 of 1")
	f(FiveMinutes, 31*time.Minute, 34*time.Minute, "")
	// Days begin at 22:00 UTC: hours -14 to 9, then 10 to 33.
	const day, next = "30T22:00 A pm10 -2500 -2500 of 288", "01T22:00 A pm10 21500 21500 of 288"
	f(Days, -24*time.Hour, 24*time.Hour, day+", "+next)
	f(Days, -24*time.Hour, 10*time.Hour, day)
	f(Days, -14*time.Hour+time.Second, 11*time.Hour, next)
}

// TestMeansAreTheSameWhateverIsAsked asks for one station and quantity alone, and among all.
func TestMeansAreTheSameWhateverIsAsked(t *testing.T) {
	stored := &recordingStore{}
	s := Source{Stations: city{}, Store: stored, Correction: aggregate.Correction{
		Correct: func(q quantity.Quantity, milli, humidity int64) (int64, bool) {
			return milli - humidity, q == quantity.PM10
		},
		IsSignal: func(q quantity.Quantity) bool { return q == quantity.NO2 },
	}}
	for id, st := range town {
		s.Stations.(city)[id] = st
	}
	calibrated := *town["BBBB"]
	calibrated.Calibrations = []ingest.Calibration{{Quantity: quantity.NO2, Slope: 1, Temperature: 2}}
	s.Stations.(city)["BBBB"] = &calibrated
	for minute := 0; minute < 120; minute += 5 {
		a := at("AAAA", minute, value(quantity.PM10, 50))
		if minute < 60 {
			a.Values = append(a.Values, value(quantity.Humidity, 10))
		}
		stored.Held = append(stored.Held, a, at("BBBB", minute, value(quantity.PM10, 60), value(quantity.NO2, 5), value(quantity.Temperature, 3), value(quantity.Humidity, 20)), at("DDDD", minute, value(quantity.PM10, 70)))
	}
	f := func(stations []string, wanted quantity.Quantity, to time.Duration, want string, wantStations ...string) {
		t.Helper()
		q := Readings{Resolution: Hours, From: noon, To: noon.Add(to)}
		var among []string
		for _, m := range strings.Split(means(t, s, q), ", ") {
			if strings.Contains(m, " "+wanted.String()+" ") && slices.ContainsFunc(stations, func(id string) bool { return strings.Contains(m, " "+id[:1]+" ") }) {
				among = append(among, m)
			}
		}
		q.Stations, q.Quantities = stations, []quantity.Quantity{wanted}
		if alone := means(t, s, q); alone != want || strings.Join(among, ", ") != want {
			t.Errorf("%v %v alone: %s\namong all: %s\nwant %s", stations, wanted, alone, strings.Join(among, ", "), want)
		}
		if read := stored.asked[len(stored.asked)-1].Stations; !slices.Equal(slices.Sorted(slices.Values(read)), wantStations) {
			t.Errorf("%v %v: the stations %v were read, want %v", stations, wanted, read, wantStations)
		}
	}
	f([]string{"AAAA"}, quantity.PM10, time.Hour, "01T12:00 A pm10 40000 50000 of 12", "AAAA")
	f([]string{"AAAA"}, quantity.PM10, 2*time.Hour, "01T12:00 A pm10 40000 50000 of 12, 01T13:00 A pm10 30000 50000 of 12", "AAAA", "BBBB", "DDDD") // with B's humidity
	f([]string{"BBBB"}, quantity.NO2, time.Hour, "01T12:00 B no2 11000 5000 of 12", "BBBB")                                                         // 5 + 2·3
	f([]string{"DDDD"}, quantity.PM10, time.Hour, "01T12:00 D pm10 70000 70000 of 12", "DDDD")                                                      // indoors nothing is corrected
}

// TestAStoreThatFails expects the error, and a document that cannot be mistaken for a complete one.
func TestAStoreThatFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	s := Source{Stations: town, Store: &storetest.Memory{Held: []ingest.Reading{at("AAAA", 0, value(quantity.PM10, 1))}, Fail: broken}}
	q := Readings{From: noon, To: noon.Add(time.Hour), Source: export.AllSources, Resolution: Hours}
	for _, format := range []export.Format{export.CSV, export.GeoJSON, export.JSON, export.Parquet} {
		var whole, half, averages bytes.Buffer
		err := Write(s.NewReadings(&half, format, export.Meta{}), func(add func(ingest.Reading) error) error { return s.Readings(t.Context(), q, add) })
		if !errors.Is(err, broken) {
			t.Errorf("%s: readings end with %v, want %v", format, err, broken)
		}
		err = Write(NewMeans(&averages, format, export.Meta{}), func(add func(aggregate.StationWindow) error) error { return s.Means(t.Context(), q, add) })
		if !errors.Is(err, broken) {
			t.Errorf("%s: means end with %v, want %v", format, err, broken)
		}
		if err := Write(s.NewReadings(&whole, format, export.Meta{}), func(func(ingest.Reading) error) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if end := whole.Bytes()[max(0, whole.Len()-4):]; format != export.CSV && bytes.HasSuffix(half.Bytes(), end) {
			t.Errorf("%s: a document that broke off ends with %q like a whole one", format, end)
		}
	}
}

func TestWhoCancelsGetsNoMore(t *testing.T) {
	s := Source{Stations: town, Store: &storetest.Memory{Held: []ingest.Reading{at("AAAA", 0, value(quantity.PM10, 1)), at("AAAA", 60, value(quantity.PM10, 1)), at("AAAA", 120, value(quantity.PM10, 1)), at("AAAA", 180, value(quantity.PM10, 1))}}}
	q := Readings{From: noon, To: noon.Add(10 * time.Hour), Source: export.AllSources, Resolution: Hours}
	rows := 0
	f := func(what string, read func(ctx context.Context, row func() error) error) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		rows = 0
		if err := read(ctx, func() error { rows++; cancel(); return nil }); !errors.Is(err, context.Canceled) || rows != 1 {
			t.Errorf("%s: %v after %d rows, want %v after 1", what, err, rows, context.Canceled)
		}
		full := errors.New("no more room")
		rows = 0
		if err := read(t.Context(), func() error { rows++; return full }); !errors.Is(err, full) || rows != 1 {
			t.Errorf("%s: %v after %d rows, want %v after 1", what, err, rows, full)
		}
	}
	f("readings", func(ctx context.Context, row func() error) error {
		return s.Readings(ctx, q, func(ingest.Reading) error { return row() })
	})
	f("means", func(ctx context.Context, row func() error) error {
		return s.Means(ctx, q, func(aggregate.StationWindow) error { return row() })
	})
	if err := Write(s.NewReadings(broken{}, export.CSV, export.Meta{}), func(add func(ingest.Reading) error) error { return s.Readings(t.Context(), q, add) }); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a reader that is gone: %v", err)
	}
}

// broken is a connection that is cut.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestPagesFollowEachOther(t *testing.T) {
	s := Source{Stations: town, Store: &storetest.Memory{Held: []ingest.Reading{
		at("AAAA", 0, value(quantity.PM10, 1), value(quantity.Humidity, 2)), at("BBBB", 0, value(quantity.PM10, 3)), at("AAAA", 1, value(quantity.PM2_5, 4), value(quantity.PM10, 5)),
	}}}
	for limit := 1; limit <= 6; limit++ {
		var got []float64
		page := Page[ingest.Reading]{Limit: limit, At: AtReading}
		for more := true; more; {
			page.Rows = nil
			page.more = false
			err := page.Fill(func(add func(ingest.Reading) error) error {
				return s.Readings(t.Context(), Readings{From: noon, To: noon.Add(time.Hour), Source: export.AllSources}, Single(add))
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Rows {
				got = append(got, r.Values[0].Value)
			}
			var next Cursor
			if next, more = page.Next(); more {
				if page.After, err = ParseCursor(next.String()); err != nil || page.After != next {
					t.Fatalf("cursor %+v reads back as %+v, %v", next, page.After, err)
				}
			}
		}
		if !slices.Equal(got, []float64{1, 2, 3, 4, 5}) {
			t.Errorf("pages of %d: %v", limit, got)
		}
	}
	for _, text := range []string{"", ".", "x", "MTIz.*", "bm90.bm90"} {
		if c, err := ParseCursor(text); err == nil {
			t.Errorf("ParseCursor(%q) = %+v, want an error", text, c)
		}
	}
}
