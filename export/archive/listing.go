package archive

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"stadtluft/export/archive/remote"
)

// listedFor is how long a listing is used again.
const listedFor = 5 * time.Second

// listed keeps the last listing. It is safe for concurrent use.
type listed struct {
	mu   sync.Mutex // guards the fields below, and is held while they are made
	text []byte     // compressed
	tag  string
	made time.Time
}

// serveListing answers with every published file, for processes that read the archive over HTTP and for copies of all of it.
func (a *Archive) serveListing(w http.ResponseWriter, r *http.Request) error {
	text, tag, err := a.listing()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Encoding", "gzip")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	_, _ = w.Write(text) // the client may have gone
	return nil
}

func (a *Archive) listing() (text []byte, tag string, err error) {
	l := &a.listed
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.made) < listedFor {
		return l.text, l.tag, nil
	}
	all, err := a.everyFile()
	if err != nil {
		return nil, "", err
	}
	var b strings.Builder
	compressed, sum := gzip.NewWriter(&b), sha256.New()
	plain, err := json.Marshal(all)
	_, wrong := compressed.Write(plain)
	if err = errors.Join(err, wrong, compressed.Close()); err != nil {
		return nil, "", err
	}
	sum.Write(plain)
	l.text, l.tag, l.made = []byte(b.String()), `"`+hex.EncodeToString(sum.Sum(nil))+`"`, time.Now()
	return l.text, l.tag, nil
}

// everyFile returns the files of each revision, and the notes beside them.
func (a *Archive) everyFile() (remote.Listing, error) {
	own, err := a.small(InstallationFile)
	l := remote.Listing{Installation: own, Files: []remote.Entry{}}
	if err != nil {
		return l, err
	}
	years, err := a.list(".")
	for _, year := range years {
		if _, _, wrong := span(year, "", ""); wrong != nil || err != nil {
			continue
		}
		err = fs.WalkDir(a.files(), year, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasPrefix(path.Base(name), ".") {
				return err
			}
			info, err := entry.Info()
			if err == nil {
				l.Files = append(l.Files, remote.Entry{Name: name, Bytes: info.Size(), Modified: info.ModTime().UTC()})
			}
			return err
		})
	}
	return l, err
}
