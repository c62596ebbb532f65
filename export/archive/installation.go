package archive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// InstallationFile is the file of an archive with the id of the installation whose days are in it, and on a second line, where processes of several machines
// use it, the archive's own: an installation could have several by mistake.
const InstallationFile = "installation"

// earlierID had an archive's own id before.
const earlierID = ".id"

// ErrForeign is the error for an archive that is another installation's.
var ErrForeign = errors.New("move it away, or take the registry that belongs to it")

// Installation returns the ids of the installation that an archive belongs to and of the archive itself; empty where it says nothing.
func (a *Archive) Installation() (installation, own string, err error) {
	text, err := a.small(InstallationFile)
	installation, own, _ = strings.Cut(text, "\n")
	if own == "" && err == nil {
		own, err = a.small(earlierID)
	}
	if err != nil {
		return "", "", fmt.Errorf("archive: %w", err)
	}
	return installation, own, nil
}

// small returns the text of a small file; empty when it does not exist.
func (a *Archive) small(name string) (string, error) {
	text, err := fs.ReadFile(a.files(), name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// Belongs returns an error when the archive is not an installation's: ErrForeign when it is another's. One that says nothing, new or of an
// earlier version, is taken.
func (a *Archive) Belongs(installation string) error {
	there, _, err := a.Installation()
	if err == nil && there != "" && there != installation {
		err = fmt.Errorf("the archive %s belongs to installation %s, not to %s: %w", a.Place(), there, installation, ErrForeign)
	}
	return err
}

// Adopt makes an archive that says nothing, or is missing, an installation's. It refuses as Belongs does.
func (a *Archive) Adopt(ctx context.Context, installation string) error {
	if err := a.Belongs(installation); err != nil {
		return err
	}
	there, own, err := a.Installation()
	if there != "" || err != nil {
		return err
	}
	return a.say(ctx, installation, own)
}

// Name gives an archive that was adopted an id of its own, and returns it. One process at a time may do so.
func (a *Archive) Name(ctx context.Context) (own string, err error) {
	installation, own, err := a.Installation()
	if own != "" || err != nil {
		return own, err
	}
	own = rand.Text()
	return own, a.say(ctx, installation, own)
}

func (a *Archive) say(ctx context.Context, installation, own string) error {
	if err := a.files().Write(ctx, InstallationFile, []byte(strings.TrimSpace(installation+"\n"+own)+"\n")); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

// Place returns where the archive lies, for people.
func (a *Archive) Place() string {
	if place, ok := a.Files.(fmt.Stringer); ok {
		return place.String()
	}
	return a.Dir
}
