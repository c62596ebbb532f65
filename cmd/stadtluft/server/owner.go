package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// ActAsOwner exchanges root's rights for those of the data folder's owner until back is called, so that a command that root runs
// leaves nothing that the server cannot read. It does nothing for other users, and where there is no folder yet.
func ActAsOwner(data string) (back func() error, err error) {
	uid, gid, err := ownerOf(data)
	if os.Geteuid() != 0 || uid == 0 || errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := errors.Join(syscall.Setgroups([]int{gid}), syscall.Setresgid(gid, gid, 0), syscall.Setresuid(uid, uid, 0)); err != nil {
		return nil, fmt.Errorf("act as %s, who owns the data folder %s: %w", userName(uid), data, err)
	}
	return func() error { return errors.Join(syscall.Setresuid(0, 0, 0), syscall.Setresgid(0, 0, 0)) }, nil
}

// checkOwner returns an error that names the first file of the data folder that is another user's, and what to do. Root may use
// any file, but what it made there the owner could not use.
func checkOwner(data string) error {
	us := os.Geteuid()
	uid, _, err := ownerOf(data)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if us == 0 {
		if uid != 0 {
			return fmt.Errorf("data folder %s belongs to %[2]s: run it as that user, with systemctl start or runuser -u %[2]s", data, userName(uid))
		}
		return nil
	}
	return filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			uid, _, err = ownerOf(path)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed meanwhile
			return nil
		case err == nil && uid != us, errors.Is(err, fs.ErrPermission):
			return fmt.Errorf("data folder: %s belongs to %s, but this runs as %s: chown -R %s %s", path, userName(uid), userName(us), userName(us), data)
		case err == nil && entry.IsDir() && path == filepath.Join(data, archiveFolder):
			return fs.SkipDir // may be large, and a copy that another user made is fine
		}
		return err
	})
}

func ownerOf(path string) (uid, gid int, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, 0, err
	}
	stat := info.Sys().(*syscall.Stat_t) // the program runs on Unix alone, see lockData
	return int(stat.Uid), int(stat.Gid), nil
}

// userName returns a user's name, or the number where it has none.
func userName(uid int) string {
	number := strconv.Itoa(uid)
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return number
}
