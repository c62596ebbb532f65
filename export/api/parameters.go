package api

import (
	"strconv"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/stations"
)

const (
	pageRows    = 1000   // rows of a page of JSON that names no limit
	maxPageRows = 10_000 // the largest limit: a page is held in memory
)

func quantityNames() []string {
	var names []string
	for _, q := range quantity.All() {
		names = append(names, q.String())
	}
	return names
}

// formats returns the parameter format, and those of CSV. The first is the default.
func formats(all ...export.Format) []openapi.Parameter {
	format := openapi.Parameter{Name: "format", Default: string(all[0]), About: bilingual.Text{EN: "form of the answer", DE: "Form der Antwort"}}
	for _, f := range all {
		format.Choices = append(format.Choices, string(f))
	}
	return []openapi.Parameter{format, {
		Name: "delimiter", Choices: []string{"comma", "semicolon"}, Default: "comma",
		About: bilingual.Text{EN: "what separates the fields of CSV", DE: "was die Felder im CSV trennt"},
	}, {
		Name: "decimal", Choices: []string{"point", "comma"}, Default: "point",
		About: bilingual.Text{EN: "decimals of CSV; comma is for spreadsheets in German: it separates the fields with semicolons and begins with a byte order mark",
			DE: "Dezimalzeichen im CSV; comma ist für deutsche Tabellenprogramme: Die Felder trennen dann Semikolons, und am Anfang steht eine Bytereihenfolge-Marke"},
	}}
}

// pages returns limit and cursor.
func pages() []openapi.Parameter {
	return []openapi.Parameter{
		{Name: "limit", Kind: openapi.Integer, Default: strconv.Itoa(pageRows), Most: maxPageRows,
			About: bilingual.Text{EN: "rows of a page of JSON", DE: "Zeilen einer Seite JSON"}},
		{Name: "cursor", About: bilingual.Text{
			EN: "which page, taken from the address of the next one (Link header, “next” in the document)",
			DE: "welche Seite, aus der Adresse der nächsten (Kopfzeile Link, „next“ im Dokument)"}},
	}
}

func period(otherwise bilingual.Text) []openapi.Parameter {
	return []openapi.Parameter{
		{Name: "from", Kind: openapi.Moment, About: bilingual.Text{EN: "start, included; without it " + otherwise.EN, DE: "Beginn, eingeschlossen; sonst " + otherwise.DE}},
		{Name: "to", Kind: openapi.Moment, About: bilingual.Text{EN: "end, not included; without it now", DE: "Ende, nicht eingeschlossen; sonst jetzt"}},
	}
}

func quantityParameter(otherwise bilingual.Text) openapi.Parameter {
	return openapi.Parameter{Name: "quantity", Kind: openapi.List, Choices: quantityNames(),
		About: bilingual.Text{EN: "what was measured; without it " + otherwise.EN, DE: "Messgröße; sonst " + otherwise.DE}}
}

var everyQuantity = bilingual.Text{EN: "everything", DE: "alles"}

// places returns bbox, and district when the city has districts.
func (s *Server) places(what bilingual.Text) []openapi.Parameter {
	list := []openapi.Parameter{{Name: "bbox", Kind: openapi.Numbers, Lengths: []int{4}, About: bilingual.Text{
		EN: "west,south,east,north in degrees: " + what.EN, DE: "West,Süd,Ost,Nord in Grad: " + what.DE}}}
	if len(s.City.Districts) == 0 {
		return list
	}
	district := openapi.Parameter{Name: "district", About: bilingual.Text{
		EN: "a district of the city: " + what.EN, DE: "ein Stadtteil: " + what.DE}}
	for _, d := range s.City.Districts {
		district.Choices = append(district.Choices, d.Name)
	}
	return append(list, district)
}

var sourceParameter = openapi.Parameter{Name: "source", Choices: export.Sources(), Default: export.AllSources, About: bilingual.Text{
	EN: "whose stations: the city’s own, or a neighbour’s, whose data keeps its licence",
	DE: "wessen Stationen: die der Stadt oder eines Nachbarn, dessen Daten ihre Lizenz behalten"}}

// readingParameters returns the parameters of readings, of all stations or of one.
func (s *Server) readingParameters(one bool) []openapi.Parameter {
	list := period(bilingual.Text{
		EN: "one hour before to, for means of hours a day, of days 31 days",
		DE: "eine Stunde vor to, bei Stundenmitteln ein Tag, bei Tagesmitteln 31 Tage"})
	list = append(list, formats(export.CSV, export.GeoJSON, export.JSON, export.Parquet)...)
	list = append(list, openapi.Parameter{Name: "resolution", Choices: download.Resolutions(), Default: string(download.Raw), About: bilingual.Text{
		EN: "raw: single values; else means of each station’s good values over whole windows, with columns of their own",
		DE: "raw: einzelne Werte; sonst Mittel der guten Werte jeder Station über ganze Zeitfenster, mit eigenen Spalten"}},
		quantityParameter(everyQuantity),
		openapi.Parameter{Name: "flags", Choices: []string{"all", "good"}, Default: "all", About: bilingual.Text{
			EN: "good leaves out values whose flags keep them out of averages; means are always of good values",
			DE: "good lässt Werte weg, die wegen ihrer Markierung nicht in Mittel eingehen; Mittel sind immer aus guten Werten"}})
	list = append(list, s.places(bilingual.Text{EN: "stations whose public place lies in it", DE: "Stationen, deren öffentlicher Ort darin liegt"})...)
	list = append(list, sourceParameter)
	list = append(list, pages()...)
	if one {
		return append([]openapi.Parameter{stations.ID}, list...)
	}
	return append(list, openapi.Parameter{Name: "station", Kind: openapi.List, About: bilingual.Text{
		EN: "ids of stations; without it all", DE: "Kennungen von Stationen; sonst alle"}})
}

