package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
)

// copyFile copies a file into a folder.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(filepath.Join(to, filepath.Base(from)), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheFileOfAnEarlierVersionIsTakenIn opens a data folder with registry.db as the last version with SQLite wrote it.
func TestTheFileOfAnEarlierVersionIsTakenIn(t *testing.T) {
	folder := t.TempDir()
	copyFile(t, "testdata/registry.db", folder)
	nats := startNATSIn(t, filepath.Join(folder, "nats"))
	r := openIn(t, nats, folder, PolicyOpen)
	for range 2 {
		const anna, ben, carl = "M85QQ92", "YVSVQ1G", "8S0C4G5"
		st, ok := r.Station(anna)
		if !ok || !r.Authenticate(anna, "wmh2cwqzkmjwt9f9759n20abcf") || !r.Manages(anna, "4v31j4xffp5yyr4b96je8119py") || !r.Admin("an administrator's token") {
			t.Fatalf("tokens do not count: %+v", st)
		}
		if st.Name != "Balkon Nord" || st.Email != "anna@example.org" || st.Height == nil || *st.Height != 3 || st.Side != "sw" || len(st.Places) != 2 || st.Places[1].Exact != (orb.Point{6.98, 50.945}) ||
			len(st.Installations) != 2 || fmt.Sprint(st.Sensors) != "[sps30 bme280]" || len(st.Calibrations) != 1 || st.Calibrations[0].Quantity != quantity.PM2_5 || st.Zone != "Europe/Berlin" {
			t.Errorf("station = %+v", st)
		}
		if own, _ := r.Device(ingest.Device{Family: "airgradient", Key: "ecda3b1eAAAF"}); own == nil || own.ID != anna {
			t.Errorf("its device is %v's", own)
		}
		if err := r.AddDevice(t.Context(), ben, Shell, ingest.Device{Family: "airgradient", Key: "ecda3b1eaaaf"}); err == nil {
			t.Error("its device can be another's")
		}
		if all := r.Stations(); len(all) != 4 {
			t.Errorf("%d stations, want 4", len(all))
		}
		if erased, _ := r.Station(carl); erased.Status != ingest.Erased || erased.Name != "" || erased.Email != "" {
			t.Errorf("the erased one is %+v", erased)
		}
		if waiting := r.Recomputations(); len(waiting) != 2 || waiting[0].Station.ID != carl || waiting[0].From.Unix() != 0 || waiting[1].Station.ID != anna {
			t.Errorf("recomputations %+v", waiting)
		}
		if refusals, err := r.Refusals(t.Context(), anna); err != nil || len(refusals) != KeptRefusals || refusals[0].Detail != "24" || refusals[0].Received.UnixMilli()%1000 != 123 {
			t.Errorf("refusals %+v, %v", refusals, err)
		}
		if unknown, err := r.Refusals(t.Context(), ""); err != nil || len(unknown) != 1 || unknown[0].Station != "NOBODY" {
			t.Errorf("refusals of nobody %+v, %v", unknown, err)
		}
		if changes, err := r.Changes(t.Context(), "", 100); err != nil || len(changes) != 9 || changes[0].Station != carl || changes[0].After != "erased" {
			t.Errorf("%d changes %+v, %v", len(changes), changes, err)
		}
		r = openIn(t, nats, folder, PolicyOpen) // and after a restart
	}
	if err := r.Edit(t.Context(), "YVSVQ1G", Admin, Edit{Status: new(ingest.Active)}); err != nil {
		t.Fatal(err)
	}
	if st, _ := r.Station("YVSVQ1G"); st.Status != ingest.Pending {
		t.Errorf("what waited when it was suspended is %s", st.Status)
	}
	if st, err := r.Adopt(t.Context(), neighbour); err != nil || st.ID != "EXT0PRJQ6T5" {
		t.Errorf("the neighbour is %v, %v", st, err)
	}
	for _, name := range []string{"registry.db", "registry.db-wal"} {
		if _, err := os.Stat(filepath.Join(folder, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	if where := found(t, folder, "carl@example.org", "Garten"); where != "" {
		t.Errorf("of the erased station is still there: %s", where)
	}
}

// TestALostBucketIsMadeFromTheSnapshot deletes NATS's folder.
func TestALostBucketIsMadeFromTheSnapshot(t *testing.T) {
	folder := t.TempDir()
	r := openIn(t, startNATS(t), folder, PolicyOpen)
	if _, err := r.EnsureAdmin(t.Context(), "the administrator's token"); err != nil {
		t.Fatal(err)
	}
	n := balcony()
	n.Devices = []ingest.Device{{Family: "ttn", Key: "eui-1"}}
	c, before, err := r.Add(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, SnapshotFile)
	until(t, "the snapshot has the station", func() bool {
		data, _ := os.ReadFile(path)
		return strings.Contains(string(data), c.ID)
	})
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the snapshot's mode is %v, %v", info.Mode(), err)
	}
	again := openIn(t, startNATS(t), folder, PolicyOpen)
	after, ok := again.Station(c.ID)
	if !ok || *after.Height != *before.Height {
		t.Fatalf("after: %+v", after)
	}
	same := *after
	same.Height = before.Height // the pointer
	if fmt.Sprintf("%+v", &same) != fmt.Sprintf("%+v", before) || !again.Authenticate(c.ID, c.Token) || !again.Admin("the administrator's token") {
		t.Errorf("after: %+v\nbefore: %+v", after, before)
	}
	if again.Deployment() != r.Deployment() {
		t.Errorf("deployment %s, want %s", again.Deployment(), r.Deployment())
	}
	other := station(t, again)
	if err := again.AddDevice(t.Context(), other.ID, Shell, n.Devices[0]); err == nil {
		t.Error("a device can be two stations'")
	}
}

// TestABucketThatLostItsTailCatchesUp puts back NATS's folder of an earlier time beside the snapshot of now.
func TestABucketThatLostItsTailCatchesUp(t *testing.T) {
	folder, earlier := t.TempDir(), t.TempDir()
	nats := startNATSIn(t, filepath.Join(folder, "nats"))
	r := openIn(t, nats, folder, PolicyOpen)
	stays, ends := station(t, r), station(t, r)
	stop := func() {
		t.Helper()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		nats.Shutdown()
		nats.WaitForShutdown()
	}
	stop()
	if err := os.CopyFS(filepath.Join(earlier, "nats"), os.DirFS(filepath.Join(folder, "nats"))); err != nil {
		t.Fatal(err)
	}
	nats = startNATSIn(t, filepath.Join(folder, "nats"))
	r = openIn(t, nats, folder, PolicyOpen)
	for _, err := range []error{
		r.Edit(t.Context(), stays.ID, Owner, Edit{Name: new("Hof")}), r.Erase(t.Context(), ends.ID, Owner), r.Recomputed(t.Context(), r.Recomputations()[0]),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	added := station(t, r)
	stop()
	copyFile(t, filepath.Join(folder, SnapshotFile), earlier)
	r = openIn(t, startNATSIn(t, filepath.Join(earlier, "nats")), earlier, PolicyOpen)
	if st, ok := r.Station(stays.ID); !ok || st.Name != "Hof" {
		t.Errorf("the renamed one is %+v", st)
	}
	if st, ok := r.Station(ends.ID); ok {
		t.Errorf("the erased one is %+v", st)
	}
	if !r.Authenticate(added.ID, added.Token) {
		t.Error("the added one is missing")
	}
	if where := found(t, earlier, "me@example.org"); strings.Count(where, "\n") > 2 { // one file of NATS and the snapshot, of those that are there
		t.Errorf("the erased one's address is left: %s", where)
	}
}

// TestAMissingRegistryIsNoFreshStart opens an empty bucket beside readings.
func TestAMissingRegistryIsNoFreshStart(t *testing.T) {
	nats := startNATS(t)
	o := Options{InProcess: nats, Folder: t.TempDir(), Readings: func(context.Context) (bool, error) { return true, nil }}
	missing := func(found string) {
		t.Helper()
		for range 2 { // trying makes it no better
			_, err := Open(t.Context(), o)
			if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), found) || !strings.Contains(err.Error(), SnapshotFile) {
				t.Errorf("%v, want %v with %q", err, ErrMissing, found)
			}
		}
	}
	missing("the store is there")
	o.Readings = nil
	b, err := connect(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	if _, err := b.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "STADTLUFT_JOURNAL", Subjects: []string{"STADTLUFT_JOURNAL.entry"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.js.Publish(t.Context(), "STADTLUFT_JOURNAL.entry", nil); err != nil {
		t.Fatal(err)
	}
	missing("STADTLUFT_JOURNAL is there")
	o.Readings = func(context.Context) (bool, error) { return false, errors.New("the store is away") }
	o.Prefix = "OTHER"
	if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "the store is away") {
		t.Errorf("a store that does not tell: %v", err)
	}
}

// TestOtherInstallationsAreRefused opens another deployment's bucket, streams and snapshot.
func TestOtherInstallationsAreRefused(t *testing.T) {
	nats, ours, theirs := startNATS(t), t.TempDir(), t.TempDir()
	own, other := openIn(t, nats, ours, PolicyOpen), openIn(t, startNATS(t), theirs, PolicyOpen)
	refused := func(o Options, words ...string) {
		t.Helper()
		_, err := Open(t.Context(), o)
		for _, word := range append(words, "nats.prefix") {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%v, want %q in it", err, word)
			}
		}
	}
	refused(Options{InProcess: nats, Folder: theirs}, own.Deployment(), other.Deployment(), "STADTLUFT_REGISTRY", theirs)
	if err := own.bucket.js.DeleteStream(t.Context(), "KV_STADTLUFT_REGISTRY"); err != nil {
		t.Fatal(err)
	}
	refused(Options{InProcess: nats, Folder: theirs}, own.Deployment(), other.Deployment(), "STADTLUFT_CHANGES")
	third := t.TempDir()
	r := openPrefixed(t, nats, third, "THIRD")
	c := station(t, r)
	if again := openPrefixed(t, nats, third, "THIRD"); !again.Authenticate(c.ID, c.Token) {
		t.Error("with a prefix of its own it is not the same again")
	}
}

func openPrefixed(t *testing.T, nats InProcess, folder, prefix string) *Registry {
	t.Helper()
	r, err := Open(t.Context(), Options{InProcess: nats, Folder: folder, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// TestOtherMachinesJoin opens the registry from an empty data folder and from none.
func TestOtherMachinesJoin(t *testing.T) {
	nats := startNATS(t)
	first := openIn(t, nats, t.TempDir(), PolicyOpen)
	c := station(t, first)
	second := openIn(t, nats, t.TempDir(), PolicyOpen)
	if second.Deployment() != first.Deployment() || !second.Authenticate(c.ID, c.Token) || !open(t, nats, PolicyOpen).Authenticate(c.ID, c.Token) {
		t.Error("another machine has another registry")
	}
}

func TestOpenErrors(t *testing.T) {
	f := func(words string, name, content string) {
		t.Helper()
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), Options{InProcess: startNATS(t), Folder: folder}); err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %q", content, err, words)
		}
	}
	f("newer Stadtluft (schema 99", SnapshotFile, `{"deployment":{"id":"A","schema":99}}`)
	f("names no deployment", SnapshotFile, `{"id":"ABCDEFG"}`)
	f("set nats.url", SnapshotFile, `{"deployment":{"id":"A","schema":1},"cluster":true}`)
	f("invalid character", SnapshotFile, "no JSON")
	f("is not complete, it should have 2 stations", SnapshotFile, `{"deployment":{"id":"A","schema":1},"stations":2}`)
	f("unexpected EOF", SnapshotFile, `{"deployment":{"id":"A","schema":1},"stations":2}`+"\n"+`{"id":"ABC`)
	f("file is not a database", "registry.db", strings.Repeat("no database ", 100))
	f("schema 0 is not 5", "registry.db", "")
	_, err := Open(t.Context(), Options{URL: "nats://city:password@127.0.0.1:1, nats://token@127.0.0.1:2"})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || strings.Contains(err.Error(), "password") || strings.Contains(err.Error(), "token") {
		t.Errorf("no NATS: %v", err)
	}
}

func TestBackup(t *testing.T) {
	folder := t.TempDir()
	r := open(t, startNATS(t), PolicyOpen)
	c := station(t, r)
	path := filepath.Join(folder, SnapshotFile)
	if err := r.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	want, err := r.Changes(t.Context(), "", 10)
	if err != nil || len(want) != 1 {
		t.Fatalf("changes %+v, %v", want, err)
	}
	again := openIn(t, startNATS(t), folder, PolicyOpen)
	if !again.Authenticate(c.ID, c.Token) {
		t.Error("the copy does not know the station")
	}
	if got, err := again.Changes(t.Context(), "", 10); err != nil || !slices.Equal(got, want) {
		t.Errorf("changes %+v, %v, want %+v", got, err, want)
	}
	if err := r.Backup(t.Context(), path); err == nil {
		t.Error("a backup went over another file")
	}
}

// TestALongHistoryIsRefused gives a station more than an entry can hold.
func TestALongHistoryIsRefused(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	c := station(t, r)
	var field *FieldError
	err := r.change(t.Context(), c.ID, Shell, func(e *edit) { e.record.Name = strings.Repeat("x", maxRecord) })
	if !errors.As(err, &field) {
		t.Errorf("%v, want a FieldError", err)
	}
	if st, _ := r.Station(c.ID); st.Name != "Balkon Süd" {
		t.Errorf("it is called %.20s", st.Name)
	}
}

// TestAnUnreadableEntryChangesNothing writes nonsense into the bucket.
func TestAnUnreadableEntryChangesNothing(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	c := station(t, r)
	for _, nonsense := range []string{"no JSON", "{}", `{"id":"ABCDEFG","places":[{"lon":200,"lat":0}]}`} {
		if _, err := r.bucket.stations.Put(t.Context(), stationKey+c.ID, []byte(nonsense)); err != nil {
			t.Fatal(err)
		}
	}
	other := station(t, r)
	until(t, "the change after it", func() bool { _, ok := r.Station(other.ID); return ok })
	if !r.Authenticate(c.ID, c.Token) {
		t.Error("the station is gone")
	}
}

// TestABucketMadeAgain deletes the bucket under a running process, and lets another make it again.
func TestABucketMadeAgain(t *testing.T) {
	nats, folder := startNATS(t), t.TempDir()
	r := openIn(t, nats, folder, PolicyOpen)
	c := station(t, r)
	if err := r.saveSnapshot(); err != nil {
		t.Fatal(err)
	}
	if err := r.bucket.js.DeleteStream(t.Context(), "KV_"+r.bucket.name()); err != nil {
		t.Fatal(err)
	}
	until(t, "the problem is told", func() bool { return r.Problem() != nil })
	if !r.Authenticate(c.ID, c.Token) {
		t.Error("a station cannot log in while the bucket is away")
	}
	again := openIn(t, nats, folder, PolicyOpen)
	until(t, "the problem goes", func() bool { return r.Problem() == nil })
	if err := again.Edit(t.Context(), c.ID, Shell, Edit{Name: new("Hof")}); err != nil {
		t.Fatal(err)
	}
	until(t, "the change of the new bucket", func() bool { st, _ := r.Station(c.ID); return st.Name == "Hof" })
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(folder, SnapshotFile))
	if err != nil || !strings.Contains(string(data), `"Hof"`) {
		t.Errorf("the snapshot is of the old bucket: %s, %v", data, err)
	}
}

