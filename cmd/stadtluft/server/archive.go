package server

import (
	"fmt"
	"log/slog"
	"path/filepath"

	"stadtluft/export"
	"stadtluft/export/archive"
)

// NewArchive returns the configured archive.
func NewArchive(c Config, stations archive.Stations, log *slog.Logger) *archive.Archive {
	return &archive.Archive{
		Dir: filepath.Join(c.Data, archiveFolder), DayOffset: c.DayOffset(), Size: int32(c.GridResolution), Stations: stations, Log: log,
		Meta: export.Meta{Licence: c.LicenceID, Attribution: c.LicenceAttribution}, Rules: c.rules(), Retention: c.retention(),
	}
}

// rules returns the rules in force, as they are stored with the data.
func (c *Config) rules() archive.Rules {
	thresholds := map[string]string{}
	for _, t := range c.Quality.Thresholds() {
		thresholds[t.Key] = fmt.Sprintf("%v %s", *t.Value, t.Unit)
	}
	return archive.Rules{
		Averaging: fmt.Sprintf("A cell's value is the mean of its stations' means, particles corrected for humidity (kappa-Koehler, kappa %v; PM2.5 of sensors named pms5003-cf1 by the US EPA's formula). "+
			"An hour of a station counts with values in 9 of its 12 five-minute slots, a day with 18 of its 24 hours. "+
			"Windows are stamped by their start; a day begins %d h before midnight UTC. Only good values of outdoor stations count, gases only with a calibration.", c.QualityKappa, c.CityDay),
		Quality: thresholds,
	}
}
