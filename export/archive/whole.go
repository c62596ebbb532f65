package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"
)

// wholes returns the names of the files of a year, or of a month, that are made of those of its days.
func wholes(month string) []string {
	if month != "" {
		return append(slices.Clone(joinable), sumsName)
	}
	return append(slices.Clone(joinable), packageName, citationName, dataciteName, sumsName)
}

// serveWhole answers with a file of a year or a month; parts are those of address.
func (a *Archive) serveWhole(w http.ResponseWriter, r *http.Request, first, last Day, parts []string) error {
	name, path := strings.TrimPrefix(parts[5], "/"), strings.Join(filled(parts[1], parts[2]), "/")
	if path == "" || parts[3] != "" || !slices.Contains(wholes(parts[2]), name) {
		return fs.ErrNotExist
	}
	days, err := a.Days(first, last)
	if err != nil {
		return err
	}
	if len(days) == 0 {
		return fs.ErrNotExist
	}
	meta := a.meta()
	download := fileName(strings.ReplaceAll(path, "/", "-")+"-"+name, meta.Demo)
	if slices.Contains(joinable, name) {
		j, err := a.join(path, first, last, name)
		if err != nil {
			return err
		}
		b := j.reader()
		defer b.Close()
		head(w, meta.Licence, meta.Licences, mediaType(name), download, b.modTag)
		http.ServeContent(w, r, "", b.latest, b)
		return nil
	}
	text, err := a.whole(r.Context(), path, first, last, name)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	head(w, meta.Licence, meta.Licences, mediaType(name), download, hex.EncodeToString(sum[:]))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	return nil
}

// whole returns one of the small files of a year or a month.
func (a *Archive) whole(ctx context.Context, path string, first, last Day, name string) ([]byte, error) {
	if name == sumsName {
		return a.checksums(path, first, last)
	}
	y, err := a.yearOf(ctx, path, first, last)
	if err != nil {
		return nil, err
	}
	switch name {
	case packageName:
		return y.dataPackage()
	case citationName:
		return y.citation(), nil
	}
	return y.datacite()
}
