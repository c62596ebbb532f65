// Package geo says where something belongs: cells of the European statistical grid (EPSG:3035,
// ETRS89-LAEA) with their codes and outlines, and the boundary of a city. It is pure: no clock, no
// files it was not handed, and it knows neither messages nor readings.
//
// Positions are orb.Point, longitude before latitude, WGS 84. WGS 84 and ETRS89 are taken as equal:
// they differ by less than a metre in Europe, far below the 100 m of the finest cell.
package geo
