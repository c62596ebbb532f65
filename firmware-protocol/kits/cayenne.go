package kits

import (
	"strconv"
	"strings"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// cayenneChannels are the channels of CayenneLPP for one quantity.
type cayenneChannels struct {
	names []string
	value wire.JSON // of the first
}

// isChannel keeps the value of a name with a channel, such as temperature_1; it returns false for other names.
func (f *freeNames) isChannel(name string, value wire.JSON) bool {
	q := cayenne(name)
	if q == 0 || len(f.channels[q].names) > maxIgnored {
		return false
	}
	c := &f.channels[q]
	if len(c.names) == 0 {
		c.value = value
	}
	c.names = append(c.names, name)
	return true
}

// cayenne takes the quantities of which there is one channel. With more nobody knows which of them is the outdoor air.
func (d *draft) cayenne(f *freeNames) {
	for q, c := range f.channels {
		if len(c.names) == 1 {
			d.json(meaning{quantity: quantity.Quantity(q), rank: ttnRank + 1}, c.names[0], c.value)
			continue
		}
		for _, name := range c.names {
			d.ignore(name)
		}
	}
}

// cayenneNames maps the names of The Things Stack's CayenneLPP formatter, which are in our units, to quantities. What
// an analogue input or a luminosity stands for is not known.
var cayenneNames = map[string]quantity.Quantity{
	"temperature": quantity.Temperature, "relative_humidity": quantity.Humidity, "barometric_pressure": quantity.Pressure,
}

// cayenne returns the quantity of a name with a channel, 0 to 255; 0 for other names.
func cayenne(name string) quantity.Quantity {
	i := strings.LastIndexByte(name, '_')
	if i < 0 {
		return 0
	}
	q := cayenneNames[name[:i]]
	if _, err := strconv.ParseUint(name[i+1:], 10, 8); q == 0 || err != nil {
		return 0
	}
	return q
}
