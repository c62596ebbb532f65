// Package airindex turns hourly means into classes of an air quality index, the European one in its revision of 2024
// and the German one of 2025, and computes how certain a cell's mean is.
//
// Every class has a name in German and English, and every index rules for when it makes no statement, and a name that says
// which pollutants it is made of. An index of values from low-cost sensors is indicative; whoever shows one must say so.
package airindex
