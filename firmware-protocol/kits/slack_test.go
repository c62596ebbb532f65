//go:build !race

package kits

// slack is a factor on what may be allocated.
const slack = 1
