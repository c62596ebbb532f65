package calibration

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// near reports whether got agrees with want to the given relative error.
func near(got, want, relative float64) bool {
	return math.Abs(got-want) <= relative*math.Max(math.Abs(want), 1e-300)
}

// norris is the data set Norris of the NIST Statistical Reference Datasets, calibration of ozone
// monitors: y, x. https://www.itl.nist.gov/div898/strd/lls/data/Norris.shtml
var norris = [][2]float64{
	{0.1, 0.2}, {338.8, 337.4}, {118.1, 118.2}, {888.0, 884.6}, {9.2, 10.1}, {228.1, 226.5}, {668.5, 666.3},
	{998.5, 996.3}, {449.1, 448.6}, {778.9, 777.0}, {559.2, 558.2}, {0.3, 0.4}, {0.1, 0.6}, {778.1, 775.5},
	{668.8, 666.9}, {339.3, 338.0}, {448.9, 447.5}, {10.8, 11.6}, {557.7, 556.0}, {228.3, 228.1}, {998.0, 995.8},
	{888.8, 887.6}, {119.6, 120.2}, {0.3, 0.3}, {0.6, 0.3}, {557.6, 556.8}, {339.3, 339.1}, {888.0, 887.2},
	{998.5, 999.0}, {778.9, 779.0}, {10.2, 11.1}, {117.6, 118.3}, {228.9, 229.2}, {668.4, 669.1}, {449.2, 448.9},
	{0.2, 0.5},
}

func TestNorris(t *testing.T) {
	var pairs []Pair
	for _, p := range norris {
		pairs = append(pairs, Pair{Reference: p[0], Sensor: p[1]})
	}
	c, err := Fit(pairs, Terms{})
	if err != nil {
		t.Fatal(err)
	}
	f := func(name string, got, want float64) {
		t.Helper()
		if !near(got, want, 1e-11) {
			t.Errorf("%s = %.15g, certified %.15g", name, got, want)
		}
	}
	f("intercept", c.Intercept, -0.262323073774029)
	f("slope", c.Slope, 1.00211681802045)
	f("R²", c.Fitted.R2, 0.999993745883712)
	f("residual sum of squares", c.Fitted.RMSE*c.Fitted.RMSE*36, 26.6173985294224)
	if c.Fitted.N != 36 {
		t.Errorf("N = %d, want 36", c.Fitted.N)
	}
}

// longley is the data set Longley of the same source, nearly collinear on purpose: y, x1 to x6.
// https://www.itl.nist.gov/div898/strd/lls/data/Longley.shtml
var longley = [][7]float64{
	{60323, 83.0, 234289, 2356, 1590, 107608, 1947},
	{61122, 88.5, 259426, 2325, 1456, 108632, 1948},
	{60171, 88.2, 258054, 3682, 1616, 109773, 1949},
	{61187, 89.5, 284599, 3351, 1650, 110929, 1950},
	{63221, 96.2, 328975, 2099, 3099, 112075, 1951},
	{63639, 98.1, 346999, 1932, 3594, 113270, 1952},
	{64989, 99.0, 365385, 1870, 3547, 115094, 1953},
	{63761, 100.0, 363112, 3578, 3350, 116219, 1954},
	{66019, 101.2, 397469, 2904, 3048, 117388, 1955},
	{67857, 104.6, 419180, 2822, 2857, 118734, 1956},
	{68169, 108.4, 442769, 2936, 2798, 120445, 1957},
	{66513, 110.8, 444546, 4681, 2637, 121950, 1958},
	{68655, 112.6, 482704, 3813, 2552, 123366, 1959},
	{69564, 114.2, 502601, 3931, 2514, 125368, 1960},
	{69331, 115.7, 518173, 4806, 2572, 127852, 1961},
	{70551, 116.9, 554894, 4007, 2827, 130081, 1962},
}

func TestLongley(t *testing.T) {
	columns := make([][]float64, 6)
	var y []float64
	for _, row := range longley {
		y = append(y, row[0])
		for j := range columns {
			columns[j] = append(columns[j], row[j+1])
		}
	}
	intercept, got, dependent := leastSquares(columns, y)
	if dependent >= 0 {
		t.Fatalf("column %d is taken for dependent", dependent)
	}
	want := []float64{
		15.0618722713733, -0.358191792925910e-01, -2.02022980381683, -1.03322686717359, -0.511041056535807e-01, 1829.15146461355,
	}
	for j := range want {
		if !near(got[j], want[j], 1e-10) {
			t.Errorf("coefficient %d = %.15g, certified %.15g", j+1, got[j], want[j])
		}
	}
	if !near(intercept, -3482258.63459582, 1e-10) {
		t.Errorf("intercept = %.15g, certified -3482258.63459582", intercept)
	}
}

