package official

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/calibration"
)

// chorweiler is a station of the agencies' lists below; another one in them is in Berlin.
var chorweiler = orb.Point{6.8867, 51.0195}

func near(p orb.Point) bool { return p[0] < 8 }

// agency answers like an agency, and records what it was asked.
type agency struct {
	*httptest.Server
	asked []string
}

func serve(t *testing.T, answers func(path string, query map[string]string) string) *agency {
	a := &agency{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked = append(a.asked, r.URL.String())
		query := map[string]string{}
		for name := range r.URL.Query() {
			query[name] = r.URL.Query().Get(name)
		}
		answer := answers(r.URL.Path, query)
		if answer == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(a.Close)
	return a
}

// collect returns what a source yields: a line for each hour.
func collect(t *testing.T, read func(Yield) error) string {
	t.Helper()
	var lines []string
	err := read(func(st Station, hours []Hour) error {
		for _, h := range hours {
			lines = append(lines, fmt.Sprintf("%s %s %s %s %s %v", st.Source, st.Key, st.Licence, h.Start.Format(time.RFC3339), h.Quantity, h.Value))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func equal(t *testing.T, got string, want ...string) {
	t.Helper()
	if got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

const ubaStations = `{"request":{"lang":"de"},"indices":["station id","station code","station name","station city","station synonym","station active from","station active to",
 "station longitude","station latitude","network id","station setting id","station type id","network code","network name","station setting name","station setting short name",
 "station type name","station street","station street nr","station zip code"],"data":{
 "1234":["1234","DENW053","Köln-Chorweiler","Köln","CHOR","1977-11-15",null,"6.8867","51.0195","10","2","1","NW","Nordrhein-Westfalen","vorstädtisches Gebiet","vorstädtisch","Hintergrund","","","50765"],
 "1235":["1235","DENW999","Köln, abgebaut","Köln","","1977-11-15","2001-01-01","6.88","51.01","10","2","1","NW","Nordrhein-Westfalen","","","","","",""],
 "145":["145","DEBE034","Berlin Neukölln","Berlin","","1986-03-01",null,"13.4308","52.4895","3","1","1","BE","Berlin","","","","","",""]}}`

// TestUBA reads an agency that answers as versions 3 and 4 do. Its times are UTC+1 in summer, too: midnight is 23:00 UTC.
func TestUBA(t *testing.T) {
	for _, version := range []string{"v3", "v4"} {
		a := serve(t, func(path string, query map[string]string) string {
			switch {
			case path == "/api/air_data/"+version+"/stations/json":
				return ubaStations
			case path != "/api/air_data/"+version+"/measures/json" || query["station"] != "1234" || query["scope"] != "2":
				return ""
			case query["component"] == "9":
				return `{"request":{"station":"1234"},"indices":{"data":{"station id":{"date start":["component id","scope id","value","date end","index"]}}},"data":{"1234":{
				 "2026-05-01 00:00:00":[9,2,7.4,"2026-05-01 01:00:00","1"],"2026-05-01 01:00:00":[9,2,null,"2026-05-01 02:00:00",null],
				 "2026-05-01 02:00:00":[9,6,50,"2026-05-01 03:00:00","3"],"2026-05-01 23:00:00":[9,2,8,"2026-05-02 00:00:00","1"],
				 "2026-05-02 00:00:00":[9,2,77,"2026-05-02 01:00:00","1"]}}}`
			case query["component"] == "5":
				return `{"data":{"1234":{"2026-05-01 00:00:00":[5,2,21,"2026-05-01 01:00:00","2"]}}}`
			}
			return `{"data":[]}` // as PHP writes an empty object
		})
		ag := &Agency{URL: a.URL + "/api/air_data/" + version, Within: near, Problem: func(s string) { t.Error(s) }}
		from := time.Date(2026, 4, 30, 23, 0, 0, 0, time.UTC)
		got := collect(t, func(y Yield) error { return ag.UBA(t.Context(), from, from.Add(24*time.Hour), y) })
		equal(t, got, "uba 1234 dl-de/by-2-0 2026-04-30T23:00:00Z no2 21", "uba 1234 dl-de/by-2-0 2026-04-30T23:00:00Z pm2_5 7.4", "uba 1234 dl-de/by-2-0 2026-05-01T22:00:00Z pm2_5 8")
		if want := "date_from=2026-05-01&date_to=2026-05-01&scope=2&station=1234&time_from=1&time_to=24"; !strings.Contains(strings.Join(a.asked, "\n"), want) {
			t.Errorf("asked %q, want %q", a.asked, want)
		}
		ag.Only = []string{"denw999"}
		if err := ag.UBA(t.Context(), from, from, nil); err == nil || !strings.Contains(err.Error(), "none of the agency's stations is here") {
			t.Errorf("a station that has ended: %v", err)
		}
		ag.Only = []string{"DENW053"}
		got = collect(t, func(y Yield) error { return ag.UBA(t.Context(), from, from.Add(time.Hour), y) })
		equal(t, got, "uba 1234 dl-de/by-2-0 2026-04-30T23:00:00Z no2 21", "uba 1234 dl-de/by-2-0 2026-04-30T23:00:00Z pm2_5 7.4")
	}
}

// TestNRW reads hours as objects with names, as an object by time, and as arrays beside "indices".
func TestNRW(t *testing.T) {
	stations := `[{"id":1914,"code":"VKTU","name":"Köln Turiner Straße","lon":"6,9596","lat":"50,9479"},{"id":9,"code":"XX","name":"Ohne Ort"},{"id":10,"code":"BERL","name":"Fern","lon":13.4,"lat":52.5}]`
	for _, form := range []string{
		`{"request":{"station":"1914"},"data":[{"beginn":"2026-05-01T00:00","ende":"2026-05-01T01:00","aggregation":1,"wert":"12,5"},{"beginn":"2026-05-01T00:00","aggregation":2,"wert":99},
		 {"beginn":"2026-05-01T01:00","aggregation":1,"wert":-999},{"ende":"2026-05-01T03:00","aggregation":1,"wert":14}]}`,
		`{"data":{"1914":{"2026-05-01T00:00":12.5,"2026-05-01T01:00":null,"2026-05-01T02:00":14}}}`,
		`{"indices":["Beginn","Aggregation","Wert"],"data":{"1914":[["2026-05-01T00:00",1,12.5],["2026-05-01T02:00:00",1,14]]}}`,
	} {
		if !json.Valid([]byte(form)) {
			t.Fatal(form)
		}
		a := serve(t, func(path string, query map[string]string) string {
			switch {
			case path == "/api/station.php":
				return stations
			case path == "/api/stundenmittelwerte.php" && query["station"] == "1914" && query["komponente"] == "201" && query["beginn"] == "2026-05-01T00:00":
				return form
			case path == "/api/stundenmittelwerte.php":
				return "[]"
			}
			return ""
		})
		ag := &Agency{URL: a.URL + "/api", Within: near, Problem: func(s string) { t.Error(s) }}
		from := time.Date(2026, 4, 30, 23, 0, 0, 0, time.UTC)
		got := collect(t, func(y Yield) error { return ag.NRW(t.Context(), from, from.Add(24*time.Hour), y) })
		equal(t, got, "luftqualitaet-nrw 1914 dl-de/by-2-0 2026-04-30T23:00:00Z pm2_5 12.5", "luftqualitaet-nrw 1914 dl-de/by-2-0 2026-05-01T01:00:00Z pm2_5 14")
	}
}

// TestAgencyIsAway returns what a server that fails says.
func TestAgencyIsAway(t *testing.T) {
	a := serve(t, func(string, map[string]string) string { return "" })
	for _, read := range []func(*Agency, context.Context, time.Time, time.Time, Yield) error{(*Agency).UBA, (*Agency).NRW} {
		if err := read(&Agency{URL: a.URL, Within: near}, t.Context(), time.Time{}, time.Now(), nil); err == nil || !strings.Contains(err.Error(), "404 Not Found") {
			t.Errorf("got %v", err)
		}
	}
}

// TestParquet reads testdata/eea.parquet, which DuckDB made by eea.sql: decimals, times without an offset in UTC+1, an hour
// that is not valid, one without a value, a daily mean, benzene, and a sampling point without a place.
func TestParquet(t *testing.T) {
	file, err := os.Open("testdata/eea.parquet")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, _ := file.Stat()
	places, err := ReadPlaces(strings.NewReader("Station,Lon,Lat,Name\nDENW211,6.96,50.94,Köln\n"), European())
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	table := Table{Places: places, Problem: func(s string) { problems = append(problems, s) }}
	got := collect(t, func(y Yield) error { return table.ReadParquet(file, info.Size(), y) })
	equal(t, got, "eea DENW211 CC-BY-4.0 2026-04-30T23:00:00Z co 0.21", "eea DENW211 CC-BY-4.0 2026-04-30T23:00:00Z pm2_5 7.4", "eea DENW211 CC-BY-4.0 2026-05-01T00:00:00Z pm2_5 -0.5")
	if want := []string{`station "DE/SPO.DE_DEXX001_PM2_dataGroup1" has no place: add it to --places`}; !slices.Equal(problems, want) {
		t.Errorf("problems %q, want %q", problems, want)
	}
}

// TestCSV converts a gas from ppb: 1.9125 µg/m³ of NO2 at 20 °C and 1,013 hPa.
func TestCSV(t *testing.T) {
	f := func(table Table, text string, want ...string) {
		t.Helper()
		table.Problem = func(s string) { t.Error(s) }
		equal(t, collect(t, func(y Yield) error { return table.ReadCSV(strings.NewReader(text), y) }), want...)
	}
	one := Own("CC0-1.0")
	one.Key = "CHOR"
	f(Table{Station: one, Quantity: quantity.NO2, Unit: "ppb"}, "time,value\n2026-05-01T12:00:00Z,10\n2026-05-01T13:00:00Z,-999\n", "official CHOR CC0-1.0 2026-05-01T12:00:00Z no2 19.125")
	places := map[string]Station{"A": {Source: "official", Key: "A", Point: chorweiler}, "B": {Source: "official", Key: "B", Point: chorweiler}}
	f(Table{Places: places, Quantity: quantity.PM10, Format: calibration.UBA()}, "Zeit;Wert;Station\n01.05.2026 01:00;5;A\n01.05.2026 01:00;6,5;b\n",
		"official A  2026-04-30T23:00:00Z pm10 5", "official B  2026-04-30T23:00:00Z pm10 6.5")
	if err := (&Table{Station: one, Quantity: quantity.PM10, Unit: "ppb"}).ReadCSV(strings.NewReader("2026-05-01T12:00:00Z,1\n"), nil); err == nil || err.Error() != `"ppb" is no unit of pm10` {
		t.Errorf("particles in ppb: %v", err)
	}
}

func TestReadPlacesRefuses(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := ReadPlaces(strings.NewReader(text), Station{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadPlaces(%q): %v, want %q", text, err, want)
		}
	}
	f("", "places: EOF")
	f("a,b\n", "want station, lon, lat")
	f("station,lon,lat\nX,east,50\n", "line 2")
	f("station,lon,lat\nX,1\n", "places: record on line 2")
}

func FuzzRecords(f *testing.F) {
	f.Add(`{"indices":["Beginn","Wert"],"data":[["2026-05-01T00:00",1]]}`)
	f.Add(`{"data":{"1":{"2026-05-01T00:00":{"wert":1}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var v any
		if json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		for _, h := range nrwHours(v, quantity.PM10, time.Unix(0, 0), time.Now()) {
			if h.Value == missing || !h.Start.Equal(h.Start.Truncate(time.Hour)) {
				t.Errorf("%q has %v", text, h)
			}
		}
	})
}
