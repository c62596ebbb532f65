//go:build race

package kits

// slack leaves room for what the race detector allocates itself.
const slack = 8
