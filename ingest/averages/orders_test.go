package averages

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo/aggregate"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"
)

var orders = flag.Int("orders", 100, "orders of arrival of TestEveryOrderGivesTheSame")

// keyedStore is a store in memory, which keeps one reading of a station and second.
type keyedStore struct{ memoryStore }

func byKey(a, b ingest.Reading) int {
	return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Station, b.Station))
}

func (s *keyedStore) WriteReadings(_ context.Context, readings []ingest.Reading) ([]store.Rejected, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range readings {
		i, found := slices.BinarySearchFunc(s.readings, r, byKey)
		if !found {
			s.readings = slices.Insert(s.readings, i, r)
			continue
		}
		for _, v := range s.readings[i].Values {
			if !slices.ContainsFunc(r.Values, func(o ingest.Value) bool { return o.Quantity == v.Quantity }) {
				r.Values = append(r.Values, v)
			}
		}
		slices.SortFunc(r.Values, func(a, b ingest.Value) int { return cmp.Compare(a.Quantity, b.Quantity) })
		s.readings[i] = r
	}
	return nil, nil
}

func (s *keyedStore) Readings(_ context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	s.mu.Lock()
	from, _ := slices.BinarySearchFunc(s.readings, ingest.Reading{Time: q.From}, byKey)
	to, _ := slices.BinarySearchFunc(s.readings, ingest.Reading{Time: q.To}, byKey)
	list := slices.Clone(s.readings[from:max(from, to)])
	s.mu.Unlock()
	for _, r := range list {
		if len(q.Stations) > 0 && !slices.Contains(q.Stations, r.Station) {
			continue
		}
		r.Values = slices.Clone(r.Values)
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

// orderTown is the days that arrive in different orders, and what finds their flags.
type orderTown struct {
	rules    quality.Rules
	stations register
	messages []ingest.Reading // with the flags of the intake, by time
	start    time.Time
}

const orderHours = 30

// newOrderTown has seven stations near each other, one far away, and one that sends its humidity by itself. One is stuck,
// one seems to hang indoors, one has a fire, one has values that no sensor measures; an eighth says that it is indoors, with values
// that no check is for and humid air in some hours.
func newOrderTown(start time.Time) *orderTown {
	rng := rand.New(rand.NewPCG(7, 7))
	t := &orderTown{rules: quality.DefaultRules(), stations: register{}, start: start}
	t.rules.SpikeLeast, t.rules.UncorrelatedLeast, t.rules.IndoorDays, t.rules.IndoorOf = 12, 1, 1, 1
	const stations = 8
	for i := range stations {
		id := fmt.Sprintf("S%d", i)
		lon := 6.95 + 0.003*float64(i)
		if i == 7 {
			lon += 0.5
		}
		t.stations[id] = &ingest.Station{ID: id, Exposure: ingest.Outdoor, Sensors: []string{"sds011", "bme280"}, Places: []ingest.Place{place(start.AddDate(-1, 0, 0), lon, 50.94)}}
	}
	t.stations["IN"] = &ingest.Station{ID: "IN", Exposure: ingest.Indoor, Sensors: []string{"sds011", "scd41"}, Places: []ingest.Place{place(start.AddDate(-1, 0, 0), 6.95, 50.94)}}
	for n := range orderHours * 10 {
		at := start.Add(time.Duration(n) * 6 * time.Minute)
		clock := float64(at.Unix()%86400) / 3600
		sun := math.Sin((clock - 9) / 24 * 2 * math.Pi)
		t.send("IN", at, ingest.Value{Quantity: quantity.PM10, Value: float64(10 + max(0, 10-n/10))}, ingest.Value{Quantity: quantity.CO2, Value: float64(600 + n%7)},
			ingest.Value{Quantity: quantity.Humidity, Value: tenth(68 + 4*sun + rng.NormFloat64())})
		for i := range stations {
			pm, warmth, humidity := 20+8*math.Sin(clock/3)+rng.NormFloat64(), 10+6*sun+0.3*rng.NormFloat64(), 72-12*sun+2*rng.NormFloat64()
			switch hour := n / 10; {
			case i == 1 && hour > 14:
				pm = 15.5
			case i == 2:
				warmth = 20 + 0.2*sun
			case i == 3 && (hour == 20 || hour == 21):
				pm *= 8
			case i == 4 && n%50 == 3:
				pm = 1200
			}
			t.send(id(i), at, ingest.Value{Quantity: quantity.PM2_5, Value: tenth(pm / 2)}, ingest.Value{Quantity: quantity.PM10, Value: tenth(pm)})
			climate := []ingest.Value{{Quantity: quantity.Temperature, Value: tenth(warmth)}, {Quantity: quantity.Pressure, Value: tenth(1010 + rng.NormFloat64())}}
			if i != 6 {
				climate = append(climate, ingest.Value{Quantity: quantity.Humidity, Value: tenth(humidity)})
			}
			t.send(id(i), at.Add(time.Duration(rng.IntN(60))*time.Second), climate...)
		}
	}
	return t
}

func id(i int) string { return fmt.Sprintf("S%d", i) }

func tenth(v float64) float64 { return math.Round(v*10) / 10 }

// send adds a message, with the flag that the intake sets.
func (t *orderTown) send(station string, at time.Time, values ...ingest.Value) {
	for i := range values {
		if values[i].Quantity == quantity.PM10 && values[i].Value > 1000 {
			values[i].Flags = ingest.Range
		}
	}
	t.messages = append(t.messages, ingest.Reading{Station: station, Time: at, Received: at, Values: values})
}

// orderServer is what of a server flags and averages are made by.
type orderServer struct {
	*Averages
	town    *orderTown
	store   *keyedStore
	cache   bytes.Buffer
	waiting unwritten
	checked time.Time // when the last round was
	late    []time.Time
	t       *testing.T
}

// restart begins again with what is stored, as a server does.
func (s *orderServer) restart() {
	s.Averages = newAverages(s.store)
	s.Stations, s.DayOffset, s.waiting = s.town.stations, time.Hour, unwritten{}
	checkFor(s.t, s.Averages, s.town.rules, &s.cache)
	s.Append = func(ctx context.Context, b ingest.Batch) error {
		for _, v := range b.HourFlags {
			s.Apply(v)
		}
		_, err := store.Revise(ctx, s.store, b.HourFlags)
		return err
	}
	var flags StoredFlags
	known := func(list []Stored) {
		for _, f := range list {
			s.Known(f)
		}
	}
	now := time.Now()
	err := s.store.Readings(s.t.Context(), store.ReadingQuery{From: now.Add(-aggregate.Retention - aggregate.LookBack - time.Hour), To: now.Add(time.Hour)}, func(r ingest.Reading) error {
		known(flags.Next(&r))
		s.Observe(r)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	known(flags.End())
}

// take stores messages that arrive now.
func (s *orderServer) take(messages []ingest.Reading) {
	now := time.Now().UTC()
	for _, r := range messages {
		r.Received, r.Values = now, slices.Clone(r.Values)
		s.store.WriteReadings(s.t.Context(), []ingest.Reading{r})
		s.Observe(r)
		if now.Sub(r.Time) > aggregate.AllowedLateness-time.Hour {
			s.late = append(s.late, r.Time)
		}
	}
}

// recheck does what a server does when no more late readings come.
func (s *orderServer) recheck() {
	if err := s.Recheck(s.t.Context(), s.late); err != nil {
		s.t.Fatal(err)
	}
	s.late = nil
}

func (s *orderServer) round() {
	s.checked = time.Now()
	s.write(s.t.Context(), &s.waiting, s.checked)
}

// shaken returns the messages with a time of arrival each, up to a delay after their own, in that order.
func (t *orderTown) shaken(rng *rand.Rand, delay time.Duration) ([]ingest.Reading, []time.Time) {
	type arrival struct {
		r  ingest.Reading
		at time.Time
	}
	list := make([]arrival, len(t.messages))
	for i, r := range t.messages {
		list[i] = arrival{r, r.Time.Add(time.Duration(rng.Float64() * rng.Float64() * float64(delay)))}
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return a.at.Compare(b.at) })
	messages, at := make([]ingest.Reading, len(list)), make([]time.Time, len(list))
	for i, a := range list {
		messages[i], at[i] = a.r, a.at
	}
	return messages, at
}

// live plays the days as they come, some late, some too late, with restarts that have the checks' file, an old one or none.
func (s *orderServer) live(rng *rand.Rand) {
	delay := []time.Duration{0, 10 * time.Hour, 46 * time.Hour, 70 * time.Hour}[rng.IntN(4)]
	messages, at := s.town.shaken(rng, delay)
	old := bytes.Clone(s.cache.Bytes())
	for i := range messages {
		s.wait(at[i])
		s.take(messages[i : i+1])
		switch rng.IntN(len(messages) / 8) {
		case 0, 1, 2, 3:
			s.round()
		case 4:
			old = bytes.Clone(s.cache.Bytes())
		case 5:
			s.restart()
		case 6:
			s.cache.Reset()
			s.restart()
		case 7:
			s.cache.Reset()
			s.cache.Write(old)
			s.restart()
		}
	}
}

// wait waits, and checks at least every hour.
func (s *orderServer) wait(until time.Time) {
	for time.Until(until) > time.Hour {
		time.Sleep(time.Hour)
		s.round()
	}
	time.Sleep(max(0, time.Until(until)))
	if now := time.Now(); now.Sub(s.checked) > time.Hour {
		s.round()
	}
}

// imported takes everything weeks later, in batches of any size.
func (s *orderServer) imported(rng *rand.Rand) {
	time.Sleep(time.Duration(10+rng.IntN(20)) * day)
	messages := slices.Clone(s.town.messages)
	rng.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
	if rng.IntN(2) == 0 { // file by file: a station after the other
		slices.SortStableFunc(messages, func(a, b ingest.Reading) int { return cmp.Compare(a.Station, b.Station) })
	}
	for len(messages) > 0 {
		n := 1 + rng.IntN(len(messages))
		s.take(messages[:n])
		messages = messages[n:]
		switch rng.IntN(6) {
		case 0:
			s.recheck()
		case 1:
			s.restart()
		case 2:
			s.round()
		}
	}
}

// rebuilt has everything in the store, with any flags, and rebuilds it.
func (s *orderServer) rebuilt(rng *rand.Rand) {
	time.Sleep(20 * day)
	for _, r := range s.town.messages {
		r.Received, r.Values = time.Now().UTC(), slices.Clone(r.Values)
		for i := range r.Values {
			r.Values[i].Flags |= []ingest.Flags{0, ingest.Stuck, ingest.Spike | ingest.Humid}[rng.IntN(3)]
		}
		s.store.WriteReadings(s.t.Context(), []ingest.Reading{r})
	}
	if err := s.Rebuild(s.t.Context(), s.town.start.Add(-day), s.town.start.Add(3*day), nil); err != nil {
		s.t.Fatal(err)
	}
}

// hash is of all stored values with their flags, and of all averages, but for when values came.
func (s *orderServer) hash(found map[ingest.Flags]int) [sha256.Size]byte {
	h := sha256.New()
	err := s.store.Readings(s.t.Context(), store.ReadingQuery{To: time.Now().Add(day)}, func(r ingest.Reading) error {
		for _, v := range r.Values {
			fmt.Fprintln(h, r.Time.Unix(), r.Station, v.Quantity, v.Value, v.Flags, v.Flags.Checks())
			for _, f := range v.Flags.Each() {
				found[f]++
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, row := range s.store.sorted() {
		row.Revision = 0
		row.Start = row.Start.UTC()
		fmt.Fprintln(h, row)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// TestEveryOrderGivesTheSame plays the same days live in random orders, as imports in random batches, and by rebuild, with
// restarts and without what the checks remember: the same flags and averages, byte by byte. -orders says how many orders.
func TestEveryOrderGivesTheSame(t *testing.T) {
	if testing.Short() {
		*orders = min(*orders, 20)
	}
	var mu sync.Mutex // guards what follows
	hashes, found, rows := map[[sha256.Size]byte][]string{}, map[ingest.Flags]int{}, 0
	play := func(seed int) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 11))
			town := newOrderTown(time.Now().UTC().Truncate(day).Add(day))
			s := &orderServer{town: town, store: &keyedStore{}, t: t}
			s.restart()
			way := []string{"live", "import", "rebuild"}[[]int{0, 0, 1, 1, 2}[seed%5]]
			switch way {
			case "live":
				s.live(rng)
			case "import":
				s.imported(rng)
			case "rebuild":
				s.rebuilt(rng)
			}
			s.wait(time.Now().Add(3 * day))
			s.recheck()
			s.round()
			mu.Lock()
			defer mu.Unlock()
			h := s.hash(found)
			hashes[h] = append(hashes[h], fmt.Sprint(way, " ", seed))
			rows = len(s.store.rows)
		})
	}
	for seed := range *orders {
		play(seed)
	}
	for h, seeds := range hashes {
		t.Logf("%x: %d orders, first %s", h[:4], len(seeds), seeds[0])
	}
	if len(hashes) != 1 {
		t.Errorf("%d different results of %d orders", len(hashes), *orders)
	}
	t.Logf("%d rows of averages; values with each flag, of all orders: %v", rows, found)
	for _, f := range []ingest.Flags{ingest.Range, ingest.Stuck, ingest.Spike, ingest.Humid, ingest.Outlier, ingest.SeemsIndoor} {
		if found[f] == 0 {
			t.Errorf("nothing is %s", f)
		}
	}
}
