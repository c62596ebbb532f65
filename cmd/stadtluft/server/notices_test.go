package server

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export/live"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/registry/registrytest"
)

// TestWhatNoticesAreMadeOf stores a week of a station beside another's, and compares its summary and its state.
func TestWhatNoticesAreMadeOf(t *testing.T) {
	c := defaults()
	c.Data = t.TempDir()
	r := registrytest.Open(t, registry.Options{Zone: "Europe/Berlin", Licence: "dl-zero-de/2.0"})
	station := func() string {
		made, _, err := r.Add(t.Context(), registry.Registration{Name: "Hof", Point: orb.Point{6.9583, 50.9413}, Kit: "sds011-bme280", LicenceConsent: true})
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	id, other := station(), station()
	storage, err := openStorage(t.Context(), c, r, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer storage.Close()
	source := noticesSource{&memory{registry: r, live: live.NewState()}, storage}
	to := time.Now().UTC().Truncate(time.Hour)
	from := to.AddDate(0, 0, -7)
	reading := func(of string, at time.Time, values ...ingest.Value) ingest.Reading {
		return ingest.Reading{Station: of, Time: at, Received: at, Values: values}
	}
	list := []ingest.Reading{
		reading(id, from.Add(-time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 999}), // before it
		reading(id, from, ingest.Value{Quantity: quantity.PM10, Value: 10}, ingest.Value{Quantity: quantity.NO2, Value: 5}, ingest.Value{Quantity: quantity.Battery, Value: 4}),
		reading(id, from.Add(time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 900, Flags: ingest.Range}),
		reading(id, from.Add(5*time.Hour), ingest.Value{Quantity: quantity.PM10, Value: 40}),
		reading(other, from.Add(6*time.Hour), ingest.Value{Quantity: quantity.PM10, Value: 500}),
		reading(id, to.Add(-time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 20, Flags: ingest.Humid}),
		reading(id, to, ingest.Value{Quantity: quantity.PM10, Value: 999}), // after it
	}
	if _, err := storage.Store.Store.WriteReadings(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	week, err := source.Week(t.Context(), id, from, to)
	if err != nil {
		t.Fatal(err)
	}
	// The mean of 10, 40 and 20 is 70/3; an uncalibrated gas and the battery are not told.
	got := fmt.Sprintf("%d hours, %d values, %d good", week.Hours, week.Values, week.Good)
	for _, q := range week.Quantities {
		got += fmt.Sprintf(", %s %.3f from %.1f to %.1f", q.Quantity, q.Mean, q.Min, q.Max)
	}
	if want := "3 hours, 6 values, 5 good, pm10 23.333 from 10.0 to 40.0"; got != want {
		t.Errorf("the week is %s, want %s", got, want)
	}
	if seen := source.Seen(id, to); !seen.Last.IsZero() || seen.Doubted {
		t.Errorf("before its first reading: %+v", seen)
	}
	for i := range 3 {
		source.memory.live.Observe(reading(id, to.Add(time.Duration(i)*time.Minute), ingest.Value{Quantity: quantity.PM10, Value: 999.9, Flags: ingest.Sentinel}))
	}
	if seen := source.Seen(id, to.Add(time.Hour)); !seen.Last.Equal(to.Add(2*time.Minute)) || !seen.Doubted || source.Flags(id, to.Add(time.Hour))[ingest.Sentinel] != 3 {
		t.Errorf("with values that do not count: %+v", seen)
	}
}

// TestOfferedNotices offers what is configured, and tells the SMTP server a name.
func TestOfferedNotices(t *testing.T) {
	c := defaults()
	if o := c.offeredNotices(); o.Mail || o.Hook == nil || o.Hook("https://127.0.0.1/") == nil {
		t.Errorf("by default: %+v", o)
	}
	c.SMTPHost, c.HTTPPublicURL, c.NoticesWebhooks = "mail.example.org", "https://luft.example.org", "off"
	if o := c.offeredNotices(); !o.Mail || o.Hook != nil || c.smtp().Name != "luft.example.org" {
		t.Errorf("with mails alone: %+v, %q", o, c.smtp().Name)
	}
	c.HTTPPublicURL = "http://127.0.0.1:8080"
	if name := c.smtp().Name; name != "" {
		t.Errorf("an address as a name: %q", name)
	}
}
