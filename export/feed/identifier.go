package feed

import (
	"crypto/sha1"
	"fmt"
	"strings"
)

// namespace makes our ids differ from all others: 16 random bytes.
var namespace = [16]byte{0x6c, 0x1f, 0x0b, 0x5e, 0x93, 0x2d, 0x4e, 0x8a, 0xa7, 0x41, 0x0d, 0xd3, 0x58, 0xb9, 0x26, 0xf4}

// identifier returns an entry's id: the same parts always have the same id, at whatever address the server is reached.
func identifier(parts ...string) string { return named(namespace, strings.Join(parts, "\x00")) }

// named returns a name-based UUID (version 5, RFC 9562, section 5.5).
func named(namespace [16]byte, name string) string {
	u := sha1.Sum(append(namespace[:], name...))
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}
