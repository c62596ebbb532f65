package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// ubaAnswers is an agency with one station near the cathedral, whose PM2.5 was 7.4 and 8.5 in the two hours before now.
func ubaAnswers(t *testing.T, now time.Time) *httptest.Server {
	cet := time.FixedZone("", 3600)
	hour := func(back int) string {
		return now.Truncate(time.Hour).Add(-time.Duration(back) * time.Hour).In(cet).Format(time.DateTime)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/stations/json"):
			fmt.Fprint(w, `{"indices":["station id","station code","station name","station active to","station longitude","station latitude"],
			 "data":{"1234":["1234","DENW211","Köln Clevischer Ring",null,"6.958","50.941"]}}`)
		case r.URL.Query().Get("component") == "9":
			fmt.Fprintf(w, `{"data":{"1234":{%q:[9,2,7.4,%q,"1"],%q:[9,2,8.5,%q,"1"]}}}`, hour(2), hour(1), hour(1), hour(0))
		default:
			fmt.Fprint(w, `{"data":[]}`)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// TestImportOfficial imports an agency's hours twice. They are readings at the start of their hours, each a whole hour, of a
// station whose kind and licence everyone sees, and they are in no average of the city.
func TestImportOfficial(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	now := time.Now().UTC()
	agency := ubaAnswers(t, now)
	for round := range 2 {
		status, out, messages := importingFrom(t, p, data, "official", agency.URL+"/api/air_data/v3")
		if status != 0 || !strings.Contains(out, "2 hours of 1 stations: 2 are in the store, 0 outside the city, 0 refused") {
			t.Fatalf("round %d: %d %s %s", round, status, out, messages)
		}
	}
	from, to := now.Add(-4*time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339)
	period := "from=" + from + "&to=" + to
	start := func(back int) string {
		return now.Truncate(time.Hour).Add(-time.Duration(back) * time.Hour).Format(time.RFC3339)
	}
	var readings string
	eventually(t, "the store to have them", func() bool {
		readings = string(p.get("/api/v1/readings?format=csv&source=official&" + period))
		return strings.Count(readings, "\n") == 1+2
	})
	for _, want := range []string{start(2) + ",EXT0", ",pm2_5,7.4,µg/m³,,\n", start(1) + ",EXT0", ",pm2_5,8.5,µg/m³,,\n"} {
		if !strings.Contains(readings, want) {
			t.Errorf("no %q in\n%s", want, readings)
		}
	}
	if own := string(p.get("/api/v1/readings?format=csv&source=own&" + period)); strings.Count(own, "\n") != 1 {
		t.Errorf("source=own has %s", own)
	}
	stations := string(p.get("/api/v1/stations?source=official"))
	for _, want := range []string{`"source":"uba"`, `"licence":"dl-de/by-2-0"`, "Umweltbundesamt (dl-de/by-2-0)", `"name":"Köln Clevischer Ring (DENW211)"`, `"state":"ok"`, `"pm2_5":{"mean":8.500,`} {
		if !strings.Contains(stations, want) {
			t.Errorf("no %q in %s", want, stations)
		}
	}
	hours := string(p.get("/api/v1/readings?format=csv&resolution=1h&source=official&" + period))
	if strings.Count(hours, "\n") != 1+2 || strings.Count(hours, ",1,1.000\n") != 2 {
		t.Errorf("an hour of one value is not a whole hour:\n%s", hours)
	}
	if city := string(p.get("/api/v1/city")); !strings.Contains(city, `"quantities":[]`) {
		t.Errorf("the city's average takes in an official station: %s", city)
	}
	if gaps := string(p.get("/api/v1/coverage?format=csv&proposals=1")); !strings.Contains(gaps, ",false,0,,1,,") {
		t.Errorf("the way to an official station counts for the next one's place: %s", gaps)
	}
	if grid := string(p.get("/api/v1/grid?format=csv")); strings.Count(grid, "\n") != 1 {
		t.Errorf("the grid takes in an official station: %s", grid)
	}
}

// TestImportOfficialTable imports a table of a gas in ppb.
func TestImportOfficialTable(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	table := writeFile(t, "no2.csv", "time,value\n2026-05-01T12:00:00Z,10\n2026-05-01T13:00:00Z,-999\n")
	f := func(want string, wantStatus int, args ...string) {
		t.Helper()
		status, out, messages := importingFrom(t, p, data, "official", args...)
		if status != wantStatus || !strings.Contains(out+messages, want) {
			t.Errorf("import %q: %d %s %s, want %d and %q", args, status, out, messages, wantStatus, want)
		}
	}
	f("a table says nothing of its licence", 2, table)
	f("where does it stand?", 2, "--licence", "CC0-1.0", table)
	f("at least 10m", 2, "--every", "1m", "http://127.0.0.1:1/api/air_data/v3")
	f("is no unit of pm2_5", 1, "--licence", "CC0-1.0", "--station", "X", "--lon", "6.958", "--lat", "50.941", "--unit", "ppb", table)
	f("1 outside the city", 1, "--licence", "CC0-1.0", "--station", "Y", "--lon", "13.4", "--lat", "52.5", table)
	f("1 hours of 1 stations: 1 are in the store", 0, "--licence", "CC0-1.0", "--station", "X", "--lon", "6.958", "--lat", "50.941", "--quantity", "no2", "--unit", "ppb", table)
	eventually(t, "the value", func() bool {
		return strings.Contains(string(p.get("/api/v1/readings?format=csv&from=2026-05-01&to=2026-05-02")), ",no2,19.125,µg/m³,")
	})
	if stations := string(p.get("/api/v1/stations")); !strings.Contains(stations, "official stations (CC0-1.0)") {
		t.Errorf("the licence is not named: %s", stations)
	}
}

// written calls then after each write.
type written struct {
	text bytes.Buffer
	then func()
}

func (w *written) Write(b []byte) (int, error) {
	defer w.then()
	return w.text.Write(b)
}

// TestImportOfficialAgain asks an agency that is away, and says that it tries again; once it is told to, it stops at once.
func TestImportOfficialAgain(t *testing.T) {
	data := t.TempDir()
	p := launch(t, data)
	p.setenv(t)
	agency := ubaAnswers(t, time.Now())
	for _, c := range []struct{ address, out, messages string }{
		{agency.URL + "/api/air_data/v4", "2 hours of 1 stations: 2 are in the store", ""},
		{agency.URL + "/away/api/air_data/", "0 hours of 0 stations", "none of the agency's stations is here: see --station and --margin; trying again"},
	} {
		ctx, stop := context.WithCancel(t.Context())
		out, messages := written{then: stop}, written{then: func() {}}
		cmd := importOfficialCmd{importFlags: importFlags{configFlag: configFlag{Data: data}, Margin: 5000}, Sources: []string{c.address}, Every: time.Hour, Agency: "auto"}
		if c.messages != "" {
			cmd.Station = []string{"DEBE034"}
		}
		if err := cmd.Run(ctx, streams{&out, &messages}); err != nil || !strings.Contains(out.text.String(), c.out) || !strings.Contains(messages.text.String(), c.messages) {
			t.Errorf("%s: %v %s %s", c.address, err, out.text.String(), messages.text.String())
		}
	}
}
