// Package mqtt is the subscriber to any MQTT 3.1.1 broker, the embedded one and others alike, and the
// publisher of what leaves over MQTT. It also holds Sender, which speaks as a station does.
//
// It promises that a message is acknowledged only through ingest.Message.Done, and that what is not
// acknowledged comes again: nothing it has taken from the broker is lost, at worst it is seen twice. It
// knows no topic beyond the protocol's and decodes nothing.
package mqtt
