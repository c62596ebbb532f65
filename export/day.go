package export

import (
	"context"
	"time"

	"stadtluft/geo/aggregate"
)

// DayClosed is the time between a day's end and its being closed: averages accept values that are two days late, and are
// written after a grace period.
const DayClosed = aggregate.AllowedLateness + 2*aggregate.GracePeriod

// Day is a closed day that can be had as files.
type Day struct {
	Date     time.Time // its midnight in UTC, whenever the city's day begins
	Updated  time.Time // when its newest revision was written
	Revision int       // of its files; 1 is the first
}

// Archive lists the days that can be had as files, ascending.
type Archive interface {
	Days(ctx context.Context) ([]Day, error)
}

// ArchivePath is where a day's files are served.
func (d Day) ArchivePath() string { return d.Date.Format("/archive/2006/01/02/") }
