package airindex

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"testing"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
)

func TestLQI(t *testing.T) {
	f := func(pollutant quantity.Quantity, mean float64, want Class) {
		t.Helper()
		if got, ok := LQI(pollutant, mean); got != want || ok != (want != None) {
			t.Errorf("LQI(%s, %v) = %d, %v, want %d", pollutant, mean, got, ok, want)
		}
	}
	// Both sides of every bound of the Umweltbundesamt's table, which is in whole numbers: a bound of 5 ends just
	// below 5.5, because halves are rounded up.
	f(quantity.PM2_5, -2, SehrGut)
	f(quantity.PM2_5, 0, SehrGut)
	f(quantity.PM2_5, 5, SehrGut)
	f(quantity.PM2_5, 5.499, SehrGut)
	f(quantity.PM2_5, 5.5, Gut)
	f(quantity.PM2_5, 6, Gut)
	f(quantity.PM2_5, 15.499, Gut)
	f(quantity.PM2_5, 15.5, Maessig)
	f(quantity.PM2_5, 30.499, Maessig)
	f(quantity.PM2_5, 30.5, Schlecht)
	f(quantity.PM2_5, 50.499, Schlecht)
	f(quantity.PM2_5, 50.5, SehrSchlecht)
	f(quantity.PM10, 9.499, SehrGut)
	f(quantity.PM10, 9.5, Gut)
	f(quantity.PM10, 27.499, Gut)
	f(quantity.PM10, 27.5, Maessig)
	f(quantity.PM10, 54.499, Maessig)
	f(quantity.PM10, 54.5, Schlecht)
	f(quantity.PM10, 90.499, Schlecht)
	f(quantity.PM10, 90.5, SehrSchlecht)
	f(quantity.NO2, 10.499, SehrGut)
	f(quantity.NO2, 10.5, Gut)
	f(quantity.NO2, 30.499, Gut)
	f(quantity.NO2, 30.5, Maessig)
	f(quantity.NO2, 60.499, Maessig)
	f(quantity.NO2, 60.5, Schlecht)
	f(quantity.NO2, 100.499, Schlecht)
	f(quantity.NO2, 100.5, SehrSchlecht)
	f(quantity.SO2, 10.499, SehrGut)
	f(quantity.SO2, 10.5, Gut)
	f(quantity.SO2, 30.499, Gut)
	f(quantity.SO2, 30.5, Maessig)
	f(quantity.SO2, 60.499, Maessig)
	f(quantity.SO2, 60.5, Schlecht)
	f(quantity.SO2, 100.499, Schlecht)
	f(quantity.SO2, 100.5, SehrSchlecht)
	f(quantity.O3, 24.499, SehrGut)
	f(quantity.O3, 24.5, Gut)
	f(quantity.O3, 72.499, Gut)
	f(quantity.O3, 72.5, Maessig)
	f(quantity.O3, 144.499, Maessig)
	f(quantity.O3, 144.5, Schlecht)
	f(quantity.O3, 240.499, Schlecht)
	f(quantity.O3, 240.5, SehrSchlecht)
	f(quantity.Temperature, 20, None)
	f(quantity.PM2_5, math.NaN(), None)
	f(quantity.PM2_5, math.Inf(1), SehrSchlecht)
	f(quantity.PM2_5, math.Inf(-1), SehrGut)
}

func TestHalfUp(t *testing.T) {
	f := func(v, want float64) {
		t.Helper()
		if got := halfUp(v); got != want {
			t.Errorf("halfUp(%v) = %v, want %v", v, got, want)
		}
	}
	f(0.49999999999999994, 0)
	f(0.5, 1)
	f(1.5, 2)
	f(2.5, 3)
	f(-0.5, 0)
	f(-0.50001, -1)
	f(9007199254740991, 9007199254740991) // the largest odd whole number
}

func TestOf(t *testing.T) {
	f := func(x Index, means map[quantity.Quantity]float64, class Class, pollutant quantity.Quantity, measured ...quantity.Quantity) {
		t.Helper()
		want := Value{Index: x, Class: class, Pollutant: pollutant, Measured: measured}
		if class == None {
			want.Reason = NoParticles
		}
		if got := x.Of(means); !reflect.DeepEqual(got, want) {
			t.Errorf("%v.Of(%v) = %+v, want %+v", x, means, got, want)
		}
	}
	type m = map[quantity.Quantity]float64
	f(European, m{quantity.PM2_5: 12}, Fair, quantity.PM2_5, quantity.PM2_5)
	f(European, m{quantity.PM2_5: 12, quantity.PM10: 46}, Moderate, quantity.PM10, quantity.PM2_5, quantity.PM10)
	f(European, m{quantity.PM2_5: 12, quantity.NO2: 160, quantity.Humidity: 99}, ExtremelyPoor, quantity.NO2, quantity.PM2_5, quantity.NO2)
	f(European, m{quantity.PM2_5: 2, quantity.PM10: 2, quantity.NO2: 2, quantity.O3: 2, quantity.SO2: 2}, Good, quantity.PM2_5, Pollutants()...)
	f(European, m{quantity.PM10: 50, quantity.NO2: 50, quantity.O3: 110, quantity.SO2: 100}, Moderate, quantity.PM10, quantity.PM10, quantity.NO2, quantity.O3, quantity.SO2)
	f(European, m{quantity.PM10: 1, quantity.NO2: 50, quantity.O3: 110, quantity.SO2: 100}, Moderate, quantity.NO2, quantity.PM10, quantity.NO2, quantity.O3, quantity.SO2)
	f(European, m{quantity.PM10: 1, quantity.O3: 110, quantity.SO2: 100}, Moderate, quantity.O3, quantity.PM10, quantity.O3, quantity.SO2)
	f(German, m{quantity.PM2_5: 15.5, quantity.PM10: 9.5}, Maessig, quantity.PM2_5, quantity.PM2_5, quantity.PM10)
	f(German, m{quantity.PM10: 300}, SehrSchlecht, quantity.PM10, quantity.PM10)

	// Too few data.
	f(European, nil, None, 0)
	f(German, m{quantity.NO2: 160, quantity.O3: 300}, None, 0, quantity.NO2, quantity.O3)
	f(European, m{quantity.PM2_5: math.NaN(), quantity.NO2: 5}, None, 0, quantity.NO2)
	f(European, m{quantity.Temperature: 5}, None, 0)
}

