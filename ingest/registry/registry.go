// Package registry stores the stations: who they are, where they stood over time, what they may do and what they sent
// that was refused. It is a JetStream key-value bucket with two streams beside it, for changes and for refusals, in the
// embedded NATS server or on a cluster: every process that opens it has all stations in memory and watches the bucket.
//
// A station is one readable JSON entry. A change replaces it if no other process has changed it meanwhile, and
// overwrites the former entry on disk. A copy of the stations is kept in the data folder, see SnapshotFile.
//
// Tokens are kept as hashes only. An exact place leaves this package only as Place.Exact of a Station, for choosing a
// cell; Place.Public is the one to publish.
package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

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
)

// Options configure a registry.
type Options struct {
	Boundary *geo.Boundary // nil lets a station stand anywhere on the grid
	Policy   Policy
	Zone     string // of new stations, IANA name
	Licence  string // what owners of new stations agree to

	URL       string    // of a NATS cluster; several separated by commas
	InProcess InProcess // used instead of URL when it is set
	Prefix    string    // of the names of bucket and streams; DefaultPrefix when empty
	Replicas  int       // of bucket and streams; 0 = 3 in a cluster of three or more, else 1. A start never lowers them.

	Folder   string                              // data folder, for SnapshotFile and the file of earlier versions; empty = neither
	Readings func(context.Context) (bool, error) // reports whether the deployment has readings; asked only where no registry is found; nil = none
	Log      *slog.Logger
}

// Registry is an open registry. It is safe for concurrent use and implements ingest.Stations.
type Registry struct {
	options    Options
	log        *slog.Logger
	bucket     *bucket
	deployment deployment
	memory     memory
	seen       uint64 // sequence up to which the watch has seen the bucket
	snapshot   snapshot

	applying sync.Mutex // held while a change is taken into memory and told of; guards onChange
	onChange []func(id string)

	uses        chan use // see maxUses
	unerased    unerased
	wrongTokens wrongTokens
	problem     atomic.Pointer[error] // why the watch does not work; nil while it does
	stop        context.CancelFunc
	running     sync.WaitGroup
}

// Credentials are what an owner gets once: the station's log-in and the key to manage it.
type Credentials struct {
	ID          string
	Token       string
	ManageToken string
}

// Open connects to NATS and loads the registry, which it creates if the deployment is new. It is ErrMissing when
// there is none although the deployment has readings. The registry follows other processes' changes until Close.
func Open(ctx context.Context, o Options) (*Registry, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Registry{options: o, log: o.Log, uses: make(chan use, maxUses)}
	var err error
	if r.bucket, err = connect(o); err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	if err := r.open(ctx); err != nil {
		r.bucket.close()
		return nil, fmt.Errorf("open registry: %w", err)
	}
	watch, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	r.running.Go(func() { r.follow(watch) })
	r.running.Go(func() { r.keepSnapshot(watch) })
	r.running.Go(func() { r.takeDevices(watch) })
	return r, nil
}

func (r *Registry) open(ctx context.Context) error {
	if err := r.bucket.create(ctx); err != nil {
		return err
	}
	err := r.bucket.nc.Wait(ctx, "load", func(bool) error { // each may be done again
		if err := r.establish(ctx); err != nil {
			return err
		}
		if err := r.bucket.belongs(ctx, r.deployment.ID); err != nil {
			return err
		}
		return r.load(ctx)
	})
	if err != nil {
		return err
	}
	return r.saveSnapshot()
}

// Close writes the snapshot and closes the connection.
func (r *Registry) Close() error {
	r.stop()
	r.running.Wait()
	err := r.saveSnapshot()
	r.bucket.close()
	return err
}

// Deployment returns the id of the deployment, which its registry, journal and data share.
func (r *Registry) Deployment() string { return r.deployment.ID }

// Problem returns why changes of other processes do not arrive, why the snapshot cannot be written, or what waits to be
// overwritten; nil when all is well. What is in memory counts meanwhile.
func (r *Registry) Problem() error {
	var errs []error
	if err := r.problem.Load(); err != nil {
		errs = append(errs, fmt.Errorf("watch the registry: %w", *err))
	}
	return errors.Join(append(errs, r.snapshot.problem(), r.unerased.problem())...)
}

// Station returns a station by its id.
func (r *Registry) Station(id string) (*ingest.Station, bool) {
	e, ok := r.memory.entry(id)
	return e.station, ok
}

// Stations returns every station, sorted by id. The list belongs to the caller; the stations must not be changed.
func (r *Registry) Stations() []*ingest.Station { return r.memory.stations() }

// Version returns a number that another one replaces with each change of a station.
func (r *Registry) Version() uint64 { return r.memory.changes() }

// Authenticate reports whether token is the station's, and the station may log in.
func (r *Registry) Authenticate(id, token string) bool {
	e, ok := r.memory.entry(id)
	if !ok || !speaks(e.station.Status) {
		return false
	}
	right := matches(e.record.Token, token)
	if !right {
		r.wrongTokens.report(id)
	}
	return right
}

func speaks(s ingest.Status) bool { return s != ingest.Retired && s != ingest.Erased }

// Manages reports whether token is the key to manage the station.
func (r *Registry) Manages(id, token string) bool {
	e, ok := r.memory.entry(id)
	return ok && speaks(e.station.Status) && matches(e.record.Manage, token)
}

// HasAdmin reports whether there is an administrator's token.
func (r *Registry) HasAdmin() bool { return r.memory.administrator() != "" }

// Admin reports whether token is the administrator's.
func (r *Registry) Admin(token string) bool { return matches(r.memory.administrator(), token) }

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
// not block nor change the registry.
func (r *Registry) OnChange(f func(id string)) {
	r.applying.Lock()
	defer r.applying.Unlock()
	r.onChange = append(r.onChange, f)
}

// EnsureLoaded loads a station that another process has just added, without waiting for the watch.
func (r *Registry) EnsureLoaded(ctx context.Context, id string) error {
	if _, known := r.Station(id); known {
		return nil
	}
	_, err := r.fetch(ctx, id)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	return err
}

// RemoveAdmin removes the administrator's token, such as one that could not be shown.
func (r *Registry) RemoveAdmin(ctx context.Context) error {
	if err := r.bucket.stations.Delete(ctx, adminKey); err != nil {
		return fmt.Errorf("registry: remove the administrator's token: %w", err)
	}
	return nil
}

// EnsureAdmin sets the administrator's token. If none is given and none is set, it makes one and returns it, to be
// printed once.
func (r *Registry) EnsureAdmin(ctx context.Context, given string) (made string, err error) {
	var revision uint64
	if given == "" {
		if r.memory.administrator() != "" {
			return "", nil
		}
		made = newToken()
		revision, err = r.bucket.stations.Create(ctx, adminKey, []byte(hashed(made)))
		if errors.Is(err, jetstream.ErrKeyExists) {
			return "", nil // by another process
		}
		given = made
	} else if !r.Admin(given) {
		revision, err = r.bucket.stations.Put(ctx, adminKey, []byte(hashed(given)))
	}
	if err != nil {
		return "", fmt.Errorf("registry: set the administrator's token: %w", err)
	}
	if revision > 0 {
		r.apply(message{adminKey, revision, []byte(hashed(given))})
	}
	return made, nil
}
