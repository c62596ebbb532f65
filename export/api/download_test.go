package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store"
)

// lines returns a CSV's rows without the header, which must be the expected one.
func (h *fixture) lines(route, header string, comma rune) [][]string {
	h.t.Helper()
	r := csv.NewReader(bytes.NewReader(h.get(route)))
	r.Comma = comma
	rows, err := r.ReadAll()
	if err != nil || strings.Join(rows[0], ",") != header {
		h.t.Fatalf("%s: %v, header %q, want %s", route, err, rows[0], header)
	}
	return rows[1:]
}

func TestSemicolons(t *testing.T) {
	h := living(t)
	plain, semicolons := h.lines("/api/v1/readings", export.ReadingsTable.Header(), ','), h.lines("/api/v1/readings?delimiter=semicolon", export.ReadingsTable.Header(), ';')
	if fmt.Sprint(plain) != fmt.Sprint(semicolons) || len(plain) != 3 {
		t.Errorf("with semicolons %q, with commas %q", semicolons, plain)
	}
	h.lines("/api/v1/grid?format=csv&delimiter=semicolon", export.GridTable.Header(), ';')
	german := h.lines("/api/v1/readings?decimal=comma", "\ufeff"+export.ReadingsTable.Header(), ';')
	for i, row := range plain {
		for _, column := range []int{2, 3, 5} { // numbers
			row[column] = strings.Replace(row[column], ".", ",", 1)
		}
		if fmt.Sprint(row) != fmt.Sprint(german[i]) {
			t.Errorf("for spreadsheets in German %q, want %q", german[i], row)
		}
	}
	h.lines("/api/v1/grid?format=csv&delimiter=semicolon&decimal=comma", "\ufeff"+export.GridTable.Header(), ';')
	if rows := h.lines("/api/v1/districts?format=csv", districtsHeader, ','); len(rows) == 0 || rows[0][0] != "West" && rows[0][0] != "Ost, rechts" {
		t.Errorf("districts %q", rows)
	}
}

// TestSelections requests parts of the data.
func TestSelections(t *testing.T) {
	h := living(t)
	from := "from=" + time.Now().UTC().Add(-5*time.Hour).Format(time.RFC3339)
	const all = 24*3 + 2 + 1 // values of the station, and one of a station that is gone
	f := func(query string, want int) {
		t.Helper()
		if got := len(h.lines("/api/v1/readings?"+from+"&"+query, export.ReadingsTable.Header(), ',')); got != want {
			t.Errorf("%s: %d rows, want %d", query, got, want)
		}
	}
	row := h.lines("/api/v1/readings?"+from, export.ReadingsTable.Header(), ',')[0]
	f(fmt.Sprintf("bbox=%s,%s,%[1]s,%[2]s", row[2], row[3]), all-1) // a place on the box's edges, as the file has it
	f("", all)
	f("quantity=pm10,humidity", 24*2+1)
	f("flags=good", all-1)
	f("station="+strings.ToLower(h.station.ID), all-1)
	f("source=own", all-1)
	f("source=sensor-community", 0)
	f("district=West", all-1)
	f("district=Ost%2C+rechts", 0)
	f("bbox=6.9,50.9,7,51", all-1)
	f("bbox=6.9,50.9,7,51&district=Ost%2C+rechts", 0)
}

// TestMeans compares means of hours with the arithmetic mean of the readings.
func TestMeans(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	hour := time.Now().UTC().Truncate(time.Hour).Add(-2 * time.Hour)
	for i := range 12 {
		h.measure(hour.Add(time.Duration(i)*5*time.Minute), value(quantity.PM10, float64(i)), value(quantity.Temperature, 10))
	}
	h.measure(hour.Add(time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 1999.9, Flags: ingest.Sentinel})
	h.measure(hour.Add(time.Hour), value(quantity.PM10, 7))
	start, next := hour.Format(time.RFC3339), hour.Add(time.Hour).Format(time.RFC3339)
	lon, lat := fmt.Sprintf("%.6f", h.station.Places[0].Public.Lon()), fmt.Sprintf("%.6f", h.station.Places[0].Public.Lat())
	want := [][]string{
		{start, "3600", h.station.ID, lon, lat, "pm10", "µg/m³", "5.500", "5.500", "false", "12", "1.000"}, // 66 / 12
		{start, "3600", h.station.ID, lon, lat, "temperature", "°C", "10.000", "10.000", "false", "12", "1.000"},
		{next, "3600", h.station.ID, lon, lat, "pm10", "µg/m³", "7.000", "7.000", "false", "1", "0.083"},
	}
	ask := "/api/v1/readings?resolution=1h&from=" + start + "&to=" + next
	got := h.lines(strings.TrimSuffix(ask, ":00Z")+":01Z", meansHeader, ',') // a second into the next hour
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("means\n%q\nwant\n%q", got, want)
	}
	if got := h.lines(ask, meansHeader, ','); fmt.Sprint(got) != fmt.Sprint(want[:2]) {
		t.Errorf("of the hour alone\n%q\nwant\n%q", got, want[:2])
	}
	if got := h.lines(ask+"&quantity=temperature", meansHeader, ','); fmt.Sprint(got) != fmt.Sprint(want[1:2]) {
		t.Errorf("temperature\n%q\nwant\n%q", got, want[1:2])
	}
	if got := h.lines("/api/v1/readings?resolution=5m&quantity=pm10&from="+start+"&to="+next, meansHeader, ','); len(got) != 12 || got[3][7] != "3.000" || got[3][1] != "300" {
		t.Errorf("five minutes %q", got)
	}
}

