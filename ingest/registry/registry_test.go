package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
)

var cathedral = orb.Point{6.9583, 50.9413}

// startNATS runs a NATS server until the test ends.
func startNATS(t *testing.T) InProcess {
	t.Helper()
	return startNATSIn(t, t.TempDir())
}

func startNATSIn(t *testing.T, folder string) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: folder})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS is not ready")
	}
	return s
}

func open(t *testing.T, nats InProcess, policy Policy) *Registry {
	t.Helper()
	return openIn(t, nats, "", policy)
}

// openIn opens a registry with a data folder.
func openIn(t *testing.T, nats InProcess, folder string, policy Policy) *Registry {
	t.Helper()
	r, err := Open(t.Context(), Options{
		Boundary: geo.CologneSketch(), Policy: policy, Zone: "Europe/Berlin", Licence: "dl-zero-de/2.0", InProcess: nats, Folder: folder,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(5 * time.Second)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("%s: not after 5 s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// rewrite changes a station's entry as if it were older.
func rewrite(t *testing.T, r *Registry, id string, f func(*record)) {
	t.Helper()
	if err := r.change(t.Context(), id, Shell, func(e *edit) { f(e.record) }); err != nil {
		t.Fatal(err)
	}
}

func balcony() Registration {
	return Registration{Name: "Balkon Süd", Point: cathedral, Kit: "SDS011-BME280", Height: new(3.0), LicenceConsent: true}
}

func TestAddStation(t *testing.T) {
	folder := t.TempDir()
	nats := startNATSIn(t, folder)
	r := open(t, nats, PolicyOpen)
	c, s, err := r.Add(t.Context(), balcony())
	if err != nil {
		t.Fatal(err)
	}
	if s.Status != ingest.Active || s.Exposure != ingest.Outdoor || fmt.Sprint(s.Sensors) != "[sds011 bme280]" || s.Zone != "Europe/Berlin" {
		t.Errorf("station = %+v", s)
	}
	if !wire.ValidStation(c.ID) {
		t.Errorf("id %q cannot be in a topic", c.ID)
	}
	public := s.Places[0].Public
	if d := geo.Distance(public, cathedral); d == 0 || d > 71 {
		t.Errorf("the public place is %v m from the exact one, want the centre of its 100 m cell", d)
	}
	if !r.Authenticate(c.ID, c.Token) || r.Authenticate(c.ID, c.ManageToken) || r.Authenticate(c.ID, "") || r.Authenticate("", "") {
		t.Error("Authenticate does not tell the token from others")
	}
	if !r.Manages(c.ID, c.ManageToken) || r.Manages(c.ID, c.Token) {
		t.Error("Manages does not tell the management token from others")
	}
	if where := found(t, folder, c.Token, c.ManageToken); where != "" {
		t.Errorf("%s holds a token in clear", where)
	}
	again := open(t, nats, PolicyOpen)
	if !again.Authenticate(c.ID, c.Token) {
		t.Error("the station is gone after opening the registry again")
	}
}

func TestRefusedRegistrations(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	f := func(change func(*Registration), field, problem, suggestion string) {
		t.Helper()
		n := balcony()
		change(&n)
		_, _, err := r.Add(t.Context(), n)
		var e *FieldError
		if !errors.As(err, &e) || e.Field != field || !strings.Contains(e.Problem, problem) || !strings.Contains(e.Error(), suggestion) || e.German == "" {
			t.Errorf("%+v: error %v, want field %s, %q and %q", n, err, field, problem, suggestion)
		}
	}
	const place = "lon, lat"
	f(func(n *Registration) { n.Point = orb.Point{0, 0} }, place, "Atlantic", "")
	f(func(n *Registration) { n.Point = orb.Point{50.9413, 6.9583} }, place, "20 km outside", "longitude 6.95830, latitude 50.94130?")
	f(func(n *Registration) { n.Point = orb.Point{69.583, 50.9413} }, place, "20 km outside", "longitude 6.95830")
	f(func(n *Registration) { n.Point = orb.Point{13.4, 52.5} }, place, "20 km outside", "")
	f(func(n *Registration) { n.Name = "  " }, "name", "empty", "")
	f(func(n *Registration) { n.Name = "a\x00b" }, "name", "printed", "")
	f(func(n *Registration) { n.Name = "a\xffb" }, "name", "printed", "")
	f(func(n *Registration) { n.Name = strings.Repeat("ü", 81) }, "name", "80", "")
	f(func(n *Registration) { n.Kit = "" }, "kit", "empty", "")
	f(func(n *Registration) { n.Sensors = []string{"sds 011!"} }, "sensors", "sds 011!", "")
	f(func(n *Registration) { n.Exposure = "cellar" }, "exposure", "cellar", "")
	f(func(n *Registration) { n.Height = new(4000.0) }, "height", "4000", "")
	f(func(n *Registration) { n.Email = "me" }, "email", "me", "")
	f(func(n *Registration) { n.LicenceConsent = false }, "licence_consent", "dl-zero-de", "")
	if n := len(r.Stations()); n != 0 {
		t.Errorf("%d stations after refusals, want none", n)
	}
}

func TestPolicies(t *testing.T) {
	f := func(policy Policy, address string, wantStatus ingest.Status, wantErr error) {
		t.Helper()
		r := open(t, startNATS(t), policy)
		n := balcony()
		n.Address = address
		_, s, err := r.Add(t.Context(), n)
		if !errors.Is(err, wantErr) || err == nil && s.Status != wantStatus {
			t.Errorf("%s from %q: %+v, %v, want %s, %v", policy, address, s, err, wantStatus, wantErr)
		}
	}
	f(PolicyOpen, "192.0.2.1", ingest.Active, nil)
	f(PolicyApprove, "192.0.2.1", ingest.Pending, nil)
	f(PolicyApprove, "", ingest.Active, nil)
	f(PolicyClosed, "192.0.2.1", "", ErrClosed)
	f(PolicyClosed, "", ingest.Active, nil)
}

func TestAnAddressRegistersTenADay(t *testing.T) {
	folder := t.TempDir()
	r := open(t, startNATSIn(t, folder), PolicyOpen)
	n := balcony()
	n.Address = "192.0.2.1"
	for i := range DefaultPerDay {
		if _, _, err := r.Add(t.Context(), n); err != nil {
			t.Fatalf("registration %d: %v", i+1, err)
		}
	}
	if _, _, err := r.Add(t.Context(), n); !errors.Is(err, ErrTooMany) {
		t.Errorf("registration %d: %v, want %v", DefaultPerDay+1, err, ErrTooMany)
	}
	n.Address = "192.0.2.2"
	if _, _, err := r.Add(t.Context(), n); err != nil {
		t.Errorf("from another address: %v", err)
	}
	if where := found(t, folder, "192.0.2.1"); where != "" {
		t.Errorf("%s holds an address in clear", where)
	}
}

// TestAFailedRegistrationDoesNotCount registers while the bucket takes nothing, as often as an address may in a day.
func TestAFailedRegistrationDoesNotCount(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	n := balcony()
	n.Address = "192.0.2.1"
	config := r.bucket.configs()[0]
	limit := func(bytes int64) {
		t.Helper()
		config.MaxBytes = bytes
		if _, err := r.bucket.js.UpdateStream(t.Context(), config); err != nil {
			t.Fatal(err)
		}
	}
	limit(1)
	for range DefaultPerDay {
		if _, _, err := r.Add(t.Context(), n); err == nil || errors.Is(err, ErrTooMany) {
			t.Fatalf("a full bucket: %v", err)
		}
	}
	limit(-1)
	if _, _, err := r.Add(t.Context(), n); err != nil {
		t.Errorf("after failures: %v", err)
	}
}

// leftKeys are keys of a bucket whose caller goes when one was made, before the answer.
type leftKeys struct {
	jetstream.KeyValue
	leave context.CancelFunc
}

func (k leftKeys) Create(ctx context.Context, key string, value []byte, opts ...jetstream.KVCreateOpt) (uint64, error) {
	if _, err := k.KeyValue.Create(ctx, key, value, opts...); err != nil {
		return 0, err
	}
	k.leave()
	return 0, ctx.Err()
}

// TestARegistrationThatNobodyWaitsForCounts registers stations and goes before the answer, as often as an address may in a day.
func TestARegistrationThatNobodyWaitsForCounts(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	n := balcony()
	n.Address = "192.0.2.1"
	keys := r.bucket.stations
	for range DefaultPerDay {
		ctx, leave := context.WithCancel(t.Context())
		r.bucket.stations = leftKeys{keys, leave}
		if _, _, err := r.Add(ctx, n); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	r.bucket.stations = keys
	if _, _, err := r.Add(t.Context(), n); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v, want %v", err, ErrTooMany)
	}
}

// TestIDsTellTypos changes every character of ids to every other and swaps all neighbours.
func TestIDsTellTypos(t *testing.T) {
	for n := range 200 {
		id := newID([]string{"", demoPrefix}[n%2])
		if got, err := ParseID(strings.ToLower(id[:3] + "-" + id[3:])); err != nil || got != id {
			t.Fatalf("ParseID(%q) = %q, %v", id, got, err)
		}
		for i := range len(id) {
			for _, c := range idAlphabet {
				wrong := id[:i] + string(c) + id[i+1:]
				if _, err := ParseID(wrong); err == nil && wrong != id {
					t.Errorf("%s passes for %s", wrong, id)
				}
			}
			if i+1 < len(id) && id[i] != id[i+1] {
				wrong := id[:i] + id[i+1:i+2] + id[i:i+1] + id[i+2:]
				if _, err := ParseID(wrong); err == nil {
					t.Errorf("%s passes for %s", wrong, id)
				}
			}
		}
	}
	for _, bad := range []string{"", "ABC", "ABCDEFGH", "ABC/DEF", strings.Repeat("A", 40), "UUUUUUU"} {
		if id, err := ParseID(bad); err == nil {
			t.Errorf("ParseID(%q) = %q, want an error", bad, id)
		}
	}
}

func TestRotateAndRetire(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	n := balcony()
	n.Email = "me@example.org"
	c, _, err := r.Add(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	token, err := r.Rotate(t.Context(), c.ID, Owner)
	if err != nil || r.Authenticate(c.ID, c.Token) || !r.Authenticate(c.ID, token) {
		t.Errorf("after Rotate: %v; old token %v, new token %v", err, r.Authenticate(c.ID, c.Token), r.Authenticate(c.ID, token))
	}
	if err := r.Retire(t.Context(), c.ID, Owner); err != nil || r.Authenticate(c.ID, token) {
		t.Errorf("after Retire: %v, authenticates %v", err, r.Authenticate(c.ID, token))
	}
	if s, _ := r.Station(c.ID); s.Status != ingest.Retired || s.Email != "" {
		t.Errorf("after Retire: %+v, want retired and no address", s)
	}
	if err := r.Retire(t.Context(), "0000000", Owner); !errors.Is(err, ErrUnknown) {
		t.Errorf("Retire of nobody: %v, want %v", err, ErrUnknown)
	}
}

// soon is how long another process may take to know of a change.
const soon = 200 * time.Millisecond

// TestAnotherProcessIsNoticed registers a station in one process and expects the others to let it in, and to throw it
// out when it is suspended, within 200 ms.
func TestAnotherProcessIsNoticed(t *testing.T) {
	nats := startNATS(t)
	shell := open(t, nats, PolicyOpen)
	doors := make([]*Registry, 3)
	changed := make(chan string, 100)
	for i := range doors {
		doors[i] = open(t, nats, PolicyOpen)
		doors[i].OnChange(func(id string) { changed <- id })
	}
	c, _, err := shell.Add(t.Context(), balcony())
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	noticed := func(what string) {
		t.Helper()
		for range doors {
			select {
			case id := <-changed:
				if id != c.ID {
					t.Errorf("%s: change of %q, want %q", what, id, c.ID)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("%s was not noticed", what)
			}
		}
		if took := time.Since(begin); took > soon {
			t.Errorf("%s was noticed after %v, want at most %v", what, took, soon)
		}
	}
	noticed("the new station")
	for _, door := range doors {
		if !door.Authenticate(c.ID, c.Token) {
			t.Error("a door does not know the station")
		}
	}
	if _, err := shell.Rotate(t.Context(), c.ID, Shell); err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	noticed("the new token")
	if doors[0].Authenticate(c.ID, c.Token) {
		t.Error("the old token still serves")
	}
	if err := doors[0].Edit(t.Context(), c.ID, Admin, Edit{Status: new(ingest.Suspended), Reason: new("stands at a stove")}); err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	noticed("the suspension")
	if st, _ := doors[1].Station(c.ID); st.Status != ingest.Suspended {
		t.Errorf("after the suspension it is %s", st.Status)
	}
	if err := shell.Erase(t.Context(), c.ID, Shell); err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	noticed("the erasure")
}

// TestTheBucketIsAheadOfTheMemory acts on a station that another process has just added or changed.
func TestTheBucketIsAheadOfTheMemory(t *testing.T) {
	nats := startNATS(t)
	pages, reader := open(t, nats, PolicyOpen), open(t, nats, PolicyOpen)
	reader.stop() // it watches no longer
	reader.running.Wait()
	c, _, err := pages.Add(t.Context(), balcony())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{c.ID, "0000000", "no id at all"} {
		_, before := reader.Station(id)
		err := reader.EnsureLoaded(t.Context(), id)
		if _, known := reader.Station(id); before || err != nil || known != (id == c.ID) {
			t.Errorf("%s: known %v, and after it is loaded %v, %v; the registry has it: %v", id, before, known, err, id == c.ID)
		}
	}
	if err := pages.Edit(t.Context(), c.ID, Admin, Edit{Status: new(ingest.Suspended), Reason: new("at the wrong place")}); err != nil {
		t.Fatal(err)
	}
	var wrong *FieldError
	if err := reader.Edit(t.Context(), c.ID, Owner, Edit{Status: new(ingest.Paused)}); !errors.As(err, &wrong) || wrong.Field != "status" {
		t.Errorf("an owner pauses a suspended station: %v", err)
	}
}

// TestChangesAtOnce has several processes change the same station.
func TestChangesAtOnce(t *testing.T) {
	const processes, times = 4, 10
	nats := startNATS(t)
	first := open(t, nats, PolicyOpen)
	c := station(t, first)
	var all sync.WaitGroup
	for i := range processes {
		r := open(t, nats, PolicyOpen)
		all.Go(func() {
			for k := range times {
				d := ingest.Device{Family: "ttn", Key: fmt.Sprintf("%d-%d", i, k)}
				if err := r.AddDevice(t.Context(), c.ID, Shell, d); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := first.Edit(t.Context(), c.ID, Shell, Edit{Name: new("Hof")}); err != nil {
		t.Fatal(err)
	}
	if st, _ := first.Station(c.ID); len(st.Devices) != processes*times {
		t.Errorf("%d devices, want %d", len(st.Devices), processes*times)
	}
}

func TestAdmin(t *testing.T) {
	nats := startNATS(t)
	r := open(t, nats, PolicyOpen)
	if r.Admin("") {
		t.Error("no token is the administrator's before one is set")
	}
	made, err := r.EnsureAdmin(t.Context(), "")
	if err != nil || len(made) < 26 || !r.Admin(made) {
		t.Errorf("EnsureAdmin made %q, %v", made, err)
	}
	if again, err := r.EnsureAdmin(t.Context(), ""); again != "" || err != nil {
		t.Errorf("EnsureAdmin made a second token %q, %v", again, err)
	}
	if _, err := r.EnsureAdmin(t.Context(), "given"); err != nil || !r.Admin("given") || r.Admin(made) {
		t.Errorf("the given token does not count: %v", err)
	}
}

func TestRefusalsAreKeptOnceAndBounded(t *testing.T) {
	r := open(t, startNATS(t), PolicyOpen)
	c, _, err := r.Add(t.Context(), balcony())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 5, 1, 10, 0, 0, 123_000_000, time.UTC)
	var batch []ingest.Refusal
	for i := range 30 {
		batch = append(batch, ingest.Refusal{
			Station: c.ID, Received: at.Add(time.Duration(i) * time.Second), Reason: wire.NotANumber, Field: "pm10", Detail: fmt.Sprint(i),
		})
	}
	for i := range 2500 {
		batch = append(batch, ingest.Refusal{Station: fmt.Sprint("NOBODY", i%100), Received: at, Reason: wire.UnknownStation, Detail: fmt.Sprint(i)})
	}
	for range 2 {
		if err := r.KeepRefusals(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	got, err := r.Refusals(t.Context(), c.ID)
	if err != nil || len(got) != KeptRefusals {
		t.Fatalf("%d refusals, %v, want %d", len(got), err, KeptRefusals)
	}
	if got[0] != batch[29] || got[19] != batch[10] {
		t.Errorf("newest %+v, oldest %+v", got[0], got[19])
	}
	if unknown, err := r.Refusals(t.Context(), ""); err != nil || len(unknown) != KeptUnknown || !strings.HasPrefix(unknown[0].Station, "NOBODY") {
		t.Errorf("%d refusals of nobody, %v, want %d", len(unknown), err, KeptUnknown)
	}
}