// windowParameters returns the parameters that select a window of averages.
func windowParameters() []openapi.Parameter {
	return []openapi.Parameter{
		{Name: "window", Choices: []string{"live", "1h", "24h"}, Default: "live", About: bilingual.Text{
			EN: "live: the last 60 minutes; 1h, 24h: a full hour or day", DE: "live: die letzten 60 Minuten; 1h, 24h: eine volle Stunde, ein voller Tag"}},
		{Name: "time", Default: "latest", About: bilingual.Text{
			EN: "a moment in the hour or day that is wanted, or latest", DE: "ein Zeitpunkt in der gewünschten Stunde, im gewünschten Tag, oder latest"}},
	}
}

// windowsParameters returns windowParameters and those of a period of windows.
func windowsParameters() []openapi.Parameter {
	return append(windowParameters(), period(bilingual.Text{
		EN: "and without to, one window is the answer", DE: "und ohne to ist die Antwort ein Zeitfenster"})...)
}

func (s *Server) gridParameters() []openapi.Parameter {
	list := append(windowsParameters(), allFormats()...)
	list = append(list, quantityParameter(bilingual.Text{EN: "everything, as GeoJSON pm2_5", DE: "alles, als GeoJSON pm2_5"}),
		cellSize(s.City.Resolution))
	list = append(list, s.places(bilingual.Text{EN: "cells whose centre lies in it", DE: "Zellen, deren Mitte darin liegt"})...)
	return append(list, pages()...)
}

func (s *Server) areaParameters() []openapi.Parameter {
	list := append(windowsParameters(), allFormats()...)
	return append(append(list, quantityParameter(everyQuantity)), pages()...)
}

// cellSize returns the parameter for the size of cells.
func cellSize(otherwise int32) openapi.Parameter {
	p := openapi.Parameter{Name: "resolution", Default: strconv.Itoa(int(otherwise)), About: bilingual.Text{
		EN: "size of the cells in metres; a period older than two days is kept at the city’s own only",
		DE: "Größe der Zellen in Metern; Zeiträume, die älter sind als zwei Tage, gibt es nur in der Rasterweite der Stadt"}}
	for _, size := range geo.Resolutions() {
		p.Choices = append(p.Choices, strconv.Itoa(int(size)))
	}
	return p
}

// allFormats returns the formats of averages at a moment, with GeoJSON first for maps.
func allFormats() []openapi.Parameter {
	return formats(export.GeoJSON, export.CSV, export.JSON, export.Parquet)
}

// tableParameters returns the parameters of the tables of stations, which are whole.
func tableParameters() []openapi.Parameter {
	return append(formats(export.CSV, export.JSON, export.Parquet), sourceParameter)
}

func coverageParameters() []openapi.Parameter {
	return append(append(period(bilingual.Text{EN: "of the history: eleven months before this one", DE: "des Verlaufs: elf Monate vor diesem"}), allFormats()...),
		openapi.Parameter{Name: "quantity", Choices: quantityNames(), Default: quantity.PM2_5.String(), About: bilingual.Text{EN: "one quantity", DE: "eine Messgröße"}},
		openapi.Parameter{Name: "proposals", Kind: openapi.Integer, FromZero: true, Most: maxProposals, Default: strconv.Itoa(defaultProposals), About: bilingual.Text{
			EN: "how many places for a next station", DE: "wie viele Orte für eine nächste Station"}},
		openapi.Parameter{Name: "history", Choices: []string{"none", "day", "month"}, Default: "none", About: bilingual.Text{
			EN: "the coverage over time, by day or month", DE: "die Abdeckung über die Zeit, nach Tag oder Monat"}})
}

// seriesParameters returns the parameters of a station's series.
func seriesParameters() []openapi.Parameter {
	list := period(bilingual.Of("one hour before to", "eine Stunde vor to"))
	return append(list, stations.ID,
		openapi.Parameter{Name: "quantity", Choices: quantityNames(), Example: "pm2_5", About: bilingual.Of("what was measured; one must be named", "Messgröße; eine muss genannt sein")},
		openapi.Parameter{Name: "window", Choices: []string{"1h", "24h"}, Default: "1h", About: bilingual.Of("full hours or days", "volle Stunden oder Tage")})
}
