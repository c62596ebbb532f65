package calibration

import "math"

// independence is the smallest part of a column's spread that the columns before it may leave unexplained. Sensors
// resolve about a thousandth of their spread: anything less is rounding and not weather, and a coefficient computed
// from it is worthless.
const independence = 1e-3

// leastSquares solves y ≈ intercept + Σ coefficients·columns by ordinary least squares. It first centres columns and
// y, which removes the intercept, and then makes them triangular by Householder reflections (Golub and Van Loan,
// Matrix Computations, section 5.3): nothing is squared, so no digits of the data are lost. There must be more rows
// than columns.
//
// dependent is the index of the first column that depends on those before it, or does not vary if it is the first; -1
// if there is none.
func leastSquares(columns [][]float64, y []float64) (intercept float64, coefficients []float64, dependent int) {
	means := make([]float64, len(columns))
	a := make([][]float64, len(columns))
	for j, column := range columns {
		a[j], means[j] = centred(column)
	}
	b, meanY := centred(y)
	diagonal := make([]float64, len(a))
	for j := range a {
		spread := norm(a[j])
		rest := norm(a[j][j:])
		// Centring a constant column leaves only rounding.
		if !(rest > independence*spread) || spread <= 1e-12*math.Abs(means[j])*math.Sqrt(float64(len(y))) {
			return 0, nil, j
		}
		diagonal[j] = reflect(a[j][j:], rest)
		for _, other := range a[j+1:] {
			apply(a[j][j:], other[j:])
		}
		apply(a[j][j:], b[j:])
	}
	coefficients = make([]float64, len(a))
	intercept = meanY
	for j := len(a) - 1; j >= 0; j-- {
		sum := b[j]
		for k := j + 1; k < len(a); k++ {
			sum -= a[k][j] * coefficients[k]
		}
		coefficients[j] = sum / diagonal[j]
		intercept -= coefficients[j] * means[j]
	}
	return intercept, coefficients, -1
}

// centred returns a copy of v minus its mean. The second pass removes what rounding left in the mean.
func centred(v []float64) (values []float64, mean float64) {
	values = append(values, v...)
	for range 2 {
		sum := 0.0
		for _, x := range values {
			sum += x
		}
		shift := sum / float64(len(values))
		mean += shift
		for i := range values {
			values[i] -= shift
		}
	}
	return values, mean
}

// norm returns the Euclidean length of v.
func norm(v []float64) float64 {
	length := 0.0
	for _, x := range v {
		length = math.Hypot(length, x)
	}
	return length
}

// reflect turns v, of the given length, into the unit vector whose reflection maps it onto its first
// axis, and returns the coordinate it is mapped to. The sign is the one that cancels no digits.
func reflect(v []float64, length float64) (first float64) {
	first = -math.Copysign(length, v[0])
	v[0] -= first
	size := norm(v)
	for i := range v {
		v[i] /= size
	}
	return first
}

// apply reflects w by the unit vector v.
func apply(v, w []float64) {
	dot := 0.0
	for i := range v {
		dot += v[i] * w[i]
	}
	for i := range v {
		w[i] -= 2 * dot * v[i]
	}
}
