package aggregate

// Rules are the numbers by which averages are made, for those who want to know.
type Rules struct {
	SlotSeconds int // of the slots of an hour whose coverage counts
	Slots       int // in an hour
	HourSlots   int // least of them for a station's hour to count
	DayHours    int // least hours that count for a station's day to count
	Late        int // hours after which a value does not correct its hour any more
	Grace       int // seconds after its end at which an hour is published
}

// PublishedRules are those in force.
func PublishedRules() Rules {
	return Rules{slotSeconds, slots, minSlots, minHours, int(Late.Hours()), int(Grace.Seconds())}
}
