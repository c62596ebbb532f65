//go:build !race

package quality

// cities is how many are simulated.
const cities = 20
