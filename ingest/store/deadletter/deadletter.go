// Package deadletter keeps the values that a store has rejected in a file, one line of JSON for each value, until an
// operator retries them. What was added is on disk when Add returns.
//
// Several processes may use the file: a server that adds, and a command that lists or retries. After a crash it may
// hold a value twice; storing a value twice changes nothing. It keeps no readings that were stored.
package deadletter

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
	"stadtluft/ingest/wholefile"
)

const (
	// MaxBytes bounds the file. When it is full Add fails, and the readings wait in the journal.
	MaxBytes = 1 << 30
	// maxLine bounds one line, in bytes.
	maxLine = 64 << 10
	// retryReadings is how many readings are written at once.
	retryReadings = 1000
)

// ErrFull is the error of Add when the file would exceed MaxBytes.
var ErrFull = errors.New("the dead letters' file is full: repair the store and run `stadtluft dead-letters retry`")

// File is the path of a server's dead letters. The file need not exist.
type File struct{ Path string }

// Letter is one rejected value.
type Letter struct {
	Station    string            `json:"station"`
	Time       time.Time         `json:"time"`
	Quantity   string            `json:"quantity"`
	Value      float64           `json:"value"`
	Flags      ingest.Flags      `json:"flags,omitempty"`
	Received   time.Time         `json:"received"`
	TimeSource ingest.TimeSource `json:"time_source,omitempty"`
	Detail     string            `json:"detail"` // the store's error message
}

// Add appends rejected values and returns when they are on disk.
func (f File) Add(rejected []store.Rejected) error {
	if len(rejected) == 0 {
		return nil
	}
	lines := bytes.NewBufferString("\n") // ends a line that a crash cut off; empty lines are skipped
	err := encode(lines, rejected)
	if err == nil {
		err = f.locked(func() error { return f.append(lines.Bytes()) })
	}
	if err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	return nil
}

func encode(w io.Writer, rejected []store.Rejected) error {
	for _, r := range rejected {
		for _, v := range r.Reading.Values {
			line, err := json.Marshal(Letter{
				r.Reading.Station, r.Reading.Time, v.Quantity.String(), v.Value, v.Flags, r.Reading.Received, r.Reading.TimeSource, ingest.Clip(r.Detail),
			})
			if err != nil {
				return err
			}
			if _, err := w.Write(append(line, '\n')); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f File) append(lines []byte) error {
	file, err := os.OpenFile(f.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size()+int64(len(lines)) > MaxBytes {
		return ErrFull
	}
	if _, err := file.Write(lines); err != nil {
		return err
	}
	return file.Sync()
}

// locked calls do while it holds a lock against other processes and goroutines.
func (f File) locked(do func() error) error {
	lock, err := os.OpenFile(f.Path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close() // unlocks
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	return do()
}

// List calls yield for each dead letter, oldest first. It reports lines that cannot be read in an error, after all
// others.
func (f File) List(yield func(Letter) error) error {
	var unread error
	err := f.each(func(n int, _ []byte, l Letter, err error) error {
		if err != nil {
			unread = errors.Join(unread, fmt.Errorf("%s:%d: %w", f.Path, n, err))
			return nil
		}
		return yield(l)
	})
	return errors.Join(err, unread)
}

// each calls do for each line, with an error for one that cannot be read.
func (f File) each(do func(n int, line []byte, l Letter, err error) error) error {
	file, err := os.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var l Letter
		err := json.Unmarshal(lines.Bytes(), &l)
		if err == nil && !l.known() {
			err = fmt.Errorf("quantity %q is not known to this version", l.Quantity)
		}
		if err := do(n, lines.Bytes(), l, err); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (l Letter) known() bool {
	_, ok := quantity.Parse(l.Quantity)
	return ok
}

// reading returns the value as a reading of its own.
func (l Letter) reading() ingest.Reading {
	q, _ := quantity.Parse(l.Quantity) // checked when the line was read
	return ingest.Reading{
		Station: l.Station, Time: l.Time, Received: l.Received, TimeSource: l.TimeSource, Values: []ingest.Value{{Quantity: q, Value: l.Value, Flags: l.Flags}},
	}
}

// rewrite replaces the file with what do writes; after an error the file is unchanged.
func (f File) rewrite(do func(w io.Writer) error) error {
	return f.locked(func() error {
		if err := wholefile.RemoveUnfinished(f.Path); err != nil {
			return err
		}
		return wholefile.Write(f.Path, 0o600, do)
	})
}

// Retry passes all dead letters to write, each as a reading of one value, and keeps those that it rejects again and
// lines that cannot be read. It returns how many values were stored and how many are kept. After an error all are
// kept.
func (f File) Retry(ctx context.Context, write func(context.Context, []ingest.Reading) ([]store.Rejected, error)) (taken, kept int, err error) {
	err = f.rewrite(func(w io.Writer) error {
		var batch []ingest.Reading
		flush := func() error {
			rejected, err := write(ctx, batch)
			if err != nil {
				return err
			}
			taken, kept, batch = taken+len(batch)-len(rejected), kept+len(rejected), batch[:0]
			return encode(w, rejected)
		}
		err := f.each(func(_ int, line []byte, l Letter, unread error) error {
			if unread != nil {
				kept++
				_, err := w.Write(append(line, '\n'))
				return err
			}
			if batch = append(batch, l.reading()); len(batch) < retryReadings {
				return nil
			}
			return flush()
		})
		if err != nil || len(batch) == 0 {
			return err
		}
		return flush()
	})
	if err != nil {
		return 0, 0, fmt.Errorf("put dead letters back: %w", err)
	}
	return taken, kept, nil
}

// Stations calls yield for the station of each dead letter, which may come more than once.
func (f File) Stations(yield func(station string)) error {
	return f.each(func(_ int, _ []byte, l Letter, _ error) error {
		yield(l.Station)
		return nil
	})
}

// Delete deletes the dead letters of a station.
func (f File) Delete(station string) error {
	if _, err := os.Stat(f.Path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := f.rewrite(func(w io.Writer) error {
		return f.each(func(_ int, line []byte, l Letter, _ error) error {
			if l.Station == station {
				return nil
			}
			_, err := w.Write(append(line, '\n'))
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("delete dead letters of %s: %w", station, err)
	}
	return nil
}
