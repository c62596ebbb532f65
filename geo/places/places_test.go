package places

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"stadtluft/geo"
)

func TestReadSortsByInhabitants(t *testing.T) {
	list, err := Read(strings.NewReader(`{"type":"FeatureCollection","features":[
		{"type":"Feature","properties":{"name":"Dorf"},"geometry":{"type":"Point","coordinates":[7,51]}},
		{"type":"Feature","properties":{"name":" Stadt ","population":50000},"geometry":{"type":"Point","coordinates":[6.9,50.9]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Place{{"Stadt", 50000, orb.Point{6.9, 50.9}}, {"Dorf", 0, orb.Point{7, 51}}}
	if len(list) != 2 || list[0] != want[0] || list[1] != want[1] {
		t.Errorf("Read = %v, want %v", list, want)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, bad := range []string{
		`{`,
		`{"type":"Feature"}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":""},"geometry":{"type":"Point","coordinates":[7,51]}}]}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"X"},"geometry":{"type":"Point","coordinates":[356000,5640000]}}]}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"X","population":-1},"geometry":{"type":"Point","coordinates":[7,51]}}]}`,
		`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"X"},"geometry":{"type":"LineString","coordinates":[[7,51],[8,51]]}}]}`,
	} {
		if list, err := Read(strings.NewReader(bad)); err == nil {
			t.Errorf("Read(%s) = %v, want an error", bad, list)
		}
	}
}

func packed(t *testing.T, table string) *bytes.Buffer {
	t.Helper()
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	if _, err := w.Write([]byte(table)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &buffer
}

func TestReadWorldTakesWhatLiesWithin(t *testing.T) {
	table := "Bonn\t709549\t5073438\t313125\nKöln\t695000\t5093333\t963395\nNippes\t695314\t5096545\t113487\nSuva\t17844149\t-1814161\t77366\n"
	list, err := ReadWorld(packed(t, table), orb.Bound{Min: orb.Point{6.7, 50.8}, Max: orb.Point{7.2, 51.1}})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].Name != "Köln" || list[1] != (Place{"Nippes", 113487, orb.Point{6.95314, 50.96545}}) {
		t.Errorf("ReadWorld = %v, want Köln and Nippes", list)
	}
	if _, err := ReadWorld(packed(t, "Bonn\t7.09\t50.7\t1\n"), orb.Bound{}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a broken line is answered with %v", err)
	}
}

func TestCologneIsInCologne(t *testing.T) {
	list, city := Cologne(), geo.CologneSketch()
	seen := map[string]bool{}
	for i, p := range list {
		if seen[p.Name] {
			t.Errorf("%s is there twice", p.Name)
		}
		seen[p.Name] = true
		if inside := city.Contains(p.Point); inside != (i <= 86) { // the towns around it come last
			t.Errorf("%s: within the sketch is %v", p.Name, inside)
		}
	}
	if len(list) != 99 {
		t.Errorf("%d places, want Cologne, its 86 quarters and 12 towns", len(list))
	}
}
