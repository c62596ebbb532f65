package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

// TestCopy copies a file while its store writes: the copy has what was there before, is whole and can be opened.
func TestCopy(t *testing.T) {
	folder := t.TempDir()
	from, to := filepath.Join(folder, "readings.db"), filepath.Join(folder, "copy.db")
	s := open(t, from)
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	reading := func(station string) ingest.Reading {
		return ingest.Reading{Station: station, Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 20}}}
	}
	if _, err := s.WriteReadings(t.Context(), []ingest.Reading{reading("A")}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; ctx.Err() == nil; n++ {
			s.WriteReadings(ctx, []ingest.Reading{reading(fmt.Sprint("B", n))})
		}
	}()
	err := Copy(t.Context(), from, to)
	stop()
	<-ended
	if err != nil {
		t.Fatal(err)
	}
	if err := Copy(t.Context(), from, to); err == nil {
		t.Error("a copy went over another file")
	}
	if err := Copy(t.Context(), filepath.Join(folder, "none"), filepath.Join(folder, "other")); err == nil {
		t.Error("a file that is not there was copied")
	}
	if err := Check(t.Context(), to); err != nil {
		t.Error(err)
	}
	var got ingest.Reading
	err = open(t, to).Readings(t.Context(), store.ReadingQuery{From: at, To: at.Add(time.Second), Stations: []string{"A"}}, func(r ingest.Reading) error {
		got = r
		return nil
	})
	if err != nil || !reflect.DeepEqual(got, reading("A")) {
		t.Errorf("the copy holds %+v, %v, want %+v", got, err, reading("A"))
	}
}

// TestCheck damages a file of some pages in its middle, and has one of another program and one of a newer version.
func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readings.db")
	s := open(t, path)
	var readings []ingest.Reading
	for n := range 5000 {
		at := time.Unix(int64(n), 0).UTC()
		readings = append(readings, ingest.Reading{Station: "A", Time: at, Received: at, Values: []ingest.Value{{Quantity: quantity.PM10, Value: 20}}})
	}
	_, err := s.WriteReadings(t.Context(), readings)
	whole := filepath.Join(t.TempDir(), "copy.db")
	if err == nil {
		err = Copy(t.Context(), path, whole)
	}
	if err == nil {
		err = s.execute(t.Context(), "PRAGMA user_version = 99")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Check(t.Context(), path); err == nil || !strings.Contains(err.Error(), "newer Stadtluft (schema 99") {
		t.Errorf("a newer one: %v", err)
	}
	body, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4096 {
		body[len(body)/8192*4096+n] = 0xff
	}
	for name, content := range map[string][]byte{"damaged": body, "truncated": body[:len(body)/3], "foreign": []byte(strings.Repeat("no database", 100)), "empty": nil} {
		path := filepath.Join(t.TempDir(), "readings.db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Check(t.Context(), path); err == nil || !strings.HasPrefix(err.Error(), "store "+path+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