func TestLabels(t *testing.T) {
	f := func(x Index, c Class, english, german, colour string) {
		t.Helper()
		want := Label{bilingual.Of(english, german), colour}
		if got := (Value{Index: x, Class: c}).Label(); got != want {
			t.Errorf("label of class %d of %v = %v, want %v", c, x, got, want)
		}
	}
	f(European, None, "no statement", "keine Aussage", "")
	f(European, Good, "good", "gut", "#50F0E6")
	f(European, ExtremelyPoor, "extremely poor", "extrem schlecht", "#7D2181")
	f(European, 7, "no statement", "keine Aussage", "")
	f(German, None, "no statement", "keine Aussage", "")
	f(German, SehrGut, "very good", "sehr gut", "")
	f(German, SehrSchlecht, "very poor", "sehr schlecht", "")
	f(German, 6, "no statement", "keine Aussage", "")
}

func TestName(t *testing.T) {
	f := func(x Index, english, german string, measured ...quantity.Quantity) {
		t.Helper()
		if got := (Value{Index: x, Measured: measured}).Name(); got != bilingual.Of(english, german) {
			t.Errorf("name of %v from %v = %v", x, measured, got)
		}
	}
	f(European, "European index", "Europäischer Index")
	f(European, "European index, from PM only", "Europäischer Index, nur aus PM", quantity.PM2_5)
	f(European, "European index, from PM only", "Europäischer Index, nur aus PM", quantity.PM2_5, quantity.PM10)
	f(German, "German index (UBA), from PM only", "Deutscher Index (UBA), nur aus PM", quantity.PM10)
	f(European, "European index, from PM and NO2 only", "Europäischer Index, nur aus PM und NO2", quantity.PM10, quantity.NO2)
	f(European, "European index, from PM, O3 and SO2 only", "Europäischer Index, nur aus PM, O3 und SO2", quantity.PM10, quantity.O3, quantity.SO2)
	f(European, "European index, from NO2 only", "Europäischer Index, nur aus NO2", quantity.NO2)
	f(European, "European index", "Europäischer Index", quantity.PM10, quantity.NO2, quantity.O3)
	f(German, "German index (UBA)", "Deutscher Index (UBA)", Pollutants()...)
}

func TestWithout(t *testing.T) {
	stated := European.Of(map[quantity.Quantity]float64{quantity.PM2_5: 12})
	f := func(reason Reason, english, german string) {
		t.Helper()
		v := stated.Without(reason)
		if v.Class != None || v.Pollutant != 0 || v.Reason != reason || len(v.Measured) != 1 || v.Label().Text != bilingual.Of(english, german) {
			t.Errorf("without a statement for %q: %+v, %v", reason, v, v.Label())
		}
	}
	f(NoParticles, "no statement", "keine Aussage")
	f(NotHourly, "no index of means over this time", "kein Index für Mittel über diese Zeit")
	f(TooFewStations, "too few stations for a statement", "zu wenige Stationen für eine Aussage")
}

// TestDefinitionsAreComplete expects a name for each class and bounds for each pollutant.
func TestDefinitionsAreComplete(t *testing.T) {
	colour := regexp.MustCompile(`^#[0-9A-F]{6}$`)
	for _, x := range []Index{European, German} {
		for _, pollutant := range Pollutants() {
			bounds := x.definition().bounds[pollutant]
			if len(bounds)+1 != x.Classes() {
				t.Errorf("%v: %d bounds of %s for %d classes", x, len(bounds), pollutant, x.Classes())
			}
			for i := 1; i < len(bounds); i++ {
				if bounds[i] <= bounds[i-1] {
					t.Errorf("%v: bounds of %s do not rise: %v", x, pollutant, bounds)
				}
			}
		}
		for c := range x.Classes() {
			label := x.Label(Class(c + 1))
			if label.EN == "" || label.DE == "" || (x == European) != colour.MatchString(label.Colour) {
				t.Errorf("%v: class %d is shown as %+v", x, c+1, label)
			}
		}
	}
}

func ExampleIndex_Of() {
	hour := map[quantity.Quantity]float64{quantity.PM2_5: 17.2, quantity.PM10: 24, quantity.Temperature: 11.5}
	for _, x := range []Index{European, German} {
		v := x.Of(hour)
		fmt.Println(v.Index, v.Class, v.Pollutant, v.Label().DE)
	}
	// Output:
	// eaqi 3 pm2_5 mäßig
	// lqi 3 pm2_5 mäßig
}
