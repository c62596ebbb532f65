package export

import (
	"cmp"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest"
)

// Installed is a station over a period in which it stood in one place, exposed in one way, and measured with the same.
type Installed struct {
	Station  *ingest.Station
	From, To time.Time // To is not included; the zero time is no end
	Place    ingest.Place
	Exposure ingest.Exposure
	Kit      string
	Sensors  []string
	SourceID string // see ingest.Station
}

// Installations returns a station's periods that have something of from <= time < to, ascending; a zero to is no end. What
// changes from to on is not in them.
func Installations(st *ingest.Station, from, to time.Time) (list []Installed) {
	for i, begin := range changesOf(st) {
		end := st.Ended
		if all := changesOf(st); i+1 < len(all) && (end.IsZero() || all[i+1].Before(end)) {
			end = all[i+1]
		}
		if !to.IsZero() && !begin.Before(to) || !end.IsZero() && (!end.After(from) || !end.After(begin)) {
			continue
		}
		if !to.IsZero() && end.After(to) {
			end = time.Time{} // known only later
		}
		then := st.At(begin)
		list = append(list, Installed{st, begin, end, st.PlaceAt(begin), st.ExposureAt(begin), then.Kit, then.Sensors, then.SourceID()})
	}
	return list
}

// changesOf returns when something of a station changed, ascending, from its first place on.
func changesOf(st *ingest.Station) []time.Time {
	first := st.Places[0].From
	at := []time.Time{first}
	for _, p := range st.Places {
		at = append(at, Later(first, p.From))
	}
	for _, o := range st.Installations {
		at = append(at, Later(first, o.From))
	}
	for _, x := range st.Exposures {
		at = append(at, Later(first, x.From))
	}
	slices.SortFunc(at, time.Time.Compare)
	return slices.CompactFunc(at, time.Time.Equal)
}

func (o *Installed) point() (orb.Point, bool) { return o.Place.Public, true }

// InstalledColumns are the stations: a row a station and period in which nothing of it changed.
var InstalledColumns = Columns[Installed]{
	textColumn("station", stationID, func(o *Installed) string { return o.Station.ID }),
	timeColumn("valid_from", bilingual.Of("start of the period", "Beginn des Zeitraums"), func(o *Installed) time.Time { return o.From }),
	timeColumn("valid_to", bilingual.Of("its end, not included; empty while it lasts", "sein Ende, nicht eingeschlossen; leer, solange er dauert"), func(o *Installed) time.Time { return o.To }).optional(),
	longitudeColumn[Installed](publicLongitude).of((*Installed).point),
	latitudeColumn[Installed](publicLatitude).of((*Installed).point),
	wordColumn("exposure", bilingual.Of("where it measures; only outdoor stations enter averages", "wo sie misst; nur Stationen draußen gehen in Mittel ein"),
		func(o *Installed) string { return string(o.Exposure) }).among(string(ingest.Outdoor), string(ingest.Indoor)),
	thousandthsColumn("height", "m", bilingual.Of("height above ground, as its owner says it today; empty where it is not known", "Höhe über dem Boden, wie sie heute angegeben ist; leer, wo sie nicht bekannt ist"),
		func(o *Installed) int64 { return thousandthsOf(o.Station.Height) }).optional(),
	textColumn("side", bilingual.Of("of the house, by the direction it faces; empty where it is not known", "des Hauses, nach der Himmelsrichtung; leer, wo sie nicht bekannt ist"),
		func(o *Installed) string { return o.Station.Side }).optional(),
	textColumn("kit", bilingual.Of("kit, such as sds011-bme280", "Bausatz, etwa sds011-bme280"), func(o *Installed) string { return o.Kit }),
	textColumn("sensors", bilingual.Of("its sensors, joined by a vertical bar", "seine Sensoren, mit senkrechten Strichen dazwischen"), func(o *Installed) string { return strings.Join(o.Sensors, "|") }).optional(),
	textColumn("name", bilingual.Of("what the station is called today", "wie die Station heute heißt"), func(o *Installed) string { return o.Station.Name }),
	textColumn("source", bilingual.Of("`own`, or the neighbour network", "`own` oder das Netz der Nachbarn"), func(o *Installed) string { return cmp.Or(o.Station.Source, OwnSource) }),
	textColumn("source_id", bilingual.Of("type and id of its sensors in that network's own data, such as `sds011:15092`, or an official station's code there in lower case; empty for `own`", "Art und Nummer seiner Sensoren in den Daten jenes Netzes, etwa `sds011:15092`, oder der Code einer amtlichen Station dort in Kleinbuchstaben; leer bei `own`"),
		func(o *Installed) string { return o.SourceID }).optional(),
	textColumn("licence", bilingual.Of("of its readings", "ihrer Messwerte"), func(o *Installed) string { return o.Station.Licence }),
	boolColumn("demo", bilingual.Of("whether it is simulated", "ob sie simuliert ist"), func(o *Installed) bool { return o.Station.Demo }),
}

