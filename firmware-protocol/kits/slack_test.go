//go:build !race

package kits

// slack is by how much more than promised may be allocated.
const slack = 1
