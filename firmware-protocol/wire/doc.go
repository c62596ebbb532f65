// Package wire is the Go implementation of what a station says: topics, messages and the
// reasons for a refusal, as ../README.md specifies them. It decodes untrusted payloads within fixed
// bounds, judges each value by itself, and encodes what a station would send.
//
// It knows nobody: no broker, no registry, no clock.
package wire
