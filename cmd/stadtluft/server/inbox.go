package server

import (
	"fmt"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
	"stadtluft/ingest/broker"
)

// messageBuffer is how many messages wait between the subscribers and the pipeline. When it is full, a subscriber keeps
// its messages unacknowledged; see mqtt.Subscriber.
const messageBuffer = 1024

// inbox holds messages from brokers and HTTP until the pipeline takes them.
type inbox chan ingest.Message

// wrongToken adds a refusal of a station's login.
func (in inbox) wrongToken(id string) {
	in.refuse(id, wire.WrongToken, "the station's user is its id and its password the token")
}

// denied adds a refusal of something that the embedded broker did not permit a station.
func (in inbox) denied(user string, action broker.Action, subject string) {
	reason, detail := wire.Forbidden, fmt.Sprintf("%s to %q is not allowed: a station stays below %s", action, subject, wire.StationPrefix(user))
	if action == broker.TooLarge {
		reason, detail = wire.TooLarge, fmt.Sprintf("a message of %s bytes, at most %d are taken; the connection was closed", subject, wire.MaxMessage)
	}
	in.refuse(user, reason, detail)
}

// refuse passes on a refusal by a broker or the HTTP server.
func (in inbox) refuse(station string, reason wire.Reason, detail string) {
	now := time.Now().UTC()
	refusal := ingest.Refusal{Station: station, Received: now, Reason: reason, Detail: detail}
	select {
	case in <- ingest.Message{Received: now, Refused: &refusal}:
	default: // the intake is stalled; the broker counts the refusal
	}
}
