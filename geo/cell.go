package geo

// Cell is a square of the grid, named by its size and its lower left corner as in Regulation (EU)
// 2018/1799. The zero Cell is no cell.
type Cell struct {
	Size  int32 // metres: one of Resolutions
	North int32 // metres, EPSG:3035 northing of the lower left corner, a multiple of Size
	East  int32 // metres, EPSG:3035 easting of the lower left corner, a multiple of Size
}

// BaseSize is the finest cell, in metres. Every other resolution is made of whole base cells, so a
// base cell is all one must remember of a place to find its cell in any resolution.
const BaseSize = 100

// Resolutions are the cell sizes one can ask for, in metres.
func Resolutions() []int32 { return []int32{100, 200, 500, 1000, 2000, 5000, 10000} }
