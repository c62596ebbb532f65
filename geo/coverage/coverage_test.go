package coverage

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"stadtluft/geo"
)

// cell returns a cell of an invented city, counted in kilometres.
func cell(north, east int32) geo.Cell {
	return geo.Cell{Size: 1000, North: (3096 + north) * 1000, East: (4107 + east) * 1000}
}

// stationAt returns the 100 m cell that lies the given metres above and to the right of the corner of cell(0, 0).
func stationAt(north, east int32) geo.Cell {
	return geo.Cell{Size: geo.BaseSize, North: 3096000 + north, East: 4107000 + east}
}

func TestShare(t *testing.T) {
	city := City{
		Cells:   []geo.Cell{cell(0, 0), cell(0, 1), cell(1, 0), cell(1, 1)},
		Covered: []geo.Cell{cell(0, 1), cell(0, 1), cell(9, 9)},
		People:  map[geo.Cell]int{cell(0, 0): 1000, cell(0, 1): 3000, cell(9, 9): 5000},
	}
	share := city.Share()
	if want := (Share{Cells: 4, Covered: 1, People: 4000, Reached: 3000}); share != want {
		t.Errorf("Share() = %+v, want %+v", share, want)
	}
	if got := share.OfArea(); got != 0.25 {
		t.Errorf("OfArea() = %v, want 0.25", got)
	}
	if got, ok := share.OfPeople(); got != 0.75 || !ok {
		t.Errorf("OfPeople() = %v, %v, want 0.75", got, ok)
	}
	city.People = nil
	if got, ok := city.Share().OfPeople(); ok {
		t.Errorf("OfPeople() without a census = %v, %v", got, ok)
	}
	if got := (City{}).Share().OfArea(); got != 0 {
		t.Errorf("OfArea() of nothing = %v", got)
	}
}

func TestPropose(t *testing.T) {
	row := []geo.Cell{cell(0, 0), cell(0, 1), cell(0, 2), cell(0, 3), cell(0, 4)}
	f := func(name string, city City, n int, want ...geo.Cell) {
		t.Helper()
		var got []geo.Cell
		for _, p := range city.Propose(n) {
			got = append(got, p.Cell)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: Propose(%d) = %v, want %v", name, n, got, want)
		}
	}
	left := []geo.Cell{stationAt(400, 400)}
	f("the farthest first, then what lies between", City{Cells: row, Covered: row[:1], Stations: left}, 2, row[4], row[2])
	f("no more than there are", City{Cells: row[:3], Covered: row[:1], Stations: left}, 9, row[2], row[1])
	f("people outweigh distance", City{
		Cells: row, Covered: row[:1], Stations: left, People: map[geo.Cell]int{row[1]: 100, row[4]: 10},
	}, 1, row[1])
	f("nobody lives there", City{
		Cells: row[:3], Covered: row[:1], Stations: left, People: map[geo.Cell]int{row[1]: 7, row[2]: 0},
	}, 9, row[1])
	f("withheld counts as one", City{
		Cells: row[:3], Covered: row[:1], Stations: left, People: map[geo.Cell]int{row[1]: 1},
	}, 9, row[2], row[1])
	f("no station: everything is equally far, the order decides", City{Cells: row}, 2, row[0], row[4])
	f("no station: most people first", City{Cells: row, People: map[geo.Cell]int{row[3]: 5}}, 1, row[3])
	f("beyond 5 km all is equally far", City{Cells: []geo.Cell{cell(0, 7), cell(0, 30)}, Stations: left}, 1, cell(0, 7))
	f("all covered", City{Cells: row, Covered: row}, 3)
	f("no city", City{Stations: left}, 3)
	f("none asked for", City{Cells: row}, 0)
}

func TestDistance(t *testing.T) {
	// From the middle of the station's 100 m cell, 450 m and 450 m in, to the middles at 500 m and 3500 m.
	city := City{Cells: []geo.Cell{cell(0, 3), cell(4, 3)}, Stations: []geo.Cell{stationAt(400, 400)}}
	got := city.Propose(2)
	if want := math.Hypot(4050, 3050); math.Abs(got[0].Distance-want) > 1e-9 || got[0].Weight != 5000 {
		t.Errorf("first = %+v, want distance %v and weight 5000", got[0], want)
	}
	if want := math.Hypot(50, 3050); math.Abs(got[1].Distance-want) > 1e-9 || math.Abs(got[1].Weight-want) > 1e-9 {
		t.Errorf("second = %+v, want distance and weight %v", got[1], want)
	}
}

// TestProposeBruteForce compares with the rule applied literally, in other coordinates: at each step it weighs every
// cell again from the projected centres of cells.
func TestProposeBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	for round := range 200 {
		var city City
		for n := range int32(2 + rng.IntN(5)) {
			for e := range int32(2 + rng.IntN(6)) {
				city.Cells = append(city.Cells, cell(n, e))
			}
		}
		rng.Shuffle(len(city.Cells), func(i, j int) { city.Cells[i], city.Cells[j] = city.Cells[j], city.Cells[i] })
		for range rng.IntN(6) {
			s := stationAt(100*rng.Int32N(80)-1000, 100*rng.Int32N(80)-1000)
			city.Stations = append(city.Stations, s)
			city.Covered = append(city.Covered, s.Parent(1000))
		}
		if round%2 == 0 {
			city.People = map[geo.Cell]int{}
			for _, c := range city.Cells {
				if rng.IntN(4) > 0 {
					city.People[c] = rng.IntN(5000)
				}
			}
		}
		got := city.Propose(5)
		checkGreedy(t, city, got)
		rng.Shuffle(len(city.Cells), func(i, j int) { city.Cells[i], city.Cells[j] = city.Cells[j], city.Cells[i] })
		slices.Reverse(city.Stations)
		if again := city.Propose(5); !slices.Equal(got, again) {
			t.Fatalf("in another order: %v, want %v", again, got)
		}
	}
}