// TestTheEntryIsReadable holds a station's entry against its form, which other programs and later versions read.
func TestTheEntryIsReadable(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	c := station(t, r)
	got, err := r.bucket.stations.Get(t.Context(), stationKey+c.ID)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(got.Value(), &members); err != nil {
		t.Fatal(err)
	}
	created, _ := members["created"].(string)
	if at, err := time.Parse(time.RFC3339, created); err != nil || time.Since(at) > time.Minute {
		t.Errorf("created %q", created)
	}
	delete(members, "created")
	want := `{"email":"me@example.org","exposure":"outdoor","height":3,"id":"` + c.ID + `","installations":[{"from":"` + created + `","kit":"SDS011-BME280","sensors":["sds011","bme280"]}],` +
		`"licence":"dl-zero-de/2.0","manage":"` + hashed(c.ManageToken) + `","name":"Balkon Süd","places":[{"from":"` + created + `","lat":50.9413,"lon":6.9583}],"status":"active","token":"` +
		hashed(c.Token) + `","zone":"Europe/Berlin"}`
	if line, _ := json.Marshal(members); string(line) != want {
		t.Errorf("entry\n%s\nwant\n%s", line, want)
	}
	if !slices.IsSortedFunc(r.Stations(), func(a, b *ingest.Station) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("stations are not sorted")
	}
}
