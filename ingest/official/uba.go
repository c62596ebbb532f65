package official

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// hourlyMean is the scope of the mean of one hour. The others are rolling or daily means, which say nothing about an hour.
const hourlyMean = 2

// ubaComponents maps the Agency's components to quantities; carbon monoxide is in mg/m³, as here.
var ubaComponents = map[int]quantity.Quantity{1: quantity.PM10, 2: quantity.CO, 3: quantity.O3, 4: quantity.SO2, 5: quantity.NO2, 9: quantity.PM2_5}

// UBA imports the hours from <= start < to of the German Environment Agency's stations. A station without one of the
// components has no hours of it.
func (a *Agency) UBA(ctx context.Context, from, to time.Time, yield Yield) error {
	stations, err := a.ubaStations(ctx)
	if err != nil {
		return err
	}
	for _, st := range stations {
		for _, component := range slices.Sorted(maps.Keys(ubaComponents)) {
			err := spans(from, to, func(from, to time.Time) error {
				hours, err := a.ubaHours(ctx, st, component, from, to)
				if err != nil || len(hours) == 0 {
					return err
				}
				return yield(st, hours)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// ubaTable is an answer whose rows are arrays; indices names their columns, of measures in nested objects.
type ubaTable struct {
	Indices json.RawMessage `json:"indices"`
	Data    json.RawMessage `json:"data"`
}

// rows decodes data: an object, or the empty array that stands for an empty one.
func rows[T any](data json.RawMessage) (m map[string]T, err error) {
	if data = bytes.TrimSpace(data); len(data) == 0 || data[0] == '[' || string(data) == "null" {
		return nil, nil
	}
	err = json.Unmarshal(data, &m)
	return m, err
}

// ubaStations returns the wanted stations that still measure, by number.
func (a *Agency) ubaStations(ctx context.Context) ([]Station, error) {
	var table ubaTable
	if err := a.get(ctx, "/stations/json", url.Values{"lang": {"de"}}, &table); err != nil {
		return nil, err
	}
	data, err := rows[[]any](table.Data)
	if err != nil {
		return nil, fmt.Errorf("stations: %w", err)
	}
	var names []string
	if err := json.Unmarshal(table.Indices, &names); err != nil {
		return nil, fmt.Errorf("stations: indices: %w", err)
	}
	column := map[string]int{}
	for i, name := range names {
		column[name] = i
	}
	for _, name := range []string{"station id", "station code", "station name", "station active to", "station longitude", "station latitude"} {
		if _, ok := column[name]; !ok {
			return nil, fmt.Errorf("stations: no column %q among %q", name, names)
		}
	}
	var list []Station
	for _, key := range slices.Sorted(maps.Keys(data)) {
		row := data[key]
		text := func(name string) string {
			if i := column[name]; i < len(row) && row[i] != nil {
				return fmt.Sprint(row[i])
			}
			return ""
		}
		lon, errLon := strconv.ParseFloat(text("station longitude"), 64)
		lat, errLat := strconv.ParseFloat(text("station latitude"), 64)
		if errLon != nil || errLat != nil || text("station active to") != "" {
			continue
		}
		st := Station{ingest.UBA, text("station id"), text("station name") + " (" + text("station code") + ")", orb.Point{lon, lat}, licenceDE}
		if a.wants(st, text("station code")) {
			list = append(list, st)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("none of the agency's stations is here: see --station and --margin")
	}
	return list, nil
}

// ubaHours returns the hours of one station and component. A row is component, scope, value, end, index; its key is the
// start. Hours of another scope, and those without a value, are left out.
func (a *Agency) ubaHours(ctx context.Context, st Station, component int, from, to time.Time) ([]Hour, error) {
	first, last := from.In(cet), to.Add(-time.Second).In(cet)
	query := url.Values{
		"date_from": {first.Format(time.DateOnly)}, "time_from": {strconv.Itoa(first.Hour() + 1)}, // hours count from 1
		"date_to": {last.Format(time.DateOnly)}, "time_to": {strconv.Itoa(last.Hour() + 1)},
		"station": {st.Key}, "component": {strconv.Itoa(component)}, "scope": {strconv.Itoa(hourlyMean)},
	}
	var table ubaTable
	if err := a.get(ctx, "/measures/json", query, &table); err != nil {
		return nil, err
	}
	stations, err := rows[map[string][]any](table.Data)
	if err != nil {
		return nil, fmt.Errorf("measures of %s: %w", st.Name, err)
	}
	var hours []Hour
	for start, row := range stations[st.Key] {
		at, err := time.ParseInLocation(time.DateTime, start, cet)
		if err != nil || len(row) < 3 {
			a.Problem(fmt.Sprintf("%s: %.40q: %.80v is not an hour", st.Name, start, row))
			continue
		}
		value, ok := row[2].(float64)
		if !ok || row[0] != float64(component) || row[1] != float64(hourlyMean) || at.Before(from) || !at.Before(to) {
			continue
		}
		hours = append(hours, Hour{at.UTC(), ubaComponents[component], value})
	}
	return hours, nil
}
