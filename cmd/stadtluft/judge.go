package main

import (
	"bufio"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
)

// judgeFile is what the checks that look back remember of 32 days. Without it they wait until they know enough again.
const judgeFile = "checks.state"

// judge has hours judged and keeps what is remembered in the data folder, once for each new hour.
type judge struct {
	*quality.Judge
	path  string
	log   *slog.Logger
	saved time.Time
}

func openJudge(data string, rules quality.Rules, log *slog.Logger) *judge {
	j := &judge{Judge: quality.NewJudge(rules), path: filepath.Join(data, judgeFile), log: log, saved: time.Now().Truncate(time.Hour).Add(-time.Hour)}
	file, err := os.Open(j.path)
	if err == nil {
		err = errors.Join(j.Load(bufio.NewReader(file)), file.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("checks that look back begin anew", "err", err)
	}
	return j
}

// hour judges one hour of the aggregate.
func (j *judge) hour(start time.Time, hours []aggregate.StationHour) []ingest.Verdict {
	list := make([]quality.StationHour, len(hours))
	for i, h := range hours {
		half := float64(h.Cell.Size) / 2
		list[i] = quality.StationHour{
			Station: h.Station, East: float64(h.Cell.East) + half, North: float64(h.Cell.North) + half, Quantity: wire.Quantity(h.Quantity),
			Mean: float64(h.Mean) / 1000, Median: float64(h.Median) / 1000, Count: h.Count,
		}
	}
	verdicts := j.Judge.Hour(start, list)
	if start.After(j.saved) {
		j.saved = start
		if err := writeWhole(j.path, j.Save); err != nil {
			j.log.Warn("what checks remember is not saved", "err", err)
		}
	}
	return verdicts
}
