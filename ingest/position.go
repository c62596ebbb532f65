package ingest

import (
	"errors"
	"time"
)

// ErrPosition is the error for a change of a store's position when the store is not where it was said to be: it was
// replaced, restored or emptied, or another writer is at work. The writer then asks for the position again.
var ErrPosition = errors.New("the store is not at the journal entry where its writer left it")

// Position says how far something has followed the journal: up to and including one entry. The zero value is before
// every entry.
type Position struct {
	Journal string    // which journal: entries of another have the same numbers
	Seq     uint64    // of the entry
	Time    time.Time // at which it was appended; it differs when a damaged journal gave the number again
}

// Equal reports whether two positions are at the same entry.
func (p Position) Equal(q Position) bool {
	return p.Journal == q.Journal && p.Seq == q.Seq && p.Time.Equal(q.Time)
}
