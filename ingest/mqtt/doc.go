// Package mqtt subscribes to an MQTT 3.1.1 broker that the city runs, and publishes feedback and averages there.
// Its Sender publishes as a station does.
//
// A message is acknowledged only through ingest.Message.Done, and the broker sends it again if it is not: no message
// is lost, some are delivered twice. The package uses only the protocol's topics and decodes nothing.
package mqtt
