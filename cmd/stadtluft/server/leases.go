package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"stadtluft/export/metrics"
	"stadtluft/ingest/lease"
)

// leases are the rights to do what one process at a time may do. Each is nil, and so always held, where the journal is
// embedded: there is no other process.
type leases struct {
	write     *lease.Lease // to the store, from the journal; to archive
	aggregate *lease.Lease // to append flags of hours, to write and publish averages
}

// shared reports whether other processes, on other machines too, may work on the same journal.
func (b *base) shared() bool { return b.config.NATSURL != "" }

// openLeases opens the leases that the roles need, and starts to ask for them. They are released when all parts above have
// ended.
func (b *base) openLeases(ctx context.Context, sup *supervisor) error {
	if !b.shared() {
		return nil
	}
	place, err := b.place()
	if err != nil {
		return err
	}
	bucket, err := lease.Open(ctx, lease.Options{
		URL: b.config.NATSURL, Prefix: b.config.NATSPrefix, Replicas: b.config.NATSReplicas, Deployment: b.registry.Deployment(), Holder: place, Log: b.log,
	})
	if err != nil {
		return err
	}
	sup.start(closing("leases", func() error { bucket.Close(); return nil }))
	if err := b.oneStore(ctx, bucket, place); err != nil {
		return err
	}
	b.leases.write = b.take(bucket, writeRole, sup)
	b.leases.aggregate = b.take(bucket, aggregateRole, sup)
	return nil
}

// take starts to ask for the lease of a role; nil without the role.
func (b *base) take(bucket *lease.Bucket, r role, sup *supervisor) *lease.Lease {
	if !b.roles.has(r) {
		return nil
	}
	l := bucket.Lease(string(r))
	sup.start(leasePart(l, r))
	return l
}

// place names this process's machine and data folder.
func (b *base) place() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("name of this machine: %w", err)
	}
	folder, err := filepath.Abs(b.config.Data)
	if err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	return host + ":" + folder, nil
}

// oneStore refuses SQLite in a data folder when the process that writes has another: what it writes would not be seen here. The
// lease of a process that was killed ends within lease.Lifetime.
func (b *base) oneStore(ctx context.Context, bucket *lease.Bucket, place string) error {
	if b.config.StoreKind != "sqlite" {
		return nil
	}
	ticker := time.NewTicker(lease.Lifetime / 10)
	defer ticker.Stop()
	var holder string
	for begin := time.Now(); time.Since(begin) < 2*lease.Lifetime; {
		var err error
		if holder, err = bucket.Holder(ctx, string(writeRole)); err != nil || holder == "" || holder == place {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return ConfigError{fmt.Errorf("store.kind: the readings are written by the process at %s; SQLite is a file of one machine and one data folder, which %s is not: set store.kind to influxdb for all processes, or run this one there", holder, place)}
}

// leasePart returns the part that takes and renews a lease.
func leasePart(l *lease.Lease, r role) part {
	return part{
		name: "lease of the role " + string(r), run: l.Run,
		problems: func(_ context.Context, add addProblem) {
			add(string(r), l.Problem(), "look at nats.url and at the NATS servers; another process does the work of this role if it reaches them")
		},
	}
}

// working returns the part as one that runs only while the process holds the lease of a role, and shows whether it does.
func (p part) working(r role, l *lease.Lease) part {
	p = p.while(l)
	p.measure = func(_ context.Context, c metrics.Collection) {
		held := 0.0
		if l.Held() {
			held = 1
		}
		c.Gauge("lease_held", "1 where this process does the work of a role that one process at a time does, 0 where it stands by.", held, "role", string(r))
	}
	return p
}

// while returns the part as one that runs only while the process holds a lease.
func (p part) while(l *lease.Lease) part {
	run := p.run
	p.run = func(ctx context.Context) error { return l.While(ctx, run) }
	return p
}
