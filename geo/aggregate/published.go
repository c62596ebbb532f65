package aggregate

// Rules are the numbers that averages are computed with, for publication.
type Rules struct {
	Version     int // RuleVersion
	MaxInterval int // seconds that a value stands for at most
	LookBack    int // hours before an hour whose values tell a sensor's interval
	HourSeconds int // seconds that a station's values must cover for its hour to count
	DayHours    int // hours that count that a station's day needs to count
	Late        int // hours after which a value no longer corrects its hour
	Grace       int // seconds between the end of an hour and its publication
}

// PublishedRules returns the rules in force.
func PublishedRules() Rules {
	return Rules{RuleVersion, int(maxInterval), int(lookBackHours), minCovered, minHours, int(AllowedLateness.Hours()), int(GracePeriod.Seconds())}
}