func TestFitByHand(t *testing.T) {
	// Means 3 and 4, Sxx 10, Sxy 6, Syy 6: slope 0.6, intercept 2.2, R² 0.6, residuals squared 2.4.
	pairs := []Pair{{Reference: 2, Sensor: 1}, {Reference: 4, Sensor: 2}, {Reference: 5, Sensor: 3}, {Reference: 4, Sensor: 4}, {Reference: 5, Sensor: 5}}
	c, err := Fit(pairs, Terms{})
	if err != nil {
		t.Fatal(err)
	}
	f := func(name string, got, want float64) {
		t.Helper()
		if !near(got, want, 1e-14) {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	f("slope", c.Slope, 0.6)
	f("intercept", c.Intercept, 2.2)
	f("fitted R²", c.Fitted.R2, 0.6)
	f("fitted RMSE", c.Fitted.RMSE, math.Sqrt(2.4/5))
	f("applied", c.Apply(10, 99, 99), 8.2)
	// The sensor on the reference: slope Sxy/Syy = 1, intercept 3 − 4, differences 1, 2, 2, 0, 0.
	f("raw slope", c.Raw.Slope, 1)
	f("raw intercept", c.Raw.Intercept, -1)
	f("raw R²", c.Raw.R2, 0.6)
	f("raw RMSE", c.Raw.RMSE, math.Sqrt(9.0/5))
}

func TestFitRecoversCoefficients(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var pairs []Pair
	for range 500 {
		p := Pair{Sensor: 50 * rng.Float64(), Humidity: 30 + 60*rng.Float64(), Temperature: -5 + 30*rng.Float64()}
		p.Reference = 3 + 0.5*p.Sensor - 0.05*p.Humidity + 0.1*p.Temperature
		pairs = append(pairs, p)
	}
	c, err := Fit(pairs, Terms{Humidity: true, Temperature: true})
	if err != nil {
		t.Fatal(err)
	}
	if !near(c.Intercept, 3, 1e-12) || !near(c.Slope, 0.5, 1e-12) || !near(c.Humidity, -0.05, 1e-12) || !near(c.Temperature, 0.1, 1e-12) {
		t.Errorf("fit = %+v", c)
	}
	if got := c.Apply(20, 50, 10); !near(got, 11.5, 1e-12) {
		t.Errorf("Apply(20, 50, 10) = %v, want 11.5", got)
	}
	one, err := Fit(pairs, Terms{Temperature: true})
	if err != nil || one.Humidity != 0 || one.Temperature == 0 || one.Apply(1, 50, 2) != one.Apply(1, math.NaN(), 2) {
		t.Errorf("fit without humidity = %+v, %v", one, err)
	}
}

// TestFitAgainstExactArithmetic solves the normal equations in rational numbers.
func TestFitAgainstExactArithmetic(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	for range 20 {
		var pairs []Pair
		for range 6 + rng.IntN(60) {
			p := Pair{Sensor: math.Round(500*rng.Float64()) / 10, Humidity: 40 + float64(rng.IntN(60)), Temperature: math.Round(250*rng.Float64()) / 10}
			p.Reference = math.Round(10*(0.7*p.Sensor-0.1*p.Humidity+8*rng.NormFloat64())) / 10
			pairs = append(pairs, p)
		}
		c, err := Fit(pairs, Terms{Humidity: true, Temperature: true})
		if err != nil {
			t.Fatal(err)
		}
		want := exact(pairs)
		for i, got := range []float64{c.Intercept, c.Slope, c.Humidity, c.Temperature} {
			if !near(got, want[i], 1e-10) {
				t.Errorf("%d pairs: figure %d = %.15g, want %.15g", len(pairs), i, got, want[i])
			}
		}
		// A known property of least squares with an intercept: fitted values regressed on the reference
		// have R² as their slope.
		if !near(c.Fitted.Slope, c.Fitted.R2, 1e-9) {
			t.Errorf("slope of the fitted = %v, want R² = %v", c.Fitted.Slope, c.Fitted.R2)
		}
	}
}

// exact returns intercept, slope, humidity and temperature by Gauss-Jordan elimination without rounding.
func exact(pairs []Pair) []float64 {
	const n = 4
	var m [n][n + 1]*big.Rat
	for i := range m {
		for j := range m[i] {
			m[i][j] = new(big.Rat)
		}
	}
	for _, p := range pairs {
		row := []float64{1, p.Sensor, p.Humidity, p.Temperature, p.Reference}
		for i := range m {
			for j := range m[i] {
				product := new(big.Rat).Mul(new(big.Rat).SetFloat64(row[i]), new(big.Rat).SetFloat64(row[j]))
				m[i][j].Add(m[i][j], product)
			}
		}
	}
	for i := range m {
		for j := n; j >= i; j-- {
			m[i][j] = new(big.Rat).Quo(m[i][j], m[i][i])
		}
		for k := range m {
			if k == i {
				continue
			}
			for j := n; j >= i; j-- {
				m[k][j] = new(big.Rat).Sub(m[k][j], new(big.Rat).Mul(m[k][i], m[i][j]))
			}
		}
	}
	var all []float64
	for i := range m {
		v, _ := m[i][n].Float64()
		all = append(all, v)
	}
	return all
}

func TestFitRefuses(t *testing.T) {
	make := func(n int, change func(i int, p *Pair)) []Pair {
		rng := rand.New(rand.NewPCG(1, 1))
		var pairs []Pair
		for i := range n {
			p := Pair{Reference: rng.Float64(), Sensor: 20 * rng.Float64(), Humidity: 100 * rng.Float64(), Temperature: 20 * rng.Float64()}
			if change != nil {
				change(i, &p)
			}
			pairs = append(pairs, p)
		}
		return pairs
	}
	f := func(pairs []Pair, terms Terms, want string) {
		t.Helper()
		c, err := Fit(pairs, terms)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Fit of %d pairs = %+v, %v, want an error with %q", len(pairs), c, err, want)
		}
	}
	both := Terms{Humidity: true, Temperature: true}
	f(nil, Terms{}, "0 pairs of hours, at least 3 are needed")
	f(make(2, nil), Terms{}, "2 pairs of hours, at least 3 are needed")
	f(make(4, nil), both, "4 pairs of hours, at least 5 are needed")
	f(make(9, func(_ int, p *Pair) { p.Sensor = 7.3 }), Terms{}, "the sensor does not vary")
	f(make(9, func(_ int, p *Pair) { p.Sensor = 1e9 / 3 }), Terms{}, "the sensor does not vary")
	f(make(9, func(_ int, p *Pair) { p.Sensor = 0 }), Terms{}, "the sensor does not vary")
	f(make(9, func(_ int, p *Pair) { p.Reference = 0.1 }), Terms{}, "the reference does not vary")
	f(make(9, func(_ int, p *Pair) { p.Humidity = 99.9 }), Terms{Humidity: true}, "the humidity does not vary by itself")
	f(make(9, func(_ int, p *Pair) { p.Humidity = 3 - 2*p.Sensor }), Terms{Humidity: true}, "the humidity does not vary by itself")
	f(make(99, func(_ int, p *Pair) { p.Temperature = 90 - 0.3*p.Humidity + p.Sensor }), both, "the temperature does not vary by itself")
	f(make(9, func(i int, p *Pair) {
		if i == 4 {
			p.Humidity = math.NaN()
		}
	}), both, "pair 5: the humidity is NaN")
	f(make(9, func(i int, p *Pair) { p.Reference = math.Inf(1) }), both, "pair 1: the reference is +Inf")
	if _, err := Fit(make(9, func(_ int, p *Pair) { p.Humidity = math.NaN() }), Terms{}); err != nil {
		t.Errorf("a humidity that nobody asked for: %v", err)
	}
}

func TestTargets(t *testing.T) {
	f := func(p Performance, want ...bool) {
		t.Helper()
		all := true
		for i, target := range p.Targets() {
			if target.Name == "precision" {
				if target.Judged || target.Met || target.Value != "" {
					t.Errorf("one sensor is judged by %+v", target)
				}
				continue
			}
			if !target.Judged || target.Met != want[i] {
				t.Errorf("%+v: %+v, want %v", p, target, want[i])
			}
			all = all && want[i]
		}
		if p.Meets() != all {
			t.Errorf("%+v meets all = %v, want %v", p, p.Meets(), all)
		}
	}
	// In order: slope, intercept, R², RMSE or NRMSE.
	f(Performance{R2: 0.70, Slope: 0.65, Intercept: 5, RMSE: 7, NRMSE: 2}, true, true, true, true)
	f(Performance{R2: 0.6999, Slope: 1.35, Intercept: -5, RMSE: 0}, true, true, false, true)
	f(Performance{R2: 1, Slope: 0.6499, Intercept: 5.01, RMSE: 7.0001, NRMSE: 0.3001}, false, false, true, false)
	f(Performance{R2: 1, Slope: 1.3501, Intercept: -5.01, RMSE: 30, NRMSE: 0.30}, false, false, true, true)
	f(Performance{R2: math.NaN(), Slope: 1, RMSE: 1}, true, true, false, true)
}

func ExampleFit() {
	pairs := []Pair{
		{Reference: 8, Sensor: 10}, {Reference: 12, Sensor: 17}, {Reference: 15, Sensor: 21}, {Reference: 20, Sensor: 30},
		{Reference: 24, Sensor: 36}, {Reference: 9, Sensor: 12}, {Reference: 17, Sensor: 24},
	}
	c, err := Fit(pairs, Terms{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f + %.3f x, R² %.3f, RMSE %.2f µg/m³, n %d\n", c.Intercept, c.Slope, c.Fitted.R2, c.Fitted.RMSE, c.Fitted.N)
	for _, target := range c.Raw.Targets() {
		if target.Judged {
			fmt.Printf("%s %s: %v\n", target.Name, target.Value, target.Met)
		}
	}
	// Output:
	// 1.74 + 0.619 x, R² 0.998, RMSE 0.25 µg/m³, n 7
	// slope 1.613: false
	// intercept -2.763 µg/m³: true
	// R² 0.998: true
	// RMSE 7.241 µg/m³, NRMSE 48 %: false
}
