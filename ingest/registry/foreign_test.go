package registry

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/ingest"
)

var neighbour = Foreign{
	Source: SensorCommunity, Key: "1071", Name: "Sensor.Community 1071", Point: orb.Point{6.958, 50.941},
	Since: time.Date(2019, 4, 20, 0, 0, 1, 0, time.UTC), Kit: "sds011", Sensors: []string{"sds011"}, Exposure: ingest.Outdoor,
	Licence: "ODbL-1.0",
}

func TestAdopt(t *testing.T) {
	r := open(t, startNATS(t), PolicyClosed)
	first, err := r.Adopt(t.Context(), neighbour)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseID(strings.ToLower(first.ID)); err != nil || got != first.ID || !strings.HasPrefix(got, "EXT0") {
		t.Errorf("id %q: %q, %v", first.ID, got, err)
	}
	if first.Source != SensorCommunity || first.Licence != "ODbL-1.0" || first.Status != ingest.Active || !first.Places[0].From.Equal(neighbour.Since) {
		t.Errorf("station = %+v", first)
	}

	same := neighbour
	same.Point = orb.Point{6.959, 50.941} // 70 m: coordinates are rounded to 0.001°
	same.Since = neighbour.Since.Add(time.Hour)
	if again, err := r.Adopt(t.Context(), same); err != nil || again != first {
		t.Errorf("adopted again: %+v, %v, want the same snapshot", again, err)
	}

	moved := neighbour
	moved.Point, moved.Since, moved.Sensors = orb.Point{6.998, 50.941}, neighbour.Since.Add(12*time.Hour), []string{"BME280"}
	for range 2 {
		st, err := r.Adopt(t.Context(), moved)
		if err != nil {
			t.Fatal(err)
		}
		if len(st.Places) != 2 || st.Places[1].Exact != moved.Point || strings.Join(st.Sensors, ",") != "sds011,bme280" || st.ID != first.ID {
			t.Errorf("moved: %+v", st)
		}
		if at := st.PlaceAt(neighbour.Since.Add(time.Hour)).Exact; at != neighbour.Point {
			t.Errorf("in the morning it stood at %v, want %v", at, neighbour.Point)
		}
	}
	other := open(t, startNATS(t), PolicyOpen)
	if st, err := other.Adopt(t.Context(), neighbour); err != nil || st.ID != first.ID {
		t.Errorf("another registry gives it %v, %v, want %s", st, err, first.ID)
	}
}

func TestDevices(t *testing.T) {
	nats := startNATS(t)
	r := open(t, nats, PolicyOpen)
	n := balcony()
	n.Devices = []ingest.Device{{Family: "AirGradient", Key: " ECDA3B1EAAAF "}}
	c, _, err := r.Add(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	if st, ok := r.Device(ingest.Device{Family: "airgradient", Key: "ecda3b1eAAAF"}); !ok || st.ID != c.ID {
		t.Errorf("device is %v, %v, want %s", st, ok, c.ID)
	}
	if err := r.AddDevice(t.Context(), c.ID, Shell, ingest.Device{Family: "airgradient", Key: "ecda3b1eAAAF"}); err != nil {
		t.Fatal(err)
	}
	if st, _ := r.Station(c.ID); len(st.Devices) != 1 || st.Devices[0].Key != "ecda3b1eAAAF" {
		t.Errorf("spelled anew it has %v", st.Devices)
	}
	second, _, err := r.Add(t.Context(), balcony())
	if err != nil {
		t.Fatal(err)
	}
	var field *FieldError
	if err := r.AddDevice(t.Context(), second.ID, Shell, n.Devices[0]); !errors.As(err, &field) || field.Field != "device" {
		t.Errorf("a device of two stations: %v", err)
	}
	if err := r.RemoveDevice(t.Context(), c.ID, Shell, n.Devices[0]); err != nil {
		t.Fatal(err)
	}
	if err := r.AddDevice(t.Context(), second.ID, Shell, n.Devices[0]); err != nil {
		t.Fatal(err)
	}
	later := open(t, nats, PolicyOpen)
	if st, ok := later.Device(ingest.Device{Family: "airgradient", Key: "ecda3b1eaaaf"}); !ok || st.ID != second.ID {
		t.Errorf("after opening again the device is %v, %v, want %s", st, ok, second.ID)
	}
	for _, bad := range []ingest.Device{{}, {Family: "ttn"}, {Key: "a"}, {Family: "ttn", Key: "a/b"}, {Family: "ttn", Key: "+"}, {Family: SensorCommunity, Key: "1"}} {
		if err := r.AddDevice(t.Context(), c.ID, Shell, bad); !errors.As(err, &field) {
			t.Errorf("AddDevice(%q) = %v, want a FieldError", bad, err)
		}
	}
}
