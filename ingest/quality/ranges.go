package quality

import "stadtluft/firmware-protocol/quantity"

// limits is a closed measuring range; the zero value is none.
type limits struct{ low, high float64 }

// ranges holds the limits of each quantity.
type ranges [quantity.Len]limits

// unknownSensor are the ranges of what is plausible outdoors. They hold for every sensor. A negative
// concentration down to -5 µg/m³ from an electrochemical cell is noise; from a particle counter it is not.
var unknownSensor = ranges{
	quantity.PM1: {0, 1000}, quantity.PM2_5: {0, 1000}, quantity.PM4: {0, 1000}, quantity.PM10: {0, 1000},
	quantity.Temperature: {-40, 60}, quantity.Humidity: {0, 100}, quantity.Pressure: {850, 1100},
	quantity.NO2: {-5, 2000}, quantity.O3: {-5, 1000}, quantity.CO2: {250, 40000}, quantity.NoiseLAeq: {20, 140},
	quantity.VOCIndex: {1, 500}, quantity.NOxIndex: {1, 500},
}

// sensors are the measuring ranges in the data sheets of SDS011 (Nova), PMS5003 and PMS7003
// (Plantower), SPS30, SEN5x and SCD41 (Sensirion), BME280 (Bosch) and DHT22 (Aosong).
var sensors = map[string]*ranges{
	"sds011":      {quantity.PM2_5: {0, 999.9}, quantity.PM10: {0, 999.9}},
	"pms5003":     {quantity.PM1: {0, 1000}, quantity.PM2_5: {0, 1000}, quantity.PM10: {0, 1000}},
	"pms5003-cf1": {quantity.PM1: {0, 1000}, quantity.PM2_5: {0, 1000}, quantity.PM10: {0, 1000}}, // ingest.CF1Sensor
	"pms7003":     {quantity.PM1: {0, 1000}, quantity.PM2_5: {0, 1000}, quantity.PM10: {0, 1000}},
	"sps30":       {quantity.PM1: {0, 1000}, quantity.PM2_5: {0, 1000}, quantity.PM4: {0, 1000}, quantity.PM10: {0, 1000}},
	"sen54":       sen5x,
	"sen55":       sen5x,
	"bme280":      {quantity.Temperature: {-40, 85}, quantity.Humidity: {0, 100}, quantity.Pressure: {300, 1100}},
	"dht22":       {quantity.Temperature: {-40, 80}, quantity.Humidity: {0, 100}},
	"ds18b20":     {quantity.Temperature: {-55, 125}},
	"scd41":       {quantity.CO2: {400, 40000}},
}

// resolutions of particle counters in µg/m³, from their data sheets.
var resolutions = map[string]float64{"sds011": 0.3, "pms5003": 1, "pms5003-cf1": 1, "pms7003": 1, "sps30": 0.1, "sen54": 0.1, "sen55": 0.1}

var sen5x = &ranges{
	quantity.PM1: {0, 1000}, quantity.PM2_5: {0, 1000}, quantity.PM4: {0, 1000}, quantity.PM10: {0, 1000},
	quantity.VOCIndex: {1, 500}, quantity.NOxIndex: {1, 500},
}

// sentinel is a value that means "no value". The sensor is empty for any.
type sentinel struct {
	sensor string
	value  float64
}

// sentinels by quantity: what real archives hold where a sensor failed. A value counts as one when it
// is within sentinelWidth.
var sentinels = [quantity.Len][]sentinel{
	quantity.PM1:         {{"", -999}, {"", -1}},
	quantity.PM2_5:       {{"", -999}, {"", -1}, {"sds011", 999.9}, {"sds011", 1999.9}},
	quantity.PM4:         {{"", -999}, {"", -1}},
	quantity.PM10:        {{"", -999}, {"", -1}, {"sds011", 999.9}, {"sds011", 1999.9}},
	quantity.CO2:         {{"", -999}, {"", -1}},
	quantity.VOCIndex:    {{"", -999}, {"", -1}},
	quantity.NOxIndex:    {{"", -999}, {"", -1}},
	quantity.NO2:         {{"", -999}},
	quantity.NO:          {{"", -999}},
	quantity.O3:          {{"", -999}},
	quantity.SO2:         {{"", -999}},
	quantity.CO:          {{"", -999}},
	quantity.NoiseLAeq:   {{"", -999}, {"", -1}},
	quantity.Temperature: {{"", -999}, {"", -1000.99}, {"", -127}, {"ds18b20", 85}},
	quantity.Humidity:    {{"", -999}, {"", -1}, {"", 0}, {"dht22", 99.9}},
	quantity.Pressure:    {{"", -999}, {"", -1}, {"", 0}},
}

// sentinelWidth is half of the last digit that the sentinels are given in.
const sentinelWidth = 0.005
