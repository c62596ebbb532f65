// Package simulation generates a city's air and the stations that measure it: daily rhythm, traffic, weather shared by
// neighbouring stations, particles that grow with humidity, and a few broken kits. Every value is a pure function of
// seed, station and time, so the same seed gives the same values.
//
// It is for demonstrations and load tests. Its data is marked as demo data wherever it is shown, and has nothing to do
// with any real city's air.
package simulation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
)

// Fault is a defect of a simulated station.
type Fault string

const (
	Sound  Fault = ""       // none
	Stuck  Fault = "stuck"  // repeats the particle values of midnight all day
	Absurd Fault = "absurd" // sometimes a value that air never has
	Silent Fault = "silent" // sends nothing between 10 and 50 minutes past each hour
)

// faultOf returns the fault of a station: three in forty have one, always the same ones.
func faultOf(index int) Fault {
	switch index % 40 {
	case 7:
		return Stuck
	case 17:
		return Absurd
	case 27:
		return Silent
	}
	return Sound
}

// Kit is the kit of every simulated station.
const Kit = "sds011-bme280"

// Station is one simulated station.
type Station struct {
	Index   int
	Name    string
	Point   orb.Point // lon, lat
	Height  float64   // metres above ground
	Fault   Fault
	traffic float64 // 0 in a park, 1 beside a main road
	offset  float64 // the station's own factor, as sensors of a batch differ
	noise   uint64
}

// City is a simulated city.
type City struct {
	seed    uint64
	centre  orb.Point
	sources []source
}

// source is a source of particles: a valley with wood stoves, a harbour, a junction.
type source struct {
	at       orb.Point
	radius   float64 // degrees of latitude
	strength float64 // µg/m³ of PM2.5 at its centre
}

// New returns a simulated city within the boundary and its n stations, denser towards the centre.
func New(seed uint64, boundary *geo.Boundary, n int) (*City, []Station) {
	rng := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	bound := boundary.Bound()
	c := &City{seed: seed, centre: bound.Center()}
	for range 7 {
		c.sources = append(c.sources, source{
			at: randomPoint(rng, boundary, 1), radius: 0.008 + 0.022*rng.Float64(), strength: 2 + 9*rng.Float64(),
		})
	}
	stations := make([]Station, n)
	for i := range stations {
		stations[i] = Station{
			Index: i, Name: fmt.Sprintf("Demo %03d", i+1), Point: randomPoint(rng, boundary, 0.45),
			Height: float64(2 + rng.IntN(8)), Fault: faultOf(i),
			traffic: math.Pow(rng.Float64(), 2), offset: 0.92 + 0.16*rng.Float64(), noise: rng.Uint64(),
		}
	}
	return c, stations
}

// randomPoint returns a random point within the boundary; spread below 1 moves it towards the centre.
func randomPoint(rng *rand.Rand, boundary *geo.Boundary, spread float64) orb.Point {
	bound := boundary.Bound()
	centre := bound.Center()
	for {
		dx, dy := rng.Float64()-0.5, rng.Float64()-0.5
		if rng.Float64() > spread {
			dx, dy = dx*0.5, dy*0.5
		}
		p := orb.Point{
			centre[0] + dx*(bound.Max[0]-bound.Min[0]),
			centre[1] + dy*(bound.Max[1]-bound.Min[1]),
		}
		if boundary.Contains(p) {
			return p
		}
	}
}

// Reading returns the station's reading for t; false when it is silent.
func (c *City) Reading(s *Station, t time.Time) (wire.Reading, bool) {
	if s.Fault == Silent && t.Minute() >= 10 && t.Minute() < 50 {
		return wire.Reading{}, false
	}
	measured := t
	if s.Fault == Stuck {
		measured = t.Truncate(24 * time.Hour)
	}
	w := c.weather(s, t)
	fine := c.fine(s, measured)
	swell := swelling(w.humidity)
	coarse := 2 + 5*s.traffic + 0.35*fine
	values := []wire.Value{
		{Quantity: quantity.PM2_5, Value: round(clamp(fine*swell*s.offset, 0, 999), 10)},
		{Quantity: quantity.PM10, Value: round(clamp((fine+coarse)*swell*s.offset, 0, 999), 10)},
		{Quantity: quantity.Temperature, Value: round(w.temperature, 100)},
		{Quantity: quantity.Humidity, Value: round(w.humidity, 100)},
		{Quantity: quantity.Pressure, Value: round(w.pressure, 100)},
	}
	if s.Fault == Stuck {
		values[0].Value, values[1].Value = round(fine*s.offset, 10), round((fine+coarse)*s.offset, 10)
	}
	if s.Fault == Absurd && c.hash(s.noise, t.Unix())%5 == 0 {
		values[0].Value, values[1].Value, values[2].Value = 999.9, 1999.9, -127
	}
	return wire.Reading{Time: t.Truncate(time.Second), Values: values}, true
}

