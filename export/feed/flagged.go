package feed

import (
	"fmt"
	"strings"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// flaggedDays collects values that do not count: one flaggedDay for each day and flag.
type flaggedDays struct {
	offset time.Duration
	list   []*flaggedDay
}

type flaggedDay struct {
	day        time.Time
	flag       ingest.Flags
	last       time.Time // of its newest value
	quantities map[quantity.Quantity]int
}

func (d *flaggedDays) add(r *ingest.Reading) {
	day := r.Time.Add(d.offset).Truncate(24 * time.Hour)
	for _, v := range r.Values {
		for _, flag := range ingest.AllFlags() {
			if v.Flags&flag&ingest.Excluding != 0 {
				one := d.of(day, flag)
				one.last = r.Time
				one.quantities[v.Quantity]++
			}
		}
	}
}

// of returns the flaggedDay of a day and flag. Readings come in order, so it is one of the last.
func (d *flaggedDays) of(day time.Time, flag ingest.Flags) *flaggedDay {
	for i := len(d.list) - 1; i >= 0 && d.list[i].day.Equal(day); i-- {
		if d.list[i].flag == flag {
			return d.list[i]
		}
	}
	d.list = append(d.list, &flaggedDay{day: day, flag: flag, quantities: map[quantity.Quantity]int{}})
	return d.list[len(d.list)-1]
}

// flagged adds the entry of a flaggedDay.
func (t *stationEntries) flagged(d *flaggedDay) {
	var counts []string
	for _, q := range quantity.All() {
		if n := d.quantities[q]; n > 0 {
			counts = append(counts, fmt.Sprintf("%s: %d", q, n))
		}
	}
	date, values, words, why := d.day.Format(time.DateOnly), strings.Join(counts, ", "), d.flag.Words(), d.flag.Explain()
	t.add(d.last, text{date + ": values do not count: " + words.EN, date + ": Werte zählen nicht: " + words.DE}, text{
		join(why.TodoEnglish, "Values with the flag "+d.flag.String()+" on this day: "+values+". They are kept and published, and left out of averages."),
		join(why.TodoGerman, "Werte mit der Markierung "+d.flag.String()+" an diesem Tag: "+values+". Sie werden behalten und veröffentlicht, aber nicht gemittelt."),
	}, "flag", d.flag.String(), date)
}
