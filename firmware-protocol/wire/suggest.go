package wire

import (
	"fmt"
	"strings"

	"stadtluft/firmware-protocol/quantity"
)

// commonNames maps names that other firmware uses to our quantities.
var commonNames = map[string]quantity.Quantity{
	"pm2": quantity.PM2_5, "pm25": quantity.PM2_5, "p2": quantity.PM2_5, "pm01": quantity.PM1, "pm02": quantity.PM2_5, "p1": quantity.PM10, "p0": quantity.PM1, "pm100": quantity.PM10,
	"temp": quantity.Temperature, "t": quantity.Temperature, "hum": quantity.Humidity, "rh": quantity.Humidity, "press": quantity.Pressure, "p": quantity.Pressure,
	"voc": quantity.VOCIndex, "nox": quantity.NOxIndex, "noise": quantity.NoiseLAeq, "laeq": quantity.NoiseLAeq, "bat": quantity.Battery, "vbat": quantity.Battery,
	"wifi": quantity.RSSI, "signal": quantity.RSSI, "relativehumidity": quantity.Humidity, "barometricpressure": quantity.Pressure,
}

// unknown returns the detail for a member that is not a quantity, with the quantity that was probably meant.
func unknown(name string) string {
	if q, ok := Meant(name); ok {
		return fmt.Sprintf("%s is no quantity: did you mean %q?", quote([]byte(name)), q.String())
	}
	return quote([]byte(name)) + ` is no quantity; members of your own begin with "x_"`
}

// Meant finds the quantity that a member's name probably means, also when a sensor's name and a dot stand before it or an
// underscore and a channel after it.
func Meant(name string) (quantity.Quantity, bool) {
	q, ok := nearest(name)
	if i := strings.LastIndexByte(name, '.'); !ok && i >= 0 {
		q, ok = nearest(name[i+1:])
	}
	if i := strings.LastIndexByte(name, '_'); !ok && i >= 0 && i < len(name)-1 && strings.Trim(name[i+1:], "0123456789") == "" {
		q, ok = nearest(name[:i])
	}
	return q, ok
}

// nearest finds the quantity that name probably means. It compares letters and digits only, ignoring case.
func nearest(name string) (quantity.Quantity, bool) {
	const longest = 32
	if len(name) > longest {
		return 0, false
	}
	// PM1.0 is not PM10.
	bare := bareName(strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(name), ".0"), "_0"))
	if q, ok := commonNames[bare]; ok {
		return q, true
	}
	for _, q := range quantity.All() {
		known := bareName(q.String())
		if bare == known || len(known) > 4 && len(bare) > 3 && strings.HasPrefix(known, bare) || oneTypo(bare, known) {
			return q, true
		}
	}
	return 0, false
}

func bareName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, name)
}

// oneTypo reports whether one inserted, missing or wrong letter turns a into b. Names with a digit must match in
// every letter, as no2 and so2 are different things.
func oneTypo(a, b string) bool {
	if strings.ContainsAny(b, "0123456789") || len(b) < 4 {
		return false
	}
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	switch len(a) - len(b) {
	case 0:
		return i < len(a) && a[i+1:] == b[i+1:]
	case 1:
		return a[i+1:] == b[i:]
	case -1:
		return a[i:] == b[i+1:]
	}
	return false
}
