package geo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paulmach/orb"
)

const twoDistricts = `{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}},"features":[
 {"type":"Feature","properties":{"NR":"2","STB_NAME":"West","kind":"district"},"geometry":{"type":"Polygon","coordinates":[[[6.9,50.9],[6.9,51],[6.95,51],[6.95,50.9],[6.9,50.9]]]}},
 {"type":"Feature","properties":{"NR":"1","STB_NAME":"Ost","kind":"district"},"geometry":{"type":"Polygon","coordinates":[[[6.95,50.9],[7,50.9],[7,51],[6.95,51],[6.95,50.9]]]}}]}`

func TestReadDistricts(t *testing.T) {
	districts, err := ReadDistricts(strings.NewReader(twoDistricts), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(districts) != 2 || districts[0].Name != "Ost" || districts[1].Name != "West" {
		t.Fatalf("districts %+v, want Ost and West", districts)
	}
	if p := (orb.Point{6.92, 50.95}); districts[0].Contains(p) || !districts[1].Contains(p) {
		t.Error("a place in the west is not in West alone")
	}
	seen := map[Cell]bool{}
	for _, d := range districts {
		for _, cell := range d.Cells(1000) {
			if seen[cell] {
				t.Errorf("%s is in two districts", cell)
			}
			seen[cell] = true
		}
	}
	if numbered, err := ReadDistricts(strings.NewReader(twoDistricts), "NR"); err != nil || numbered[0].Name != "1" {
		t.Errorf("by number: %+v, %v", numbered, err)
	}
}

func TestBadDistricts(t *testing.T) {
	f := func(text, property, want string) {
		t.Helper()
		if _, err := ReadDistricts(strings.NewReader(text), property); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadDistricts(%.60s) = %v, want %q in it", text, err, want)
		}
	}
	f("", "", "not GeoJSON")
	f(`{"type":"FeatureCollection","features":[]}`, "", "0 features")
	f(strings.Replace(twoDistricts, "OGC:1.3:CRS84", "EPSG::25832", 1), "", "WGS 84")
	f(twoDistricts, "name", `no text "name"`)
	f(twoDistricts, "kind", `two of the name "district"`)
	f(strings.NewReplacer("Ost", "West", `"NR":"1"`, `"NR":"2"`).Replace(twoDistricts), "", "name one")
}

// TestCologne reads the city's own files, which lie beside the project.
func TestCologne(t *testing.T) {
	folder := filepath.Join("..", "..", "shared", "data", "koeln-geo")
	file, err := os.Open(filepath.Join(folder, "stadtbezirke.geojson"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("the city's files are not beside this clone: left out")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	districts, err := ReadDistricts(file, "")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range districts {
		names = append(names, d.Name)
		if d.Contains(orb.Point{6.9583, 50.9413}) != (d.Name == "Innenstadt") {
			t.Errorf("the cathedral and %s", d.Name)
		}
	}
	if got := strings.Join(names, " "); got != "Chorweiler Ehrenfeld Innenstadt Kalk Lindenthal Mülheim Nippes Porz Rodenkirchen" {
		t.Errorf("districts %s", got)
	}
}
