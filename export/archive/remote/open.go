package remote

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"time"
)

// item is a file or a folder; it is its own fs.FileInfo.
type item struct {
	Entry
	folder bool
}

func (i item) Name() string       { return path.Base(i.Entry.Name) }
func (i item) Size() int64        { return i.Bytes }
func (i item) ModTime() time.Time { return i.Modified }
func (i item) IsDir() bool        { return i.folder }
func (i item) Sys() any           { return nil }

func (i item) Mode() fs.FileMode {
	if i.folder {
		return fs.ModeDir | 0o500
	}
	return 0o400
}

// openFile is an open file. ReadAt may be called concurrently.
type openFile struct {
	from *FS
	item
	at int64
}

func (o *openFile) Stat() (fs.FileInfo, error) { return o.item, nil }
func (o *openFile) Close() error               { return nil }

func (o *openFile) Read(p []byte) (int, error) {
	n, err := o.ReadAt(p, o.at)
	o.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func (o *openFile) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < 0 {
		return 0, &fs.PathError{Op: "read", Path: o.Entry.Name, Err: fs.ErrInvalid}
	}
	for n < len(p) {
		at := offset + int64(n)
		if at >= o.Bytes {
			return n, io.EOF
		}
		data, err := o.from.read(o.Entry, at/blockSize)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data[at%blockSize:])
	}
	return n, nil
}

func (o *openFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.Bytes
	}
	if offset < 0 {
		return 0, &fs.PathError{Op: "seek", Path: o.Entry.Name, Err: fs.ErrInvalid}
	}
	o.at = offset
	return offset, nil
}

// openFolder is an open folder.
type openFolder struct {
	info    fs.FileInfo
	entries []fs.DirEntry
}

func (o *openFolder) Stat() (fs.FileInfo, error) { return o.info, nil }
func (o *openFolder) Close() error               { return nil }

func (o *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: o.info.Name(), Err: errors.New("is a folder")}
}

// ReadDir returns the next n entries; all that are left for n <= 0.
func (o *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(o.entries) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(o.entries) {
		n = len(o.entries)
	}
	list := o.entries[:n]
	o.entries = o.entries[n:]
	return list, nil
}
