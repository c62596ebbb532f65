// Package broker is the embedded NATS server: an MQTT 3.1.1 listener for stations and the durable log under the
// journal. It logs stations in, restricts each to its own prefix, and reports when one publishes or reads elsewhere.
//
// A QoS 1 message is on disk before its sender gets the acknowledgement (Sync "always"), and no station may log in
// while its messages would not be kept: NATS keeps a message only for sessions that have subscribed, so the broker
// refuses stations until the intake has subscribed, and again when the disk is nearly full. The package imports
// neither registry nor journal; cmd/stadtluft/server connects them.
package broker
