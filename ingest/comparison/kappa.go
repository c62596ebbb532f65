package comparison

import (
	"math"

	"stadtluft/firmware-protocol/quantity"
)

// The hygroscopicities that are tried: 0 to 0.6 in steps of 0.01. The literature has 0.08 to 0.4.
const (
	kappaStep  = 0.01
	kappaCount = 61
)

// kappaAt returns the i-th hygroscopicity.
func kappaAt(i int) float64 { return float64(i) * kappaStep }

// KappaPoint is how close the stations come with one hygroscopicity.
type KappaPoint struct {
	Kappa float64 `json:"kappa"`
	RMSE  float64 `json:"rmse"`        // µg/m³
	Fit   float64 `json:"rmse_fitted"` // of the instrument around its regression on the corrected stations, µg/m³
}

// Kappa is the city's hygroscopicity by one quantity. Proposed has the smallest Fit and not the smallest RMSE: a constant
// error or a wrong scale of the sensors is no effect of humidity, and would otherwise be taken for one.
type Kappa struct {
	Quantity string       `json:"quantity"`
	Radius   int          `json:"radius"` // metres
	N        int          `json:"n"`      // hours
	Days     int          `json:"days"`
	Proposed float64      `json:"proposed"`
	Low      float64      `json:"low"` // 95 % confidence interval, by leaving out one tenth of the days after the other
	High     float64      `json:"high"`
	Curve    []KappaPoint `json:"curve"`
}

// kappaSums are the sums of one day, or of many, for each hygroscopicity: of the instrument y, and of the stations x
// corrected with it.
type kappaSums struct {
	N, Y, YY  float64
	X, XX, XY [kappaCount]float64
}

func (s *kappaSums) add(x *[kappaCount]float64, y float64) {
	s.N++
	s.Y += y
	s.YY += y * y
	for i, x := range x {
		s.X[i] += x
		s.XX[i] += x * x
		s.XY[i] += x * y
	}
}

// plus adds the sums of o, times sign.
func (s *kappaSums) plus(o *kappaSums, sign float64) {
	s.N += sign * o.N
	s.Y += sign * o.Y
	s.YY += sign * o.YY
	for i := range s.X {
		s.X[i] += sign * o.X[i]
		s.XX[i] += sign * o.XX[i]
		s.XY[i] += sign * o.XY[i]
	}
}

// point returns how close the i-th hygroscopicity comes.
func (s *kappaSums) point(i int) KappaPoint {
	n := s.N
	sxx, syy, sxy := s.XX[i]-s.X[i]*s.X[i]/n, s.YY-s.Y*s.Y/n, s.XY[i]-s.X[i]*s.Y/n
	rest := syy
	if varies(sxx, s.XX[i]) {
		rest -= sxy * sxy / sxx
	}
	return KappaPoint{math.Round(kappaAt(i)*100) / 100, math.Sqrt(math.Max(0, s.XX[i]-2*s.XY[i]+s.YY) / n), math.Sqrt(math.Max(0, rest) / n)}
}

// best returns the hygroscopicity with the smallest Fit, by a parabola through the best one that was tried and its
// neighbours.
func (s *kappaSums) best() float64 {
	least, at := math.Inf(1), 0
	for i := range kappaCount {
		if p := s.point(i); p.Fit < least {
			least, at = p.Fit, i
		}
	}
	if at == 0 || at == kappaCount-1 {
		return kappaAt(at)
	}
	before, after := s.point(at-1).Fit, s.point(at+1).Fit
	bend := before - 2*least + after
	if !(bend > 0) {
		return kappaAt(at)
	}
	return kappaAt(at) + kappaStep*(before-after)/(2*bend)
}

const (
	// leastHours are so many hours that a radius is taken: ten days.
	leastHours = 240
	// kappaDays are so many days that a hygroscopicity is proposed: less is one weather.
	kappaDays = 14
	// tenths are the groups of days that are left out one after the other.
	tenths = 10
	// student9 is the 97.5 % quantile of Student's distribution with nine degrees of freedom.
	student9 = 2.262
)

// kappaOf returns the proposal of a quantity by the sums of consecutive days; false where they are too few.
func kappaOf(q quantity.Quantity, radius int, days []kappaSums) (Kappa, bool) {
	var all kappaSums
	for i := range days {
		all.plus(&days[i], 1)
	}
	if all.N < leastHours || len(days) < kappaDays {
		return Kappa{}, false
	}
	k := Kappa{Quantity: q.String(), Radius: radius, N: int(all.N), Days: len(days)}
	for i := range kappaCount {
		k.Curve = append(k.Curve, all.point(i))
	}
	best := all.best()
	half := student9 * jackknife(days, &all)
	k.Proposed, k.Low, k.High = round(best), round(math.Max(0, best-half)), round(best+half)
	return k, true
}

// jackknife returns the standard error of the best hygroscopicity: the days in ten groups of consecutive ones, each left
// out once (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 11.3).
func jackknife(days []kappaSums, all *kappaSums) float64 {
	var estimates [tenths]float64
	mean := 0.0
	for g := range tenths {
		rest := *all
		for i := g * len(days) / tenths; i < (g+1)*len(days)/tenths; i++ {
			rest.plus(&days[i], -1)
		}
		estimates[g] = rest.best()
		mean += estimates[g] / tenths
	}
	squares := 0.0
	for _, e := range estimates {
		squares += (e - mean) * (e - mean)
	}
	return math.Sqrt(squares * (tenths - 1) / tenths)
}

// round rounds to three decimals.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }
