package deadletter

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func rejected(station string, second int, values ...ingest.Value) store.Rejected {
	at := noon.Add(time.Duration(second) * time.Second)
	return store.Rejected{Reading: ingest.Reading{Station: station, Time: at, Received: at.Add(time.Minute), TimeSource: 1, Values: values}, Detail: "field type conflict"}
}

var (
	pm10  = ingest.Value{Quantity: quantity.PM10, Value: 20.5, Flags: ingest.Stuck}
	humid = ingest.Value{Quantity: quantity.Humidity, Value: 61}
)

func letters(t *testing.T, f File) (list []string, err error) {
	t.Helper()
	err = f.List(func(l Letter) error {
		list = append(list, l.Station+" "+l.Quantity+" "+l.Time.Format(time.TimeOnly))
		return nil
	})
	return list, err
}

// recordingStore is a store that records what it does not reject.
type recordingStore struct {
	rejects func(ingest.Reading) bool
	err     error
	taken   []ingest.Reading
}

func (s *recordingStore) write(_ context.Context, readings []ingest.Reading) (rejected []store.Rejected, err error) {
	for _, r := range readings {
		if s.rejects != nil && s.rejects(r) {
			rejected = append(rejected, store.Rejected{Reading: r, Detail: "still"})
		} else {
			s.taken = append(s.taken, r)
		}
	}
	return rejected, s.err
}

func TestAddListRetry(t *testing.T) {
	f := File{filepath.Join(t.TempDir(), "dead-letters.jsonl")}
	if list, err := letters(t, f); err != nil || len(list) > 0 {
		t.Fatalf("no file: %v, %v", list, err)
	}
	if err := errors.Join(f.Add([]store.Rejected{rejected("A", 0, pm10, humid)}), f.Add([]store.Rejected{rejected("B", 1, pm10)})); err != nil {
		t.Fatal(err)
	}
	want := []string{"A pm10 12:00:00", "A humidity 12:00:00", "B pm10 12:00:01"}
	if got, err := letters(t, f); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("List = %v, %v, want %v", got, err, want)
	}
	away := &recordingStore{err: errors.New("away")}
	if _, _, err := f.Retry(t.Context(), away.write); !errors.Is(err, away.err) {
		t.Errorf("Retry without a store: %v", err)
	}
	if got, _ := letters(t, f); !reflect.DeepEqual(got, want) {
		t.Errorf("after a failed retry: %v, want %v", got, want)
	}
	s := &recordingStore{rejects: func(r ingest.Reading) bool { return r.Station == "B" }}
	if taken, kept, err := f.Retry(t.Context(), s.write); taken != 2 || kept != 1 || err != nil {
		t.Errorf("Retry = %d, %d, %v, want 2, 1", taken, kept, err)
	}
	if got := s.taken[0]; !reflect.DeepEqual(got, rejected("A", 0, pm10).Reading) {
		t.Errorf("put back %+v, want what was rejected", got)
	}
	if got, err := letters(t, f); err != nil || !reflect.DeepEqual(got, want[2:]) {
		t.Errorf("after Retry: %v, %v, want %v", got, err, want[2:])
	}
	if info, err := os.Stat(f.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode: %v, %v", info, err)
	}
}

// TestTruncatedLine has a file as a crash leaves it: later lines are complete, and the cut line is reported and kept.
func TestTruncatedLine(t *testing.T) {
	f := File{filepath.Join(t.TempDir(), "dead-letters.jsonl")}
	if err := os.WriteFile(f.Path, []byte(`{"station":"A","qua`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Add([]store.Rejected{rejected("B", 0, pm10)}); err != nil {
		t.Fatal(err)
	}
	check := func(want ...string) {
		t.Helper()
		got, err := letters(t, f)
		if !reflect.DeepEqual(got, want) || err == nil || !strings.Contains(err.Error(), "dead-letters.jsonl:1:") {
			t.Errorf("List = %v, %v, want %v and an error that names line 1", got, err, want)
		}
	}
	check("B pm10 12:00:00")
	if taken, kept, err := f.Retry(t.Context(), new(recordingStore).write); taken != 1 || kept != 1 || err != nil {
		t.Errorf("Retry = %d, %d, %v, want 1 and 1", taken, kept, err)
	}
	check()
}

func TestDelete(t *testing.T) {
	f := File{filepath.Join(t.TempDir(), "dead-letters.jsonl")}
	if err := f.Delete("A"); err != nil {
		t.Errorf("without a file: %v", err)
	}
	if err := f.Add([]store.Rejected{rejected("A", 0, pm10), rejected("B", 0, pm10)}); err != nil {
		t.Fatal(err)
	}
	if err := f.Delete("A"); err != nil {
		t.Fatal(err)
	}
	if got, err := letters(t, f); err != nil || !reflect.DeepEqual(got, []string{"B pm10 12:00:00"}) {
		t.Errorf("after Delete: %v, %v", got, err)
	}
}

// TestAddWhileRetrying expects nothing to be lost that is added while the file is rewritten.
func TestAddWhileRetrying(t *testing.T) {
	f := File{filepath.Join(t.TempDir(), "dead-letters.jsonl")}
	const adds = 50
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range adds {
			if err := f.Add([]store.Rejected{rejected("A", i, pm10)}); err != nil {
				t.Error(err)
			}
		}
	})
	s, total := &recordingStore{}, 0
	for range 20 {
		taken, _, err := f.Retry(t.Context(), s.write)
		if err != nil {
			t.Fatal(err)
		}
		total += taken
	}
	wg.Wait()
	left, err := letters(t, f)
	if err != nil || total+len(left) != adds {
		t.Errorf("%d taken and %d left of %d, %v", total, len(left), adds, err)
	}
}
