package export

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
)

// CheckCounts counts hours of stations' quantities by what became of a check.
type CheckCounts struct {
	Check        string `json:"check"` // the flag that it sets
	Checked      int    `json:"checked"`
	NoNeighbours int    `json:"too_few_neighbours"`
	NoHistory    int    `json:"too_little_history"`
}

// HourChecks says what was checked in an hour, over all stations and quantities.
type HourChecks struct {
	Hour      time.Time     `json:"hour"`      // its start
	Unchecked int           `json:"unchecked"` // quantities of stations of which nothing was checked, or not yet
	Checks    []CheckCounts `json:"checks"`
}

// StationChecks says what was checked of a quantity of a station.
type StationChecks struct {
	Station   string        `json:"station"`
	Quantity  string        `json:"quantity"`
	Hours     int           `json:"hours"` // with values
	Unchecked int           `json:"unchecked"`
	Checks    []CheckCounts `json:"checks"`
}

// CheckedDay collects from a day's readings which checks of hours were made. Set From.
type CheckedDay struct {
	From   time.Time // the start of the day
	series map[checkedSeries]*[24]checkedHour
}

type checkedSeries struct {
	station  string
	quantity quantity.Quantity
}

type checkedHour struct {
	measured bool
	flags    ingest.Flags
}

// Add adds a reading. Values that are excluded by themselves say nothing of their hour.
func (d *CheckedDay) Add(r *ingest.Reading) {
	hour := int(r.Time.Sub(d.From) / time.Hour)
	for _, v := range r.Values {
		key := checkedSeries{r.Station, v.Quantity}
		s := d.series[key]
		if s == nil {
			if s = new([24]checkedHour); d.series == nil {
				d.series = map[checkedSeries]*[24]checkedHour{}
			}
			d.series[key] = s
		}
		s[hour].measured = true
		if !v.Flags.Unchecked() {
			s[hour].flags = v.Flags
		}
	}
}

// Hours returns the day's 24 hours.
func (d *CheckedDay) Hours() []HourChecks {
	list := make([]HourChecks, 24)
	for i := range list {
		var t checkTally
		for _, s := range d.series {
			t.add(s[i])
		}
		list[i] = HourChecks{d.From.Add(time.Duration(i) * time.Hour), t.unchecked, t.list()}
	}
	return list
}

// Stations returns each station's quantities, sorted.
func (d *CheckedDay) Stations() []StationChecks {
	list := make([]StationChecks, 0, len(d.series))
	for key, s := range d.series {
		var t checkTally
		for _, hour := range s {
			t.add(hour)
		}
		list = append(list, StationChecks{key.station, key.quantity.String(), t.hours, t.unchecked, t.list()})
	}
	slices.SortFunc(list, func(a, b StationChecks) int {
		return cmp.Or(cmp.Compare(a.Station, b.Station), cmp.Compare(a.Quantity, b.Quantity))
	})
	return list
}

// checkTally counts hours. The zero value is ready.
type checkTally struct {
	hours, unchecked int
	counts           map[ingest.Check]CheckCounts
}

func (t *checkTally) add(h checkedHour) {
	if !h.measured {
		return
	}
	t.hours++
	if h.flags.Unchecked() {
		t.unchecked++
	}
	for _, check := range ingest.AllChecks() {
		c := t.counts[check]
		switch h.flags.Result(check) {
		case ingest.Unchecked:
			continue
		case ingest.Checked:
			c.Checked++
		case ingest.NoNeighbours:
			c.NoNeighbours++
		case ingest.NoHistory:
			c.NoHistory++
		}
		if t.counts == nil {
			t.counts = map[ingest.Check]CheckCounts{}
		}
		t.counts[check] = c
	}
}

// list returns the counts of the checks that were to be made, in order; it is empty and not nil without any.
func (t *checkTally) list() []CheckCounts {
	list := []CheckCounts{}
	for _, check := range ingest.AllChecks() {
		if c, there := t.counts[check]; there {
			c.Check = check.String()
			list = append(list, c)
		}
	}
	return list
}

// WhyUnchecked says why a check could not be made, by the rules in force.
func WhyUnchecked(check ingest.Check, result ingest.Result, rules *quality.Rules) bilingual.Text {
	if result == ingest.NoHistory {
		return bilingual.Of("not checked: too little is known of the time before", "nicht geprüft: über die Zeit davor ist zu wenig bekannt")
	}
	n := int(rules.OutlierNeighbours)
	if check == ingest.SpikeCheck {
		n = int(rules.SpikeNeighbours)
	}
	en, de := numberWords(n)
	return bilingual.Of("not compared: fewer than "+en+" neighbours", "nicht verglichen: weniger als "+de+" Nachbarn")
}

// numberWords returns a number in words, above ten in digits.
func numberWords(n int) (en, de string) {
	english := [...]string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
	german := [...]string{"null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"}
	if n < 0 || n >= len(english) {
		digits := strconv.Itoa(n)
		return digits, digits
	}
	return english[n], german[n]
}
