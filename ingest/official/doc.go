// Package official imports the hourly values of authorities' stations: from the air data API of the German Environment
// Agency (versions 3 and 4), from LuftQualität.NRW (whose forms are those that two public clients ask for and read), from the
// hourly Parquet files of the European Environment Agency, and from CSV tables. It reads them into stations and hours; an Importer adopts each station in or near the city and delivers
// its hours to a running server.
//
// An hour becomes one reading at its start, UTC, with the value in the quantity's unit. A value that the server has stays:
// what an authority corrects after it was imported is not taken in again. The package judges no value.
package official

import (
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
)

// Station is a station in an authority's list.
type Station struct {
	Source  string // such as ingest.UBA
	Key     string // its number or code there
	Name    string
	Point   orb.Point // lon, lat
	Licence string
}

// Hour is the mean of an hour.
type Hour struct {
	Start    time.Time // UTC
	Quantity quantity.Quantity
	Value    float64 // in the quantity's unit
}

// Yield receives hours of a station, in any order and perhaps in several calls.
type Yield func(Station, []Hour) error

// cet is Central European Time without summer time, in which the agencies stamp their hours all year.
var cet = time.FixedZone("UTC+1", 60*60)

const (
	licenceDE = "dl-de/by-2-0"
	licenceEU = "CC-BY-4.0"
)
