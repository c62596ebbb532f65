// Package airindex turns hourly means into classes of an air quality index, the European one in its
// revision of 2024 and the German one of 2025.
//
// Classes have names in German and English, and there is a rule for when an index says nothing. An index
// of values from low-cost sensors is indicative; whoever shows one says so.
package airindex
