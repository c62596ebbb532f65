//go:build race

package quality

// cities are fewer under the race detector, which makes each take ten times as long; make test plays all without it.
const cities = 2
