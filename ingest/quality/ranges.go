package quality

import "stadtluft/firmware-protocol/wire"

// limits is a closed measuring range.
type limits struct{ low, high float64 }

// unknownSensor are the ranges of quantities from a sensor that is not in the table. A negative
// concentration down to -5 µg/m³ from an electrochemical cell is noise; from a particle counter it is not.
var unknownSensor = map[wire.Quantity]limits{
	wire.PM1: {0, 1000}, wire.PM2_5: {0, 1000}, wire.PM4: {0, 1000}, wire.PM10: {0, 1000},
	wire.Temperature: {-40, 60}, wire.Humidity: {0, 100}, wire.Pressure: {850, 1100},
	wire.NO2: {-5, 2000}, wire.O3: {-5, 1000}, wire.CO2: {250, 40000}, wire.NoiseLAeq: {20, 140},
	wire.VOCIndex: {1, 500}, wire.NOxIndex: {1, 500},
}

// sensors are the measuring ranges in the data sheets of SDS011 (Nova), PMS5003 and PMS7003
// (Plantower), SPS30, SEN5x and SCD41 (Sensirion), BME280 (Bosch) and DHT22 (Aosong).
var sensors = map[string]map[wire.Quantity]limits{
	"sds011":  {wire.PM2_5: {0, 999.9}, wire.PM10: {0, 999.9}},
	"pms5003": {wire.PM1: {0, 1000}, wire.PM2_5: {0, 1000}, wire.PM10: {0, 1000}},
	"pms7003": {wire.PM1: {0, 1000}, wire.PM2_5: {0, 1000}, wire.PM10: {0, 1000}},
	"sps30":   {wire.PM1: {0, 1000}, wire.PM2_5: {0, 1000}, wire.PM4: {0, 1000}, wire.PM10: {0, 1000}},
	"sen54":   sen5x,
	"sen55":   sen5x,
	"bme280":  {wire.Temperature: {-40, 85}, wire.Humidity: {0, 100}, wire.Pressure: {300, 1100}},
	"dht22":   {wire.Temperature: {-40, 80}, wire.Humidity: {0, 100}},
	"ds18b20": {wire.Temperature: {-55, 125}},
	"scd41":   {wire.CO2: {400, 40000}},
}

// resolutions of particle counters in µg/m³, from their data sheets.
var resolutions = map[string]float64{"sds011": 0.3, "pms5003": 1, "pms7003": 1, "sps30": 0.1, "sen54": 0.1, "sen55": 0.1}

var sen5x = map[wire.Quantity]limits{
	wire.PM1: {0, 1000}, wire.PM2_5: {0, 1000}, wire.PM4: {0, 1000}, wire.PM10: {0, 1000},
	wire.VOCIndex: {1, 500}, wire.NOxIndex: {1, 500},
}

// sentinel is a value that means "no value". The sensor is empty for any.
type sentinel struct {
	sensor string
	value  float64
}

// sentinels by quantity: what real archives hold where a sensor failed. A value counts as one when it
// is within sentinelWidth.
var sentinels = map[wire.Quantity][]sentinel{
	wire.PM1:         {{"", -999}, {"", -1}},
	wire.PM2_5:       {{"", -999}, {"", -1}, {"sds011", 999.9}, {"sds011", 1999.9}},
	wire.PM4:         {{"", -999}, {"", -1}},
	wire.PM10:        {{"", -999}, {"", -1}, {"sds011", 999.9}, {"sds011", 1999.9}},
	wire.CO2:         {{"", -999}, {"", -1}},
	wire.VOCIndex:    {{"", -999}, {"", -1}},
	wire.NOxIndex:    {{"", -999}, {"", -1}},
	wire.NO2:         {{"", -999}},
	wire.NO:          {{"", -999}},
	wire.O3:          {{"", -999}},
	wire.SO2:         {{"", -999}},
	wire.CO:          {{"", -999}},
	wire.NoiseLAeq:   {{"", -999}, {"", -1}},
	wire.Temperature: {{"", -999}, {"", -1000.99}, {"", -127}, {"ds18b20", 85}},
	wire.Humidity:    {{"", -999}, {"", -1}, {"dht22", 99.9}},
	wire.Pressure:    {{"", -999}, {"", -1}, {"", 0}},
}

// sentinelWidth is half of the last digit that the sentinels are given in.
const sentinelWidth = 0.005
