package calibration

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The bounds of a reference file; sixty years of hours fit.
const (
	maxReferenceBytes   = 16 << 20
	firstYear, lastYear = 1970, 2100
)

// Format describes how a reference file writes its hours. The zero Format expects times with an offset that are the start
// of their hour.
type Format struct {
	Zone *time.Location // of times without an offset; nil makes them an error
	End  bool           // a time is the end of its hour
}

// UBA returns the format of the Umweltbundesamt: an hour is stamped with its end, in UTC+1 all year. Files with
// daylight saving time need the zone Europe/Berlin instead; of the hour that occurs twice in October they may hold
// one.
func UBA() Format { return Format{Zone: time.FixedZone("UTC+1", 60*60), End: true} }

// missing is the number that older German exports have where there is no value.
const missing = -999

// Hour is an hourly value of a reference instrument.
type Hour struct {
	Start   time.Time // UTC
	Value   float64
	Station string // of a table with a third column, else empty
}

// timeLayouts are the layouts of times without an offset.
var timeLayouts = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "02.01.2006 15:04"}

// ReadReference reads hourly values as CSV with two columns, time and value, and perhaps a third with the station, with
// or without a header and separated by semicolons or commas; after semicolons a value may have a decimal comma. Times are
// RFC 3339, or without an offset as 2006-01-02 15:04 or 02.01.2006 15:04, where a day may end at 24:00. It skips hours
// without a value: empty, a dash or -999. The hours are sorted by station and time, each at most once.
func ReadReference(r io.Reader, form Format) ([]Hour, error) {
	hours, err := readReference(r, form)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	return hours, nil
}

func readReference(r io.Reader, form Format) ([]Hour, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxReferenceBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxReferenceBytes {
		return nil, fmt.Errorf("larger than %d bytes", maxReferenceBytes)
	}
	rows := newRows(data)
	var hours []Hour
	type stationHour struct {
		station string
		start   time.Time
	}
	lines := map[stationHour]int{}
	for first := true; ; first = false {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := rows.FieldPos(0)
		hour, known, err := form.hour(row, rows.Comma == ';')
		if first && errors.Is(err, errNoNumber) && !form.isTime(row[0]) {
			continue // a header
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		at := stationHour{hour.Station, hour.Start}
		if before := lines[at]; before > 0 {
			return nil, fmt.Errorf("line %d: the hour from %s is in line %d already", line, hour.Start.Format(time.RFC3339), before)
		}
		lines[at] = line
		if known {
			hours = append(hours, hour)
		}
	}
	if len(hours) == 0 {
		return nil, errors.New("no hour with a value")
	}
	slices.SortFunc(hours, func(a, b Hour) int { return cmp.Or(strings.Compare(a.Station, b.Station), a.Start.Compare(b.Start)) })
	return hours, nil
}

// newRows skips a byte order mark and returns a reader with the separator of the data.
func newRows(data []byte) *csv.Reader {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	head, _, _ := bytes.Cut(data, []byte("\n"))
	rows := csv.NewReader(bytes.NewReader(data))
	rows.FieldsPerRecord = -1
	if bytes.ContainsRune(head, ';') {
		rows.Comma = ';'
	}
	return rows
}

// errNoNumber is the error for text that is not a number, such as a header.
var errNoNumber = errors.New("is no number")

func (f Format) hour(row []string, decimalComma bool) (h Hour, known bool, err error) {
	switch len(row) {
	case 2:
	case 3:
		h.Station = strings.TrimSpace(row[2])
	default:
		return Hour{}, false, fmt.Errorf("%d columns, want time and value, and perhaps a station", len(row))
	}
	text := strings.TrimSpace(row[1])
	known = text != "" && text != "-"
	if known {
		number := text
		if decimalComma {
			number = strings.Replace(text, ",", ".", 1)
		}
		h.Value, err = strconv.ParseFloat(number, 64)
		if err != nil || math.IsNaN(h.Value) || math.IsInf(h.Value, 0) {
			return Hour{}, false, fmt.Errorf("value %.40q %w", text, errNoNumber)
		}
		known = h.Value != missing
	}
	h.Start, err = f.start(row[0])
	return h, known, err
}

func (f Format) isTime(text string) bool {
	_, err := f.start(text)
	return err == nil
}

// start returns the start of the hour that a time names.
func (f Format) start(text string) (time.Time, error) {
	at, err := f.parse(strings.Trim(text, "' \t"))
	if err != nil {
		return time.Time{}, err
	}
	at = at.UTC()
	if !at.Equal(at.Truncate(time.Hour)) {
		return time.Time{}, fmt.Errorf("time %.40q is no full hour", text)
	}
	if at.Year() < firstYear || at.Year() > lastYear {
		return time.Time{}, fmt.Errorf("time %.40q is not between %d and %d", text, firstYear, lastYear)
	}
	if f.End {
		at = at.Add(-time.Hour)
	}
	return at, nil
}

func (f Format) parse(text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	date, clock, _ := strings.Cut(text, " ")
	ends := clock == "24:00" || clock == "24:00:00"
	local := text
	if ends {
		local = date + " 00" + clock[2:]
	}
	zone := f.Zone
	if zone == nil {
		zone = time.UTC
	}
	for _, layout := range timeLayouts {
		at, err := time.ParseInLocation(layout, local, zone)
		if err != nil {
			continue
		}
		if f.Zone == nil {
			return time.Time{}, fmt.Errorf("time %.40q has no offset from UTC, and no zone is given", text)
		}
		if ends {
			at = at.AddDate(0, 0, 1)
		}
		return at, nil
	}
	return time.Time{}, fmt.Errorf("time %.40q is not of the form 2026-05-01T12:00:00Z, 2026-05-01 12:00 or 01.05.2026 12:00", text)
}
