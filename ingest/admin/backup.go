package admin

import (
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"stadtluft/ingest/httpapi"
)

// Backup makes a backup and returns it as a file, which the caller closes. The file has no name and goes then.
type Backup func(ctx context.Context) (*os.File, error)

// getBackup sends a backup. It is complete and verified before the first byte is sent, so that a full disk is an error and not a short
// file.
func (s *Service) getBackup(w http.ResponseWriter, r *http.Request) error {
	file, err := s.backup(r.Context())
	if err != nil {
		return httpapi.New(http.StatusServiceUnavailable, "", "%v", err).InGerman("Die Sicherung ist nicht gelungen: %v", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	w.Header().Set("Content-Disposition", `attachment; filename="stadtluft-backup-`+time.Now().UTC().Format("20060102T150405Z")+`.tar.gz"`)
	_, err = io.Copy(w, file)
	return err
}
