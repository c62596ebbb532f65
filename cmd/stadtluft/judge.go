package main

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
)

// judgeFile holds exact places and what the checks that look back remember of 33 days, as quality.Judge saves them. After a crash it is at most two
// hours old, and a start has all hours of the last two days judged again: nothing is lost. Without the file those
// checks wait until they know enough again, and take back what they found in the last two days.
const judgeFile = "checks.state"

// judge has hours judged and keeps what is remembered in the data folder, once for each new hour.
type judge struct {
	*quality.Judge
	stations ingest.Stations
	path     string
	log      *slog.Logger
	saved    time.Time // the newest hour in the file, or about to be
}

func openJudge(data string, rules quality.Rules, stations ingest.Stations, log *slog.Logger) *judge {
	j := &judge{
		Judge: quality.NewJudge(rules), stations: stations, path: filepath.Join(data, judgeFile), log: log,
		saved: time.Now().Truncate(time.Hour).Add(-2 * time.Hour),
	}
	parts, _ := filepath.Glob(j.path + partSuffix) // of a crash
	for _, part := range parts {
		os.Remove(part)
	}
	file, err := os.Open(j.path)
	if err == nil {
		err = errors.Join(j.Load(bufio.NewReader(file)), file.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("checks that look back begin anew", "file", j.path, "err", err)
	}
	return j
}

// hour judges one hour of the aggregate.
func (j *judge) hour(start time.Time, hours []aggregate.StationHour) []ingest.Verdict {
	verdicts := j.Judge.Hour(start, averages.ForJudge(j.stations, start, hours))
	if start.After(j.saved) {
		j.saved = start
		if err := writeWhole(j.path, 0o600, j.Save); err != nil {
			j.log.Warn("what checks remember is not saved", "file", j.path, "err", err)
		}
	}
	return verdicts
}
