//go:build race

package quality

// cities is one under the race detector, which makes it take ten times as long; make test plays all without it.
const cities = 1
