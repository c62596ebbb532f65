// Package remote reads an archive's files on another machine as a file system: what there is from a list that is asked for again when it
// may have changed, and parts of files as they are needed.
//
// A list is asked for at most every ten seconds. While the other machine does not answer, the last list is used for twelve hours: nothing
// that a reader needs of it is younger, see archive.evictDelay. The newest parts of files stay in memory, up to 32 MB. Files of a
// revision never change, so parts are valid for ever; a file that was replaced is another one, by its size, time or version.
package remote

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"
	"time"
)

const (
	// fresh is how long a list is used without asking again, also after a failure.
	fresh = 10 * time.Second
	// lasts is how long the last list is used while the machine does not answer.
	lasts = 12 * time.Hour
	// hurry is how long a reader that has an older list waits for a new one.
	hurry = 2 * time.Second
	// whole is the interval at which the list is asked for even though its version is the same.
	whole = time.Hour
	// patience bounds a request for a list, and readTime one for a part of a file.
	patience, readTime = 20 * time.Second, 30 * time.Second
	// blockSize is the size of the parts that are read, and mostBlocks how many stay in memory.
	blockSize, mostBlocks = 1 << 20, 32
)

// Entry is a file.
type Entry struct {
	Name     string    `json:"name"` // with slashes, below the archive's root
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`

	// Version differs where the content differs although the rest is the same, as times of whole seconds may be; may be empty.
	Version string `json:"-"`
}

// Source asks the other machine.
type Source interface {
	// List returns all files in any order, and the list's version; no files when the version is still the one given.
	List(ctx context.Context, version string) (files []Entry, now string, err error)
	// Read fills p with the bytes of a file from offset on.
	Read(ctx context.Context, file Entry, p []byte, offset int64) error
}

// FS is the file system of a source. It is safe for concurrent use.
type FS struct {
	source Source

	asking sync.Mutex // held by who asks for the list

	mu      sync.Mutex // guards the fields below
	tree    *tree      // nil before the first list
	version string
	tried   time.Time // when the list was asked for last
	good    time.Time // when it was got, or was the same, last
	full    time.Time // when it was got last
	added   int       // how often files were added
	err     error     // of the last try
	blocks  map[block]*list.Element
	recent  *list.List // of kept, the most recently used first
}

// New returns the file system of a source, which is not asked before something is read.
func New(s Source) *FS {
	return &FS{source: s, blocks: map[block]*list.Element{}, recent: list.New()}
}

// block names a part of a file.
type block struct {
	name     string
	version  string
	bytes    int64
	modified int64
	number   int64
}

type kept struct {
	block
	data []byte
}

// Refresh asks for the list now, whatever its version is.
func (f *FS) Refresh(ctx context.Context) error {
	f.asking.Lock()
	defer f.asking.Unlock()
	f.mu.Lock()
	f.version = ""
	f.mu.Unlock()
	return f.ask(ctx)
}

// Added adds files that were just written, which changed the list's version. A list that others had changed before, or that is being
// asked for, is asked for again.
func (f *FS) Added(files []Entry, before, now string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.added++
	known := f.tree != nil && f.version == before
	if f.tree != nil {
		f.tree = f.tree.with(files)
	}
	if f.version = now; !known {
		f.askAgain()
	}
}

// askAgain makes the next reader ask for the whole list. It needs mu.
func (f *FS) askAgain() { f.version, f.tried = "", time.Time{} }

// Problem returns the error of the last attempt to ask for the list; nil when it succeeded.
func (f *FS) Problem() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// ask asks for the list; asking is locked.
func (f *FS) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f.mu.Lock()
	version, added := f.version, f.added
	if f.tree == nil || time.Since(f.full) > whole {
		version = ""
	}
	f.mu.Unlock()
	files, now, err := f.source.List(ctx, version)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tried, f.err = time.Now(), err
	if err != nil {
		return err
	}
	f.good = f.tried
	if added != f.added && f.tree != nil { // the list may be without what was added
		f.askAgain()
		return nil
	}
	if version == "" || now != version {
		f.tree, f.version, f.full = newTree(files), now, f.tried
	}
	return nil
}

// current returns the list, at most fresh old, or an older one while the source does not answer.
func (f *FS) current() (*tree, error) {
	if tree, err, ok := f.known(); ok {
		return tree, err
	}
	if _, err := f.lastTree(nil); err == nil {
		if f.asking.TryLock() {
			f.askFor(hurry)
		}
		return f.lastTree(nil) // perhaps the older one, also while another asks
	}
	f.asking.Lock() // until it has been asked for once
	defer f.asking.Unlock()
	if tree, err, ok := f.known(); ok {
		return tree, err
	}
	return f.lastTree(f.ask(context.Background()))
}

// askFor asks for the list and waits a while for it; asking is locked, and unlocked when there is an answer.
func (f *FS) askFor(wait time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer f.asking.Unlock()
		_ = f.ask(context.Background()) // the error is kept
	}()
	select {
	case <-done:
	case <-time.After(wait):
	}
}

// known returns the list without asking, when it was asked for a short time ago.
func (f *FS) known() (t *tree, err error, ok bool) {
	f.mu.Lock()
	ok = time.Since(f.tried) < fresh
	err = f.err
	f.mu.Unlock()
	if !ok {
		return nil, nil, false
	}
	t, err = f.lastTree(err)
	return t, err, true
}

// lastTree returns the last list, unless it is too old; then err, which kept it from being asked for.
func (f *FS) lastTree(err error) (*tree, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tree == nil || time.Since(f.good) > lasts {
		return nil, cmp.Or(err, f.err, errors.New("its files are not known yet"))
	}
	return f.tree, nil
}

// Stat returns a file's size and time.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	tree, err := f.current()
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return tree.stat("stat", name)
}

// ReadDir returns the files and folders of a folder, by name.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	tree, err := f.current()
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	if _, err := tree.stat("readdir", name); err != nil {
		return nil, err
	}
	return slices.Clone(tree.folders[name]), nil
}

// Open opens a file or a folder.
func (f *FS) Open(name string) (fs.File, error) {
	info, err := f.Stat(name)
	if err != nil {
		var wrong *fs.PathError
		if errors.As(err, &wrong) {
			wrong.Op = "open"
		}
		return nil, err
	}
	if info.IsDir() {
		entries, err := f.ReadDir(name)
		return &openFolder{info: info, entries: entries}, err
	}
	return &openFile{from: f, item: info.(item)}, nil
}

// read returns a part of a file, from memory where it is there.
func (f *FS) read(file Entry, number int64) ([]byte, error) {
	key := block{file.Name, file.Version, file.Bytes, file.Modified.UnixNano(), number}
	f.mu.Lock()
	if e, ok := f.blocks[key]; ok {
		f.recent.MoveToFront(e)
		defer f.mu.Unlock()
		return e.Value.(kept).data, nil
	}
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	from := number * blockSize
	data := make([]byte, min(blockSize, file.Bytes-from))
	if err := f.source.Read(ctx, file, data, from); err != nil {
		return nil, fmt.Errorf("read %s: %w", file.Name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.blocks[key]; !ok {
		f.blocks[key] = f.recent.PushFront(kept{key, data})
	}
	if f.recent.Len() > mostBlocks {
		delete(f.blocks, f.recent.Remove(f.recent.Back()).(kept).block)
	}
	return data, nil
}

// tree is a list of files by folder. It is never changed.
type tree struct {
	items   map[string]item
	folders map[string][]fs.DirEntry // sorted
}

func newTree(files []Entry) *tree {
	t := &tree{map[string]item{".": {Entry: Entry{Name: "."}, folder: true}}, map[string][]fs.DirEntry{".": nil}}
	for _, file := range files {
		t.add(item{Entry: file})
	}
	for _, entries := range t.folders {
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	}
	return t
}

// add adds an item and the folders above it. A later one of the same name replaces it.
func (t *tree) add(i item) {
	former, known := t.items[i.Entry.Name]
	if known && former.folder {
		return
	}
	t.items[i.Entry.Name] = i
	above := path.Dir(i.Entry.Name)
	if known {
		t.folders[above] = slices.DeleteFunc(t.folders[above], func(e fs.DirEntry) bool { return e.Name() == i.Name() })
	}
	t.folders[above] = append(t.folders[above], fs.FileInfoToDirEntry(i))
	if above != "." {
		t.add(item{Entry: Entry{Name: above, Modified: i.Modified}, folder: true})
	}
}

// with returns the list with more files, or other ones of the same name.
func (t *tree) with(files []Entry) *tree {
	all := make([]Entry, 0, len(t.items)+len(files))
	for _, i := range t.items {
		if !i.folder {
			all = append(all, i.Entry)
		}
	}
	return newTree(append(all, files...))
}

func (t *tree) stat(op, name string) (fs.FileInfo, error) {
	i, ok := t.items[name]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return i, nil
}
