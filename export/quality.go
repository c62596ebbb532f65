package export

import (
	"cmp"
	"time"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
)

// Quality is how numbers came to be, for whoever uses them: the checks with their thresholds, the correction, the averages.
type Quality struct {
	Notice     string             `json:"notice"`
	Flags      []QualityFlag      `json:"flags"`    // in the order in which they are looked for
	Refusals   []QualityRefusal   `json:"refusals"` // of values that are not kept at all
	Thresholds []QualityThreshold `json:"thresholds"`
	Ranges     []QualityRange     `json:"measuring_ranges"`
	Marks      []QualityMark      `json:"sentinels"`
	Correction QualityCorrection  `json:"correction"`
	Averages   QualityAverages    `json:"averages"`
	Day        *QualityDay        `json:"day,omitempty"`
}

// QualityDay says which checks of hours were made of a day's values, and which could not be.
type QualityDay struct {
	Date     string          `json:"date"`
	Hours    []HourChecks    `json:"hours"`
	Stations []StationChecks `json:"stations"`
}

// QualityFlag is one flag in words.
type QualityFlag struct {
	Flag        string       `json:"flag"`
	NameEnglish string       `json:"name_en"` // a few words
	NameGerman  string       `json:"name_de"`
	Level       ingest.Level `json:"level"`
	Excludes    bool         `json:"excludes"` // from averages
	wire.Explanation
}

// QualityRefusal is a reason for which the checks keep nothing.
type QualityRefusal struct {
	Reason wire.Reason `json:"reason"`
	wire.Explanation
}

// QualityThreshold is a number that a flag or a refusal depends on.
type QualityThreshold struct {
	Key     string  `json:"key"`  // in the city's configuration
	Finding string  `json:"flag"` // or reason
	Value   float64 `json:"value"`
	Default float64 `json:"default"`
	Unit    string  `json:"unit"`
	What    string  `json:"what"`
	Source  string  `json:"source"`
}

// QualityRange is a measuring range, both ends included.
type QualityRange struct {
	Sensor   string  `json:"sensor"` // "unknown" is any other
	Quantity string  `json:"quantity"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	Unit     string  `json:"unit"`
}

// QualityMark is a value that means that there is none.
type QualityMark struct {
	Sensor   string  `json:"sensor"` // "any" is every one
	Quantity string  `json:"quantity"`
	Value    float64 `json:"value"`
}

// QualityCorrection is how particle means are corrected for humidity.
type QualityCorrection struct {
	Method     string  `json:"method"`
	Kappa      float64 `json:"kappa"`
	Parameters string  `json:"parameters"`
	Formula    string  `json:"formula"`
	Source     string  `json:"source"`
	// CF1 is how PM2.5 of a PMS5003's "cf_1" series is corrected instead.
	CF1 QualityCF1 `json:"cf_1"`
}

// QualityCF1 is the correction of stations with one sensor.
type QualityCF1 struct {
	Sensor  string `json:"sensor"`
	Method  string `json:"method"`
	Formula string `json:"formula"`
	Source  string `json:"source"`
}

// QualityAverages is when an average counts.
type QualityAverages struct {
	RuleVersion  int     `json:"rule_version"`
	ValueAtMost  int     `json:"value_seconds_at_most"`
	LookBack     int     `json:"interval_hours"`
	HourAtLeast  int     `json:"hour_seconds_at_least"`
	DayAtLeast   int     `json:"day_hours_at_least"`
	DayOffset    float64 `json:"day_begins_hours_before_utc_midnight"`
	LateHours    int     `json:"late_hours"`
	GraceSeconds int     `json:"published_seconds_after"`
	Source       string  `json:"source"`
}

// QualityOf describes the rules in force.
func QualityOf(rules quality.Rules, correction quality.Correction, dayOffset time.Duration) Quality {
	r := aggregate.PublishedRules()
	q := Quality{
		Notice: Disclaimer,
		Correction: QualityCorrection{
			correction.Method, correction.Kappa, correction.String(), "pm / C, C = 1 + (kappa/1.65) / (1/aw - 1), aw = min(RH, 95)/100, not below 0",
			"kappa-Köhler theory after Crilley et al., AMT 11:709 (2018)",
			QualityCF1{ingest.CF1Sensor, quality.EPACF1, "0.52 pm - 0.086 RH + 5.75 up to 343 µg/m³, 0.46 pm + 0.000393 pm² + 2.97 above, not below 0", "Barkjohn et al., AMT 14:4617 (2021), US EPA"},
		},
		Averages: QualityAverages{r.Version, r.MaxInterval, r.LookBack, r.HourSeconds, r.DayHours, dayOffset.Hours(), r.Late, r.Grace, "39. BImSchV, Anlage 11: 75 % of an hour, 18 hours of a day"},
	}
	for _, f := range quality.Order() {
		q.Flags = append(q.Flags, FlagOf(f))
	}
	for _, reason := range []wire.Reason{wire.Retained, wire.Clock, wire.Conflict} {
		q.Refusals = append(q.Refusals, QualityRefusal{reason, reason.Explain()})
	}
	for _, t := range rules.Thresholds() {
		q.Thresholds = append(q.Thresholds, QualityThreshold{"quality." + t.Key, t.Finding, *t.Value, t.Default, t.Unit, t.What, t.Source})
	}
	for _, m := range quality.MeasuringRanges() {
		q.Ranges = append(q.Ranges, QualityRange{cmp.Or(m.Sensor, "unknown"), m.Quantity.String(), m.Low, m.High, m.Quantity.Unit()})
	}
	for _, m := range quality.Marks() {
		q.Marks = append(q.Marks, QualityMark{cmp.Or(m.Sensor, "any"), m.Quantity.String(), m.Value})
	}
	return q
}

// FlagOf is a single flag in words.
func FlagOf(f ingest.Flags) QualityFlag {
	name := f.Words()
	return QualityFlag{f.String(), name.EN, name.DE, f.Level(), !f.Good(), f.Explain()}
}