func thousandthsOf(value *float64) int64 {
	if value == nil {
		return None
	}
	return int64(math.Round(*value * 1000))
}

// InstallationsTable are stations by period.
var InstallationsTable = Table{Name: "installations", About: bilingual.Of("Where each station stood, how it was exposed and what it measured with, and when.", "Wo jede Station stand, wie sie hing und womit sie maß, und wann."),
	Key: []string{"station", "valid_from"}, Columns: InstalledColumns.Fields()}

// NewInstallations makes an encoder that writes to w, as CSV or JSON.
func NewInstallations(w io.Writer, format Format, meta Meta) Encoder[Installed] {
	return newRows(w, format, meta, InstalledColumns, nil)
}

// Calibrated is a calibration of a station.
type Calibrated struct {
	Station string
	ingest.Calibration
}

// CalibratedOf returns a station's calibrations that hold at some of from <= time < to, by quantity, then start; a zero to is
// no end. An end from to on is not in them.
func CalibratedOf(st *ingest.Station, from, to time.Time) (list []Calibrated) {
	for _, c := range st.Calibrations {
		if !to.IsZero() && !c.From.Before(to) || !c.To.IsZero() && !c.To.After(from) {
			continue
		}
		if !to.IsZero() && c.To.After(to) {
			c.To = time.Time{} // known only later
		}
		list = append(list, Calibrated{st.ID, c})
	}
	return list
}

// CalibratedColumns are calibrations: a row a station, quantity and period.
var CalibratedColumns = Columns[Calibrated]{
	textColumn("station", stationID, func(c *Calibrated) string { return c.Station }),
	wordColumn("quantity", whatWasMeasured, func(c *Calibrated) string { return c.Quantity.String() }).among(quantityNames...),
	wordColumn("unit", bilingual.Of("unit of the calibrated value", "Einheit des kalibrierten Werts"), func(c *Calibrated) string { return c.Quantity.Unit() }),
	timeColumn("valid_from", bilingual.Of("from when on it holds", "ab wann sie gilt"), func(c *Calibrated) time.Time { return c.From }),
	timeColumn("valid_to", bilingual.Of("until when, not included; empty while it holds", "bis wann, nicht eingeschlossen; leer, solange sie gilt"), func(c *Calibrated) time.Time { return c.To }).optional(),
	decimalColumn("intercept", InUnit, bilingual.Of("calibrated value = intercept + slope·measured + humidity·rh + temperature·t", "kalibrierter Wert = intercept + slope·gemessen + humidity·rF + temperature·t"), func(c *Calibrated) float64 { return c.Intercept }),
	decimalColumn("slope", "", bilingual.Of("of the measured value", "des gemessenen Werts"), func(c *Calibrated) float64 { return c.Slope }),
	decimalColumn("humidity", "", bilingual.Of("per % of relative humidity; 0 without the term", "je % relativer Feuchte; 0 ohne den Summanden"), func(c *Calibrated) float64 { return c.Humidity }),
	decimalColumn("temperature", "", bilingual.Of("per °C; 0 without the term", "je °C; 0 ohne den Summanden"), func(c *Calibrated) float64 { return c.Temperature }),
	textColumn("reference", bilingual.Of("beside which reference it was made", "neben welchem Vergleichsgerät sie entstand"), func(c *Calibrated) string { return c.Reference }),
	decimalColumn("r2", "", bilingual.Of("coefficient of determination", "Bestimmtheitsmaß"), func(c *Calibrated) float64 { return c.R2 }),
	decimalColumn("rmse", InUnit, bilingual.Of("root mean square error", "mittlerer quadratischer Fehler (RMSE)"), func(c *Calibrated) float64 { return c.RMSE }),
	countColumn("hours", bilingual.Of("how many hours it was made of", "aus wie vielen Stunden sie entstand"), func(c *Calibrated) int64 { return int64(c.N) }),
}

// CalibrationsTable are calibrations of stations.
var CalibrationsTable = Table{Name: "calibrations", About: bilingual.Of("The calibrations on the stations' records.", "Die Kalibrierungen der Stationen."),
	Key: []string{"station", "quantity", "valid_from"}, Columns: CalibratedColumns.Fields()}

// NewCalibrations makes an encoder that writes to w, as CSV or JSON.
func NewCalibrations(w io.Writer, format Format, meta Meta) Encoder[Calibrated] {
	return newRows(w, format, meta, CalibratedColumns, nil)
}
