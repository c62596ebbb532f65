package aggregate

// Rules are the numbers that averages are computed with, for publication.
type Rules struct {
	SlotSeconds int // length of the slots of an hour
	Slots       int // in an hour
	HourSlots   int // slots with a value that a station's hour needs to count
	DayHours    int // hours that count that a station's day needs to count
	Late        int // hours after which a value no longer corrects its hour
	Grace       int // seconds between the end of an hour and its publication
}

// PublishedRules returns the rules in force.
func PublishedRules() Rules {
	return Rules{slotSeconds, slots, minSlots, minHours, int(AllowedLateness.Hours()), int(GracePeriod.Seconds())}
}
