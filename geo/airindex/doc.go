// Package airindex turns hourly means into classes of an air quality index, the European one in its
// revision of 2024 and the German one of 2025, and says how certain a cell's mean is.
//
// Everything here has a name in German and English and a rule for when it says nothing. An index of
// values from low-cost sensors is indicative; whoever shows one says so.
package airindex
