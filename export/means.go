package export

import (
	"io"
	"time"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
)

// MeanColumns are means of stations: a row a station, place, window and quantity.
var MeanColumns = Columns[aggregate.StationWindow]{
	timeColumn("window_start", startOfWindow, func(m *aggregate.StationWindow) time.Time { return m.Start }),
	integerColumn("window_seconds", "s", lengthOfWindow, func(m *aggregate.StationWindow) int64 { return int64(m.Window.Seconds()) }),
	textColumn("station", stationID, func(m *aggregate.StationWindow) string { return m.Station }),
	longitudeColumn[aggregate.StationWindow](publicLongitude).ofCell(func(m *aggregate.StationWindow) geo.Cell { return m.Cell }).optional(),
	latitudeColumn[aggregate.StationWindow](publicLatitude).ofCell(func(m *aggregate.StationWindow) geo.Cell { return m.Cell }).optional(),
	wordColumn("quantity", whatWasMeasured, func(m *aggregate.StationWindow) string { return m.Quantity.String() }).among(quantityNames...),
	wordColumn("unit", bilingual.Of("unit of mean and raw_mean", "Einheit von mean und raw_mean"), func(m *aggregate.StationWindow) string { return m.Quantity.Unit() }),
	thousandthsColumn("mean", InUnit, bilingual.Of("mean of the good values, particles corrected for humidity where one is known",
		"Mittel der guten Werte, Feinstaub um die Feuchte korrigiert, wo eine bekannt ist"), func(m *aggregate.StationWindow) int64 { return m.Mean }),
	thousandthsColumn("raw_mean", InUnit, bilingual.Of("mean of the good values as measured", "Mittel der guten Werte, wie gemessen"), func(m *aggregate.StationWindow) int64 { return m.Raw }),
	boolColumn("corrected", bilingual.Of("whether humidity was taken out of mean", "ob die Feuchte aus mean herausgerechnet ist"), func(m *aggregate.StationWindow) bool { return m.Corrected }),
	countColumn("readings", bilingual.Of("how many good values", "wie viele gute Werte"), func(m *aggregate.StationWindow) int64 { return int64(m.Readings) }),
	shareColumn("coverage", bilingual.Of("share of an hour that good values cover, each the time since the one before it, at most the sensor's interval and 20 minutes; of a day the share of its hours that count, 0 to 1; 1 for five minutes",
		"Anteil einer Stunde, den gute Werte abdecken, jeder die Zeit seit dem vorigen, höchstens den Abstand, in dem der Sensor sendet, und 20 Minuten; eines Tages der Anteil seiner Stunden, die zählen, 0 bis 1; 1 bei fünf Minuten"), func(m *aggregate.StationWindow) int64 { return m.Coverage }),
}

// MeansTable are means of single stations.
var MeansTable = Table{Name: "means", About: bilingual.Of("Means of single stations over five minutes, hours or days.", "Mittel einzelner Stationen über fünf Minuten, Stunden oder Tage."), Columns: MeanColumns.Fields()}

// NewMeans makes an encoder of means of stations that writes to w.
func NewMeans(w io.Writer, format Format, meta Meta) Encoder[aggregate.StationWindow] {
	return newRows(w, format, meta, MeanColumns, func(b []byte, m *aggregate.StationWindow) []byte {
		return appendPoint(b, m.Cell.Center(), !m.Cell.IsZero())
	})
}
