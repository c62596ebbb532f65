// Package ingest turns a message into a trusted reading. It holds the types that every later package uses (Reading,
// Value, Flags, Refusal, Station) and the Pipeline, which decodes, identifies and checks small batches of messages
// and acknowledges a message only when its outcome is on disk in the journal.
//
// Every input ends as a reading or as a refusal with a reason, and nothing is acknowledged before it is safe. The
// package has no broker, no database and no HTTP: the packages below it (broker, mqtt, journal, quality, registry,
// store) do, and cmd/stadtluft/server connects them.
package ingest
