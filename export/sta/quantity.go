package sta

import "stadtluft/firmware-protocol/quantity"

// words describe a quantity: its name, its description and the address of its definition.
type words struct{ name, description, definition string }

const (
	pollutant = "http://dd.eionet.europa.eu/vocabulary/aq/pollutant/" // European Environment Agency
	standard  = "http://vocab.nerc.ac.uk/standard_name/"              // CF standard names
	qudt      = "http://qudt.org/vocab/unit/"
)

// quantities describes each quantity. The definition of one that is missing here is the entity's own address.
var quantities = map[quantity.Quantity]words{
	quantity.PM1:         {"PM1", "Particles up to 1 µm", pollutant + "6002"},
	quantity.PM2_5:       {"PM2.5", "Particles up to 2.5 µm", pollutant + "6001"},
	quantity.PM4:         {"PM4", "Particles up to 4 µm", ""},
	quantity.PM10:        {"PM10", "Particles up to 10 µm", pollutant + "5"},
	quantity.NO2:         {"Nitrogen dioxide", "Nitrogen dioxide", pollutant + "8"},
	quantity.NO:          {"Nitrogen monoxide", "Nitrogen monoxide", pollutant + "38"},
	quantity.O3:          {"Ozone", "Ozone", pollutant + "7"},
	quantity.SO2:         {"Sulphur dioxide", "Sulphur dioxide", pollutant + "1"},
	quantity.CO:          {"Carbon monoxide", "Carbon monoxide", pollutant + "10"},
	quantity.CO2:         {"Carbon dioxide", "Carbon dioxide", pollutant + "71"},
	quantity.VOCIndex:    {"VOC index", "Sensirion's index of volatile organic compounds, 1 to 500", ""},
	quantity.NOxIndex:    {"NOx index", "Sensirion's index of nitrogen oxides, 1 to 500; not a concentration", ""},
	quantity.Temperature: {"Temperature", "Temperature of the air at the station", standard + "air_temperature/"},
	quantity.Humidity:    {"Humidity", "Relative humidity of the air at the station", standard + "relative_humidity/"},
	quantity.Pressure:    {"Pressure", "Air pressure at the station's height", standard + "air_pressure/"},
	quantity.NoiseLAeq:   {"Noise", "Equivalent continuous sound level LAeq", ""},
	quantity.Battery:     {"Battery", "Voltage of the station's battery", ""},
	quantity.RSSI:        {"Signal", "Strength of the station's radio signal", ""},
}

func about(q quantity.Quantity) words { return quantities[q] }

// unit is a unit in words, with its address in QUDT where it has one.
type unit struct{ name, definition string }

var units = map[string]unit{
	"µg/m³": {"microgram per cubic metre", qudt + "MicroGM-PER-M3"},
	"mg/m³": {"milligram per cubic metre", qudt + "MilliGM-PER-M3"},
	"ppm":   {"parts per million", qudt + "PPM"},
	"1":     {"one", qudt + "UNITLESS"},
	"°C":    {"degree Celsius", qudt + "DEG_C"},
	"%":     {"percent", qudt + "PERCENT"},
	"hPa":   {"hectopascal", qudt + "HectoPA"},
	"dB(A)": {"decibel, A-weighted", qudt + "DeciB"},
	"V":     {"volt", qudt + "V"},
	"dBm":   {"decibel-milliwatt", qudt + "DeciB_M"},
}

func unitOf(q quantity.Quantity) unit { return units[q.Unit()] }
