package registry

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"stadtluft/ingest"
)

// found returns the first file below a folder that holds one of the texts; empty when none does.
func found(t *testing.T, folder string, texts ...string) (where string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files++
		for _, text := range texts {
			if bytes.Contains(data, []byte(text)) {
				where += path + ": " + text + "\n"
			}
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files, %v", files, err)
	}
	return where
}

// TestWhatAnInterruptionLeftIsOverwritten has a process end between a change and the overwriting of the former entry, and in
// the middle of a snapshot.
func TestWhatAnInterruptionLeftIsOverwritten(t *testing.T) {
	folder := t.TempDir()
	nats := startNATSIn(t, filepath.Join(folder, "nats"))
	r := openIn(t, nats, folder, PolicyOpen)
	c := station(t, r)
	now, err := r.fetch(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	next, _, err := r.decode(now.data)
	if err != nil {
		t.Fatal(err)
	}
	next.Email = ""
	data, err := next.encode()
	if err == nil {
		_, err = r.bucket.stations.Update(t.Context(), stationKey+c.ID, data, now.revision)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, SnapshotFile+".123.part"), now.data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if where := found(t, folder, "me@example.org"); strings.Count(where, "\n") < 2 {
		t.Fatalf("the address is in %q", where)
	}
	again := openIn(t, nats, folder, PolicyOpen)
	if err := again.saveSnapshot(); err != nil {
		t.Fatal(err)
	}
	if where := found(t, folder, "me@example.org"); where != "" {
		t.Errorf("after a start the address is in %s", where)
	}
}

// TestNothingOfAnOwnerStaysOnDisk changes a station many times, then ends it, and looks for what was told of its owner
// in every byte of the data folder: while the server runs and after it.
func TestNothingOfAnOwnerStaysOnDisk(t *testing.T) {
	personal := []string{"Anna Schmitz", "Annas Hof", "anna@example.org", "6.95111", "50.94111", "6.98123", "50.94567", "deadbeef42", "Annas Balkon"}
	stays := map[ingest.Status]string{ingest.Retired: "Annas Hof", ingest.Erased: ""}
	f := func(status ingest.Status) {
		t.Helper()
		folder := t.TempDir()
		nats := startNATSIn(t, filepath.Join(folder, "nats"))
		r := openIn(t, nats, folder, PolicyOpen)
		other := station(t, r) // whose messages lie beside
		n := balcony()
		n.Point, n.Name, n.Email, n.Devices = orb.Point{6.95111, 50.94111}, "Anna Schmitz", "anna@example.org", []ingest.Device{{Family: "ttn", Key: "deadbeef42"}}
		c, _, err := r.Add(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		refusal := ingest.Refusal{Station: c.ID, Reason: "malformed", Detail: "no JSON: Annas Balkon"}
		for _, change := range []func() error{
			func() error { return r.KeepRefusals(t.Context(), []ingest.Refusal{refusal}) },
			func() error { return r.Edit(t.Context(), c.ID, Owner, Edit{Name: new("Annas Hof")}) },
			func() error {
				return r.Edit(t.Context(), c.ID, Owner, Edit{Place: &ingest.Place{Exact: orb.Point{6.98123, 50.94567}}})
			},
			func() error { _, err := r.Rotate(t.Context(), c.ID, Owner); return err },
			func() error { return r.Edit(t.Context(), other.ID, Owner, Edit{Name: new("daneben")}) },
			r.saveSnapshot,
		} {
			if err := change(); err != nil {
				t.Fatal(err)
			}
		}
		if where := found(t, folder, "anna@example.org"); !strings.Contains(where, SnapshotFile) || !strings.Contains(where, ".blk") {
			t.Fatalf("before it ends it is in %q, want the snapshot and NATS", where)
		}
		if err := r.end(t.Context(), c.ID, Owner, status); err != nil {
			t.Fatal(err)
		}
		gone := personal
		if name := stays[status]; name != "" {
			gone = personal[2:7] // a retired station keeps its name
		}
		if where := found(t, folder, gone...); where != "" {
			t.Errorf("%s, and still there:\n%s", status, where)
		}
		r.Close()
		nats.Shutdown()
		nats.WaitForShutdown()
		if where := found(t, folder, gone...); where != "" {
			t.Errorf("%s, and after the end still there:\n%s", status, where)
		}
		if where := found(t, folder, "daneben"); where == "" {
			t.Error("the other station is gone too")
		}
	}
	f(ingest.Retired)
	f(ingest.Erased)
}
