package archive

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// File is a file of a revision.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Rows   int    `json:"rows"` // without a header; 0 when the format has none
}

// output writes a file and computes its size and checksum. A name that ends in .gz is compressed, without a time.
type output struct {
	io.Writer
	name  string
	bytes int64
	sum   hash.Hash
	file  *os.File
	flush []func() error // the outermost first
}

func create(folder, name string) (*output, error) {
	file, err := os.OpenFile(filepath.Join(folder, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	o := &output{name: name, file: file, sum: sha256.New()}
	buffered := bufio.NewWriterSize(io.MultiWriter(file, o.sum, (*counter)(&o.bytes)), 64<<10)
	o.Writer, o.flush = buffered, []func() error{buffered.Flush}
	if strings.HasSuffix(name, ".gz") {
		compressed := gzip.NewWriter(buffered) // klauspost's, whose version is in go.mod
		compressed.ModTime = time.Unix(0, 0)   // none
		o.Writer, o.flush = compressed, []func() error{compressed.Close, buffered.Flush}
	}
	return o, nil
}

type counter int64

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

// close writes the file to disk. It closes it also after an error.
func (o *output) close(rows int) (File, error) {
	var errs []error
	for _, flush := range o.flush {
		errs = append(errs, flush())
	}
	if err := errors.Join(append(errs, o.file.Sync(), o.file.Close())...); err != nil {
		return File{}, err
	}
	return File{o.name, o.bytes, hex.EncodeToString(o.sum.Sum(nil)), rows}, nil
}
