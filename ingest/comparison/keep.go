package comparison

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/wholefile"
)

const (
	// version changes when days have to be computed again.
	version = 1
	// resultFile holds the last result.
	resultFile = "result.json"
)

// rules returns a digest of what a day's pairs depend on besides readings: the correction, by which rule hours count, and of
// each station where it stood since the readings that compute takes, whether it counts, and its calibrations.
func (c *Comparer) rules(start time.Time) string {
	h := sha256.New()
	fmt.Fprintln(h, version, aggregate.RuleVersion, c.Correction, start.Unix())
	since, end := start.Add(-aggregate.LookBack), start.Add(oneDay)
	for _, st := range c.Stations.Stations() {
		if st.Created.After(end) {
			continue
		}
		fmt.Fprintln(h, st.ID, st.Source, st.PlaceAt(since).Public, st.ExposureAt(since), st.Status == ingest.Erased, st.Ended.Unix(), st.CF1(start))
		for _, p := range st.Places {
			if p.From.After(since) && p.From.Before(end) {
				fmt.Fprintln(h, p.From.Unix(), p.Public)
			}
		}
		for _, x := range st.Exposures {
			if x.From.After(since) && x.From.Before(end) {
				fmt.Fprintln(h, x.From.Unix(), x.Exposure)
			}
		}
		for _, k := range st.Calibrations {
			if k.From.Before(end) && (k.To.IsZero() || k.To.After(start)) {
				fmt.Fprintln(h, k)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// read returns a kept day.
func (c *Comparer) read(start time.Time) (*day, error) {
	file, err := os.Open(c.path(start))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(bufio.NewReader(file))
	if err != nil {
		return nil, err
	}
	d := &day{}
	return d, gob.NewDecoder(unpacked).Decode(d)
}

func (c *Comparer) write(start time.Time, d *day) error {
	return c.replace(c.path(start), func(w io.Writer) error {
		packed := gzip.NewWriter(w)
		return errors.Join(gob.NewEncoder(packed).Encode(d), packed.Close())
	})
}

// replace writes a file that is there whole or not at all.
func (c *Comparer) replace(path string, write func(io.Writer) error) error {
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return fmt.Errorf("comparison: %w", err)
	}
	if err := wholefile.Write(path, 0o600, write); err != nil {
		return fmt.Errorf("comparison: %w", err)
	}
	return nil
}

func (c *Comparer) forget(start time.Time) {
	if err := os.Remove(c.path(start)); err != nil && !errors.Is(err, os.ErrNotExist) {
		c.Log.Warn("compared day was not removed, it stays as it is", "day", start, "err", err)
	}
}

// prune removes days before the first, and what a crash left.
func (c *Comparer) prune(first time.Time) {
	files, _ := filepath.Glob(filepath.Join(c.Folder, "*.gob.gz"))
	for _, file := range files {
		if file < c.path(first) {
			os.Remove(file)
		}
	}
	parts, _ := filepath.Glob(filepath.Join(c.Folder, "*.part"))
	for _, part := range parts {
		os.Remove(part)
	}
}

// save keeps a result, unless it is empty.
func (c *Comparer) save(r *Result) error {
	if !r.Compared() {
		if err := os.Remove(filepath.Join(c.Folder, resultFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("comparison: %w", err)
		}
		return nil
	}
	return c.replace(filepath.Join(c.Folder, resultFile), func(w io.Writer) error { return json.NewEncoder(w).Encode(r) })
}

func (c *Comparer) load() (*Result, error) { return Load(c.Folder) }

// Load returns the last result in a folder.
func Load(folder string) (*Result, error) {
	data, err := os.ReadFile(filepath.Join(folder, resultFile))
	if err != nil {
		return nil, err
	}
	r := &Result{}
	return r, json.Unmarshal(data, r)
}
