package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/geo"
	"stadtluft/ingest"
)

var cathedral = orb.Point{6.9583, 50.9413}

func open(t *testing.T, path string, policy Policy) *Registry {
	t.Helper()
	r, err := Open(t.Context(), path, Options{Boundary: geo.CologneSketch(), Policy: policy, Zone: "Europe/Berlin", Licence: "dl-zero-de/2.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func balcony() Registration {
	return Registration{Name: "Balkon Süd", Point: cathedral, Kit: "SDS011-BME280", Height: 3, LicenceConsent: true}
}

func TestAddStation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	r := open(t, path, PolicyOpen)
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
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v, want 0600", info.Mode(), err)
	}
	r.Close()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(file), c.Token) || strings.Contains(string(file), c.ManageToken) {
		t.Error("the file holds a token in clear")
	}
	again := open(t, path, PolicyOpen)
	if !again.Authenticate(c.ID, c.Token) {
		t.Error("the station is gone after opening the file again")
	}
}

func TestRefusedRegistrations(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "registry.db"), PolicyOpen)
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
	f(func(n *Registration) { n.Height = 4000 }, "height", "4000", "")
	f(func(n *Registration) { n.Email = "me" }, "email", "me", "")
	f(func(n *Registration) { n.LicenceConsent = false }, "licence_consent", "dl-zero-de", "")
	if n := len(r.Stations()); n != 0 {
		t.Errorf("%d stations after refusals, want none", n)
	}
}

func TestPolicies(t *testing.T) {
	f := func(policy Policy, address string, wantStatus ingest.Status, wantErr error) {
		t.Helper()
		r := open(t, filepath.Join(t.TempDir(), "registry.db"), policy)
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
	path := filepath.Join(t.TempDir(), "registry.db")
	r := open(t, path, PolicyOpen)
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
	file, _ := os.ReadFile(path)
	if strings.Contains(string(file), "192.0.2.1") {
		t.Error("the file holds an address in clear")
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
	r := open(t, filepath.Join(t.TempDir(), "registry.db"), PolicyOpen)
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

func TestAnotherProcessIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	server, shell := open(t, path, PolicyOpen), open(t, path, PolicyOpen)
	changed := make(chan string, 10)
	server.OnChange(func(id string) { changed <- id })
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { server.Run(ctx) })
	defer running.Wait()
	defer cancel()
	c, _, err := shell.Add(t.Context(), balcony())
	if err != nil {
		t.Fatal(err)
	}
	next := func(what string) {
		t.Helper()
		select {
		case id := <-changed:
			if id != c.ID {
				t.Errorf("%s: change of %q, want %q", what, id, c.ID)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%s was not noticed", what)
		}
	}
	next("the new station")
	if !server.Authenticate(c.ID, c.Token) {
		t.Error("the server does not know the station")
	}
	if _, err := shell.Rotate(t.Context(), c.ID, Shell); err != nil {
		t.Fatal(err)
	}
	next("the new token")
	if server.Authenticate(c.ID, c.Token) {
		t.Error("the old token still serves")
	}
}

// TestAnotherProcessIsAheadOfTheSnapshot acts on the file while the snapshot is of before another process's change.
func TestAnotherProcessIsAheadOfTheSnapshot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	averages, pages := open(t, path, PolicyOpen), open(t, path, PolicyOpen)
	c, _, err := pages.Add(t.Context(), balcony())
	if err != nil {
		t.Fatal(err)
	}
	reader := open(t, path, PolicyOpen)
	late, _, err := pages.Add(t.Context(), balcony())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{late.ID, "0000000"} {
		_, before := reader.Station(id)
		err := reader.EnsureLoaded(t.Context(), id)
		if _, known := reader.Station(id); before || err != nil || known != (id == late.ID) {
			t.Errorf("%s: known %v, and after it is noticed %v, %v; the registry has it: %v", id, before, known, err, id == late.ID)
		}
	}
	refusal := ingest.Refusal{Station: c.ID, Received: time.UnixMilli(1764000000570).UTC(), Reason: wire.Malformed}
	if err := averages.KeepRefusals(t.Context(), []ingest.Refusal{refusal}); err != nil {
		t.Fatal(err)
	}
	if kept, err := pages.Refusals(t.Context(), c.ID); err != nil || len(kept) != 1 {
		t.Errorf("refusals of a station that is new to the writer: %+v, %v", kept, err)
	}
	if _, err := pages.db.Exec("INSERT INTO restatement VALUES (?, 0)", c.ID); err != nil {
		t.Fatal(err)
	}
	waiting, err := averages.Recomputations(t.Context())
	if err != nil || len(waiting) != 1 || waiting[0].Station.Status != ingest.Active {
		t.Fatalf("recomputations of a station that is new to us: %+v, %v", waiting, err)
	}
	if err := pages.Erase(t.Context(), c.ID, Owner); err != nil {
		t.Fatal(err)
	}
	if err := averages.Recomputed(t.Context(), waiting[0]); err != nil {
		t.Fatal(err)
	}
	waiting, err = averages.Recomputations(t.Context())
	if err != nil || len(waiting) != 1 || waiting[0].Station.Status != ingest.Erased {
		t.Errorf("recomputations after it was erased meanwhile: %+v, %v", waiting, err)
	}
}

// TestALockEndsWithItsContext writes while another program has the file locked.
func TestALockEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	r, other := open(t, path, PolicyOpen), open(t, path, PolicyOpen)
	lock, err := other.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Rollback()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // meanwhile it waits for the lock
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, _, err := r.Add(ctx, balcony())
		ended <- err
	}()
	select {
	case err := <-ended:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want %v", err, context.DeadlineExceeded)
		}
	case <-time.After(busyTime / 2):
		t.Fatal("it does not end")
	}
}

func TestAdmin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	r := open(t, path, PolicyOpen)
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
	r := open(t, filepath.Join(t.TempDir(), "registry.db"), PolicyOpen)
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
	for i := range 250 {
		batch = append(batch, ingest.Refusal{Station: "NOBODY", Received: at, Reason: wire.UnknownStation, Detail: fmt.Sprint(i)})
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
	if unknown, err := r.Refusals(t.Context(), ""); err != nil || len(unknown) != KeptUnknown || unknown[0].Station != "NOBODY" {
		t.Errorf("%d refusals of nobody, %v, want %d", len(unknown), err, KeptUnknown)
	}
}

func TestOpenErrors(t *testing.T) {
	newer := filepath.Join(t.TempDir(), "registry.db")
	r := open(t, newer, PolicyOpen)
	if _, err := r.db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), newer, Options{}); err == nil || !strings.Contains(err.Error(), "newer Stadtluft (schema 99") {
		t.Errorf("a newer schema: %v", err)
	}
	garbage := filepath.Join(t.TempDir(), "registry.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), garbage, Options{}); err == nil || !strings.Contains(err.Error(), garbage) {
		t.Errorf("no database: %v", err)
	}
}
