package api

import (
	"io"
	"slices"
	"strconv"
	"time"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
)

// listPart is the length from which a part of a list is written, in bytes.
const listPart = 32 << 10

// stationList writes a GeoJSON document of stations, without reflection: it is asked for often and is long.
type stationList struct {
	w          io.Writer
	buf        []byte // not yet written
	empty      bool
	chosen     []listable
	means      bool     // whether a chosen property needs means
	quantities []string // of values and means; none is all
	names      []string // buffer
}

// listable is a property of a station in a list, as stationProperties has it.
type listable struct {
	name   string
	append func(l *stationList, b []byte, p *stationProperties) []byte
}

// listables are sorted by name. The reason is not among them: suspended stations are not listed.
var listables = []listable{
	{"cell", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendText(b, p.Cell) }},
	{"demo", func(_ *stationList, b []byte, p *stationProperties) []byte { return strconv.AppendBool(b, p.Demo) }},
	{"exposure", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendText(b, string(p.Exposure)) }},
	{"height", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendAny(b, p.Height) }},
	{"index", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendIndices(b, p.Index) }},
	{"interval_seconds", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendAny(b, p.Interval) }},
	{"kit", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendText(b, p.Kit) }},
	{"last_seen", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendAny(b, p.LastSeen) }},
	{"licence", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendText(b, p.Licence) }},
	{"means", func(l *stationList, b []byte, p *stationProperties) []byte {
		return appendSorted(l, b, p.Means, appendMean)
	}},
	{"name", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendText(b, p.Name) }},
	{"official", func(_ *stationList, b []byte, p *stationProperties) []byte { return strconv.AppendBool(b, p.Official) }},
	{"rare", func(_ *stationList, b []byte, p *stationProperties) []byte { return strconv.AppendBool(b, p.Rare) }},
	{"sensors", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendTexts(b, p.Sensors) }},
	{"side", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendText(b, p.Side) }},
	{"source", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendText(b, p.Source) }},
	{"source_id", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendText(b, p.SourceID) }},
	{"state", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendText(b, p.State) }},
	{"status", func(_ *stationList, b []byte, p *stationProperties) []byte { return appendText(b, string(p.Status)) }},
	{"values", func(l *stationList, b []byte, p *stationProperties) []byte {
		return appendSorted(l, b, p.Values, appendLatest)
	}},
}

var listableNames = func() (names []string) {
	for _, l := range listables {
		names = append(names, l.name)
	}
	return names
}()

// newStationList begins a list of the named properties, and of values and means of the named quantities; all when none
// are named.
func newStationList(w io.Writer, meta export.Meta, fields, quantities []string) *stationList {
	l := &stationList{w: w, empty: true, quantities: quantities, chosen: listables}
	if len(fields) > 0 {
		l.chosen = slices.DeleteFunc(slices.Clone(listables), func(one listable) bool { return !slices.Contains(fields, one.name) })
	}
	l.means = slices.ContainsFunc(l.chosen, func(one listable) bool { return one.name == "means" || one.name == "index" })
	l.buf = append(l.buf, `{"type":"FeatureCollection",`...)
	envelope := appendAny(nil, meta.Envelope())
	l.buf = append(append(l.buf, envelope[1:len(envelope)-1]...), `,"features":[`...)
	return l
}

// add adds a station in its state at a moment. means returns its means.
func (l *stationList) add(st *ingest.Station, at time.Time, live live.Station, means func() []aggregate.StationMean) error {
	f := stationAt(st, at, live)
	if l.means {
		f.Properties.addMeans(means())
	}
	b := l.buf
	if !l.empty {
		b = append(b, ',')
	}
	l.empty = false
	b = appendText(append(b, `{"type":"Feature","id":`...), f.ID)
	b = export.AppendNumber(append(b, `,"geometry":{"type":"Point","coordinates":[`...), f.Geometry.Coordinates[0])
	b = export.AppendNumber(append(b, ','), f.Geometry.Coordinates[1])
	b = append(b, `]},"properties":{`...)
	for i := range l.chosen {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), l.chosen[i].name...), `":`...)
		b = l.chosen[i].append(l, b, &f.Properties)
	}
	if l.buf = append(b, `}}`...); len(l.buf) < listPart {
		return nil
	}
	return l.flush()
}

// end completes the document.
func (l *stationList) end() error {
	l.buf = append(l.buf, "]}\n"...)
	return l.flush()
}

func (l *stationList) flush() error {
	_, err := l.w.Write(l.buf)
	l.buf = l.buf[:0]
	return err
}

// appendSorted appends the wanted members of an object, by name.
func appendSorted[T any](l *stationList, b []byte, of map[string]T, one func(b []byte, v T) []byte) []byte {
	l.names = l.names[:0]
	for name := range of {
		if len(l.quantities) == 0 || slices.Contains(l.quantities, name) {
			l.names = append(l.names, name)
		}
	}
	slices.Sort(l.names)
	b = append(b, '{')
	for i, name := range l.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(append(appendText(b, name), ':'), of[name])
	}
	return append(b, '}')
}

func appendLatest(b []byte, v latestValue) []byte {
	b = export.AppendNumber(append(b, `{"value":`...), v.Value)
	b = appendText(append(b, `,"unit":`...), v.Unit)
	b = appendText(append(b, `,"time":`...), v.Time)
	b = appendTexts(append(b, `,"flags":`...), v.Flags)
	if v.Signal {
		b = append(b, `,"signal":true`...)
	}
	return append(b, '}')
}

func appendMean(b []byte, m stationMean) []byte {
	b = m.Mean.Append(append(b, `{"mean":`...))
	b = m.Raw.Append(append(b, `,"raw_mean":`...))
	b = appendText(append(b, `,"unit":`...), m.Unit)
	b = m.Coverage.Append(append(b, `,"coverage":`...))
	b = strconv.AppendBool(append(b, `,"uncorrected":`...), m.Uncorrected)
	return append(b, '}')
}

func appendIndices(b []byte, both export.IndexClasses) []byte {
	b = appendIndex(append(b, `{"eaqi":`...), both.European)
	b = appendIndex(append(b, `,"lqi":`...), both.German)
	return append(b, '}')
}

func appendIndex(b []byte, c export.IndexClass) []byte {
	b = appendText(append(b, `{"name_en":`...), c.NameEnglish)
	b = appendText(append(b, `,"name_de":`...), c.NameGerman)
	b = strconv.AppendInt(append(b, `,"class":`...), int64(c.Class), 10)
	if c.Pollutant != "" {
		b = appendText(append(b, `,"pollutant":`...), c.Pollutant)
	}
	b = appendText(append(b, `,"en":`...), c.English)
	b = appendText(append(b, `,"de":`...), c.German)
	if c.Colour != "" {
		b = appendText(append(b, `,"colour":`...), c.Colour)
	}
	b = strconv.AppendInt(append(b, `,"measured":`...), int64(c.Measured), 10)
	b = appendTexts(append(b, `,"pollutants":`...), c.Pollutants)
	if c.Reason != "" {
		b = appendText(append(b, `,"reason":`...), string(c.Reason))
	}
	return append(b, '}')
}

func appendTexts(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, text := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, text)
	}
	return append(b, ']')
}

// appendText appends a JSON string as appendAny does.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f {
			return appendAny(b, text)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// appendAny appends a value of ours, which always has a form in JSON.
func appendAny(b []byte, v any) []byte {
	b, _ = export.AppendJSON(b, v)
	return b
}
