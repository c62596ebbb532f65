package comparison

import (
	"cmp"
	"slices"

	"stadtluft/firmware-protocol/quantity"
)

// table identifies a row.
type table struct {
	official  string
	q         quantity.Quantity
	radius    int
	period    int
	class     Class
	corrected bool
}

// tables gathers days into rows. The zero value is ready.
type tables struct {
	rows   map[table]*sums
	kappas map[[2]int][]kappaSums // days with hours, in order
}

// add adds a day that began so many days before the end.
func (t *tables) add(d *day, age int) {
	if t.rows == nil {
		t.rows, t.kappas = map[table]*sums{}, map[[2]int][]kappaSums{}
	}
	for i := range d.Pairs {
		p := &d.Pairs[i]
		for _, period := range Periods {
			if age > period {
				continue
			}
			for _, official := range []string{p.Official, ""} {
				t.count(p, table{official, p.Quantity, p.Radius, period, All, false})
				if p.Humidity != nil {
					t.count(p, table{official, p.Quantity, p.Radius, period, classOf(*p.Humidity), false})
				}
			}
		}
	}
	for _, k := range d.Kappas {
		at := [2]int{int(k.Quantity), k.Radius}
		t.kappas[at] = append(t.kappas[at], k.Sums)
	}
}

// count adds a pair to a row as measured and to the one as corrected.
func (t *tables) count(p *Pair, at table) {
	for _, x := range []struct {
		corrected bool
		value     float64
	}{{false, p.Raw}, {true, p.Corrected}} {
		at.corrected = x.corrected
		if t.rows[at] == nil {
			t.rows[at] = &sums{}
		}
		t.rows[at].add(p.Start, x.value, p.Value)
	}
}

func (t *tables) result() *Result {
	r := &Result{Rows: []Row{}, Kappas: []Kappa{}}
	keys := make([]table, 0, len(t.rows))
	for at := range t.rows {
		keys = append(keys, at)
	}
	order := func(c Class) int { return slices.Index(HumidityClasses, c) }
	slices.SortFunc(keys, func(a, b table) int {
		return cmp.Or(cmp.Compare(a.q, b.q), cmp.Compare(a.radius, b.radius), cmp.Compare(a.period, b.period), cmp.Compare(a.official, b.official),
			cmp.Compare(order(a.class), order(b.class)), boolOrder(a.corrected, b.corrected))
	})
	for _, at := range keys {
		r.Rows = append(r.Rows, Row{at.official, at.q.String(), at.radius, at.period, at.class, at.corrected, t.rows[at].statistics()})
	}
	for _, q := range quantities {
		for _, radius := range Radii { // the nearest stations that are enough
			if k, ok := kappaOf(q, radius, t.kappas[[2]int{int(q), radius}]); ok {
				r.Kappas = append(r.Kappas, k)
				break
			}
		}
	}
	return r
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Headline returns the row that stands for the city's value of a quantity: all official stations together, corrected, over
// 90 days, and the stations nearest to them that have enough hours. It returns false when none has.
func (r *Result) Headline(q quantity.Quantity) (Row, bool) {
	if r == nil {
		return Row{}, false
	}
	for _, row := range r.Rows { // by radius
		if row.Official == "" && row.Quantity == q.String() && row.Period == headlineDays && row.Humidity == All && row.Corrected && row.N >= leastHours {
			return row, true
		}
	}
	return Row{}, false
}

// headlineDays is the period of headlines.
const headlineDays = 90
