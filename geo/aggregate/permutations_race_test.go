//go:build race

package aggregate

// permutations of a day; the race detector slows each twentyfold, and finds nothing new in one goroutine.
const permutations = 200
