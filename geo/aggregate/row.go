package aggregate

import (
	"slices"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
)

// Window is the span an average covers.
type Window uint8

const (
	Live Window = iota // the 60 minutes before a moment, no condition on coverage
	Hour               // a full UTC hour, stamped by its start
	Day                // 24 full hours, stamped by their start
	Slot               // five minutes, stamped by their start; only stations have such means, cells do not
)

// windowNames are the windows' names in routes, files and stores.
var windowNames = [...]string{"live", "1h", "24h", "5m"}

// Seconds returns the length of w.
func (w Window) Seconds() int {
	switch w {
	case Day:
		return dayHours * 3600
	case Slot:
		return slotSeconds
	}
	return 3600
}

// String returns the name of w in routes, files and stores: "live", "1h", "24h" or "5m".
func (w Window) String() string { return windowNames[w] }

// ParseWindow is the inverse of String.
func ParseWindow(s string) (Window, bool) {
	i := slices.Index(windowNames[:], s)
	return Window(max(i, 0)), i >= 0
}

// Sample is one value of a station that may enter averages.
type Sample struct {
	Station  string
	Cell     geo.Cell // the station's BaseSize cell at Time
	Quantity quantity.Quantity
	Time     time.Time
	Received time.Time
	Milli    int64 // the value in thousandths of its unit
}

// Row is one cell's average of one quantity over one window. Values are thousandths of the unit: sums of integers are
// exact, so a row does not depend on the order of arrival.
type Row struct {
	Cell        geo.Cell
	Start       time.Time // start of the window, UTC
	Window      Window
	Quantity    quantity.Quantity
	Mean        int64 // mean of the stations' corrected means, rounded half away from zero
	Median      int64 // median of the stations' means
	Min         int64 // smallest of the stations' means
	Max         int64 // largest of the stations' means
	Stations    int   // stations that count
	Readings    int   // values in the stations' means
	Coverage    int64 // thousandths: mean over the stations of the share of the window that their values cover, of a day of its hours that count
	Raw         int64 // mean of the stations' means as measured
	Uncorrected int   // stations whose mean should have been corrected and could not be, as no humidity is known
	Spread      int64 // sample standard deviation between the stations' means; 0 for one station
	Revision    int   // values that arrived after the window was first published; 0 for a window that was never corrected
}
