package calibration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// at returns an hour of 1 May 2026, UTC.
func at(hour int, value float64) Hour {
	return Hour{Start: time.Date(2026, 5, 1, hour, 0, 0, 0, time.UTC), Value: value}
}

func TestReadReference(t *testing.T) {
	f := func(form Format, text string, want ...Hour) {
		t.Helper()
		got, err := ReadReference(strings.NewReader(text), form)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("ReadReference(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	f(Format{}, "time,value\n2026-05-01T12:00:00Z,8.5\n2026-05-01T13:00:00Z,-1\n", at(12, 8.5), at(13, -1))
	f(Format{}, "2026-05-01T13:00:00Z,1\n2026-05-01T14:00:00+02:00,2\n", at(12, 2), at(13, 1))
	f(Format{}, "\ufefftime;pm2_5\r\n2026-05-01T12:00:00Z; 8,5 \r\n2026-05-01T13:00:00Z;\r\n2026-05-01T14:00:00Z;-\r\n", at(12, 8.5))
	f(Format{End: true}, "2026-05-01T12:00:00Z,3\n", at(11, 3))
	f(Format{Zone: time.UTC}, "2026-05-01 12:00,3\n2026-05-01T13:00:00,4\n2026-05-01 14:00:00,5\n", at(12, 3), at(13, 4), at(14, 5))

	// UBA's stamps: 13:00 is the hour from 12:00 to 13:00 at UTC+1, and 24:00 the last one of its day.
	f(UBA(), "Datum;Messwert\n'01.05.2026 13:00';8\n01.05.2026 24:00;9\n2026-05-01 01:00:00;7\n2026-04-30 24:00:00;6\n",
		Hour{Start: time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC), Value: 6}, Hour{Start: time.Date(2026, 4, 30, 23, 0, 0, 0, time.UTC), Value: 7}, at(11, 8), at(22, 9))
	f(UBA(), "31.12.2026 24:00;1\n", Hour{Start: time.Date(2026, 12, 31, 22, 0, 0, 0, time.UTC), Value: 1})
	f(UBA(), "2026-05-01T12:00:00Z,3\n", at(11, 3)) // the time's own offset counts
	f(Format{}, "2026-05-01T12:00:00Z,-999\n2026-05-01T13:00:00Z,4\n", at(13, 4))
	north, south := at(12, 5), at(12, 6)
	north.Station, south.Station = "NORD", "SÜD"
	f(Format{}, "time,value,station\n2026-05-01T12:00:00Z,6,SÜD\n2026-05-01T12:00:00Z,5,NORD\n", north, south)
}

func TestReadReferenceRefuses(t *testing.T) {
	f := func(form Format, text, want string) {
		t.Helper()
		got, err := ReadReference(strings.NewReader(text), form)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadReference(%q) = %v, %v, want an error with %q", text, got, err, want)
		}
	}
	f(Format{}, "", "reference: no hour with a value")
	f(Format{}, "time,value\n", "no hour with a value")
	f(Format{}, "2026-05-01T12:00:00Z,\n", "no hour with a value")
	f(Format{}, "time,value\n2026-05-01T12:00:00Z,high\n", `line 2: value "high" is no number`)
	f(Format{}, "2026-05-01T12:00:00Z,high\n2026-05-01T13:00:00Z,1\n", `line 1: value "high" is no number`)
	f(Format{}, "0026-05-01T12:00:00Z,1\n", "is not between 1970 and 2100")
	f(Format{}, "2026-05-01T12:00:00Z,1\n2026-05-01T13:00:00Z,NaN\n", `line 2: value "NaN" is no number`)
	f(Format{}, "2026-05-01T12:00:00Z;1,234,5\n", `line 1: value "1,234,5"`)
	f(Format{}, "noon,1\n", `line 1: time "noon" is not of the form`)
	f(Format{}, "time,value\n2026-05-01T12:30:00Z,1\n", `line 2: time "2026-05-01T12:30:00Z" is no full hour`)
	f(Format{}, "2026-05-01 12:00,1\n", "has no offset from UTC, and no zone is given")
	f(UBA(), "01.05.2026 25:00;1\n", "line 1: time")
	f(UBA(), "32.05.2026 24:00;1\n", "line 1: time")
	f(UBA(), "01.05.2026 24:30;1\n", "line 1: time")
	f(Format{}, "time,value\n\n2026-05-01T12:00:00Z,1\n2026-05-01T14:00:00+02:00,1\n", "line 4: the hour from 2026-05-01T12:00:00Z is in line 3 already")
	f(Format{}, "2026-05-01T12:00:00Z,1,2,3\n", "line 1: 4 columns, want time and value, and perhaps a station")
	f(Format{}, "time,value\n\"2026", "line 2")
	f(Format{}, strings.Repeat("2026-05-01T12:00:00Z,\n", maxReferenceBytes/20), "larger than 16777216 bytes")
}

// FuzzReadReference writes the hours that were read and reads them again.
func FuzzReadReference(f *testing.F) {
	f.Add("time,value\n2026-05-01T12:00:00Z,8.5\n")
	f.Add("Datum;Messwert\n'01.05.2026 13:00';8,2\n01.05.2026 24:00;-\n")
	f.Fuzz(func(t *testing.T, text string) {
		hours, err := ReadReference(strings.NewReader(text), UBA())
		if err != nil {
			return
		}
		var b strings.Builder
		for _, h := range hours {
			fmt.Fprintf(&b, "%s,%v\n", h.Start.Format(time.RFC3339), h.Value)
		}
		again, err := ReadReference(strings.NewReader(b.String()), Format{})
		if err != nil || !slices.Equal(hours, again) {
			t.Errorf("%q gave %v, written %q and read again %v, %v", text, hours, b.String(), again, err)
		}
	})
}
