// Package broker is the embedded MQTT broker: the door through which stations' messages come in, and through which
// stations read their feedback and dashboards the public averages. It speaks MQTT 3.1, 3.1.1 and 5 over TCP, TLS and
// WebSocket.
//
// It stores no message. A publish goes straight to the pipeline, and its acknowledgement is written when the pipeline is
// done with it, in the order of arrival on each connection: acknowledged means in the journal. While the pipeline does
// not keep up, reading from the connections pauses, so that memory stays bounded and nothing is dropped. No session
// outlives its connection. Averages and stations' status are retained in memory.
//
// The protocol's codec and state machine are those of mochi-mqtt, which this package hands packets to; the loop of a connection,
// log-ins, messages of stations that speak MQTT 3, writing, retained messages, wills and subscriptions' deliveries are its own.
package broker
