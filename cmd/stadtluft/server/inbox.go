package server

import (
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// messageBuffer is how many messages wait between the brokers and the pipeline. When it is full, the embedded broker
// reads nothing more from the connection of a further one, and a subscriber keeps its messages unacknowledged; see
// mqtt.Subscriber.
const messageBuffer = 1024

// inbox holds messages from brokers and HTTP until the pipeline takes them.
type inbox chan ingest.Message

// wrongToken adds a refusal of a station's login.
func (in inbox) wrongToken(id string) {
	in.refuse(id, wire.WrongToken, "the station's user is its id and its password the token")
}

// refuse adds what a station's owner should know and what is no message.
func (in inbox) refuse(station string, reason wire.Reason, detail string) {
	now := time.Now().UTC()
	refusal := ingest.Refusal{Station: station, Received: now, Reason: reason, Detail: detail}
	select {
	case in <- ingest.Message{Received: now, Refused: &refusal}:
	default: // the intake is stalled; the broker counts the refusal
	}
}
