// Package journal is the durable log of checked batches: one JetStream stream, in the embedded NATS server or in an
// external cluster. Readings and refusals are equally durable.
//
// Append returns nil only after the server has the batch on disk, the writer gets every entry at least once and in
// order, and only entries that the store has are ever discarded: a full journal refuses instead. How far the store is,
// the store itself says (ingest.Position): the journal keeps no state of its readers, and one that lost entries is
// noticed by comparing both.
// Several processes may append. Those that take readings do so through Shared, so that they agree on which of two readings
// was first.
// FORMAT.md beside this file describes an entry's bytes. The package imports neither stores nor averages: they are
// the functions passed to Write and Follow.
package journal
