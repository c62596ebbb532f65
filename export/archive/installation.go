package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"stadtluft/ingest/wholefile"
)

// InstallationFile is the file of an archive folder with the id of the installation whose days are in it.
const InstallationFile = "installation"

// ErrForeign is the error for an archive folder that is another installation's.
var ErrForeign = errors.New("move the folder away, or take the registry that belongs to it")

// Installation returns the id of the installation that an archive folder belongs to; empty when it says nothing.
func (a *Archive) Installation() (string, error) {
	text, err := os.ReadFile(filepath.Join(a.Dir, InstallationFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// Belongs returns an error when the archive folder is not an installation's: ErrForeign when it is another's. One that says nothing, of an
// earlier version, is taken.
func (a *Archive) Belongs(installation string) error {
	there, err := a.Installation()
	if err == nil && there != "" && there != installation {
		err = fmt.Errorf("the archive folder %s belongs to installation %s, not to %s: %w", a.Dir, there, installation, ErrForeign)
	}
	return err
}

// Adopt makes an archive folder that says nothing, or is missing, an installation's. It refuses as Belongs does.
func (a *Archive) Adopt(installation string) error {
	if err := a.Belongs(installation); err != nil {
		return err
	}
	if there, err := a.Installation(); there != "" || err != nil {
		return err
	}
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return wholefile.Write(filepath.Join(a.Dir, InstallationFile), 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, installation+"\n")
		return err
	})
}
