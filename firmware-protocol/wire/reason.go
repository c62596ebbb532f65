package wire

// Reason says why a message, a reading or a value was refused. The list is closed and public: it is
// sent to stations, counted in metrics and kept with refusals. Reasons are only ever added at the end.
type Reason string

// The reasons.
const (
	Malformed      Reason = "malformed"       // the payload is not what its topic promises (not JSON, not an object)
	TooLarge       Reason = "too_large"       // the payload is longer than MaxMessage
	TooMany        Reason = "too_many"        // more than MaxReadings readings in one message
	UnknownMember  Reason = "unknown_member"  // a member is not a quantity and does not begin with "x_"
	RepeatedMember Reason = "repeated_member" // the same member twice in one object
	NotANumber     Reason = "not_a_number"    // the member's value is not a finite JSON number
	BadTime        Reason = "bad_time"        // "t" or "age" is unusable, or both are there
	NoValues       Reason = "no_values"       // a reading without a single value
	BadTopic       Reason = "bad_topic"       // a topic that is not part of the protocol
	Unsupported    Reason = "unsupported"     // something known that this version cannot process
	UnknownStation Reason = "unknown_station" // no such station is registered
	Inactive       Reason = "inactive"        // the station waits for approval, is paused, suspended or retired
	Forbidden      Reason = "forbidden"       // a station published below another station's prefix
	Clock          Reason = "clock"           // more than 5 min in the future or older than 30 days
	Retained       Reason = "retained"        // a retained message without a time of its own
	Conflict       Reason = "duplicate"       // another reading of this station has other values for the same time
	Unstorable     Reason = "unstorable"      // the store refused the value; the detail quotes the store
	Contradictory  Reason = "contradictory"   // parts of the message contradict each other
	WrongToken     Reason = "wrong_token"     // somebody logged in as this station with a wrong token
	TooFast        Reason = "too_fast"        // the station sends more than it may; over MQTT it is slowed down and loses nothing
)

// Reasons returns every reason in the order in which they were introduced.
func Reasons() []Reason {
	return []Reason{
		Malformed, TooLarge, TooMany, UnknownMember, RepeatedMember, NotANumber, BadTime, NoValues,
		BadTopic, Unsupported, UnknownStation, Inactive, Forbidden, Clock, Retained, Conflict, Unstorable,
		Contradictory, WrongToken, TooFast,
	}
}