// rowsPage is a page of JSON.
type rowsPage struct {
	Next string
	Rows []map[string]any
}

func (h *fixture) page(address string) (p rowsPage) {
	h.t.Helper()
	response, body := h.do("GET", strings.TrimPrefix(address, h.http.URL), "")
	if err := json.Unmarshal(body, &p); err != nil || response.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %s %v %s", address, response.Status, err, body)
	}
	linked := slices.ContainsFunc(response.Header["Link"], func(l string) bool { return l == "<"+p.Next+`>; rel="next"` })
	if linked != (p.Next != "") {
		h.t.Errorf("%s: Link %q, next %q", address, response.Header["Link"], p.Next)
	}
	return p
}

// TestPagesOfRows reads all pages while readings are added and deleted, and expects each row that was there all the time
// once.
func TestPagesOfRows(t *testing.T) {
	h := living(t)
	period := "from=" + time.Now().UTC().Add(-5*time.Hour).Format(time.RFC3339)
	for _, question := range []string{"/api/v1/readings?" + period, "/api/v1/readings?resolution=5m&" + period, "/api/v1/grid?window=1h&" + period, "/api/v1/districts?window=1h&" + period} {
		var whole []map[string]any
		if whole = h.page(question + "&format=json").Rows; len(whole) < 6 {
			t.Fatalf("%s: %d rows", question, len(whole))
		}
		for _, limit := range []int{1, 2, 7, len(whole)} {
			var got []map[string]any
			before := len(h.store.Held)
			for address := fmt.Sprintf("%s&format=json&limit=%d", question, limit); address != ""; {
				p := h.page(address)
				if got = append(got, p.Rows...); len(p.Rows) > limit {
					t.Fatalf("%s: %d rows, limit %d", address, len(p.Rows), limit)
				}
				address = p.Next
				if strings.HasPrefix(question, "/api/v1/readings?from") { // one more, after the period's pinned end
					h.store.Held = append(h.store.Held, ingest.Reading{Station: h.station.ID, Time: time.Now().Add(time.Hour), Values: []ingest.Value{value(quantity.PM10, 1)}})
				}
			}
			h.store.Held = h.store.Held[:before]
			if fmt.Sprint(got) != fmt.Sprint(whole) {
				t.Errorf("%s in pages of %d:\n%v\nwant\n%v", question, limit, got, whole)
			}
		}
	}
}

// TestPagesOfOneWindow reads all pages without a period: all are of the window of the first, with as many rows as the
// CSV has.
func TestPagesOfOneWindow(t *testing.T) {
	h := living(t)
	h.measure(time.Now().UTC().Truncate(time.Second).Add(-2*time.Minute), value(quantity.PM10, 20), value(quantity.Temperature, 5), value(quantity.Humidity, 60))
	hour := time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour).Format(time.RFC3339)
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	h.server.Recompute = func(context.Context, aggregate.Window, time.Time, int32) ([]aggregate.Row, error) {
		cell := geo.Cell{Size: 500, North: 3096000, East: 4107000}
		return []aggregate.Row{{Cell: cell, Start: noon, Window: aggregate.Hour, Quantity: 1}, {Cell: cell, Start: noon, Window: aggregate.Hour, Quantity: 2}}, nil
	}
	for _, question := range []string{
		"/api/v1/grid?window=live", "/api/v1/grid?quantity=temperature,humidity", "/api/v1/grid?window=1h&time=" + hour, "/api/v1/grid?window=1h&resolution=500&time=" + noon.Format(time.RFC3339),
		"/api/v1/districts?window=live", "/api/v1/districts?window=1h&time=" + hour, "/api/v1/city?window=live", "/api/v1/city?window=1h&time=" + hour,
	} {
		var got []map[string]any
		for address := question + "&format=json&limit=1"; address != ""; {
			p := h.page(address)
			got, address = append(got, p.Rows...), p.Next
		}
		want := bytes.Count(h.get(question+"&format=csv"), []byte("\n")) - 1
		if len(got) != want || want < 2 {
			t.Errorf("%s: %d rows in pages, %d as CSV", question, len(got), want)
		}
		for _, row := range got {
			if row["window_start"] != got[0]["window_start"] {
				t.Errorf("%s: a page of %v behind one of %v", question, row["window_start"], got[0]["window_start"])
			}
		}
	}
	old := download.Cursor{Time: time.Now().Add(-3 * time.Hour), Key: "x"}
	if response, body := h.do("GET", "/api/v1/grid?format=json&cursor="+old.String(), ""); response.StatusCode != 400 || !strings.Contains(string(body), "first page") {
		t.Errorf("live averages of long ago: %s %s", response.Status, body)
	}
}

