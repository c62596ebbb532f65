package server

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/export/archive"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/comparison"
)

// NewArchive returns the configured archive.
func NewArchive(c Config, stations archive.Stations, log *slog.Logger) *archive.Archive {
	return &archive.Archive{
		Dir: c.archiveFolder(), Files: c.archiveFiles(), DayOffset: c.DayOffset(), Size: int32(c.GridResolution), Stations: stations, Log: log,
		Meta: export.Meta{Licence: c.LicenceID, Attribution: c.LicenceAttribution}, Rules: c.rules(),
		About: archive.About{City: c.CityName, Publisher: c.PublisherName, Base: strings.TrimSuffix(c.HTTPPublicURL, "/"), DOIs: c.dois()}, Retention: c.retention(),
		Correction: averages.Correction(c.Correction(), stations),
		Compare: func(ctx context.Context, s comparison.Store, start time.Time) ([]comparison.Pair, error) {
			return NewComparer(c, stations, s, log).Hours(ctx, start)
		},
	}
}

// yearDOI matches one entry of catalog.dois: a year and its DOI.
var yearDOI = regexp.MustCompile(`^([0-9]{4})=(10\.[0-9]{4,9}/[^\s"<>]+)$`)

// dois returns the DOIs of the archive's years.
func (c *Config) dois() map[int]string {
	list := map[int]string{}
	for _, entry := range strings.Fields(c.CatalogDOIs) {
		if parts := yearDOI.FindStringSubmatch(entry); parts != nil { // validated with the configuration
			year, _ := strconv.Atoi(parts[1])
			list[year] = parts[2]
		}
	}
	return list
}

// rules returns the rules in force, as they are stored with the data.
func (c *Config) rules() archive.Rules {
	thresholds := map[string]string{}
	for _, t := range c.Quality.Thresholds() {
		thresholds[t.Key] = fmt.Sprintf("%v %s", *t.Value, t.Unit)
	}
	return archive.Rules{
		Averaging: fmt.Sprintf("A cell's value is the mean of its stations' means, particles corrected for humidity (kappa-Koehler, kappa %v; PM2.5 of sensors named pms5003-cf1 by the US EPA's formula). "+
			"Coverage by version 2 of the rule: an hour of a station counts when good values cover 45 minutes of it, each the time since the one before it, at most the sensor's interval "+
			"(the median of its last day) and 20 minutes; a value of an official station covers its whole hour; a day counts with 18 of its 24 hours. "+
			"Windows are stamped by their start; a day begins %d h before midnight UTC. Only good values of outdoor stations count, gases only with a calibration.", c.QualityKappa, c.CityDay),
		Quality: thresholds,
	}
}
