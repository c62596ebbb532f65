// Package registry stores the stations: who they are, where they stood over time, what they may do and what they sent
// that was refused. It is one SQLite file that several processes may use; each keeps a snapshot in memory and notices
// within a second when another has changed the file.
//
// Tokens are kept as hashes only. An exact place leaves this package only as Place.Exact of a Station, for choosing a
// cell; Place.Public is the one to publish.
package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"stadtluft/geo"
	"stadtluft/ingest"
)

// Policy says who may register a station over HTTP.
type Policy string

const (
	PolicyOpen    Policy = "open"    // anyone
	PolicyApprove Policy = "approve" // anyone, but the station is pending until an administrator approves
	PolicyClosed  Policy = "closed"  // nobody: only from a shell
)

const (
	// DefaultMargin is how far outside the boundary a station may stand, in metres.
	DefaultMargin = 20_000
	// DefaultPerDay is how many stations one address may register in a day.
	DefaultPerDay = 10

	pollEvery = time.Second // how soon another process's change is noticed
	pollFails = 10          // polls in a row that may fail before Run gives up
)

// Options configure a registry.
type Options struct {
	Boundary *geo.Boundary // nil lets a station stand anywhere on the grid
	Policy   Policy
	Zone     string // of new stations, IANA name
	Licence  string // what owners of new stations agree to
}

// Registry is an open registry. It is safe for concurrent use and implements ingest.Stations.
type Registry struct {
	db      *sql.DB
	options Options

	current atomic.Pointer[snapshot]

	mu       sync.Mutex // guards reload and the two below
	version  int64      // PRAGMA data_version at the last reload
	onChange []func(id string)

	wrongTokens wrongTokens
}

// snapshot is the registry at one moment; nothing in it changes.
type snapshot struct {
	stations []*ingest.Station
	byID     map[string]*entry
	byDevice map[ingest.Device]*ingest.Station // folded
	admin    string
}

type entry struct {
	station       *ingest.Station
	token, manage string // hex of SHA-256
}

// Credentials are what an owner gets once: the station's log-in and the key to manage it.
type Credentials struct {
	ID          string
	Token       string
	ManageToken string
}

// Station returns a station by its id.
func (r *Registry) Station(id string) (*ingest.Station, bool) {
	e, ok := r.current.Load().byID[id]
	if !ok {
		return nil, false
	}
	return e.station, true
}

// Stations returns every station, sorted by id. The list belongs to the caller; the stations must not be changed.
func (r *Registry) Stations() []*ingest.Station {
	return slices.Clone(r.current.Load().stations)
}

// Authenticate reports whether token is the station's, and the station may log in.
func (r *Registry) Authenticate(id, token string) bool {
	e, ok := r.current.Load().byID[id]
	if !ok || !speaks(e.station.Status) {
		return false
	}
	right := matches(e.token, token)
	if !right {
		r.wrongTokens.report(id)
	}
	return right
}

func speaks(s ingest.Status) bool { return s != ingest.Retired && s != ingest.Erased }

// Manages reports whether token is the key to manage the station.
func (r *Registry) Manages(id, token string) bool {
	e, ok := r.current.Load().byID[id]
	return ok && speaks(e.station.Status) && matches(e.manage, token)
}

// HasAdmin reports whether there is an administrator's token.
func (r *Registry) HasAdmin() bool { return r.current.Load().admin != "" }

// Admin reports whether token is the administrator's.
func (r *Registry) Admin(token string) bool {
	return matches(r.current.Load().admin, token)
}

// matches compares in constant time. Tokens are random with 128 bits and more, so one round of
// SHA-256 keeps them; slow hashes protect secrets that people choose.
func matches(hash, token string) bool {
	return hash != "" && subtle.ConstantTimeCompare([]byte(hash), []byte(hashed(token))) == 1
}

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// NewToken returns a new token for the administrator.
func NewToken() string { return newToken() }

// newToken has 130 bits in 26 letters and digits that are hard to confuse.
func newToken() string {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	b := make([]byte, 26)
	rand.Read(b)
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return string(b)
}

// OnChange calls f with the id of each station that was changed, here or by another process. f must
// not block and must be set before Run.
func (r *Registry) OnChange(f func(id string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onChange = append(r.onChange, f)
}

// Run loads the changes of other processes until ctx ends.
func (r *Registry) Run(ctx context.Context) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	conn, err := r.db.Conn(ctx) // data_version counts what others than this connection change
	if err != nil {
		return fmt.Errorf("registry: %w", err)
	}
	defer conn.Close()
	for fails := 0; fails < pollFails; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err = r.poll(ctx, conn); err != nil {
			fails++ // the file may be busy
			continue
		}
		fails = 0
	}
	return err
}

// poll reloads when another connection has changed the file.
func (r *Registry) poll(ctx context.Context, conn *sql.Conn) error {
	var version int64
	if err := conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
		return fmt.Errorf("registry: %w", err)
	}
	r.mu.Lock()
	changed := version != r.version
	r.mu.Unlock()
	if !changed {
		return nil
	}
	if err := r.reload(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	r.version = version
	r.mu.Unlock()
	return nil
}

// EnsureLoaded loads a station that another process has just added, without waiting for Run.
func (r *Registry) EnsureLoaded(ctx context.Context, id string) error {
	if _, known := r.Station(id); known {
		return nil
	}
	var added bool
	if err := r.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM station WHERE id = ?)", id).Scan(&added); err != nil {
		return fmt.Errorf("registry: %w", err)
	}
	if !added {
		return nil
	}
	return r.reload(ctx)
}

// reload takes a new snapshot and names the stations that differ from the last one. One at a time, or
// a slow one would put an older snapshot in the place of a newer.
func (r *Registry) reload(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, err := r.load(ctx)
	if err != nil {
		return err
	}
	last := r.current.Swap(next)
	if last == nil {
		return nil
	}
	for id, e := range next.byID {
		if old := last.byID[id]; old == nil || !old.same(e) {
			for _, f := range r.onChange {
				f(id)
			}
		}
	}
	return nil
}

// same compares what other packages act upon.
func (e *entry) same(o *entry) bool {
	a, b := e.station, o.station
	return e.token == o.token && e.manage == o.manage && a.Status == b.Status && a.Name == b.Name && len(a.Places) == len(b.Places) && slices.Equal(a.Devices, b.Devices)
}

// EnsureAdmin sets the administrator's token. If none is given and none is set, it makes one and returns it, to be
// printed once.
func (r *Registry) EnsureAdmin(ctx context.Context, given string) (made string, err error) {
	if given == "" {
		if r.current.Load().admin != "" {
			return "", nil
		}
		made = newToken()
		given = made
	}
	_, err = r.db.ExecContext(ctx, "INSERT INTO setting (name, value) VALUES ('admin', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", hashed(given))
	if err != nil {
		return "", fmt.Errorf("registry: set the administrator's token: %w", err)
	}
	return made, r.reload(ctx)
}

// Close closes the file.
func (r *Registry) Close() error { return r.db.Close() }

func splitSensors(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
