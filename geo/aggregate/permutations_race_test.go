//go:build race

package aggregate

// permutations is the number of orders; the race detector makes each twenty times slower, and finds nothing new in
// one goroutine.
const permutations = 200
