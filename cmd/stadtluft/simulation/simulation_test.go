package simulation

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestTheSameSeedIsTheSameCity(t *testing.T) {
	a, stationsA := New(7, geo.CologneSketch(), 40)
	b, stationsB := New(7, geo.CologneSketch(), 40)
	c, stationsC := New(8, geo.CologneSketch(), 40)
	if !reflect.DeepEqual(stationsA, stationsB) || reflect.DeepEqual(stationsA, stationsC) {
		t.Fatal("stations do not follow the seed")
	}
	for i := range stationsA {
		x, _ := a.Reading(&stationsA[i], noon)
		y, _ := b.Reading(&stationsB[i], noon)
		z, _ := c.Reading(&stationsC[i], noon)
		if !reflect.DeepEqual(x, y) || reflect.DeepEqual(x, z) {
			t.Errorf("station %d: readings do not follow the seed", i)
		}
	}
}

func TestStationsStandInTheCityAndSomeAreBroken(t *testing.T) {
	city := geo.CologneSketch()
	sim, stations := New(1, city, 80)
	faults := map[Fault]int{}
	for i := range stations {
		s := &stations[i]
		faults[s.Fault]++
		if !city.Contains(s.Point) {
			t.Errorf("%s stands outside at %v", s.Name, s.Point)
		}
		morning, spoke := sim.Reading(s, noon.Add(5*time.Minute))
		evening, _ := sim.Reading(s, noon.Add(7*time.Hour+5*time.Minute))
		if !spoke {
			t.Errorf("%s is silent at five past", s.Name)
			continue
		}
		if same := morning.Values[0] == evening.Values[0]; same != (s.Fault == Stuck) && s.Fault != Absurd {
			t.Errorf("%s (%q): %v at noon, %v in the evening", s.Name, s.Fault, morning.Values[0], evening.Values[0])
		}
		if _, spoke := sim.Reading(s, noon.Add(30*time.Minute)); spoke == (s.Fault == Silent) {
			t.Errorf("%s (%q) speaks at half past: %v", s.Name, s.Fault, spoke)
		}
	}
	if want := map[Fault]int{Sound: 74, Stuck: 2, Absurd: 2, Silent: 2}; !reflect.DeepEqual(faults, want) {
		t.Errorf("faults = %v, want %v", faults, want)
	}
}

func TestSoundValuesArePlausible(t *testing.T) {
	sim, stations := New(3, geo.CologneSketch(), 40)
	limits := map[quantity.Quantity][2]float64{
		quantity.PM2_5: {0, 150}, quantity.PM10: {0, 250}, quantity.Temperature: {-20, 45}, quantity.Humidity: {15, 100}, quantity.Pressure: {970, 1040},
	}
	for i := range stations {
		if stations[i].Fault != Sound {
			continue
		}
		for hours := range 365 * 24 / 7 {
			r, _ := sim.Reading(&stations[i], noon.Add(time.Duration(hours*7)*time.Hour))
			for _, v := range r.Values {
				if l := limits[v.Quantity]; v.Value < l[0] || v.Value > l[1] {
					t.Fatalf("%s: %v = %v outside %v", stations[i].Name, v.Quantity, v.Value, l)
				}
			}
			if r.Values[0].Value > r.Values[1].Value {
				t.Fatalf("%s: PM2.5 %v above PM10 %v", stations[i].Name, r.Values[0].Value, r.Values[1].Value)
			}
		}
	}
}

// memory is a Sender that keeps its messages.
type memory struct {
	mu       sync.Mutex // guards payloads
	payloads [][]byte
}

func (m *memory) Send(_ context.Context, payload []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.payloads = append(m.payloads, payload)
	return nil
}

func (m *memory) Close() {}

func TestRunDeliversBacklogThenLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		city, stations := New(1, geo.CologneSketch(), 1)
		sent := &memory{}
		run := &Run{City: city, Stations: stations, Every: time.Minute, Backlog: 3 * time.Hour, Dial: func(*Station) Sender { return sent }}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute+time.Second)
		defer cancel()
		if err := run.Run(ctx); err != nil {
			t.Fatal(err)
		}
		var decoder wire.Decoder
		readings := 0
		for _, payload := range sent.payloads {
			m := decoder.Decode(payload)
			if len(m.Refusals) > 0 {
				t.Fatalf("refused: %+v", m.Refusals)
			}
			readings += len(m.Readings)
		}
		// Three hours every 145 s are 74 or 75 readings, in two messages; then one at once and one a minute.
		if got := len(sent.payloads); got != 2+11 || readings < 74+11 || readings > 76+11 {
			t.Errorf("%d messages with %d readings, want 13 with about 86", got, readings)
		}
	})
}

func TestInterval(t *testing.T) {
	f := func(n int, rate float64, want time.Duration, wantErr bool) {
		t.Helper()
		got, err := Interval(n, rate)
		if got != want || (err != nil) != wantErr {
			t.Errorf("Interval(%d, %v) = %v, %v, want %v, error %v", n, rate, got, err, want, wantErr)
		}
	}
	f(10, 0, Every, false)
	f(100, 50, 2*time.Second, false)
	f(100, 100, time.Second, false)
	f(100, 101, 0, true)
	f(0, 1, 0, true)
	f(1, -1, 0, true)
	f(1, 1e6, 0, true)
}
