package registry

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

func TestCalibrations(t *testing.T) {
	nats := startNATS(t)
	r := open(t, nats, PolicyOpen)
	c, _, err := r.Add(t.Context(), balcony())
	if err != nil {
		t.Fatal(err)
	}
	may := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	first := ingest.Calibration{
		Quantity: quantity.PM2_5, From: may, To: may.AddDate(0, 1, 0), Intercept: -1.5, Slope: 0.8, Humidity: -0.05, Temperature: 0.125,
		Reference: "LANUV Chorweiler", R2: 0.81, RMSE: 3.2, N: 700,
	}
	second := ingest.Calibration{Quantity: quantity.NO2, From: may, Slope: 1.25, Reference: "LANUV Clevischer Ring", R2: 0.7, RMSE: 9, N: 300}
	for _, calibration := range []ingest.Calibration{first, second} {
		if err := r.AddCalibration(t.Context(), c.ID, Shell, calibration); err != nil {
			t.Fatal(err)
		}
	}
	again := second
	again.Slope = 1.5
	if err := r.AddCalibration(t.Context(), c.ID, Shell, again); err != nil { // in the place of the first
		t.Fatal(err)
	}
	st, _ := open(t, nats, PolicyOpen).Station(c.ID)
	if want := []ingest.Calibration{again, first}; !slices.Equal(st.Calibrations, want) {
		t.Errorf("calibrations %+v, want %+v", st.Calibrations, want)
	}
	if err := r.RemoveCalibration(t.Context(), c.ID, Shell, quantity.NO2, may); err != nil {
		t.Fatal(err)
	}
	if st, _ := r.Station(c.ID); !slices.Equal(st.Calibrations, []ingest.Calibration{first}) {
		t.Errorf("calibrations %+v, want only %+v", st.Calibrations, first)
	}
	var field *FieldError
	if err := r.RemoveCalibration(t.Context(), c.ID, Shell, quantity.NO2, may); !errors.As(err, &field) {
		t.Errorf("removed twice: %v", err)
	}
	if err := r.AddCalibration(t.Context(), "0000000", Shell, first); !errors.Is(err, ErrUnknown) {
		t.Errorf("a station that is not there: %v", err)
	}
}

func TestCalibrationMistakes(t *testing.T) {
	f := func(want string, change func(*ingest.Calibration)) {
		t.Helper()
		c := ingest.Calibration{Quantity: quantity.NO2, From: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), Slope: 1, Reference: "LANUV"}
		change(&c)
		err := checkCalibration(&c)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: error %v, want %q in it", c, err, want)
		}
	}
	f("", func(*ingest.Calibration) {})
	f("reference: is empty", func(c *ingest.Calibration) { c.Reference = " " })
	f("no quantity", func(c *ingest.Calibration) { c.Quantity = 0 })
	f("slope of 0", func(c *ingest.Calibration) { c.Slope = 0 })
	f("no finite number", func(c *ingest.Calibration) { c.Intercept = math.NaN() })
	f("from when on", func(c *ingest.Calibration) { c.From = time.Time{} })
	f("whole hours", func(c *ingest.Calibration) { c.From = c.From.Add(time.Minute) })
	f("whole hours", func(c *ingest.Calibration) { c.To = c.From.Add(time.Hour + time.Second) })
	f("before it begins", func(c *ingest.Calibration) { c.To = c.From })
}

func TestRetiringIsRememberedOnce(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	c, st, err := r.Add(t.Context(), balcony())
	if err != nil || !st.Ended.IsZero() {
		t.Fatalf("%+v %v", st, err)
	}
	before := time.Now().Truncate(time.Second)
	if err := r.Retire(t.Context(), c.ID, Owner); err != nil {
		t.Fatal(err)
	}
	st, _ = r.Station(c.ID)
	if st.Ended.Before(before) || st.Ended.After(time.Now()) {
		t.Errorf("ended %v, want now", st.Ended)
	}
	rewrite(t, r, c.ID, func(rec *record) { rec.Ended = time.Unix(1000, 0).UTC() })
	if err := r.Retire(t.Context(), c.ID, Owner); err != nil {
		t.Fatal(err)
	}
	if st, _ = r.Station(c.ID); st.Ended.Unix() != 1000 {
		t.Errorf("retired again: ended %v, want the first time", st.Ended)
	}
}
