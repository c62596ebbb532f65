package api

import (
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest"
)

// heard is the last contact of a station, and what became of it.
type heard struct {
	Time  string `json:"time"`
	Over  string `json:"over,omitempty" enum:"mqtt,http"` // missing when it is not known, as after a restart
	Taken bool   `json:"taken"`                           // values were taken
	bilingual.Text
}

// lastContact returns the last contact of a station, of what this process heard itself and what others left of theirs: the last reading, and the
// refusals, newest first. It returns nil when there was none.
func (s *Server) lastContact(id string, seen time.Time, refusals []ingest.Refusal) *ingest.Contact {
	var last ingest.Contact
	if s.Heard != nil {
		last, _ = s.Heard(id)
	}
	if last.At.Truncate(time.Millisecond).Before(seen) {
		last = ingest.Contact{At: seen, Over: ingest.UnknownTransport, Taken: true}
	}
	if len(refusals) > 0 && last.At.Truncate(time.Millisecond).Before(refusals[0].Received) {
		last = ingest.Contact{At: refusals[0].Received, Over: ingest.UnknownTransport, Refusals: sameMoment(refusals)}
	}
	if last.At.IsZero() {
		return nil
	}
	return &last
}

// sameMoment returns the refusals that were received together with the first.
func sameMoment(refusals []ingest.Refusal) []ingest.Refusal {
	for i, r := range refusals {
		if !r.Received.Equal(refusals[0].Received) {
			return refusals[:i]
		}
	}
	return refusals
}

func newHeard(c *ingest.Contact) *heard {
	if c == nil {
		return nil
	}
	return &heard{c.At.UTC().Format(time.RFC3339), c.Over.String(), c.Taken, c.Words()}
}
