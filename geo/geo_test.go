package geo

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// checkPoints were made with PROJ 9.1.1:
//
//	echo "LAT LON" | cs2cs -f %.3f EPSG:4326 EPSG:3035     (answers northing, easting)
var checkPoints = []struct{ lon, lat, east, north float64 }{
	{5, 50, 3962799.451, 2999718.853},
	{6.9583, 50.9413, 4107276.629, 3096656.304},
	{10, 52.0001, 4321000.000, 3210011.127},
	{-9.1393, 38.7223, 2665519.214, 1946764.045},
	{24.9384, 60.1699, 5145297.880, 4206147.972},
	{23.7275, 37.9838, 5528419.395, 1764743.253},
	{-6.2603, 53.3498, 3248575.802, 3481177.727},
	{2.3522, 48.8566, 3760771.865, 2889484.802},
	{13.405, 52.52, 4552036.450, 3273268.274},
	{21.0122, 52.2297, 5070108.649, 3292361.601},
	{-21.9426, 64.1466, 2821215.661, 4911736.922},
	{33.3823, 35.1856, 6436429.129, 1672242.534},
	{12.4964, 41.9028, 4528866.756, 2092277.143},
	{18.9553, 69.6492, 4671804.699, 5191310.467},
}

func TestProjectAgreesWithPROJ(t *testing.T) {
	for _, c := range checkPoints {
		east, north, err := Project(orb.Point{c.lon, c.lat})
		if err != nil || math.Abs(east-c.east) > 0.01 || math.Abs(north-c.north) > 0.01 {
			t.Errorf("Project(%v, %v) = %.3f, %.3f, %v, want %.3f, %.3f", c.lon, c.lat, east, north, err, c.east, c.north)
		}
		p := Unproject(c.east, c.north)
		if math.Abs(p.Lon()-c.lon) > 2e-7 || math.Abs(p.Lat()-c.lat) > 2e-7 {
			t.Errorf("Unproject(%v, %v) = %v, want %v %v", c.east, c.north, p, c.lon, c.lat)
		}
	}
}

// TestProjectAgreesWithThisPROJ compares a thousand random places in Europe with the installed PROJ.
func TestProjectAgreesWithThisPROJ(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: needs PROJ")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var input strings.Builder
	points := make([]orb.Point, 1000)
	for i := range points {
		points[i] = orb.Point{-10 + 40*rng.Float64(), 35 + 35*rng.Float64()}
		fmt.Fprintf(&input, "%.9f %.9f\n", points[i].Lat(), points[i].Lon())
	}
	cmd := exec.Command("cs2cs", "-f", "%.4f", "EPSG:4326", "EPSG:3035")
	cmd.Stdin = strings.NewReader(input.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cs2cs: %v (apt-get install proj-bin)", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(points) {
		t.Fatalf("cs2cs gave %d lines, want %d", len(lines), len(points))
	}
	for i, p := range points {
		var wantNorth, wantEast float64
		if _, err := fmt.Sscan(lines[i], &wantNorth, &wantEast); err != nil {
			t.Fatal(err)
		}
		east, north, err := Project(p)
		if err != nil || math.Abs(east-wantEast) > 0.01 || math.Abs(north-wantNorth) > 0.01 {
			t.Errorf("Project(%v) = %.4f, %.4f, %v, want %.4f, %.4f", p, east, north, err, wantEast, wantNorth)
		}
	}
}

func TestTheGridsOwnCentre(t *testing.T) {
	if got, want := Unproject(4321000, 3210000), (orb.Point{10, 52}); got != want {
		t.Errorf("Unproject of the centre = %v, want %v", got, want)
	}
	cell, err := CellAt(orb.Point{10, 52}, 1000)
	if err != nil || cell.String() != "CRS3035RES1000mN3210000E4321000" {
		t.Errorf("CellAt(10, 52) = %v, %v", cell, err)
	}
	for _, p := range cell.Polygon()[0] {
		if math.IsNaN(p[0]) || math.IsNaN(p[1]) {
			t.Errorf("polygon of %v has the corner %v", cell, p)
		}
	}
}

