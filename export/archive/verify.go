package archive

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Verify compares a day's files with their checksums, in each revision. It returns a line per difference; none when all
// files are intact.
func (a *Archive) Verify(d Day) (revisions int, wrong []string, err error) {
	numbers, err := a.Revisions(d)
	next := 1
	for _, n := range numbers {
		for ; next < n; next++ {
			wrong = append(wrong, fmt.Sprintf("%s r%d: is missing", d, next))
		}
		wrong = append(wrong, a.verify(d, n)...)
		next++
	}
	return len(numbers), wrong, err
}

func (a *Archive) verify(d Day, revision int) []string {
	folder := a.revisionFolder(d, revision)
	var wrong []string
	say := func(name, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s r%d: %s: %s", d, revision, name, fmt.Sprintf(format, args...)))
	}
	sums, err := a.sums(d, revision)
	if err != nil {
		say(sumsName, "%v", err)
		return wrong
	}
	for name, sum := range sums {
		got, err := a.sumOf(path.Join(folder, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			say(name, "is missing")
		case err != nil:
			say(name, "%v", err)
		case got != sum:
			say(name, "has the SHA-256 %s, was written with %s", got, sum)
		}
	}
	if m, err := a.Manifest(d, revision); err != nil {
		say(manifestName, "%v", err)
	} else {
		for _, f := range m.Files {
			if sums[f.Name] != f.SHA256 {
				say(f.Name, "%s and %s name other checksums", manifestName, sumsName)
			}
		}
	}
	names, err := a.list(folder)
	if err != nil {
		say(".", "%v", err)
	}
	for _, name := range names {
		if sums[name] == "" && name != sumsName {
			say(name, "does not belong there")
		}
	}
	return wrong
}

// sums returns a revision's checksums by file.
func (a *Archive) sums(d Day, revision int) (map[string]string, error) {
	file, err := a.open(path.Join(a.revisionFolder(d, revision), sumsName))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sums := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok || len(sum) != 2*sha256.Size || name == "" || name != path.Base(name) {
			return nil, fmt.Errorf("%q is not a line of checksums", lines.Text())
		}
		sums[name] = sum
	}
	if len(sums) == 0 && lines.Err() == nil {
		return nil, fmt.Errorf("is empty")
	}
	return sums, lines.Err()
}

func (a *Archive) sumOf(name string) (string, error) {
	file, err := a.open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
