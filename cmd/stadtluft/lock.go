package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockData keeps a second server out of the data folder. The lock goes with the process, however it ends.
func lockData(data string) (release func() error, err error) {
	path := filepath.Join(data, "lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("data folder %s: another stadtluft serves from it", data)
	}
	return file.Close, nil
}