// TestAPageSurvivesItsLastRow deletes the row that a cursor names.
func TestAPageSurvivesItsLastRow(t *testing.T) {
	h := living(t)
	period := "from=" + time.Now().UTC().Add(-5*time.Hour).Format(time.RFC3339)
	first := h.page("/api/v1/readings?format=json&limit=4&" + period)
	want := h.page(first.Next).Rows[2]
	h.store.Held = slices.Delete(h.store.Held, 1, 2) // rows four to six
	if got := h.page(first.Next).Rows[0]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the next page begins with %v, want %v", got, want)
	}
}

func TestPeriodOfTheGrid(t *testing.T) {
	h := living(t)
	old := h.store.Rows[0].Start
	f := func(query string, want ...string) {
		t.Helper()
		var got []string
		for _, row := range h.lines("/api/v1/grid?format=csv&quantity=pm2_5&"+query, export.GridTable.Header(), ',') {
			got = append(got, row[1]+" "+row[5])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	first := time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)
	recent := []string{first.Format(time.RFC3339) + " 12.300", first.Add(time.Hour).Format(time.RFC3339) + " 12.300"}
	stored := old.Format(time.RFC3339) + " 7.000"
	f("window=1h&from="+old.Format(time.RFC3339), append([]string{stored}, recent...)...)
	f("window=1h&from="+old.Add(time.Second).Format(time.RFC3339), recent...)
	f("window=1h&from="+old.Format(time.RFC3339)+"&to="+first.Add(time.Hour).Format(time.RFC3339), stored, recent[0])
	f("window=1h&from=" + old.Format(time.RFC3339) + "&bbox=6,50,6.5,50.5")
}

// endless is a store that yields for ever, and reports when its reader has stopped.
type endless struct {
	store.Store
	begun chan struct{}
	ended chan error
}

func (s *endless) Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) (err error) {
	close(s.begun)
	defer func() { s.ended <- err }()
	for at := q.From; ; at = at.Add(time.Microsecond) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(ingest.Reading{Station: "A", Time: at, Values: []ingest.Value{value(quantity.PM10, 1)}}); err != nil {
			return err
		}
	}
}

// TestACutConnectionEndsTheWork disconnects during an endless answer.
func TestACutConnectionEndsTheWork(t *testing.T) {
	h := open(t, registry.PolicyOpen)
	for _, query := range []string{"format=csv", "format=geojson", "format=parquet", "resolution=1d"} {
		s := &endless{begun: make(chan struct{}), ended: make(chan error, 1)}
		h.server.Store = s
		ctx, cancel := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, "GET", h.http.URL+"/api/v1/readings?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			if response, err := http.DefaultClient.Do(request); err == nil {
				_, _ = io.ReadAll(response.Body) // until it is cut
				response.Body.Close()
			}
		}()
		<-s.begun
		cancel()
		if err := <-s.ended; err == nil {
			t.Errorf("%s: the store's iteration ended by itself", query)
		}
	}
}

