// Package journal is the durable log of checked micro-batches: one JetStream stream, in the embedded
// NATS server or in an external cluster. A reading and a refusal are equally durable in it.
//
// It promises that Append returns nil only after the server has the batch on disk, that the writer gets
// every entry at least once and in order, and that only what the writer has acknowledged is ever
// discarded: a full journal refuses instead. FORMAT.md beside this file describes an entry's bytes.
// It knows no store and no average: they are the functions handed to Write and Follow.
package journal
