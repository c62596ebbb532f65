package registry

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest/wholefile"
)

// ErrMissing is the error of Open when there are readings but neither a bucket nor a file that it could be made from.
// Messages must wait then: refused or accepted without their stations they would be lost.
var ErrMissing = errors.New("the registry of stations is missing, although there are readings")

// schema is the version of the entries; a registry of a higher one is refused.
const schema = 1

// deployment is one Stadtluft, on however many machines: what its registry, journal and data share.
type deployment struct {
	ID     string    `json:"id"`
	Made   time.Time `json:"made"`
	Schema int       `json:"schema"`
}

func newDeployment() deployment {
	return deployment{rand.Text()[:16], time.Now().UTC().Truncate(time.Second), schema}
}

// establish finds out whose registry this is. One that is not complete is made from the snapshot, else from an earlier
// version's file; for a new deployment it is empty.
func (r *Registry) establish(ctx context.Context) error {
	release, err := lockFolder(r.options.Folder) // several processes may start at once
	if err != nil {
		return err
	}
	defer release()
	if err := wholefile.RemoveUnfinished(r.snapshotPath()); err != nil {
		return err
	}
	inBucket, err := r.established(ctx)
	if err != nil {
		return err
	}
	inFile, err := readHeader(r.snapshotPath())
	if err != nil {
		return err
	}
	switch taken := r.earlierPath(); {
	case inBucket.ID != "" && inFile.Deployment.ID != "" && inBucket.ID != inFile.Deployment.ID:
		return fmt.Errorf("bucket %s belongs to deployment %s, the data folder %s to %s: set nats.prefix to a name of its own, or nats.url",
			r.bucket.name(), inBucket.ID, r.options.Folder, inFile.Deployment.ID)
	case inBucket.ID != "":
		r.deployment = inBucket
		if exists(taken) {
			r.log.Warn("file of an earlier version is not read, the registry is complete: delete it", "path", taken)
		}
		made, last, err := r.bucket.state(ctx)
		if err != nil || !inFile.Bucket.Equal(made) || inFile.Revision <= last {
			return err
		}
		r.log.Error("registry in NATS has lost its last changes, taking them from the snapshot", "path", r.snapshotPath(), "revision", last, "of", inFile.Revision)
		return r.catchUp(ctx)
	case inFile.Cluster && r.options.InProcess != nil:
		return fmt.Errorf(`the registry of the data folder %s is on a NATS cluster: set nats.url. To make it again in the embedded server, write "cluster":false into the first line of %s`,
			r.options.Folder, SnapshotFile)
	case inFile.Deployment.ID != "":
		r.log.Warn("registry is missing in NATS, making it from the snapshot", "path", r.snapshotPath(), "stations", inFile.Stations)
		return r.fillFromSnapshot(ctx)
	case exists(taken):
		r.log.Info("taking in the registry of an earlier version", "path", taken)
		return r.takeIn(ctx, taken)
	}
	if err := r.fresh(ctx); err != nil {
		return err
	}
	return r.complete(ctx, newDeployment())
}

// established returns the deployment of a complete bucket; the zero value when it is not.
func (r *Registry) established(ctx context.Context) (d deployment, err error) {
	got, err := r.bucket.stations.Get(ctx, deploymentKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal(got.Value(), &d)
	}
	if err != nil {
		return d, fmt.Errorf("read the deployment: %w", err)
	}
	return d, d.readable("bucket " + r.bucket.name())
}

func (d deployment) readable(what string) error {
	if d.Schema > schema {
		return fmt.Errorf("%s was written by a newer Stadtluft (schema %d, this one reads up to %d): upgrade", what, d.Schema, schema)
	}
	return nil
}

// complete marks the bucket as the deployment's. Another machine may have been first; then it is that one's.
func (r *Registry) complete(ctx context.Context, d deployment) error {
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = r.bucket.stations.Create(ctx, deploymentKey, data)
	if errors.Is(err, jetstream.ErrKeyExists) {
		d, err = r.established(ctx)
	}
	if err != nil {
		return fmt.Errorf("write the deployment: %w", err)
	}
	r.deployment = d
	return nil
}

// fresh is ErrMissing unless the deployment is new: without readings, a journal and changes.
func (r *Registry) fresh(ctx context.Context) error {
	found := ""
	for _, name := range []string{r.bucket.o.Prefix + "_JOURNAL", r.bucket.changesName()} {
		s, err := r.bucket.js.Stream(ctx, name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
		if s.CachedInfo().State.LastSeq > 0 {
			found = "the stream " + name
		}
	}
	if found == "" && r.options.Readings != nil {
		there, err := r.options.Readings(ctx)
		if err != nil {
			return fmt.Errorf("look for readings: %w", err)
		}
		if there {
			found = "the store"
		}
	}
	if found == "" {
		return nil
	}
	return fmt.Errorf("%w: bucket %s and %s are gone, %s is there. Nothing is taken until you put %s of a backup into the data folder and start again. "+
		"Stations that registered since have to register again. To begin anew instead, remove what is there",
		ErrMissing, r.bucket.name(), r.snapshotPath(), found, SnapshotFile)
}

// fill writes a registry from a file into the bucket. What is there already, of an interrupted fill, stays.
func (r *Registry) fill(ctx context.Context, records []*record, admin string) error {
	create := func(key string, value []byte) error {
		_, err := r.bucket.stations.Create(ctx, key, value)
		if errors.Is(err, jetstream.ErrKeyExists) {
			return nil
		}
		return err
	}
	for _, rec := range records {
		data, err := rec.encode()
		if err == nil {
			err = create(stationKey+rec.ID, data)
		}
		for _, d := range rec.Devices {
			if err == nil && rec.Source == "" && d.State != deviceNamed {
				err = create(deviceKeyOf(d.device()), holder{rec.ID, d.State}.encode())
			}
		}
		if err != nil {
			return fmt.Errorf("write station %s: %w", rec.ID, err)
		}
	}
	if admin == "" {
		return nil
	}
	return wrap("write the administrator's token", create(adminKey, []byte(admin)))
}

// earlierPath is the SQLite file of versions before the registry was in NATS; empty without a data folder.
func (r *Registry) earlierPath() string {
	if r.options.Folder == "" {
		return ""
	}
	return filepath.Join(r.options.Folder, "registry.db")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return path != "" && err == nil
}
