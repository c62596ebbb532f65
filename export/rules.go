package export

import "stadtluft/geo/aggregate"

// Single is the averaging rule of values that are no means.
const Single = "None: single values as stations sent them."

// eachCovers says what time a value covers, by version 2 of the rule (aggregate.RuleVersion).
const eachCovers = ", each the time since the one before it, at most the sensor's interval and 20 minutes (rule version 2)"

// StationRule says how a station's mean over a window came to be. correction names the correction for humidity and its
// parameters.
func StationRule(window aggregate.Window, correction string) string {
	const stamped = " Windows are stamped by their start in UTC, values rounded to thousandths half away from zero; mean of particles corrected for humidity ("
	switch window {
	case aggregate.Slot:
		return "Mean of the good values of five minutes." + stamped + correction + "), raw_mean as measured."
	case aggregate.Day:
		return "Mean of the means of those of the day's 24 hours of which good values cover at least 45 minutes" + eachCovers + "; a day with coverage below 0.750 (18 hours) does not count in the grid." +
			stamped + correction + "), raw_mean as measured."
	}
	return "Mean of the good values of a full UTC hour; an hour with coverage below 0.750 (45 minutes" + eachCovers + ") does not count in the grid." + stamped + correction + "), raw_mean as measured."
}

// GridRule says how a cell's average over a window came to be.
func GridRule(window aggregate.Window, correction string) string {
	rule := "A cell is the mean of its outdoor stations' means, particles corrected for humidity (" + correction + "). "
	switch window {
	case aggregate.Live:
		return rule + "A station's mean is that of its good values of the 60 minutes before the question. Windows are stamped by their start, UTC."
	case aggregate.Day:
		return rule + "A station counts with at least 18 of 24 hours that count (75 %), with the mean of their means. Windows are stamped by their start, UTC."
	}
	return rule + "A station counts when its good values cover at least 45 minutes of the hour (75 %)" + eachCovers + ". Windows are stamped by their start, UTC."
}

// AreaRule says how a district's or the city's average came to be.
func AreaRule(window aggregate.Window, correction string) string {
	return "Mean over the cells that have a value. " + GridRule(window, correction)
}
