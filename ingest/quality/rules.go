// Package quality judges what a station measured. It resolves a reading's time, recognises what is
// already known, and sets flags on values; it never changes a value.
//
// Checks that look at one reading are functions from station and reading to flags, listed in order in
// checks.go. Judge holds those that look back and at neighbours: they work on full hours, and their verdicts
// revise the flags of the hour. Thresholds are in this file, each with its source, and travel with the data as
// Rules. The humidity correction of particle counters is here too, as pure functions.
package quality

import (
	"time"

	"stadtluft/firmware-protocol/wire"
)

// Rules are the thresholds in force. The zero value is not usable: take DefaultRules.
type Rules struct {
	Ahead time.Duration `json:"clock_ahead"` // how far in the future a reading's time may lie
	Old   time.Duration `json:"clock_old"`   // how old a reading may be

	InconsistentShare float64 `json:"inconsistent_share"` // a smaller fraction may exceed a larger one by this share of it …
	InconsistentBy    float64 `json:"inconsistent_by"`    // … or by this much, µg/m³; only more than both is inconsistent

	StuckParticles time.Duration `json:"stuck_particles"` // without any change
	StuckOthers    time.Duration `json:"stuck_others"`
	StuckReadings  int           `json:"stuck_readings"` // at least, in that time

	Humid       float64 `json:"humid"`        // relative humidity, %, from which on it is
	HumidWithin float64 `json:"humid_within"` // metres to the nearest hygrometer where a station has none

	SpikeZ          float64 `json:"spike_z"`
	SpikePast       int     `json:"spike_past"`  // hours
	SpikeLeast      int     `json:"spike_least"` // hours of them with a value
	SpikeFloor      float64 `json:"spike_floor"` // least median absolute deviation, µg/m³
	SpikeNeighbours int     `json:"spike_neighbours"`

	OutlierZ          float64 `json:"outlier_z"`
	OutlierNeighbours int     `json:"outlier_neighbours"` // at least
	OutlierNear       float64 `json:"outlier_near"`       // metres
	OutlierFar        float64 `json:"outlier_far"`        // metres, where there are too few nearer
	OutlierParticles  float64 `json:"outlier_particles"`  // least median absolute deviation, µg/m³
	OutlierDegrees    float64 `json:"outlier_degrees"`    // the same, °C
	OutlierHumidity   float64 `json:"outlier_humidity"`   // the same, %

	Correlation      float64 `json:"correlation"`       // Pearson's r of hourly medians with the neighbours', below which they do not follow
	CorrelationPast  int     `json:"correlation_past"`  // hours
	CorrelationLeast int     `json:"correlation_least"` // hours of them with a value

	Indoor     float64 `json:"indoor"`      // share of the neighbours' daily range of temperature
	IndoorDays int     `json:"indoor_days"` // on so many …
	IndoorOf   int     `json:"indoor_of"`   // … of the last so many days

	Moved float64 `json:"moved"` // hPa that a day's pressure differs from its usual difference to the neighbours
}

// DefaultRules are the rules that hold where a city sets no others.
func DefaultRules() Rules {
	return Rules{
		Ahead: 5 * time.Minute,     // clocks drift; more is a clock that was never set
		Old:   30 * 24 * time.Hour, // a station that buffers offline delivers within a month
		// 2,087,007 real rows of SDS011 never break this rule.
		InconsistentShare: 0.10,
		InconsistentBy:    5,
		// FILTER's step for constant values (Hassani et al., J. Environ. Manage. 380:125100, 2025); the windows are ours.
		StuckParticles: 8 * time.Hour, StuckOthers: 24 * time.Hour, StuckReadings: 20,
		// PMS rise above about 75 % RH (Jayaratne et al., AMT 11:4883, 2018); SDS011's data sheet says 70 %.
		Humid: 75, HumidWithin: 5000,
		// FILTER: ±10 against 360 h; that the neighbourhood must not share it is ours.
		SpikeZ: 10, SpikePast: 360, SpikeLeast: 48, SpikeFloor: 2, SpikeNeighbours: 3,
		// CrowdQC+'s buddy check (3000 m, at least 5), FILTER's spatial step.
		OutlierZ: 5, OutlierNeighbours: 5, OutlierNear: 3000, OutlierFar: 10_000,
		OutlierParticles: 3, OutlierDegrees: 1.5, OutlierHumidity: 5,
		// FILTER's spatial correlation; CrowdQC+ is stricter (0.9, temperature).
		Correlation: 0.3, CorrelationPast: 30 * 24, CorrelationLeast: 15 * 24,
		Indoor: 0.25, IndoorDays: 7, IndoorOf: 10, // ours
		Moved: 8, // ours; about 65 m of height
	}
}

// outlierFloor is the least median absolute deviation of a quantity in its unit; false when it is not compared.
func (r *Rules) outlierFloor(q wire.Quantity) (float64, bool) {
	switch {
	case particles(q):
		return r.OutlierParticles, true
	case q == wire.Temperature:
		return r.OutlierDegrees, true
	case q == wire.Humidity:
		return r.OutlierHumidity, true
	}
	return 0, false
}

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
