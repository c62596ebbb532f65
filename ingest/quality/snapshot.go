package quality

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

const (
	snapshotMagic   = "stadtluft-checks-4\n"
	maxSnapshot     = 1 << 30 // bytes
	snapshotTrailer = 4
)

// saved is what a file holds.
type saved struct {
	Rules   []float64 // in force: another's records are of no use
	Newest  int64
	Records map[recordKey]*record
}

// Save writes the memory: a line with the version of the format, the records as encoding/gob writes them, and a
// CRC-32 (IEEE, little-endian) of everything before it.
func (c *HourChecker) Save(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString(snapshotMagic)
	if err := gob.NewEncoder(&b).Encode(saved{c.rules.values(), c.newest, c.records}); err != nil {
		return fmt.Errorf("save what checks remember: %w", err)
	}
	sum := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(b.Bytes()))
	b.Write(sum)
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("save what checks remember: %w", err)
	}
	return nil
}

// Load reads what Save wrote. After an error the memory is empty.
func (c *HourChecker) Load(r io.Reader) error {
	c.records, c.newest = map[recordKey]*record{}, 0
	data, err := io.ReadAll(io.LimitReader(r, maxSnapshot+1))
	if err != nil {
		return fmt.Errorf("load what checks remember: %w", err)
	}
	end := len(data) - snapshotTrailer
	switch {
	case len(data) > maxSnapshot:
		return fmt.Errorf("load what checks remember: more than %d bytes", maxSnapshot)
	case end < len(snapshotMagic) || string(data[:len(snapshotMagic)]) != snapshotMagic:
		return errors.New("load what checks remember: not written by this version")
	case binary.LittleEndian.Uint32(data[end:]) != crc32.ChecksumIEEE(data[:end]):
		return errors.New("load what checks remember: the checksum is wrong")
	}
	var s saved
	if err := gob.NewDecoder(bytes.NewReader(data[len(snapshotMagic):end])).Decode(&s); err != nil {
		return fmt.Errorf("load what checks remember: %w", err)
	}
	if !slices.Equal(s.Rules, c.rules.values()) {
		return errors.New("load what checks remember: the thresholds were others")
	}
	if s.Records != nil {
		c.records, c.newest = s.Records, s.Newest
	}
	return nil
}
