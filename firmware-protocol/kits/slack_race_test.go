//go:build race

package kits

// slack is a factor on what may be allocated; the race detector allocates itself.
const slack = 8
