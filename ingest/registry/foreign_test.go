package registry

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/ingest"
)

var neighbour = Foreign{
	Source: SensorCommunity, Key: "1071", Name: "Sensor.Community 1071", Point: orb.Point{6.958, 50.941},
	Since: time.Date(2019, 4, 20, 0, 0, 1, 0, time.UTC), Kit: "Sensor.Community", Fitted: []Fitted{{"15092", "sds011", "particles", time.Date(2019, 4, 20, 0, 0, 1, 0, time.UTC), time.Date(2019, 4, 20, 23, 58, 0, 0, time.UTC)}}, Exposure: ingest.Outdoor,
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
	moved.Point, moved.Since = orb.Point{6.998, 50.941}, neighbour.Since.Add(12*time.Hour)
	moved.Fitted = []Fitted{{"15093", "bme280", "climate", moved.Since, moved.Since}}
	for range 2 {
		st, err := r.Adopt(t.Context(), moved)
		if err != nil {
			t.Fatal(err)
		}
		if len(st.Places) != 2 || st.Places[1].Exact != moved.Point || strings.Join(st.Sensors, ",") != "bme280,sds011" || strings.Join(st.Sources, " ") != "bme280:15093 sds011:15092" || len(st.Installations) != 1 || st.ID != first.ID {
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

// TestADeviceIsTakenByItsFirstMessage has someone register with another's device before its owner does. Both get the same answer, and neither gets
// what nobody has logged in for until the owner's station has; then it has it for good, also after the bucket was made again from the snapshot.
func TestADeviceIsTakenByItsFirstMessage(t *testing.T) {
	folder := t.TempDir()
	r := openIn(t, startNATS(t), folder, PolicyOpen)
	d := ingest.Device{Family: "airgradient", Key: "ecda3b1eaaaf"}
	registered := func(address string) string {
		n := balcony()
		n.Devices, n.Address = []ingest.Device{d}, address
		c, st, err := r.Add(t.Context(), n)
		if err != nil || len(st.Devices) != 1 {
			t.Fatalf("registration from %s: %v, %v", address, st, err)
		}
		return c.ID
	}
	belongs := func(r *Registry, want string) {
		t.Helper()
		var got string
		until(t, "the device to be of "+want, func() bool {
			st, contested := r.Device(d)
			if got = ""; st != nil {
				got = st.ID
			}
			for _, one := range contested {
				got += "?" + one.ID
			}
			return got == want
		})
	}
	stranger := registered("192.0.2.1")
	belongs(r, stranger) // nobody else says so
	owner := registered("192.0.2.2")
	belongs(r, "?"+min(stranger, owner)+"?"+max(stranger, owner))
	r.Use(owner, d, true)
	belongs(r, owner)
	r.Use(stranger, d, true)
	r.Use(stranger, d, false)
	third := registered("192.0.2.3")
	r.Use(third, d, true)
	until(t, "the snapshot to have all of them", func() bool {
		data, _ := os.ReadFile(filepath.Join(folder, SnapshotFile))
		return strings.Contains(string(data), third)
	})
	again := openIn(t, startNATS(t), folder, PolicyOpen)
	belongs(again, owner)
	if err := again.AddDevice(t.Context(), third, Shell, d); err == nil {
		t.Error("the operator gave a device to a second station")
	}
	if err := again.Retire(t.Context(), owner, Owner); err != nil {
		t.Fatal(err)
	}
	belongs(again, "?"+min(stranger, third)+"?"+max(stranger, third))
	if err := again.AddDevice(t.Context(), third, Shell, d); err != nil {
		t.Fatal(err)
	}
	belongs(again, third)
}

// TestADeviceHeardWithoutALogIn has its first messages go to the only station that names it. Who names it later changes nothing; who logs in later has it.
func TestADeviceHeardWithoutALogIn(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	d := ingest.Device{Family: "airgradient", Key: "ecda3b1eaaaf"}
	var ids []string
	for i := range 2 {
		n := balcony()
		n.Devices, n.Address = []ingest.Device{d}, fmt.Sprint("192.0.2.", i)
		c, _, err := r.Add(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.ID)
		r.Use(c.ID, d, false)
		until(t, "the first to have it", func() bool { e, _ := r.memory.entry(ids[0]); return e.record.state(d) == deviceHeard })
		if st, _ := r.Device(d); st == nil || st.ID != ids[0] {
			t.Errorf("the device is of %v, want %s", st, ids[0])
		}
	}
	r.Use(ids[1], d, true)
	until(t, "the second to have it", func() bool { st, _ := r.Device(d); return st != nil && st.ID == ids[1] })
	until(t, "the first to have it no more", func() bool { e, _ := r.memory.entry(ids[0]); return e.record.state(d) == deviceNamed })
}

// TestAnotherSensorIsAnotherInstallation has a particle sensor replaced by another of its type, then by another type, two of
// them at once for a while, and a thermometer all the time, and expects the same installations in every order of import.
func TestAnotherSensorIsAnotherInstallation(t *testing.T) {
	day := func(n, hour int) time.Time { return time.Date(2019, 4, n, hour, 0, 0, 0, time.UTC) }
	var parts [][]Fitted // as files of a day or so tell them
	for n := 1; n <= 20; n++ {
		parts = append(parts, []Fitted{{"50", "dht22", "climate", day(n, 0), day(n, 23)}})
		switch {
		case n < 6:
			parts = append(parts, []Fitted{{"1", "sds011", "particles", day(n, 0), day(n, 23)}})
		case n == 6: // swapped at noon
			parts = append(parts, []Fitted{{"1", "sds011", "particles", day(n, 0), day(n, 11)}, {"2", "sds011", "particles", day(n, 12), day(n, 23)}})
		case n < 12:
			parts = append(parts, []Fitted{{"2", "sds011", "particles", day(n, 0), day(n, 23)}})
		case n < 15: // nothing
		default:
			parts = append(parts, []Fitted{{"3", "pms7003", "particles", day(n, 0), day(n, 23)}})
		}
		if n > 16 {
			parts = append(parts, []Fitted{{"4", "sds011", "particles", day(n, 1), day(n, 22)}}) // beside it
		}
	}
	want := []ingest.Installation{
		{From: day(1, 0), Kit: "K", Sensors: []string{"dht22", "sds011"}, Sources: []string{"dht22:50", "sds011:1"}},
		{From: day(6, 12), Kit: "K", Sensors: []string{"dht22", "sds011"}, Sources: []string{"dht22:50", "sds011:2"}},
		{From: day(15, 0), Kit: "K", Sensors: []string{"dht22", "pms7003", "sds011"}, Sources: []string{"dht22:50", "pms7003:3", "sds011:4"}},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rec := &record{}
		for range 2 {
			for _, i := range rng.Perm(len(parts)) {
				if rec.fit(parts[i]) {
					rec.installFitted("K")
				}
			}
		}
		var got []ingest.Installation
		for _, f := range rec.Installations {
			got = append(got, ingest.Installation(f))
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("installations\n%v, want\n%v", got, want)
		}
		if rec.fit(parts[3]) || rec.fit([]Fitted{{"3", "pms7003", "particles", day(20, 23), day(20, 23).Add(time.Minute)}}) {
			t.Fatal("what is known, or the same day, is written again")
		}
	}
}

// TestHeightOfNeighbours: 0 was written where it is not known.
func TestHeightOfNeighbours(t *testing.T) {
	for source, want := range map[string]bool{"": true, SensorCommunity: false} {
		rec := &record{ID: "A", Source: source, Height: new(0.0)}
		rec.place(time.Time{}, neighbour.Point)
		st, err := rec.station(&memory{})
		if err != nil || (st.Height != nil) != want {
			t.Errorf("source %q: height %v, %v, want one: %v", source, st.Height, err, want)
		}
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
	if st, _ := r.Device(ingest.Device{Family: "airgradient", Key: "ecda3b1eAAAF"}); st == nil || st.ID != c.ID {
		t.Errorf("device is %v, want %s", st, c.ID)
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
	if st, _ := later.Device(ingest.Device{Family: "airgradient", Key: "ecda3b1eaaaf"}); st == nil || st.ID != second.ID {
		t.Errorf("after opening again the device is %v, want %s", st, second.ID)
	}
	for _, bad := range []ingest.Device{{}, {Family: "ttn"}, {Key: "a"}, {Family: "ttn", Key: "a/b"}, {Family: "ttn", Key: "+"}, {Family: SensorCommunity, Key: "1"}, {Family: "airgradiant", Key: "ecda3b1eaaaf"}} {
		if err := r.AddDevice(t.Context(), c.ID, Shell, bad); !errors.As(err, &field) {
			t.Errorf("AddDevice(%q) = %v, want a FieldError", bad, err)
		}
	}
}
