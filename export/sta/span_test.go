package sta

import (
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
)

// TestWhenDatastreamsMeasured asks for Datastreams by the time of their observations: Dom's PM2.5 measured up to noon, its PM10
// up to an hour before, and of Deutz's PM10 nothing is known.
func TestWhenDatastreamsMeasured(t *testing.T) {
	town := newTown()
	created := town.stations[0].Places[0].From
	w := newWorld(t.Context(), town, "https://luft.example.org/sta/v1.1", noon.Add(time.Minute))
	fine, coarse := datastream(town.stations[0], quantity.PM2_5), datastream(town.stations[0], quantity.PM10)
	fine.at, coarse.at = noon, noon.Add(-time.Hour)
	unknown := datastream(town.stations[1], quantity.PM10)
	for _, d := range []*entity{coarse, fine, unknown} {
		w.add(d)
	}
	f := func(filter, order, want string) {
		t.Helper()
		var pairs [][2]string
		if filter != "" {
			pairs = append(pairs, [2]string{"$filter", filter})
		}
		if order != "" {
			pairs = append(pairs, [2]string{"$orderby", order})
		}
		o, err := parseOptions(pairs, datastreams, maxExpand)
		if err != nil {
			t.Fatal(err)
		}
		page, err := w.entities(datastreams, nil, link{}, o)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, e := range page.entities {
			ids = append(ids, e.id)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s ordered by %s: %q, want %q", filter, order, got, want)
		}
	}
	at := func(minutes int) string {
		return noon.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339)
	}
	begin := created.Format(time.RFC3339)
	f("phenomenonTime ge "+at(-30), "", "AAAAAA1-pm2_5")
	f("phenomenonTime ge "+at(-60), "phenomenonTime", "AAAAAA1-pm10 AAAAAA1-pm2_5")
	f("phenomenonTime ge "+at(-60), "phenomenonTime desc", "AAAAAA1-pm2_5 AAAAAA1-pm10")
	f("phenomenonTime ge '"+at(-30)+"'", "", "AAAAAA1-pm2_5")
	f("phenomenonTime gt "+at(0), "", "")
	f("phenomenonTime lt "+begin, "", "")
	f("phenomenonTime le "+begin, "phenomenonTime desc", "AAAAAA1-pm2_5 AAAAAA1-pm10")
	f("", "phenomenonTime desc", "AAAAAA1-pm2_5 AAAAAA1-pm10 BBBBBB2-pm10")
	b, err := w.appendEntity(nil, fine, options{})
	if want := `"phenomenonTime":"` + begin + "/" + at(0) + `"`; err != nil || !strings.Contains(string(b), want) {
		t.Errorf("%s, %v, want %s", b, err, want)
	}
	if b, err := w.appendEntity(nil, unknown, options{}); err != nil || strings.Contains(string(b), "phenomenonTime") {
		t.Errorf("%s, %v, want no time", b, err)
	}
}
