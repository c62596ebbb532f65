package server

import (
	"bufio"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/wholefile"
)

// hourCheckerFile holds the checks' history of 33 days, as quality.HourChecker saves it. After a crash
// it is at most two hours old, and a start checks all hours of the last two days again: nothing is lost. Without the
// file those checks wait until they have enough history again, and withdraw their flags of the last two days.
const hourCheckerFile = "checks.state"

// hourChecker runs the checks of hours and saves their history in the data folder, once for each new hour.
type hourChecker struct {
	*quality.HourChecker
	stations ingest.Stations
	path     string
	log      *slog.Logger
	saved    time.Time // the newest hour in the file, or being written to it
}

func openHourChecker(data string, rules quality.Rules, stations ingest.Stations, log *slog.Logger) *hourChecker {
	c := &hourChecker{
		HourChecker: quality.NewHourChecker(rules), stations: stations, path: filepath.Join(data, hourCheckerFile), log: log,
		saved: time.Now().Truncate(time.Hour).Add(-2 * time.Hour),
	}
	if err := wholefile.RemoveUnfinished(c.path); err != nil {
		log.Warn("removal of unfinished files failed", "file", c.path, "err", err)
	}
	file, err := os.Open(c.path)
	if err == nil {
		err = errors.Join(c.Load(bufio.NewReader(file)), file.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("load of checks failed, checks start without history", "file", c.path, "err", err)
	}
	return c
}

// hour checks one hour of the aggregate.
func (c *hourChecker) hour(start time.Time, hours []aggregate.StationHour) []ingest.HourFlags {
	hourFlags := c.HourChecker.Hour(start, averages.StationHours(c.stations, start, hours))
	if start.After(c.saved) {
		c.saved = start
		if err := wholefile.Write(c.path, 0o600, c.Save); err != nil {
			c.log.Warn("save of checks failed", "file", c.path, "err", err)
		}
	}
	return hourFlags
}
