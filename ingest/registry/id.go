package registry

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"stadtluft/ingest"
)

// A station's id is idDigits random digits and a check digit. The digits are Crockford's base 32
// (without I, L, O and U) but for Z, so that there are 31 of them, a prime: the check digit, their sum
// weighted by place modulo 31, then finds every single wrong digit and every swap of neighbours.
//
// A simulated station's id begins with demoPrefix, a neighbour's with foreignPrefix, and is longer, so that
// every row of every file shows what it is.
const (
	idAlphabet    = "0123456789ABCDEFGHJKMNPQRSTVWXY"
	idDigits      = 6 // 31^6 = 887 million
	demoPrefix    = "DEM0"
	foreignPrefix = "EXT0"
)

// newID makes a random id.
func newID(prefix string) string {
	digits := []byte(prefix)
	var b [1]byte
	for most := len(digits) + idDigits; len(digits) < most; {
		rand.Read(b[:])
		if v := b[0] >> 3; int(v) < len(idAlphabet) { // 31 is drawn again
			digits = append(digits, idAlphabet[v])
		}
	}
	return string(append(digits, checkDigit(string(digits))))
}

// foreignID makes the id of a neighbour's station from its name there, so that two cities, or one city
// twice, give it the same. A number above 0 makes another one where the first is taken.
func foreignID(d ingest.Device, attempt int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", d.Family, d.Key, attempt))
	digits := []byte(foreignPrefix)
	for n := binary.BigEndian.Uint64(sum[:]); len(digits) < len(foreignPrefix)+idDigits; n /= uint64(len(idAlphabet)) {
		digits = append(digits, idAlphabet[n%uint64(len(idAlphabet))])
	}
	return string(append(digits, checkDigit(string(digits))))
}

// checkDigit weights each digit with its place: a wrong digit changes the sum by weight × difference,
// a swap of neighbours by their difference, and neither is a multiple of 31.
func checkDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		sum += (i + 1) * strings.IndexByte(idAlphabet, digits[i])
	}
	return idAlphabet[sum%len(idAlphabet)]
}

// ParseID parses an id as people write it: in lower case, with hyphens or spaces, with I or L for 1 and O for 0. A
// wrong check digit is an error that says so.
func ParseID(text string) (string, error) {
	const longest = 32
	if len(text) > longest {
		return "", fmt.Errorf("%q is no station id: too long", text[:longest]+"…")
	}
	id := strings.NewReplacer("-", "", " ", "", "I", "1", "L", "1", "O", "0").Replace(strings.ToUpper(text))
	random := strings.TrimPrefix(strings.TrimPrefix(id, demoPrefix), foreignPrefix)
	if len(id) == idDigits+1 {
		random = id
	}
	if len(random) != idDigits+1 || strings.Trim(id, idAlphabet) != "" {
		return "", fmt.Errorf("%q is no station id: it has %d letters and digits, such as %s", text, idDigits+1, exampleID)
	}
	if last := len(id) - 1; checkDigit(id[:last]) != id[last] {
		return "", fmt.Errorf("%q is no station id: its last character does not fit the others, did you mistype?", text)
	}
	return id, nil
}

// exampleID is an id that is never given out by chance: its digits are all zero.
const exampleID = "0000000"
