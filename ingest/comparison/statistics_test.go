package comparison

import (
	"math"
	"testing"
	"time"
)

func close(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// TestStatistics compares with R 4.2 (mean, sd, cor, lm; the interval by its formula over tapply) and NumPy 1.24:
//
//	i <- 0:95; day <- i %/% 24; y <- 12 + 6*sin(i/7) + 2*cos(i/3); x <- 1.2*y + 2 + 3*cos(1.7*i) + ifelse(day == 2, 4, 0)
//	d <- x - y; b <- mean(d); E <- tapply(d, day, sum); N <- tapply(d, day, length)
//	se <- sqrt(4/3*sum((E-b*N)^2))/96; b + c(-1,1)*qt(.975,3)*se; coef(lm(x ~ y))
func TestStatistics(t *testing.T) {
	var s sums
	for i := range 96 {
		h := float64(i)
		y := 12 + 6*math.Sin(h/7) + 2*math.Cos(h/3)
		x := 1.2*y + 2 + 3*math.Cos(1.7*h)
		if i/24 == 2 {
			x += 4
		}
		s.add(time.Date(2026, 5, 1, i, 0, 0, 0, time.UTC), x, y)
	}
	got := s.statistics()
	if got.N != 96 || got.Days != 4 {
		t.Errorf("%d hours of %d days, want 96 of 4", got.N, got.Days)
	}
	for _, c := range []struct {
		what              string
		got, want, within float64
	}{
		{"mean", got.Mean, 17.715849420, 1e-9}, {"official mean", got.Official, 12.264889820, 1e-9}, {"bias", got.Bias, 5.450959600, 1e-9},
		{"bias, low end", got.BiasLow, 1.459024522, 0.01}, {"bias, high end", got.BiasHigh, 9.442894679, 0.01}, // Student's quantile is 0.1 % too small
		{"SD", got.SD, 3.086712796, 1e-9}, {"RMSE", got.RMSE, 6.256317493, 1e-9}, {"NRMSE", got.NRMSE, 0.510099771, 1e-9},
		{"r", got.R, 0.903481862, 1e-9}, {"slope", got.Slope, 1.312555407, 1e-9}, {"intercept", got.Intercept, 1.617501969, 1e-8},
	} {
		close(t, c.what, c.got, c.want, c.within)
	}
}

// TestStudent compares with R's qt(.975, c(2, 3, 9, 29, 89, 364)).
func TestStudent(t *testing.T) {
	for freedom, want := range map[float64]float64{2: 4.302653, 3: 3.182446, 9: 2.262157, 29: 2.045230, 89: 1.986979, 364: 1.966503} {
		close(t, "student", student(freedom), want, 0.008*want)
	}
}

// TestStatisticsOfFewHours has no correlation where nothing varies, and no interval of a single day.
func TestStatisticsOfFewHours(t *testing.T) {
	var s sums
	s.add(time.Unix(0, 0), 5, 3)
	s.add(time.Unix(3600, 0), 7, 3)
	got := s.statistics()
	want := Statistics{N: 2, Days: 1, Mean: 6, Official: 3, Bias: 3, BiasLow: 3, BiasHigh: 3, SD: math.Sqrt2, RMSE: math.Sqrt(10), NRMSE: math.Sqrt(10) / 3}
	close(t, "SD", got.SD, want.SD, 1e-12)
	if got.SD = want.SD; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
