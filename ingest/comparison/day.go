package comparison

import (
	"context"
	"slices"
	"strings"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/averages"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"

	"github.com/paulmach/orb"
)

// day is what is kept of a day.
type day struct {
	Rules  string // by which it was computed; see Comparer.rules
	Pairs  []Pair // by start, official station, quantity and radius
	Kappas []dayKappa
}

type dayKappa struct {
	Quantity quantity.Quantity
	Radius   int
	Sums     kappaSums
}

// officialHour identifies a value of an official station.
type officialHour struct {
	start   int64 // Unix seconds
	station string
	q       quantity.Quantity
}

// Hours returns the pairs of the day that starts at start, from the stored readings; none of a day without values of official
// stations. The same readings and stations give the same pairs.
func (c *Comparer) Hours(ctx context.Context, start time.Time) ([]Pair, error) {
	d, err := c.compute(ctx, start)
	if err != nil {
		return nil, err
	}
	return d.Pairs, nil
}

// compute reads the day that starts at start from the store, and the day before, whose readings tell the sensors' intervals.
func (c *Comparer) compute(ctx context.Context, start time.Time) (*day, error) {
	values, err := c.officialHours(ctx, start)
	if err != nil || len(values) == 0 {
		return &day{}, err
	}
	city := &averages.Averages{Aggregate: &aggregate.Aggregate{Correction: averages.Correction(c.Correction, c.Stations)}, Stations: c.Stations}
	err = c.Store.Readings(ctx, store.ReadingQuery{From: start.Add(-aggregate.LookBack), To: start.Add(oneDay)}, func(r ingest.Reading) error {
		if latest := r.Time.Add(aggregate.Retention); r.Received.After(latest) {
			r.Received = latest // late, but there
		}
		city.Observe(r) // leaves out official stations
		return nil
	})
	if err != nil {
		return nil, err
	}
	b := &builder{comparer: c, values: values, hours: stationHours(city.Aggregate, start), places: map[geo.Cell]orb.Point{}, kappas: map[[2]int]*kappaSums{}}
	b.build()
	return &b.day, nil
}

// officialHours reads the hours of official stations on the day that starts at start.
func (c *Comparer) officialHours(ctx context.Context, start time.Time) (map[officialHour]float64, error) {
	values, q := map[officialHour]float64{}, store.ReadingQuery{From: start, To: start.Add(oneDay)}
	for _, st := range c.Stations.Stations() {
		if st.Official() && st.Status != ingest.Erased {
			q.Stations = append(q.Stations, st.ID)
		}
	}
	if len(q.Stations) == 0 {
		return nil, nil
	}
	err := c.Store.Readings(ctx, q, func(r ingest.Reading) error {
		for _, v := range r.Values {
			if v.Flags.Good() && r.Time.Equal(r.Time.Truncate(time.Hour)) {
				values[officialHour{r.Time.Unix(), r.Station, v.Quantity}] = v.Value
			}
		}
		return nil
	})
	return values, err
}

// stationHour is a station's mean that counts, with the humidity that corrects it.
type stationHour struct {
	aggregate.StationMean
	humidity float64 // %
	humid    bool    // whether there is one
}

// stationHours returns the means of each hour of a day, by the hour's start. The humidity of a mean is what the same
// aggregate gives to a correction that returns it.
func stationHours(a *aggregate.Aggregate, start time.Time) map[int64][]stationHour {
	type key struct {
		start   int64
		station string
		cell    geo.Cell
		q       quantity.Quantity
	}
	hours, at := map[int64][]stationHour{}, map[key]int{}
	for h := range 24 {
		hour := start.Add(time.Duration(h) * time.Hour)
		for _, m := range a.HourStationMeans(hour) {
			at[key{hour.Unix(), m.Station, m.Cell, m.Quantity}] = len(hours[hour.Unix()])
			hours[hour.Unix()] = append(hours[hour.Unix()], stationHour{StationMean: m})
		}
	}
	a.Correction = aggregate.Correction{Correct: func(q quantity.Quantity, milli, humidity int64) (int64, bool) {
		return humidity, corrected(q)
	}}
	for unix, list := range hours {
		for _, m := range a.HourStationMeans(time.Unix(unix, 0)) {
			if i, ok := at[key{unix, m.Station, m.Cell, m.Quantity}]; ok && corrected(m.Quantity) && !m.Uncorrected {
				list[i].humidity, list[i].humid = float64(m.Mean)/1000, true
			}
		}
	}
	return hours
}