func TestWhatCannotBe(t *testing.T) {
	h := living(t)
	f := func(route, field, detail string, allowed ...string) {
		t.Helper()
		response, body := h.do("GET", route, "")
		var p problem
		if err := json.Unmarshal(body, &p); err != nil || response.StatusCode != http.StatusBadRequest || p.Field != field || !strings.Contains(p.Detail, detail) {
			t.Errorf("%s: %s %v %s, want field %s and %q", route, response.Status, err, body, field, detail)
		}
		for _, a := range allowed {
			if !slices.Contains(p.Allowed, a) {
				t.Errorf("%s: %v are allowed, want %s among them", route, p.Allowed, a)
			}
		}
	}
	f("/api/v1/readings?form=csv", "form", `no parameter "form"`, "format", "from", "station")
	f("/api/v1/readings?quantity=pm2_5,pm3", "quantity", `"pm3"`, "pm2_5")
	f("/api/v1/readings?resolution=2h", "resolution", `"2h"`, "raw", "1d")
	f("/api/v1/readings?delimiter=tab", "delimiter", `"tab"`, "semicolon")
	f("/api/v1/readings?format=json&delimiter=semicolon", "delimiter", "format=csv")
	f("/api/v1/readings?format=json&decimal=comma", "decimal", "format=csv")
	f("/api/v1/readings?delimiter=comma&decimal=comma", "delimiter", "semicolons")
	f("/api/v1/readings?from=2026-05-02&to=2026-05-01", "from", "is after to")
	f("/api/v1/readings?from=2016-01-01&format=json", "from", h.http.URL+"/archive/")
	f("/api/v1/readings?from=2016-01-01&format=json", "from", "31 days")
	f("/api/v1/readings?from=2016-01-01&format=geojson&resolution=1h", "from", "366 days")
	f("/api/v1/readings?bbox=7.1,50.8,6.8,51", "bbox", "swapped")
	f("/api/v1/readings?bbox=6.8,51,7.1,50.8", "bbox", "swapped")
	f("/api/v1/readings?bbox=6.8,50.8,7.1,95", "bbox", `"95" is no latitude`)
	f("/api/v1/readings?format=json&cursor=MA.", "cursor", "as it is")
	f("/api/v1/readings?format=json&limit=10001", "limit", "10000")
	f("/api/v1/readings?format=json&limit=0", "limit", "from 1 on")
	f("/api/v1/readings?limit=10", "limit", "format=json")
	f("/api/v1/readings?format=json&cursor=abc", "cursor", "as it is")
	f("/api/v1/readings?format=json&cursor=MA.QQ", "cursor", "another period")
	f("/api/v1/readings?resolution=1h&flags=all", "flags", "good values")
	f("/api/v1/readings?district=Nord", "district", `"Nord"`, "West")
	f("/api/v1/readings?from=%zz", "", "cannot be read")
	f("/api/v1/readings?station="+strings.Repeat(h.station.ID+",", 200)+h.station.ID, "station", "at most 200")
	f("/api/v1/readings?station="+h.station.ID+","+h.station.ID, "station", "twice")
	for _, path := range []string{"readings", "grid", "districts", "stations", "city"} {
		f("/api/v1/"+path+"?quantity="+strings.Repeat(",", 2000), "quantity", "at most 200")
		f("/api/v1/"+path+"?quantity=pm10"+strings.Repeat(",pm10", 2000), "quantity", "at most 200")
		f("/api/v1/"+path+"?quantity=pm10,pm2_5,pm10", "quantity", "twice")
	}
	f("/api/v1/grid?from=2026-05-01", "from", "window=1h")
	f("/api/v1/grid?window=1h&time=2026-05-01&from=2026-05-01", "time", "leave one of them out")
	f("/api/v1/grid?window=1h&from=2020-01-01", "from", "31 days")
	f("/api/v1/grid?window=1h&from=2020-01-01&format=csv&resolution=500", "resolution", "1000 m only", "1000")
	f("/api/v1/grid?station=x", "station", "no parameter")
	f("/api/v1/districts?window=1h&from="+time.Now().UTC().Add(-time.Hour).Format(time.RFC3339), "format", "one window")
	f("/api/v1/city?format=pdf", "format", `"pdf"`, "csv", "geojson")
	f("/api/v1/city?resolution=100", "resolution", "no parameter", "window", "time")
	f("/api/v1/stations?sourc=own", "sourc", "no parameter", "source")
	f("/api/v1/stream?x=1", "x", "no parameter")
	if response, body := h.do("GET", "/api/v1/schema/people.json", ""); response.StatusCode != http.StatusNotFound || !strings.Contains(string(body), "readings.json") {
		t.Errorf("schema of people: %s %s", response.Status, body)
	}
}

func TestTheArchiveIsAskedForTenYears(t *testing.T) {
	h := living(t)
	if rows := h.lines("/api/v1/readings?from=2016-01-01", export.ReadingsTable.Header(), ','); len(rows) != 24*3+3 {
		t.Errorf("ten years as CSV are %d rows", len(rows))
	}
	u, _ := url.Parse(h.http.URL)
	h.server.City.Access.HTTP = url.URL{Scheme: "https", Host: "luft.example.org"}
	_, body := h.do("GET", "/api/v1/readings?from=2016-01-01&format=json", "")
	if !strings.Contains(string(body), "https://luft.example.org/archive/") || strings.Contains(string(body), u.Host) {
		t.Errorf("refused with %s", body)
	}
}
