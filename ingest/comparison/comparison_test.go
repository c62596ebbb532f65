package comparison

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/quality"
	"stadtluft/ingest/store"
)

// city is a city with stored readings.
type city struct {
	stations []*ingest.Station
	readings []ingest.Reading // by time
	asked    int              // days that were read whole
}

func (c *city) Stations() []*ingest.Station { return c.stations }

func (c *city) Station(id string) (*ingest.Station, bool) {
	i := slices.IndexFunc(c.stations, func(st *ingest.Station) bool { return st.ID == id })
	if i < 0 {
		return nil, false
	}
	return c.stations[i], true
}

func (c *city) Readings(_ context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error {
	if len(q.Stations) == 0 {
		c.asked++
	}
	from, _ := slices.BinarySearchFunc(c.readings, q.From, func(r ingest.Reading, at time.Time) int { return r.Time.Compare(at) })
	for _, r := range c.readings[from:] {
		if !r.Time.Before(q.To) {
			break
		}
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

// add adds a station so many metres east of the official one.
func (c *city) add(id, source string, metres float64) {
	at := orb.Point{6.9583 + metres/70_180, 50.9413} // 70.18 km a degree at this latitude
	cell, _ := geo.CellAt(at, geo.BaseSize)
	place := ingest.Place{Exact: at, Public: cell.Center()}
	c.stations = append(c.stations, &ingest.Station{ID: id, Source: source, Exposure: ingest.Outdoor, Status: ingest.Active, Places: []ingest.Place{place}})
}

const (
	trueKappa = 0.25
	trueBias  = 1.5 // µg/m³ that the stations show too much in dry air
)

var (
	firstDay = time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC) // days begin at 23:00 UTC
	now      = firstDay.AddDate(0, 0, 60).Add(nightly)
)

// simulated is a city of 60 days: an official station with a noise of 1 µg/m³, and stations that show its air with a known
// bias, a noise of 2 µg/m³ each hour, and particles that have grown in humid air. One station stands 8 km away and shows
// nonsense.
func simulated() *city {
	random := rand.New(rand.NewPCG(7, 1))
	c := &city{}
	c.add("OFFICIAL", ingest.UBA, 0)
	c.add("AWAY", "", 8000)
	for i, metres := range []float64{300, 600, 800, 2000, 2500, 4500} {
		c.add("S"+string(rune('A'+i)), "", metres)
	}
	for h := range 60 * 24 {
		at := firstDay.Add(time.Duration(h) * time.Hour)
		air := 12 + 5*math.Sin(float64(h)/37) + 3*math.Sin(float64(h)/5)
		humidity := 65 + 25*math.Sin(float64(h)/24*2*math.Pi) + 5*random.NormFloat64()
		humidity = math.Min(94, math.Max(20, humidity))
		measured := func(id string, at time.Time, values ...ingest.Value) {
			c.readings = append(c.readings, ingest.Reading{Station: id, Time: at, Received: at, Values: values})
		}
		measured("OFFICIAL", at, ingest.Value{Quantity: quantity.PM2_5, Value: air + random.NormFloat64()})
		for _, st := range c.stations[1:] {
			dry := math.Max(0, air+trueBias+2*random.NormFloat64())
			if st.ID == "AWAY" {
				dry = 300
			}
			for i := range 12 {
				measured(st.ID, at.Add(time.Duration(i)*5*time.Minute+time.Second), ingest.Value{Quantity: quantity.PM2_5, Value: dry * quality.Growth(humidity, trueKappa)},
					ingest.Value{Quantity: quantity.Humidity, Value: humidity})
			}
		}
	}
	slices.SortStableFunc(c.readings, func(a, b ingest.Reading) int { return a.Time.Compare(b.Time) })
	return c
}

func comparer(t *testing.T, c *city, kappa float64) *Comparer {
	return &Comparer{
		Store: c, Stations: c, Correction: quality.Correction{Method: quality.KappaKohler, Kappa: kappa}, DayOffset: time.Hour, Folder: t.TempDir(), Log: slog.New(slog.DiscardHandler),
	}
}

func row(t *testing.T, r *Result, official string, radius, period int, class Class, corrected bool) Row {
	t.Helper()
	for _, row := range r.Rows {
		if row.Official == official && row.Quantity == "pm2_5" && row.Radius == radius && row.Period == period && row.Humidity == class && row.Corrected == corrected {
			return row
		}
	}
	t.Fatalf("no row of %q within %d m over %d days, %s, corrected %v", official, radius, period, class, corrected)
	return Row{}
}

// TestSimulatedCity finds the bias and the hygroscopicity that were put in, with the default in force and with the true one.
func TestSimulatedCity(t *testing.T) {
	c := simulated()
	for _, inForce := range []float64{quality.DefaultKappa, trueKappa} {
		cmp := comparer(t, c, inForce)
		if err := cmp.Compare(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		r, _ := cmp.Latest()
		if len(r.Kappas) != 1 || r.Kappas[0].Quantity != "pm2_5" || r.Kappas[0].Radius != 1000 || r.Kappas[0].Days != 60 || r.Kappas[0].N != 60*24 {
			t.Fatalf("proposals %+v", r.Kappas)
		}
		k := r.Kappas[0]
		t.Logf("kappa %v in force: proposed %v, %v to %v", inForce, k.Proposed, k.Low, k.High)
		if math.Abs(k.Proposed-trueKappa) > 0.05 || k.Low > trueKappa || k.High < trueKappa || k.High-k.Low > 0.1 {
			t.Errorf("proposed %v, %v to %v, want %v", k.Proposed, k.Low, k.High, trueKappa)
		}
		if len(k.Curve) != kappaCount || k.Curve[25].Kappa != 0.25 || !(k.Curve[25].Fit < k.Curve[0].Fit && k.Curve[25].Fit < k.Curve[40].Fit) {
			t.Errorf("curve %+v", k.Curve)
		}
		all := row(t, r, "", 1000, 90, All, true)
		t.Logf("bias %.3f, %.3f to %.3f, SD %.2f", all.Bias, all.BiasLow, all.BiasHigh, all.SD)
		if inForce == trueKappa && !(all.BiasLow <= trueBias && trueBias <= all.BiasHigh && all.BiasHigh-all.BiasLow < 0.3) {
			t.Errorf("bias %v, %v to %v, want %v", all.Bias, all.BiasLow, all.BiasHigh, trueBias)
		}
		// Noise of 1, and of 2 for three stations: the square root of 1 + 4/3.
		if inForce == trueKappa {
			close(t, "SD", all.SD, math.Sqrt(1+4.0/3), 0.1)
		}
		if head, ok := r.Headline(quantity.PM2_5); !ok || head != all {
			t.Errorf("headline %+v, %v, want %+v", head, ok, all)
		}
		dry, wet := row(t, r, "OFFICIAL", 1000, 90, "0-50", false), row(t, r, "OFFICIAL", 1000, 90, "85-100", false)
		if wet.Bias < 10 || dry.Bias > 4 {
			t.Errorf("as measured the bias is %v in dry and %v in humid air", dry.Bias, wet.Bias)
		}
		if month := row(t, r, "", 5000, 30, All, false); month.N != 30*24 || month.Days < 30 {
			t.Errorf("30 days have %d hours of %d days", month.N, month.Days)
		}
	}
}

// TestDaysAreKept computes each day once, and again when readings of it come later, when it is new, when a station stood elsewhere, or
// when the correction changes.
func TestDaysAreKept(t *testing.T) {
	c := simulated()
	cmp := comparer(t, c, 0.15)
	f := func(what string, want int) {
		t.Helper()
		c.asked = 0
		if err := cmp.Compare(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if c.asked != want {
			t.Errorf("%s: %d days read, want %d", what, c.asked, want)
		}
	}
	f("first", 60)
	before, _ := cmp.Latest()
	f("again", 4) // of which readings may still be late
	if after, _ := cmp.Latest(); len(after.Rows) != len(before.Rows) || after.Rows[0] != before.Rows[0] {
		t.Error("kept days give another result")
	}
	late := ingest.Reading{Station: "OFFICIAL", Time: firstDay.Add(30 * time.Hour), Received: now}
	cmp.Touch(late)
	cmp.Touch(late)
	f("an official hour came", 5)
	cmp.Touch(ingest.Reading{Station: "SA", Time: firstDay.Add(30 * time.Hour), Received: firstDay.Add(31 * time.Hour)})
	f("a reading came in time", 4)
	inside := firstDay.Add(31 * time.Hour)
	sa, _ := c.Station("SA")
	sa.Exposures = []ingest.ExposedSince{{From: firstDay.AddDate(0, 0, -2), Exposure: ingest.Outdoor}, {From: inside, Exposure: ingest.Indoor}, {From: inside.Add(3 * time.Hour), Exposure: ingest.Outdoor}}
	f("a station was indoors for three hours", 6) // its interval on the next day is another one too
	sa.Exposures = nil
	again := comparer(t, c, 0.3)
	again.Folder = cmp.Folder
	cmp = again
	f("another correction", 60)
	if r, err := Load(cmp.Folder); err != nil || !r.Compared() || r.Kappa != 0.3 {
		t.Errorf("kept result: %v", err)
	}
	n := 0
	err := cmp.Pairs("OFFICIAL", quantity.PM2_5, 3000, firstDay, firstDay.AddDate(0, 0, 2), func(p Pair) error {
		if p.Stations != 5 || p.Radius != 3000 || p.Humidity == nil {
			t.Errorf("pair %+v", p)
		}
		n++
		return nil
	})
	if err != nil || n != 48 {
		t.Errorf("%d pairs of two days, want 48: %v", n, err)
	}
}

// TestNothingToCompare has no rows in a city without official stations, and does not read its days.
func TestNothingToCompare(t *testing.T) {
	c := simulated()
	c.stations = c.stations[1:]
	cmp := comparer(t, c, 0.15)
	if err := cmp.Compare(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	if r, ok := cmp.Latest(); !ok || r.Compared() || c.asked != 0 {
		t.Errorf("compared %+v, %d days read", r, c.asked)
	}
	if _, ok := (*Result)(nil).Headline(quantity.PM2_5); ok {
		t.Error("nothing has a headline")
	}
}

// TestHalfHoursDoNotCount thins the first hour of a day, whose stations send every five minutes as on the day before: with the
// first 20 minutes, and with three values 20 minutes apart, it does not count.
func TestHalfHoursDoNotCount(t *testing.T) {
	for _, stays := range []func(minute int) bool{func(m int) bool { return m < 20 }, func(m int) bool { return m%20 == 0 }} {
		c := simulated()
		hour := firstDay.Add(5 * 24 * time.Hour)
		c.readings = slices.DeleteFunc(c.readings, func(r ingest.Reading) bool {
			return strings.HasPrefix(r.Station, "S") && r.Time.Truncate(time.Hour).Equal(hour) && !stays(r.Time.Minute())
		})
		cmp := comparer(t, c, 0.15)
		if err := cmp.Compare(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		r, _ := cmp.Latest()
		if all := row(t, r, "", 5000, 90, All, true); all.N != 60*24-1 {
			t.Errorf("%d hours, want one fewer than %d", all.N, 60*24)
		}
	}
}