// builder makes a day's pairs.
type builder struct {
	comparer *Comparer
	values   map[officialHour]float64
	hours    map[int64][]stationHour
	places   map[geo.Cell]orb.Point
	kappas   map[[2]int]*kappaSums // by quantity and radius
	day      day
}

func (b *builder) build() {
	for at, value := range b.values {
		st, known := b.comparer.Stations.Station(at.station)
		if !known || !slices.Contains(quantities, at.q) {
			continue
		}
		place := st.PlaceAt(time.Unix(at.start, 0)).Public
		for _, radius := range Radii {
			b.pair(at, value, place, radius)
		}
	}
	slices.SortFunc(b.day.Pairs, func(x, y Pair) int {
		switch {
		case !x.Start.Equal(y.Start):
			return x.Start.Compare(y.Start)
		case x.Official != y.Official:
			return strings.Compare(x.Official, y.Official)
		case x.Quantity != y.Quantity:
			return int(x.Quantity) - int(y.Quantity)
		}
		return x.Radius - y.Radius
	})
	for at, sums := range b.kappas {
		b.day.Kappas = append(b.day.Kappas, dayKappa{quantity.Quantity(at[0]), at[1], *sums})
	}
}

// pair adds an hour of an official station beside the stations within a radius, if there are any.
func (b *builder) pair(at officialHour, value float64, place orb.Point, radius int) {
	p := Pair{Start: time.Unix(at.start, 0).UTC(), Official: at.station, Quantity: at.q, Radius: radius, Value: value}
	var dry, measured mean // humidities
	var tried [kappaCount]float64
	for _, m := range b.hours[at.start] {
		if m.Quantity != at.q && m.Quantity != quantity.Humidity || geo.Distance(b.place(m.Cell), place) > float64(radius) {
			continue
		}
		if m.Quantity == quantity.Humidity {
			measured.add(float64(m.Raw) / 1000)
			continue
		}
		p.Stations++
		raw := float64(m.Raw) / 1000
		p.Raw += raw
		p.Corrected += float64(m.Mean) / 1000
		if m.humid && !b.otherwise(m.Station, p) {
			dry.add(m.humidity)
			for i := range tried {
				tried[i] += quality.Dry(raw, m.humidity, kappaAt(i))
			}
		}
	}
	if p.Stations == 0 {
		return
	}
	n := float64(p.Stations)
	p.Raw, p.Corrected = p.Raw/n, p.Corrected/n
	if dry.n == 0 {
		dry = measured
	} else if int(dry.n) == p.Stations {
		b.kappa(at.q, radius, &tried, n, value)
	}
	if dry.n > 0 {
		p.Humidity = new(dry.sum / dry.n)
	}
	b.day.Pairs = append(b.day.Pairs, p)
}

func (b *builder) kappa(q quantity.Quantity, radius int, tried *[kappaCount]float64, n, value float64) {
	at := [2]int{int(q), radius}
	if b.kappas[at] == nil {
		b.kappas[at] = &kappaSums{}
	}
	for i := range tried {
		tried[i] /= n
	}
	b.kappas[at].add(tried, value)
}

// otherwise reports whether a station's mean is not corrected by κ: it is calibrated, or a series with a correction of its own.
func (b *builder) otherwise(station string, p Pair) bool {
	st, known := b.comparer.Stations.Station(station)
	return known && (st.Calibrated(p.Quantity, p.Start) || st.CF1(p.Start))
}

func (b *builder) place(cell geo.Cell) orb.Point {
	at, known := b.places[cell]
	if !known {
		at = cell.Center()
		b.places[cell] = at
	}
	return at
}

type mean struct{ n, sum float64 }

func (m *mean) add(v float64) {
	m.n++
	m.sum += v
}
