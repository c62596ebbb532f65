package server

import (
	"fmt"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/broker"
)

// messageBuffer is how many messages wait between the subscribers and the pipeline. When it is full
// a subscriber holds what it has unacknowledged; see mqtt.Subscriber.
const messageBuffer = 1024

// inbox holds what came from brokers and over HTTP until the pipeline takes it.
type inbox chan ingest.Message

// wrongToken makes a refusal of a station's log-in.
func (in inbox) wrongToken(id string) {
	in.refuse(id, wire.WrongToken, "the station's user is its id and its password the token")
}

// denied makes a refusal of what the embedded broker did not let a station do.
func (in inbox) denied(user string, action broker.Action, subject string) {
	reason, detail := wire.Forbidden, fmt.Sprintf("%s to %q is not allowed: a station stays below %s", action, subject, wire.StationPrefix(user))
	if action == broker.TooLarge {
		reason, detail = wire.TooLarge, fmt.Sprintf("a message of %s bytes, at most %d are taken; the connection was closed", subject, wire.MaxMessage)
	}
	in.refuse(user, reason, detail)
}

// refuse passes on what a broker or the HTTP server refused like all refusals.
func (in inbox) refuse(station string, reason wire.Reason, detail string) {
	now := time.Now().UTC()
	refusal := ingest.Refusal{Station: station, Received: now, Reason: reason, Detail: detail}
	select {
	case in <- ingest.Message{Received: now, Refused: &refusal}:
	default: // intake is stalled; the broker's own counter has it
	}
}
