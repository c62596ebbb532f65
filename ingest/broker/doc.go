// Package broker is the embedded NATS server: an MQTT 3.1.1 listener for stations and the durable log
// under the journal. It logs stations in, keeps each below its own prefix, and tells the owner when one
// tries elsewhere.
//
// It promises that a QoS 1 message is on disk before its sender has the acknowledgement (Sync
// "always"), and that no station is let in while nothing would be kept: NATS keeps a message only for
// sessions that have subscribed, so the gate stays shut until the intake has, and shuts again when the
// disk is nearly full. It knows no registry and no journal; cmd/stadtluft/server brings them together.
package broker
