package export

import (
	"io"
	"math"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/comparison"
)

// ComparisonRule is how stations are compared with official instruments, for what documents say of themselves.
const ComparisonRule = "Hourly means of the outdoor stations within a radius of an official station, by their public places, against the official hour; hours stamped by their start. " +
	"Stations do not stand beside the instrument: a difference has the distance in it. Official values may be preliminary."

// allOfficial is what a row of all official stations together has in place of a station.
const allOfficial = "all"

// milliOf returns a number in thousandths, rounded.
func milliOf(v float64) int64 { return int64(math.Round(v * 1000)) }

// MilliOf returns a number in thousandths, rounded.
func MilliOf(v float64) Milli { return Milli(milliOf(v)) }

func official(id string) string {
	if id == "" {
		return allOfficial
	}
	return id
}

func classes() []string {
	names := make([]string, len(comparison.HumidityClasses))
	for i, c := range comparison.HumidityClasses {
		names[i] = string(c)
	}
	return names
}

func unitOf(name string) string {
	q, _ := quantity.Parse(name)
	return q.Unit()
}

var within = bilingual.Of("radius within which stations are compared, by public places", "Umkreis der verglichenen Stationen, nach öffentlichen Orten")

// ComparisonColumns are comparisons over periods: a row an official station, quantity, radius, period, class of humidity, and
// with or without correction.
var ComparisonColumns = Columns[comparison.Row]{
	textColumn("official", bilingual.Of("the official station's id, or `all` for all of them together", "Kennung der amtlichen Station, oder `all` für alle zusammen"), func(r *comparison.Row) string { return official(r.Official) }),
	wordColumn("quantity", whatWasMeasured, func(r *comparison.Row) string { return r.Quantity }).among(quantityNames...),
	wordColumn("unit", bilingual.Of("unit of the values", "Einheit der Werte"), func(r *comparison.Row) string { return unitOf(r.Quantity) }),
	integerColumn("radius_m", "m", within, func(r *comparison.Row) int64 { return int64(r.Radius) }),
	integerColumn("period_days", "d", bilingual.Of("so many days up to the end of the last whole one", "so viele Tage bis zum Ende des letzten ganzen"), func(r *comparison.Row) int64 { return int64(r.Period) }),
	wordColumn("humidity", bilingual.Of("class of relative humidity in %, or `all`", "Klasse der relativen Feuchte in %, oder `all`"), func(r *comparison.Row) string { return string(r.Humidity) }).among(classes()...),
	boolColumn("corrected", bilingual.Of("whether the stations' means are those that enter averages, else as measured", "ob die Mittel der Stationen die sind, die in Mittel eingehen, sonst wie gemessen"), func(r *comparison.Row) bool { return r.Corrected }),
	countColumn("n", bilingual.Of("hours of both", "Stunden von beiden"), func(r *comparison.Row) int64 { return int64(r.N) }),
	countColumn("days", bilingual.Of("days on which they lie", "Tage, auf denen sie liegen"), func(r *comparison.Row) int64 { return int64(r.Days) }),
	thousandthsColumn("mean", InUnit, bilingual.Of("mean of the stations", "Mittel der Stationen"), func(r *comparison.Row) int64 { return milliOf(r.Mean) }),
	thousandthsColumn("official_mean", InUnit, bilingual.Of("mean of the official instrument", "Mittel des amtlichen Geräts"), func(r *comparison.Row) int64 { return milliOf(r.Statistics.Official) }),
	thousandthsColumn("bias", InUnit, bilingual.Of("mean difference, stations minus instrument", "mittlerer Unterschied, Stationen minus Gerät"), func(r *comparison.Row) int64 { return milliOf(r.Bias) }),
	thousandthsColumn("bias_low", InUnit, bilingual.Of("lower end of its 95 % confidence interval, with days as the sample", "untere Grenze des 95-%-Vertrauensbereichs, mit Tagen als Stichprobe"), func(r *comparison.Row) int64 { return milliOf(r.BiasLow) }),
	thousandthsColumn("bias_high", InUnit, bilingual.Of("its upper end", "seine obere Grenze"), func(r *comparison.Row) int64 { return milliOf(r.BiasHigh) }),
	thousandthsColumn("sd", InUnit, bilingual.Of("standard deviation of the differences: two of three hours are within it of the bias", "Standardabweichung der Unterschiede: Zwei von drei Stunden liegen so nah am mittleren"), func(r *comparison.Row) int64 { return milliOf(r.SD) }).from(0),
	thousandthsColumn("rmse", InUnit, bilingual.Of("root of the mean squared difference", "Wurzel des mittleren quadratischen Unterschieds"), func(r *comparison.Row) int64 { return milliOf(r.RMSE) }).from(0),
	thousandthsColumn("nrmse", "", bilingual.Of("the same as a share of the instrument's mean", "dasselbe als Anteil am Mittel des Geräts"), func(r *comparison.Row) int64 { return milliOf(r.NRMSE) }).from(0),
	thousandthsColumn("r", "", bilingual.Of("Pearson's correlation", "Korrelation nach Pearson"), func(r *comparison.Row) int64 { return milliOf(r.R) }).from(-1).to(1),
	thousandthsColumn("slope", "", bilingual.Of("slope of the stations on the instrument", "Steigung der Stationen gegen das Gerät"), func(r *comparison.Row) int64 { return milliOf(r.Slope) }),
	thousandthsColumn("intercept", InUnit, bilingual.Of("its intercept", "ihr Achsenabschnitt"), func(r *comparison.Row) int64 { return milliOf(r.Intercept) }),
}

