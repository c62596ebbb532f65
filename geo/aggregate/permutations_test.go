//go:build !race

package aggregate

// permutations is the number of orders of a day.
const permutations = 10_000