// fine returns the dry mass of particles up to 2.5 µm in µg/m³.
func (c *City) fine(s *Station, t time.Time) float64 {
	hour := float64(t.Unix()%86400) / 3600
	air := 7 + 4*c.drift(1, t, 9*time.Hour) // regional background, the same for all stations
	stoves := 0.35 + 0.65*bump(hour, 20, 3.5)
	rush := bump(hour, 6.5, 1.5) + bump(hour, 16.5, 2)
	local := 0.0
	for _, src := range c.sources {
		dx := (s.Point[0] - src.at[0]) * math.Cos(src.at[1]*math.Pi/180)
		dy := s.Point[1] - src.at[1]
		local += src.strength * math.Exp(-(dx*dx+dy*dy)/(2*src.radius*src.radius))
	}
	noise := 0.6 * c.normal(s.noise, t.Unix())
	return math.Max(0.3, air+local*stoves+5*s.traffic*rush+noise)
}

type weather struct{ temperature, humidity, pressure float64 }

// weather returns the weather at a station: the city's, a little warmer towards its centre.
func (c *City) weather(s *Station, t time.Time) weather {
	hour := float64(t.Unix()%86400) / 3600
	season := 10 - 8*math.Cos(2*math.Pi*(float64(t.YearDay())-20)/365)
	temperature := season + 4*math.Cos(2*math.Pi*(hour-14)/24) + 3*c.drift(2, t, 20*time.Hour)
	dx, dy := s.Point[0]-c.centre[0], s.Point[1]-c.centre[1]
	temperature += 1.5 * math.Exp(-(dx*dx+dy*dy)/0.006)
	humidity := 72 - 14*math.Cos(2*math.Pi*(hour-14)/24) + 12*c.drift(3, t, 14*time.Hour)
	return weather{
		temperature: temperature + 0.15*c.normal(s.noise^1, t.Unix()),
		humidity:    clamp(humidity+0.8*c.normal(s.noise^2, t.Unix()), 15, 99),
		pressure:    1008 + 9*c.drift(4, t, 40*time.Hour) - s.Height*0.12 + 0.1*c.normal(s.noise^3, t.Unix()),
	}
}

// swelling returns the factor by which wet particles exceed dry ones: κ-Köhler as in Crilley et al., AMT 11:709 (2018),
// with κ = 0.15 so that a simulated city is not all fog.
func swelling(humidity float64) float64 {
	aw := math.Min(humidity, 95) / 100
	return 1 + (0.15/1.65)/(1/aw-1)
}

// bump returns a bell curve over the hours of the day, 1 at its middle; hours are UTC.
func bump(hour, middle, width float64) float64 {
	d := math.Abs(hour - middle)
	d = math.Min(d, 24-d)
	return math.Exp(-d * d / (2 * width * width))
}

// drift returns smooth noise between -1 and 1 that changes over the given time.
func (c *City) drift(channel uint64, t time.Time, over time.Duration) float64 {
	position := float64(t.Unix()) / over.Seconds()
	whole := math.Floor(position)
	f := position - whole
	f = f * f * (3 - 2*f)
	a := 2*c.uniform(channel, int64(whole)) - 1
	b := 2*c.uniform(channel, int64(whole)+1) - 1
	return a + (b-a)*f
}

// normal returns standard normal noise (Box-Muller).
func (c *City) normal(channel uint64, at int64) float64 {
	u := 1 - c.uniform(channel, at)
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*c.uniform(channel+0x51ed, at))
}

// uniform returns noise in [0, 1).
func (c *City) uniform(channel uint64, at int64) float64 {
	return float64(c.hash(channel, at)>>11) / (1 << 53)
}

// hash mixes seed, channel and time as splitmix64 does (Steele, Lea, Flood 2014).
func (c *City) hash(channel uint64, at int64) uint64 {
	z := c.seed*0x9e3779b97f4a7c15 + channel*0xd1b54a32d192ed03 + uint64(at)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func round(v, per float64) float64 { return math.Round(v*per) / per }

func clamp(v, low, high float64) float64 { return math.Max(low, math.Min(high, v)) }