var comparisonTable = Table{Name: "comparison", About: bilingual.Of("The city's stations compared with official instruments over periods.", "Die Stationen der Stadt im Vergleich mit amtlichen Geräten über Zeiträume."),
	Key: []string{"official", "quantity", "radius_m", "period_days", "humidity", "corrected"}, Columns: ComparisonColumns.Fields()}

// NewComparison makes an encoder that writes to w, as CSV or JSON.
func NewComparison(w io.Writer, format Format, meta Meta) Encoder[comparison.Row] {
	return newRows(w, format, meta, ComparisonColumns, nil)
}

// PairColumns are the hours behind a comparison: a row an hour, official station, quantity and radius.
var PairColumns = Columns[comparison.Pair]{
	timeColumn("start", bilingual.Of("start of the hour", "Beginn der Stunde"), func(p *comparison.Pair) time.Time { return p.Start }),
	textColumn("official", bilingual.Of("the official station's id", "Kennung der amtlichen Station"), func(p *comparison.Pair) string { return p.Official }),
	wordColumn("quantity", whatWasMeasured, func(p *comparison.Pair) string { return p.Quantity.String() }).among(quantityNames...),
	wordColumn("unit", bilingual.Of("unit of the values", "Einheit der Werte"), func(p *comparison.Pair) string { return p.Quantity.Unit() }),
	integerColumn("radius_m", "m", within, func(p *comparison.Pair) int64 { return int64(p.Radius) }),
	thousandthsColumn("official_value", InUnit, bilingual.Of("value of the official instrument", "Wert des amtlichen Geräts"), func(p *comparison.Pair) int64 { return milliOf(p.Value) }),
	thousandthsColumn("raw_mean", InUnit, bilingual.Of("mean over the stations' hours as measured", "Mittel über die Stunden der Stationen, wie gemessen"), func(p *comparison.Pair) int64 { return milliOf(p.Raw) }),
	thousandthsColumn("mean", InUnit, bilingual.Of("the same as they enter averages", "dasselbe, wie sie in Mittel eingehen"), func(p *comparison.Pair) int64 { return milliOf(p.Corrected) }),
	thousandthsColumn("humidity", "%", bilingual.Of("mean relative humidity of these stations; empty where it is not known", "mittlere relative Feuchte dieser Stationen; leer, wo sie nicht bekannt ist"), func(p *comparison.Pair) int64 {
		if p.Humidity == nil {
			return None
		}
		return milliOf(*p.Humidity)
	}).optional(),
	countColumn("stations", howManyStations, func(p *comparison.Pair) int64 { return int64(p.Stations) }),
}

// PairsTable describes PairColumns.
var PairsTable = Table{Name: "pairs", About: bilingual.Of("The hours behind the comparison with official instruments.", "Die Stunden hinter dem Vergleich mit amtlichen Geräten."),
	Key: []string{"start", "official", "quantity", "radius_m"}, Columns: PairColumns.Fields()}

// NewPairs makes an encoder that writes to w, as CSV or JSON.
func NewPairs(w io.Writer, format Format, meta Meta) Encoder[comparison.Pair] {
	return newRows(w, format, meta, PairColumns, nil)
}
