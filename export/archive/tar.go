package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"sort"
	"time"
)

// tarBlock is the size to which everything in a tar file is padded.
const tarBlock = 512

// bundle reads as one file that consists of texts and of parts of days' files, also from its middle, without the file ever
// being made. The same revisions give the same bytes.
type bundle struct {
	archive *Archive
	pieces  []piece
	size    int64
	modTag  string // changes with its content
	latest  time.Time

	at   int64
	open file // of the current piece
	path string
}

// piece is a part of a bundle: text, or a file.
type piece struct {
	start, size int64
	text        []byte
	path        string
	from        int64 // in the file
}

// bundle returns the tar file of the days from first to last.
func (a *Archive) bundle(first, last Day) (*bundle, error) {
	days, err := a.Days(first, last)
	if err != nil {
		return nil, err
	}
	b, sum := &bundle{archive: a}, sha256.New()
	for _, d := range days {
		files, err := a.filesOf(d, 0)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			name := d.date.Format("2006/01/02/") + f.Name
			fmt.Fprintln(sum, name, f.SHA256)
			if err := b.add(name, f); err != nil {
				return nil, err
			}
		}
	}
	b.append(piece{size: 2 * tarBlock, text: make([]byte, 2*tarBlock)})
	b.modTag = hex.EncodeToString(sum.Sum(nil))
	return b, nil
}

func (b *bundle) add(name string, f served) error {
	var head bytes.Buffer
	header := &tar.Header{Name: name, Mode: 0o644, Size: f.Bytes, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if err := tar.NewWriter(&head).WriteHeader(header); err != nil {
		return fmt.Errorf("bundle %s: %w", name, err)
	}
	b.append(piece{size: int64(head.Len()), text: head.Bytes()})
	b.append(piece{size: f.Bytes, path: f.path})
	padding := (tarBlock - f.Bytes%tarBlock) % tarBlock
	b.append(piece{size: padding, text: make([]byte, padding)})
	if f.modified.After(b.latest) {
		b.latest = f.modified
	}
	return nil
}

func (b *bundle) append(p piece) {
	p.start = b.size
	b.size += p.size
	b.pieces = append(b.pieces, p)
}

// Read reads from a single piece.
func (b *bundle) Read(to []byte) (int, error) {
	if b.at >= b.size {
		return 0, io.EOF
	}
	p := b.pieces[sort.Search(len(b.pieces), func(i int) bool { return b.pieces[i].start+b.pieces[i].size > b.at })]
	offset := b.at - p.start
	to = to[:min(int64(len(to)), p.size-offset)]
	if p.path == "" {
		n := copy(to, p.text[offset:])
		b.at += int64(n)
		return n, nil
	}
	if b.path != p.path {
		b.Close()
		file, err := b.archive.open(p.path)
		if err != nil {
			return 0, err
		}
		b.open, b.path = file, p.path
	}
	n, err := b.open.ReadAt(to, p.from+offset)
	b.at += int64(n)
	if errors.Is(err, io.EOF) && n == len(to) {
		err = nil
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s has become shorter: %w", path.Base(p.path), io.ErrUnexpectedEOF)
	}
	return n, err
}

// Seek moves to an offset.
func (b *bundle) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.at
	case io.SeekEnd:
		offset += b.size
	}
	if offset < 0 {
		return 0, errors.New("a place before the begin")
	}
	b.at = offset
	return offset, nil
}

// Close closes the current file.
func (b *bundle) Close() error {
	if b.open == nil {
		return nil
	}
	err := b.open.Close()
	b.open, b.path = nil, ""
	return err
}
