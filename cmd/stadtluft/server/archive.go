package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
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
		Dir: c.archiveFolder(), DayOffset: c.DayOffset(), Size: int32(c.GridResolution), Stations: stations, Log: log,
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

// archiveFolder returns the archive's folder.
func (c *Config) archiveFolder() string {
	return cmp.Or(c.Archive, filepath.Join(c.Data, archiveFolder))
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

const (
	// archiveIDFile tells one archive from another, where processes of several machines share one.
	archiveIDFile = ".id"
	// agreedArchive is the name under which they have its id.
	agreedArchive = "archive"
	// claimEvery is the interval at which a process looks again whether its folder is the archive.
	claimEvery = time.Minute
)

// claimArchive returns an error when the archive's folder is not the one that the deployment's processes share. With make,
// the first process makes its folder the archive.
func claimArchive(ctx context.Context, b *base, make bool) error {
	folder := b.config.archiveFolder()
	kept, err := os.ReadFile(filepath.Join(folder, archiveIDFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("archive: %w", err)
	}
	own := string(kept)
	agreed, err := b.registry.Agreed(ctx, agreedArchive)
	if err == nil && agreed == "" && make {
		if own == "" {
			own = rand.Text()
			if err := os.MkdirAll(folder, 0o700); err != nil {
				return fmt.Errorf("archive: %w", err)
			}
			if err := writeSecret(folder, archiveIDFile, own); err != nil {
				return err
			}
		}
		agreed, err = b.registry.Agree(ctx, agreedArchive, own)
	}
	if err != nil || agreed == own || agreed == "" {
		return err
	}
	return fmt.Errorf("the folder %s is not the archive that the other processes use: its %s is %q, theirs %q", folder, archiveIDFile, own, agreed)
}

// archiving returns the part that archives closed days and deletes them from the store. It must run in the writer's
// process: nothing is deleted while something of its day is being written. It does nothing in a folder that is not the
// archive of the deployment.
func archiving(b *base) part {
	p := b.storage.archiving()
	if !b.shared() {
		return p
	}
	run := p.run
	p.run = func(ctx context.Context) error {
		for failed := false; ; failed = true {
			err := claimArchive(ctx, b, true)
			if err == nil {
				return run(ctx)
			}
			if !failed && ctx.Err() == nil {
				b.log.Error("nothing is archived, and nothing deleted from the store", "err", err)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(claimEvery):
			}
		}
	}
	return p.while(b.leases.write)
}

// archivePlace returns the part that says whether the process reads the archive that the others use.
func archivePlace(b *base) part {
	return part{name: "archive's place", run: func(ctx context.Context) error { <-ctx.Done(); return nil }, problems: func(ctx context.Context, add addProblem) {
		if err := claimArchive(ctx, b, false); err != nil {
			add("archive", notice{err}, "set archive to a folder that write, aggregate and web share, or to a copy of it with its "+archiveIDFile+": archived days and their corrections are missing here meanwhile")
		}
	}}
}