func TestOutsideTheGrid(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, p := range []orb.Point{{nan, 50}, {7, nan}, {inf, 50}, {7, -inf}, {0, 90}, {0, -90}, {180, 0}, {-180, 50}, {7, -50}} {
		if c, err := CellAt(p, 1000); !errors.Is(err, ErrOutside) {
			t.Errorf("CellAt(%v) = %v, %v, want %v", p, c, err, ErrOutside)
		}
	}
	if _, err := CellAt(orb.Point{7, 51}, 300); err == nil {
		t.Error("CellAt took a size of 300 m")
	}
}

func TestCellCodes(t *testing.T) {
	f := func(code, long, short string) {
		t.Helper()
		c, err := ParseCell(code)
		if err != nil {
			t.Errorf("ParseCell(%q): %v", code, err)
			return
		}
		if c.String() != long || c.Short() != short {
			t.Errorf("ParseCell(%q) = %s, %s, want %s, %s", code, c, c.Short(), long, short)
		}
	}
	f("CRS3035RES1000mN3096000E4107000", "CRS3035RES1000mN3096000E4107000", "1kmN3096E4107")
	f("1kmN3096E4107", "CRS3035RES1000mN3096000E4107000", "1kmN3096E4107")
	f("100mN30966E41072", "CRS3035RES100mN3096600E4107200", "100mN30966E41072")
	f("500mN6193E8214", "CRS3035RES500mN3096500E4107000", "500mN6193E8214")
	f("10kmN309E410", "CRS3035RES10000mN3090000E4100000", "10kmN309E410")

	bad := func(code string) {
		t.Helper()
		if c, err := ParseCell(code); err == nil {
			t.Errorf("ParseCell(%q) = %v, want an error", code, c)
		}
	}
	bad("")
	bad("CRS3035RES1000mN3096500E4107000") // not a multiple of the size
	bad("CRS3035RES300mN3096000E4107000")
	bad("CRS3035RES1000mN-3096000E4107000")
	bad("CRS3035RES1000mN3096000")
	bad("CRS3035RES1000mN03096000E4107000")
	bad("CRS3035RES1000mN99000000E4107000")
	bad("1kmN3096E4107x")
	bad("0kmN0E0")
	bad("10kmN99000E99000")
}

func TestCellOfTheCathedral(t *testing.T) {
	p := orb.Point{6.9583, 50.9413}
	cell, err := CellAt(p, 1000)
	if want := "CRS3035RES1000mN3096000E4107000"; err != nil || cell.String() != want {
		t.Errorf("CellAt(%v) = %v, %v, want %v", p, cell, err, want)
	}
}

func TestCellsNestAndHoldTheirCentre(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		p := orb.Point{-10 + 40*rng.Float64(), 35 + 35*rng.Float64()}
		base, err := CellAt(p, BaseSize)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range Resolutions() {
			cell, err := CellAt(p, size)
			if err != nil {
				t.Fatal(err)
			}
			if got := base.Parent(size); got != cell {
				t.Errorf("%v: Parent(%d) = %v, want %v", p, size, got, cell)
			}
			centre, err := CellAt(cell.Center(), size)
			if err != nil || centre != cell {
				t.Errorf("the centre of %v lies in %v, %v", cell, centre, err)
			}
			polygon := cell.Polygon()
			if polygon[0].Orientation() != orb.CCW || !polygon[0].Closed() || !planar.PolygonContains(polygon, cell.Center()) {
				t.Errorf("polygon of %v is %v", cell, polygon)
			}
			if parsed, err := ParseCell(cell.Short()); err != nil || parsed != cell {
				t.Errorf("ParseCell(%s) = %v, %v, want %v", cell.Short(), parsed, err, cell)
			}
		}
	}
}

func FuzzParseCell(f *testing.F) {
	f.Add("CRS3035RES1000mN3096000E4107000")
	f.Add("1kmN3096E4107")
	f.Add("100mN30966E41072")
	f.Fuzz(func(t *testing.T, code string) {
		c, err := ParseCell(code)
		if err != nil {
			return
		}
		again, err := ParseCell(c.String())
		if err != nil || again != c {
			t.Errorf("ParseCell(%q) = %v, its code gives %v, %v", code, c, again, err)
		}
	})
}

// square returns a ring around (7, 51), counter-clockwise.
func square(half float64) orb.Ring {
	return orb.Ring{{7 - half, 51 - half}, {7 + half, 51 - half}, {7 + half, 51 + half}, {7 - half, 51 + half}, {7 - half, 51 - half}}
}

