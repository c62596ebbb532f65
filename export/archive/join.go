package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"stadtluft/export/parquet"
)

// joinable are the files of days that a year and a month have as one file.
var joinable = []string{hoursParquet, daysParquet}

// mostJoined is how many joined files are kept in mind: both of a few years and months.
const mostJoined = 16

// joinedFiles keeps in mind how files are joined. It is safe for concurrent use.
type joinedFiles struct {
	mu    sync.Mutex         // guards files, and what is in them
	files map[string]*joined // by path, such as 2026/means-1h.parquet
}

// joined is one file of those of many days.
type joined struct {
	bundle
	without []string // days that have no such file, or one with other columns
	sum     string   // SHA-256; empty until somebody asks for it
}

// reader returns a reader of the file, at its begin.
func (j *joined) reader() *bundle {
	return &bundle{archive: j.archive, pieces: j.pieces, size: j.size, modTag: j.modTag, latest: j.latest}
}

// join returns the Parquet file of the newest revisions of the days from first to last, by its path and name. It looks only
// at the descriptions of the days' files; the same revisions give the same bytes.
func (a *Archive) join(path string, first, last Day, name string) (*joined, error) {
	days, err := a.Days(first, last)
	if err != nil {
		return nil, err
	}
	j, tag := &joined{bundle: bundle{archive: a}}, sha256.New()
	var parts []served
	for _, d := range days {
		files, err := a.filesOf(d, 0)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(files, func(f served) bool { return f.Name == name }); i >= 0 {
			fmt.Fprintln(tag, d, files[i].SHA256)
			files[i].Href = d.String()
			parts = append(parts, files[i])
			continue
		}
		j.without = append(j.without, d.String())
	}
	j.modTag = hex.EncodeToString(tag.Sum(nil))
	a.joined.mu.Lock()
	defer a.joined.mu.Unlock()
	path += "/" + name
	if known := a.joined.files[path]; known != nil && known.modTag == j.modTag {
		return known, nil
	}
	if err := j.fill(parts); err != nil {
		return nil, fmt.Errorf("join %s: %w", path, err)
	}
	if a.joined.files == nil || len(a.joined.files) >= mostJoined {
		a.joined.files = map[string]*joined{}
	}
	a.joined.files[path] = j
	return j, nil
}

// fill makes the pieces of the file.
func (j *joined) fill(parts []served) error {
	var joiner parquet.Joiner
	j.text(joiner.Begin())
	for _, part := range parts {
		from, length, err := j.add(&joiner, part)
		if errors.Is(err, parquet.ErrOtherColumns) {
			j.without = append(j.without, part.Href)
			continue
		}
		if err != nil {
			return err
		}
		j.append(piece{path: part.path, from: from, size: length})
		if part.modified.After(j.latest) {
			j.latest = part.modified
		}
	}
	slices.Sort(j.without)
	end, err := joiner.End()
	j.text(end)
	return err
}

func (j *joined) add(joiner *parquet.Joiner, part served) (from, length int64, err error) {
	file, err := j.archive.open(part.path)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	return joiner.Add(file, part.Bytes)
}

// text appends a text to the file.
func (b *bundle) text(text []byte) { b.append(piece{size: int64(len(text)), text: text}) }

// checksum returns the SHA-256 of the joined file, which is read for it once.
func (a *Archive) checksum(j *joined) (string, error) {
	a.joined.mu.Lock()
	defer a.joined.mu.Unlock()
	if j.sum != "" {
		return j.sum, nil
	}
	r, sum := j.reader(), sha256.New()
	defer r.Close()
	if _, err := io.Copy(sum, r); err != nil {
		return "", err
	}
	j.sum = hex.EncodeToString(sum.Sum(nil))
	return j.sum, nil
}

// checksums returns the checksums of all files of a year or month by their paths in it, as sha256sum reads them: those of each
// day's newest revision, and the joined ones.
func (a *Archive) checksums(path string, first, last Day) ([]byte, error) {
	days, err := a.Days(first, last)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, name := range joinable {
		j, err := a.join(path, first, last, name)
		if err != nil {
			return nil, err
		}
		sum, err := a.checksum(j)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s  %s\n", sum, name)
	}
	for _, d := range days {
		revision, err := a.newest(d)
		if err != nil {
			return nil, err
		}
		sums, err := a.sums(d, revision)
		if err != nil {
			return nil, err
		}
		folder := d.date.Format("2006/01/02")[len(path)+1:]
		for _, name := range slices.Sorted(maps.Keys(sums)) {
			fmt.Fprintf(&b, "%s  %s/%s\n", sums[name], folder, name)
		}
	}
	return []byte(b.String()), nil
}
