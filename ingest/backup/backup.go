// Package backup packs the files of a backup into one compressed tar archive, and unpacks it. A manifest in front, backup.json,
// says what the files are; each has its size and its SHA-256 there, so that no damage goes unnoticed.
//
// It knows nothing of what is in the files: those who make them verify them.
package backup

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"stadtluft/ingest/streams"
	"stadtluft/ingest/wholefile"
)

const (
	// Format is the version of archives; those of a higher one are refused.
	Format = 1

	manifestName = "backup.json"
	maxManifest  = 1 << 20 // bytes
)

// Manifest says what is in an archive.
type Manifest struct {
	Format     int       `json:"format"`
	Made       time.Time `json:"made"`
	Program    string    `json:"program"`    // version that made it
	Deployment string    `json:"deployment"` // whose it is
	Store      string    `json:"store"`      // kind; one that is not sqlite has a backup of its own
	Stations   int       `json:"stations"`   // of the registry
	// Streams are the files that hold a stream, by name.
	Streams map[string]streams.Snapshot `json:"streams"`
	Files   []File                      `json:"files"` // in the order of the archive
}

// File is a file of an archive.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Pack writes an archive of the files in a folder, in the order of names. It fills in the manifest's format and files, and
// returns it.
func Pack(w io.Writer, folder string, m Manifest, names []string) (Manifest, error) {
	m.Format, m.Files = Format, nil
	for _, name := range names {
		f, err := describe(folder, name)
		if err != nil {
			return m, fmt.Errorf("pack %s: %w", name, err)
		}
		m.Files = append(m.Files, f)
	}
	head, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return m, err
	}
	zipped := gzip.NewWriter(w)
	archive := tar.NewWriter(zipped)
	err = archive.WriteHeader(header(manifestName, int64(len(head)), m.Made))
	if err == nil {
		_, err = archive.Write(head)
	}
	for _, f := range m.Files {
		if err == nil {
			err = add(archive, folder, f, m.Made)
		}
	}
	if err == nil {
		err = errors.Join(archive.Close(), zipped.Close())
	}
	return m, err
}

func header(name string, bytes int64, at time.Time) *tar.Header {
	return &tar.Header{Name: name, Mode: 0o600, Size: bytes, ModTime: at, Format: tar.FormatPAX}
}

func describe(folder, name string) (File, error) {
	file, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		return File{}, err
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	return File{name, n, hex.EncodeToString(sum.Sum(nil))}, err
}

func add(archive *tar.Writer, folder string, f File, at time.Time) error {
	file, err := os.Open(filepath.Join(folder, f.Name))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := archive.WriteHeader(header(f.Name, f.Bytes, at)); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}

// Unpack writes the files of an archive to a folder, with mode 0600, and returns when they are on disk and are what the manifest
// says. It refuses an archive that is damaged, not complete, or of a newer version; some of its files can be there then.
func Unpack(r io.Reader, folder string) (Manifest, error) {
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return Manifest{}, fmt.Errorf("it is no backup, or damaged: %w", err)
	}
	archive := tar.NewReader(zipped)
	m, err := readManifest(archive)
	if err != nil {
		return m, err
	}
	for _, f := range m.Files {
		if err := extract(archive, folder, f); err != nil {
			return m, fmt.Errorf("the backup is damaged: %s: %w", f.Name, err)
		}
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return m, fmt.Errorf("the backup is damaged: more files than its manifest names (%v)", err)
	}
	if _, err := io.Copy(io.Discard, zipped); err != nil { // up to the checksum at its end
		return m, fmt.Errorf("the backup is damaged: %w", err)
	}
	return m, wholefile.SyncFolder(folder)
}

func readManifest(archive *tar.Reader) (m Manifest, err error) {
	head, err := archive.Next()
	if err != nil {
		return m, fmt.Errorf("it is no backup, or damaged: %w", err)
	}
	if head.Name != manifestName {
		return m, fmt.Errorf("it begins with %q in place of %s: one of an earlier version, without a manifest, is unpacked with tar -xzf", head.Name, manifestName)
	}
	body, err := io.ReadAll(io.LimitReader(archive, maxManifest))
	if err != nil {
		return m, fmt.Errorf("the backup is damaged: %s: %w", manifestName, err)
	}
	var version struct{ Format int }
	if err := json.Unmarshal(body, &version); err != nil {
		return m, fmt.Errorf("the backup is damaged: %s: %w", manifestName, err)
	}
	if version.Format > Format {
		return m, fmt.Errorf("the backup was made by a newer Stadtluft (format %d, this one reads up to %d): upgrade", version.Format, Format)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("the backup is damaged: %s: %w", manifestName, err)
	}
	return m, nil
}

func extract(archive *tar.Reader, folder string, f File) error {
	head, err := archive.Next()
	if err != nil {
		return err
	}
	if head.Name != f.Name || head.Size != f.Bytes || !head.FileInfo().Mode().IsRegular() {
		return fmt.Errorf("%q of %d bytes is in its place, want %d bytes", head.Name, head.Size, f.Bytes)
	}
	if filepath.Base(f.Name) != f.Name || !filepath.IsLocal(f.Name) {
		return errors.New("it would lie outside the folder")
	}
	file, err := os.OpenFile(filepath.Join(folder, f.Name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(file, sum), archive)
	if err := errors.Join(err, file.Chmod(0o600), file.Sync(), file.Close()); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != f.SHA256 {
		return fmt.Errorf("its SHA-256 is %s, want %s", got, f.SHA256)
	}
	return nil
}
