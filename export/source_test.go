package export

import (
	"fmt"
	"slices"
	"testing"

	"stadtluft/ingest"
)

func TestSources(t *testing.T) {
	own := &ingest.Station{ID: "A"}
	demo := &ingest.Station{ID: "D", Demo: true}
	foreign := &ingest.Station{ID: "F", Source: "sensor-community"}
	agency := &ingest.Station{ID: "U", Source: ingest.UBA, Licence: "dl-de/by-2-0"}
	city := &ingest.Station{ID: "C", Source: ingest.Authority, Licence: "CC0-1.0"}
	f := func(source, want string) {
		t.Helper()
		got := ""
		for _, s := range FromSource([]*ingest.Station{own, demo, foreign, agency, city}, source) {
			got += s.ID
		}
		if got != want {
			t.Errorf("FromSource(%s) = %s, want %s", source, got, want)
		}
	}
	f(AllSources, "ADFUC")
	f(OwnSource, "AD")
	f("sensor-community", "F")
	f("uba", "U")
	f("official", "UC")
	if got := fmt.Sprint(Sources()); got != "[all own eea luftqualitaet-nrw official sensor-community uba]" {
		t.Errorf("Sources() = %s", got)
	}

	meta := Meta{Attribution: "Stadt Köln"}
	if got := meta.From([]*ingest.Station{own}); got.Attribution != "Stadt Köln" || got.Demo || len(got.Licences) > 0 {
		t.Errorf("our own data says %+v", got)
	}
	want := "Stadt Köln; Sensor.Community (ODbL-1.0, DbCL-1.0)"
	if got := meta.From([]*ingest.Station{own, demo, foreign, foreign}); got.Attribution != want || !got.Demo ||
		!slices.Equal(got.Licences, []string{"https://opendatacommons.org/licenses/odbl/1-0/"}) {
		t.Errorf("mixed data says %+v", got)
	}
	want = "Stadt Köln; official stations (CC0-1.0); Umweltbundesamt (dl-de/by-2-0)"
	if got := meta.From([]*ingest.Station{agency, city}); got.Attribution != want || !slices.Equal(got.Licences, []string{"https://www.govdata.de/dl-de/by-2-0"}) {
		t.Errorf("official data says %+v", got)
	}
}
