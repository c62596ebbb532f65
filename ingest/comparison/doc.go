// Package comparison compares the city's stations with the official instruments among them. For each hour of an official
// station it takes the mean over the city's outdoor stations within 1, 3 and 5 km, by their public places, as measured and
// as it enters averages; only hours that count in averages have a part. It proposes the hygroscopicity κ with which the
// humidity correction comes closest.
//
// A day is computed once from stored readings and kept as a file in the data folder, which may be deleted at any time. A
// result is made of the days' files, read one after another: memory holds one day of readings, or the sums of a year.
// The city's stations do not stand beside the instruments, so a difference has the distance in it, too.
package comparison

import (
	"time"

	"stadtluft/firmware-protocol/quantity"
)

// Radii are the distances in metres within which stations are compared; a larger one takes in those of the smaller.
var Radii = []int{1000, 3000, 5000}

// Periods are the numbers of days that are compared, up to the last whole day.
var Periods = []int{30, 90, 365}

// HumidityClasses are the classes of relative humidity, and the class of all hours.
var HumidityClasses = []Class{"all", "0-50", "50-70", "70-85", "85-100"}

// Class is a class of relative humidity by its bounds in %; "all" has every hour, also those without a humidity.
type Class string

// All is the class of every hour.
const All Class = "all"

// classOf returns the class of a humidity in %.
func classOf(humidity float64) Class {
	switch {
	case humidity < 50:
		return HumidityClasses[1]
	case humidity < 70:
		return HumidityClasses[2]
	case humidity < 85:
		return HumidityClasses[3]
	}
	return HumidityClasses[4]
}

// Pair is an hour of an official instrument beside the mean of the city's stations around it.
type Pair struct {
	Start     time.Time
	Official  string // the official station's id
	Quantity  quantity.Quantity
	Radius    int // metres
	Value     float64
	Raw       float64  // mean over the stations' hourly means as measured
	Corrected float64  // mean over their means as they enter averages
	Humidity  *float64 // mean relative humidity in % with which the stations are corrected, or that they measure; nil when not known
	Stations  int
}

// quantities are those that are compared: what official stations measure.
var quantities = []quantity.Quantity{quantity.PM10, quantity.PM2_5, quantity.NO2, quantity.NO, quantity.O3, quantity.SO2, quantity.CO}

// corrected reports whether a quantity is corrected for humidity.
func corrected(q quantity.Quantity) bool { return q == quantity.PM2_5 || q == quantity.PM10 }
