// Package geo finds the cells of the European statistical grid (EPSG:3035, ETRS89-LAEA) with their codes and
// outlines, and reads the boundary and the districts of a city. It has no clock, opens no files, and imports neither
// messages nor readings.
//
// Positions are orb.Point, longitude before latitude, WGS 84. The package treats WGS 84 and ETRS89 as equal: they
// differ by less than a metre in Europe, far below the 100 m of the smallest cell.
package geo