func checkGreedy(t *testing.T, city City, got []Proposal) {
	t.Helper()
	taken := map[geo.Cell]bool{}
	for _, c := range city.Covered {
		taken[c] = true
	}
	points := slices.Clone(city.Stations)
	for step, p := range append(got, Proposal{}) {
		var best geo.Cell
		weight := 0.0
		for _, c := range city.Cells {
			people, known := city.People[c]
			if !known {
				people = 1
			}
			w := float64(people) * math.Min(5000, metres(c, points))
			// Weights that differ by less than the projection does are equal; then the order decides.
			close := math.Abs(w-weight) < 1e-6*weight
			if !taken[c] && (w > weight && !close || close && c.String() < best.String()) {
				best, weight = c, w
			}
		}
		if weight < 1e-3 {
			best = geo.Cell{} // nothing is left to propose
		}
		if step < 5 && (p.Cell != best || math.Abs(p.Weight-weight) > 1e-6*weight) {
			t.Fatalf("step %d of %+v: got %v with %v, want %v with %v", step, city, p.Cell, p.Weight, best, weight)
		}
		if p.Cell.IsZero() {
			return
		}
		if len(city.Stations) > 0 && math.Abs(p.Distance-metres(p.Cell, city.Stations)) > 0.01 {
			t.Fatalf("step %d: distance %v, want %v", step, p.Distance, metres(p.Cell, city.Stations))
		}
		taken[p.Cell] = true
		points = append(points, p.Cell)
	}
}

func metres(c geo.Cell, points []geo.Cell) float64 {
	nearest := math.Inf(1)
	e, n, _ := geo.Project(c.Center())
	for _, p := range points {
		pe, pn, _ := geo.Project(p.Center())
		nearest = math.Min(nearest, math.Hypot(pe-e, pn-n))
	}
	return nearest
}

func TestReason(t *testing.T) {
	f := func(p Proposal, wantEnglish, wantGerman string) {
		t.Helper()
		if english, german := p.Reason(); english != wantEnglish || german != wantGerman {
			t.Errorf("Reason of %+v = %q, %q, want %q, %q", p, english, german, wantEnglish, wantGerman)
		}
	}
	f(Proposal{People: 1840, Known: true, Distance: 2312}, "1,840 people, 2.3 km from the nearest station", "1.840 Menschen, 2,3 km bis zur nächsten Station")
	f(Proposal{People: 1, Known: true, Distance: 949}, "1 person, 900 m from the nearest station", "1 Mensch, 900 m bis zur nächsten Station")
	f(Proposal{People: 999, Known: true, Distance: 950}, "999 people, 1.0 km from the nearest station", "999 Menschen, 1,0 km bis zur nächsten Station")
	f(Proposal{People: 1234567, Known: true, Distance: 12049}, "1,234,567 people, 12.0 km from the nearest station", "1.234.567 Menschen, 12,0 km bis zur nächsten Station")
	f(Proposal{Distance: 70.7}, "100 m from the nearest station", "100 m bis zur nächsten Station")
	f(Proposal{}, "no station yet", "noch keine Station")
	f(Proposal{People: 53000, Known: true}, "53,000 people, no station yet", "53.000 Menschen, noch keine Station")
}

func ExampleCity_Propose() {
	city := City{
		Cells:    geo.CologneSketch().Cells(5000),
		Stations: []geo.Cell{{Size: 100, North: 3096600, East: 4107200}},
		Covered:  []geo.Cell{{Size: 5000, North: 3095000, East: 4105000}},
		People:   map[geo.Cell]int{{Size: 5000, North: 3100000, East: 4105000}: 61200},
	}
	fmt.Printf("%.0f %% of the area\n", 100*city.Share().OfArea())
	for _, p := range city.Propose(1) {
		english, _ := p.Reason()
		fmt.Println(p.Cell, english)
	}
	// Output:
	// 6 % of the area
	// CRS3035RES5000mN3100000E4105000 61,200 people, 5.9 km from the nearest station
}

// BenchmarkPropose ranks twenty proposals for Cologne at 1 km with 1,000 stations in its southern half.
func BenchmarkPropose(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	city := City{Cells: geo.CologneSketch().Cells(1000), People: map[geo.Cell]int{}}
	for _, c := range city.Cells {
		city.People[c] = rng.IntN(15000)
	}
	for range 1000 {
		s := city.Cells[rng.IntN(len(city.Cells)/2)]
		s = geo.Cell{Size: geo.BaseSize, North: s.North + 100*rng.Int32N(10), East: s.East + 100*rng.Int32N(10)}
		city.Stations = append(city.Stations, s)
		city.Covered = append(city.Covered, s.Parent(1000))
	}
	for b.Loop() {
		if len(city.Propose(20)) != 20 {
			b.Fatal("fewer than twenty proposals")
		}
	}
}
