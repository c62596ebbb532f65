package ogc

import (
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/ingest/httpapi"
)

// span is a time with both ends included; an end that is zero is open.
type span struct{ from, to time.Time }

func (s span) meets(o span) bool {
	return (s.to.IsZero() || o.from.IsZero() || !o.from.After(s.to)) && (s.from.IsZero() || o.to.IsZero() || !o.to.Before(s.from))
}

// datetime reads a moment or an interval with ends that may be open (/req/core/fc-time-definition). A date is the whole day in UTC; the
// end may be a duration, which OGC's own tests of the standard ask for.
func (r *request) datetime() span {
	given := r.query.Text("datetime")
	if given == "" {
		return span{}
	}
	begin, end, interval := strings.Cut(given, "/")
	if !interval {
		return r.moment(given)
	}
	s := span{from: r.end(begin).from}
	if strings.HasPrefix(end, "P") && !s.from.IsZero() {
		s.to = r.after(s.from, end)
	} else {
		s.to = r.end(end).to
	}
	switch {
	case s.from.IsZero() && s.to.IsZero():
		r.query.Fail(httpapi.Wrong("datetime", "datetime: an interval has at least one end, such as 2026-05-01T00:00:00Z/.., not %.80q", given))
	case !s.from.IsZero() && !s.to.IsZero() && s.to.Before(s.from):
		r.query.Fail(httpapi.Wrong("datetime", "datetime: %.80s ends before it begins", given))
	}
	return s
}

func (r *request) end(given string) span {
	if given == "" || given == ".." {
		return span{}
	}
	return r.moment(given)
}

// moment parses a time, or a date as its whole day.
func (r *request) moment(given string) span {
	t, err := export.ParseTime(given)
	if err != nil {
		r.query.Fail(httpapi.Wrong("datetime", "datetime: %v", err))
	}
	if len(given) == len(time.DateOnly) {
		return span{t, t.AddDate(0, 0, 1).Add(-time.Nanosecond)}
	}
	return span{t, t}
}

func (r *request) after(begin time.Time, given string) time.Time {
	d, err := export.ParseDuration(given)
	if err != nil {
		r.query.Fail(httpapi.Wrong("datetime", "datetime: %v", err))
	}
	return begin.Add(d)
}
