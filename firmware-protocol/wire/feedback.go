package wire

import (
	"encoding/json"
	"time"
)

// Feedback is the JSON that the server publishes on a station's feedback topic when it refuses something.
type Feedback struct {
	Time   int64  `json:"t"` // Unix seconds of receipt
	Reason Reason `json:"reason"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
	Explanation
}

// AppendFeedback appends the JSON of a Feedback to dst.
func AppendFeedback(dst []byte, received time.Time, reason Reason, field, detail string) []byte {
	text, err := json.Marshal(Feedback{received.Unix(), reason, field, detail, reason.Explain()})
	if err != nil {
		return append(dst, "{}"...) // unreachable: strings and numbers always marshal
	}
	return append(dst, text...)
}
