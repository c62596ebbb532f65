// Package quantity lists the physical quantities that a station can report, with the names and units they
// have in messages, files and routes; ../README.md specifies them. It imports nothing, so any package may import it.
//
// How a quantity is encoded is in package wire; what a sensor can measure of it is in ingest/quality.
package quantity

// Quantity is one of the physical quantities a station can report. Its number is written into
// journals and binary payloads: numbers are never reused and new quantities are added at the end.
type Quantity uint8

// The quantities of protocol version 1. Zero is not a quantity.
const (
	PM1         Quantity = iota + 1 // µg/m³, particles up to 1 µm
	PM2_5                           // µg/m³, particles up to 2.5 µm
	PM4                             // µg/m³, particles up to 4 µm
	PM10                            // µg/m³, particles up to 10 µm
	NO2                             // µg/m³
	NO                              // µg/m³
	O3                              // µg/m³
	SO2                             // µg/m³
	CO                              // mg/m³
	CO2                             // ppm
	VOCIndex                        // 1, Sensirion's index, 1 to 500
	NOxIndex                        // 1, Sensirion's index, 1 to 500; not a concentration
	Temperature                     // °C
	Humidity                        // %, relative
	Pressure                        // hPa at the station's height
	NoiseLAeq                       // dB(A), equivalent continuous level
	Battery                         // V
	RSSI                            // dBm
	end
)

// Len is the length of an array that is indexed by Quantity; index 0 is unused.
const Len = int(end)

var table = [Len]struct{ name, unit string }{
	PM1:         {"pm1", "µg/m³"},
	PM2_5:       {"pm2_5", "µg/m³"},
	PM4:         {"pm4", "µg/m³"},
	PM10:        {"pm10", "µg/m³"},
	NO2:         {"no2", "µg/m³"},
	NO:          {"no", "µg/m³"},
	O3:          {"o3", "µg/m³"},
	SO2:         {"so2", "µg/m³"},
	CO:          {"co", "mg/m³"},
	CO2:         {"co2", "ppm"},
	VOCIndex:    {"voc_index", "1"},
	NOxIndex:    {"nox_index", "1"},
	Temperature: {"temperature", "°C"},
	Humidity:    {"humidity", "%"},
	Pressure:    {"pressure", "hPa"},
	NoiseLAeq:   {"noise_laeq", "dB(A)"},
	Battery:     {"battery", "V"},
	RSSI:        {"rssi", "dBm"},
}

var byName = func() map[string]Quantity {
	m := make(map[string]Quantity, Len-1)
	for _, q := range All() {
		m[q.String()] = q
	}
	return m
}()

// All returns every quantity in the order of their numbers.
func All() []Quantity {
	all := make([]Quantity, 0, Len-1)
	for q := PM1; q < end; q++ {
		all = append(all, q)
	}
	return all
}

// Parse returns the quantity with a name as in messages, files and routes.
func Parse(name string) (Quantity, bool) {
	q, ok := byName[name]
	return q, ok
}

// Valid reports whether q is a quantity of this version.
func (q Quantity) Valid() bool { return q > 0 && q < end }

// String returns the name of q in messages, files and routes, such as "pm2_5"; "unknown" when q is not valid.
func (q Quantity) String() string {
	if !q.Valid() {
		return "unknown"
	}
	return table[q].name
}

// Unit returns the unit of q's values, such as "µg/m³"; "1" for an index, empty when q is not valid.
func (q Quantity) Unit() string {
	if !q.Valid() {
		return ""
	}
	return table[q].unit
}
