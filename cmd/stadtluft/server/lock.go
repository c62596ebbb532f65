package server

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockData keeps a second server out of the data folder, and with roles in separate processes a second process out of
// the same role. The locks end with the process.
func lockData(data string, taken roles) (release func() error, err error) {
	var files []*os.File
	release = func() (err error) {
		for _, file := range files {
			err = file.Close() // nothing to write
		}
		return err
	}
	lock := func(name string, how int, words string) error {
		file, err := os.OpenFile(filepath.Join(data, name), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		files = append(files, file)
		if err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB); err != nil {
			return fmt.Errorf("data folder %s: another stadtluft %s", data, words)
		}
		return nil
	}
	if taken.all() {
		err = lock("lock", syscall.LOCK_EX, "serves from it")
	} else {
		err = lock("lock", syscall.LOCK_SH, "serves from it, with every role")
		for i := 0; err == nil && i < len(taken); i++ {
			err = lock("lock."+string(taken[i]), syscall.LOCK_EX, "has the role "+string(taken[i])+" there")
		}
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}
