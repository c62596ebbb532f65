//go:build !race

package aggregate

// permutations of a day.
const permutations = 10_000
