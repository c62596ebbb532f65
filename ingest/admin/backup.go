package admin

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"stadtluft/ingest/httpapi"
)

// Backup copies the files that a restore needs.
type Backup struct {
	Folder string // has room for the copies
	Copies func() []Copy
}

// Copy is a file of a backup. Make writes a consistent copy to a path where no file is.
type Copy struct {
	Name string
	Make func(ctx context.Context, path string) error
}

// copiesPrefix begins the name of the folder of copies that are being sent.
const copiesPrefix = ".backup-"

// RemoveUnfinished removes the copies that a process left in the folder when it crashed during a backup.
func (b Backup) RemoveUnfinished() error {
	folders, err := filepath.Glob(filepath.Join(b.Folder, copiesPrefix+"*"))
	for _, folder := range folders {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	return err
}

// getBackup sends consistent copies of the files that a restore needs, as a compressed tar archive. It completes them
// before it sends the first byte, so that a full disk is an error and not a short archive.
func (s *Service) getBackup(w http.ResponseWriter, r *http.Request) (err error) {
	folder, err := os.MkdirTemp(s.backup.Folder, copiesPrefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	copies := s.backup.Copies()
	for _, c := range copies {
		if err := c.Make(r.Context(), filepath.Join(folder, c.Name)); err != nil {
			return httpapi.New(http.StatusServiceUnavailable, "", "back up %s: %v", c.Name, err).
				InGerman("Die Kopie von %s ist nicht gelungen: %v", c.Name, err)
		}
	}
	now := time.Now().UTC()
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Content-Disposition", `attachment; filename="stadtluft-backup-`+now.Format("20060102T150405Z")+`.tar.gz"`)
	zipped := gzip.NewWriter(w)
	archive := tar.NewWriter(zipped)
	for _, c := range copies {
		if err := addFile(archive, filepath.Join(folder, c.Name), c.Name, now); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zipped.Close())
}

func addFile(archive *tar.Writer, path, name string, at time.Time) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: at, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}
