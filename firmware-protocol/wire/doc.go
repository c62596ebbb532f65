// Package wire implements the protocol of stations in Go: topics, messages and the reasons for a refusal, as
// ../README.md specifies them. It decodes untrusted payloads within fixed bounds, judges each value by itself, and
// encodes what a station would send.
//
// It has no broker, no registry and no clock.
package wire