func TestReadBoundary(t *testing.T) {
	const ccw = `[[6,50],[8,50],[8,52],[6,52],[6,50]]`
	const cw = `[[6,50],[6,52],[8,52],[8,50],[6,50]]`
	const hole = `[[6.5,50.5],[7.5,50.5],[7.5,51.5],[6.5,51.5],[6.5,50.5]]`
	inside, inHole := orb.Point{6.2, 51}, orb.Point{7, 51}
	f := func(text string, wantHole bool) {
		t.Helper()
		b, err := ReadBoundary(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		if !b.Contains(inside) || b.Contains(inHole) == wantHole || b.Contains(orb.Point{9, 51}) {
			t.Errorf("%s: contains %v %v %v", text, b.Contains(inside), b.Contains(inHole), b.Contains(orb.Point{9, 51}))
		}
		for _, polygon := range b.Geometry() {
			if polygon[0].Orientation() != orb.CCW {
				t.Errorf("%s: the outer ring winds clockwise", text)
			}
		}
	}
	f(`{"type":"Polygon","coordinates":[`+ccw+`]}`, false)
	f(`{"type":"Polygon","coordinates":[`+cw+`]}`, false)
	f(`{"type":"Polygon","coordinates":[`+cw+`,`+hole+`]}`, true)
	f(`{"type":"MultiPolygon","coordinates":[[`+ccw+`,`+hole+`]]}`, true)
	f(`{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[`+ccw+`]}}`, false)
	f(`{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}},"features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[`+ccw+`]}}]}`, false)

	bad := func(text, want string) {
		t.Helper()
		_, err := ReadBoundary(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", text, err, want)
		}
	}
	bad(``, "not GeoJSON")
	bad(`{"type":"Point","coordinates":[7,51]}`, "Point")
	bad(`{"type":"FeatureCollection","features":[]}`, "no polygon")
	bad(`{"type":"Polygon","coordinates":[]}`, "without a ring")
	bad(`{"type":"MultiPolygon","coordinates":[[`+ccw+`],[]]}`, "without a ring")
	bad(`{"type":"Polygon","coordinates":[[[6,50],[8,50],[6,50]]]}`, "fewer than four")
	bad(`{"type":"Polygon","coordinates":[[[600000,5000000],[800000,5000000],[800000,5200000],[600000,5000000]]]}`, "degrees")
	bad(`{"type":"Polygon","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::25832"}},"coordinates":[`+ccw+`]}`, "25832")
}

func TestDistance(t *testing.T) {
	b, err := NewBoundary(orb.MultiPolygon{{square(0.1)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Distance(orb.Point{7, 51}); got != 0 {
		t.Errorf("distance inside = %v, want 0", got)
	}
	// 0.1 degrees of latitude is 11.12 km on the sphere: 6371 km × π/1800 = 11.119 km.
	if got := b.Distance(orb.Point{7, 51.2}); math.Abs(got-11125) > 60 {
		t.Errorf("distance 0.1° north = %v, want about 11,119 m", got)
	}
	// 0.1 degrees of longitude at 51° is 0.6293 of that: 6.998 km.
	if got := b.Distance(orb.Point{7.2, 51}); math.Abs(got-7000) > 60 {
		t.Errorf("distance 0.1° east = %v, want about 6,998 m", got)
	}
}

func TestSuggest(t *testing.T) {
	const margin = 20_000
	city := CologneSketch()
	f := func(p, want orb.Point, wantOK bool) {
		t.Helper()
		got, ok := city.Suggest(p, margin)
		if ok != wantOK || ok && Distance(got, want) > 1 {
			t.Errorf("Suggest(%v) = %v, %v, want %v, %v", p, got, ok, want, wantOK)
		}
	}
	f(orb.Point{50.94, 6.96}, orb.Point{6.96, 50.94}, true)  // swapped
	f(orb.Point{69.6, 50.94}, orb.Point{6.96, 50.94}, true)  // a moved decimal point
	f(orb.Point{6.96, 509.4}, orb.Point{6.96, 50.94}, true)  // a moved decimal point
	f(orb.Point{-6.96, 50.94}, orb.Point{6.96, 50.94}, true) // a sign
	f(orb.Point{6.96, 5.094}, orb.Point{6.96, 50.94}, true)  // a lost digit
	f(orb.Point{0, 0}, orb.Point{}, false)
	f(orb.Point{13.4, 52.5}, orb.Point{}, false) // Berlin
}

func TestSketchIsAboutCologne(t *testing.T) {
	city := CologneSketch()
	if !city.Contains(orb.Point{6.9583, 50.9413}) {
		t.Error("the sketch does not hold the cathedral")
	}
	// Cologne has 405.0 km² (Stadt Köln, Statistisches Jahrbuch).
	if n := len(city.Cells(1000)); n < 340 || n > 470 {
		t.Errorf("the sketch has %d cells of 1 km², Cologne has 405", n)
	}
}

// TestSketchOfDistricts checks that the sketched districts fill the sketched city and do not overlap.
func TestSketchOfDistricts(t *testing.T) {
	districts := CologneDistricts()
	for _, cell := range CologneSketch().Cells(200) {
		var in []string
		for _, d := range districts {
			if d.Contains(cell.Center()) {
				in = append(in, d.Name)
			}
		}
		if len(in) != 1 {
			t.Errorf("%v lies in %q, want one district", cell.Center(), in)
		}
	}
	for name, p := range map[string]orb.Point{
		"Innenstadt": {6.9583, 50.9413}, "Porz": {7.058, 50.886}, "Chorweiler": {6.866, 51.065}, "Rodenkirchen": {7.006, 50.865},
	} {
		if i := slices.IndexFunc(districts, func(d District) bool { return d.Contains(p) }); i < 0 || districts[i].Name != name {
			t.Errorf("%v does not lie in %s", p, name)
		}
	}
}

func TestSketchOfTheRhine(t *testing.T) {
	water := CologneWater()
	river := water[0].(orb.LineString)
	for i, p := range river[1:] {
		if step := Distance(river[i], p); step > 4000 || p == river[i] {
			t.Errorf("the Rhine jumps %.0f m from %v to %v", step, river[i], p)
		}
	}
	// The Hohenzollern Bridge.
	if d := planar.DistanceFrom(river, orb.Point{6.9656, 50.9414}); d > 0.002 {
		t.Errorf("the Rhine is %.4f° from its bridge", d)
	}
}

func TestReadWater(t *testing.T) {
	read := func(geometry string) error {
		_, err := ReadWater(strings.NewReader(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":` + geometry + `}]}`))
		return err
	}
	for _, good := range []string{
		`{"type":"LineString","coordinates":[[6.9,50.9],[7,51]]}`,
		`{"type":"Polygon","coordinates":[[[6.9,50.9],[7,51],[7,50.9],[6.9,50.9]]]}`,
	} {
		if err := read(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{`{"type":"Point","coordinates":[6.9,50.9]}`, `{"type":"LineString","coordinates":[[356000,5640000],[356100,5640100]]}`, `null`} {
		if err := read(bad); err == nil {
			t.Errorf("%s is read as water", bad)
		}
	}
}

// TestRealBoundary reads the city's own file. It is left out where ../shared, the folder with real data, is not beside the project.
func TestRealBoundary(t *testing.T) {
	if _, err := os.Stat("../../shared"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("left out: ../shared is not beside the project")
	}
	file, err := os.Open("../../shared/data/koeln-geo/cityboundary.geojson")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b, err := ReadBoundary(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(b.Cells(1000)); n < 395 || n > 415 {
		t.Errorf("Cologne has %d cells, want about its 405 km²", n)
	}
	real, sketch, differ := b.Cells(200), CologneSketch(), 0
	for _, cell := range CologneSketch().Cells(200) {
		if !b.Contains(cell.Center()) {
			differ++
		}
	}
	for _, cell := range real {
		if !sketch.Contains(cell.Center()) {
			differ++
		}
	}
	if share := float64(differ) / float64(len(real)); share > 0.15 {
		t.Errorf("the sketch is wrong in %.0f %% of the city's area, want at most 15 %%", 100*share)
	} else {
		t.Logf("the sketch is wrong in %.1f %% of the city's area", 100*share)
	}
}

func BenchmarkCellAt(b *testing.B) {
	p := orb.Point{6.9583, 50.9413}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := CellAt(p, BaseSize); err != nil {
			b.Fatal(err)
		}
	}
}
