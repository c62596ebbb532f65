package wire

import (
	"encoding/json"
	"time"
)

// Feedback is what a station hears on its feedback topic of the last thing that was refused.
type Feedback struct {
	Time   int64  `json:"t"` // Unix seconds of receipt
	Reason Reason `json:"reason"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
	Explanation
}

// AppendFeedback appends the JSON of a refusal as a station hears it.
func AppendFeedback(dst []byte, received time.Time, reason Reason, field, detail string) []byte {
	text, err := json.Marshal(Feedback{received.Unix(), reason, field, detail, reason.Explain()})
	if err != nil {
		return append(dst, "{}"...) // strings and numbers always marshal
	}
	return append(dst, text...)
}
