package quality

import (
	"math/rand/v2"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// TestMemoryKeepsTheLastReceived adds values in random orders, more than are remembered, and looks for those received last.
func TestMemoryKeepsTheLastReceived(t *testing.T) {
	begin := time.Unix(1_780_000_000, 0)
	for round := range 20 {
		rng := rand.New(rand.NewPCG(1, uint64(round)))
		n := remembered/2 + 100*round
		var m memory
		for _, i := range rng.Perm(n) {
			at := begin.Add(time.Duration(i) * 10 * time.Second)
			m.add(ingest.Reading{Time: at.Add(-time.Hour), Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: float64(i)}}})
		}
		for i := range n {
			v, known := m.find(begin.Add(time.Duration(i)*10*time.Second-time.Hour), quantity.PM10)
			if want := i >= n-remembered; known != want || known && v != float32(i) {
				t.Fatalf("%d values: value %d is %v, known %v, want known %v", n, i, v, known, want)
			}
		}
	}
}

// TestMemoryOfRepeatsDoesNotGrow sends the same reading again and again, as a station whose clock stands still does.
func TestMemoryOfRepeatsDoesNotGrow(t *testing.T) {
	c, now := New(DefaultRules()), time.Unix(1_780_000_000, 0)
	st := &ingest.Station{ID: "AAA"}
	var size int
	for n := range 1000 {
		r := wire.Reading{Time: now, Values: []wire.Value{{Quantity: quantity.PM10, Value: 20}}}
		c.Check(st, ingest.Arrival{Received: now.Add(time.Duration(n) * time.Second), Clock: ingest.StationClock}, r)
		if n == 0 {
			size = len(c.recent["AAA"].data)
		}
	}
	if got := len(c.recent["AAA"].data); got != size {
		t.Errorf("%d bytes of a station whose readings were known, want %d", got, size)
	}
}
