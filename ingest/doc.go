// Package ingest takes a message to a trusted reading. It holds the nouns every package after it uses
// (Reading, Value, Flags, Refusal, Station) and the Pipeline that decodes, identifies and checks
// micro-batches and acknowledges a message only when the journal has what became of it on disk.
//
// It promises that every input ends as a reading or as a refusal with a reason, and that nothing is
// acknowledged before it is safe. It knows no broker, no database and no HTTP: the packages below it
// (broker, mqtt, journal, quality, registry, store) do, and cmd/stadtluft/server puts them together.
package ingest
