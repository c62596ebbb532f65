package official

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// nrwComponents maps LuftQualität.NRW's components to quantities.
var nrwComponents = map[int]quantity.Quantity{1: quantity.O3, 3: quantity.NO2, 200: quantity.PM10, 201: quantity.PM2_5}

// nrwTime is the form of times in requests.
const nrwTime = "2006-01-02T15:04"

// NRW imports the hours from <= start < to of LuftQualität.NRW's stations: the places of station.php, the hourly means of
// stundenmittelwerte.php. Answers are taken in any arrangement whose rows name their columns, or are arrays beside
// "indices".
func (a *Agency) NRW(ctx context.Context, from, to time.Time, yield Yield) error {
	var answer any
	if err := a.get(ctx, "/station.php", url.Values{"index": {"obj"}}, &answer); err != nil {
		return err
	}
	found := false
	for _, r := range records(answer) {
		st, code, ok := nrwStation(r)
		if !ok || !a.wants(st, code) {
			continue
		}
		found = true
		if err := a.nrwStationHours(ctx, st, from, to, yield); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("none of the agency's stations is here: see --station and --margin")
	}
	return nil
}

func nrwStation(r record) (st Station, code string, ok bool) {
	key := r.text("id", "station_id", "station id", "nr", "nummer", "station", keyName)
	code = r.text("code", "kuerzel", "kürzel", "station_code", "station code")
	lon, okLon := r.number("lon", "longitude", "laenge", "länge", "station longitude", "geo_laenge")
	lat, okLat := r.number("lat", "latitude", "breite", "station latitude", "geo_breite")
	name := r.text("name", "bezeichnung", "standort", "station_name", "station name")
	if code != "" {
		name = strings.TrimSpace(name + " (" + code + ")")
	}
	return Station{ingest.NRW, key, name, orb.Point{lon, lat}, licenceDE}, code, key != "" && okLon && okLat
}

func (a *Agency) nrwStationHours(ctx context.Context, st Station, from, to time.Time, yield Yield) error {
	for _, component := range slices.Sorted(maps.Keys(nrwComponents)) {
		err := spans(from, to, func(from, to time.Time) error {
			query := url.Values{
				"station": {st.Key}, "komponente": {strconv.Itoa(component)}, "beginn": {from.In(cet).Format(nrwTime)}, "ende": {to.In(cet).Format(nrwTime)}, "index": {"obj"},
			}
			var answer any
			if err := a.get(ctx, "/stundenmittelwerte.php", query, &answer); err != nil {
				return err
			}
			if hours := nrwHours(answer, nrwComponents[component], from, to); len(hours) > 0 {
				return yield(st, hours)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// hourlyAggregation is NRW's number of the mean of one hour.
const hourlyAggregation = 1

// nrwHours returns the hours with a value. A row is stamped by its start where it has one, else by its end.
func nrwHours(answer any, q quantity.Quantity, from, to time.Time) (hours []Hour) {
	for _, r := range records(answer) {
		if kind, there := r.number("aggregation", "aggregation_id"); there && kind != hourlyAggregation {
			continue
		}
		value, ok := r.number("wert", "messwert", "value")
		if !ok || value == missing {
			continue
		}
		at, ok := r.time("beginn", "start", "von", "zeit", "zeitpunkt", "datum", "time", keyName)
		if !ok {
			if at, ok = r.time("ende", "end", "bis"); !ok {
				continue
			}
			at = at.Add(-time.Hour)
		}
		if !at.Before(from) && at.Before(to) && at.Equal(at.Truncate(time.Hour)) {
			hours = append(hours, Hour{at, q, value})
		}
	}
	return hours
}
