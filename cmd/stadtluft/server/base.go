package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"stadtluft/ingest/journal"
	"stadtluft/ingest/natsserver"
	"stadtluft/ingest/registry"
)

// base holds the parts that every process has, whatever its roles.
type base struct {
	config   Config // mqtt.listen is the address that the embedded broker has
	roles    roles
	log      *slog.Logger
	city     city
	held     bool               // the registry is missing, see hold
	nats     *natsserver.Server // nil when nats.url names a cluster
	registry *registry.Registry
	leases   leases
	storage  *storage
	ingress  ingress // empty without the role ingest
	journal  *journal.Journal
}

// openBase opens the data folder, NATS with the registry, the store, the journal and the ingress, and starts each.
func openBase(ctx context.Context, o Options, sup *supervisor) (b *base, err error) {
	b = &base{config: o.Config, log: o.Log}
	if b.roles, err = parseRoles(b.config.Roles); err != nil {
		return nil, ConfigError{err}
	}
	if err := b.openData(sup); err != nil {
		return nil, err
	}
	if err := b.openRegistry(ctx, sup); err != nil {
		return nil, err
	}
	if b.roles.has(webRole) && b.config.AdminToken != "" {
		if _, err := b.registry.EnsureAdmin(ctx, b.config.AdminToken); err != nil {
			return nil, err
		}
	}
	if err := b.openLeases(ctx, sup); err != nil {
		return nil, err
	}
	if b.storage, err = openStorage(ctx, b.config, b.registry, b.log); err != nil {
		return nil, err
	}
	sup.start(b.storage.part(), b.storage.watch())
	if b.journal, err = openJournal(ctx, b.config, b.registry.Deployment(), b.nats, b.storage, b.log); err != nil {
		return nil, err
	}
	sup.start(journalPart(b.journal))
	if b.roles.has(intakeRole) {
		if b.ingress, b.config.MQTTListen, err = openIngress(b.config, b.registry, b.log, sup); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// openData locks the data folder and reads the city's files.
func (b *base) openData(sup *supervisor) (err error) {
	if err := makeDataFolder(b.config.Data); err != nil {
		return err
	}
	if err := checkOwner(b.config.Data); err != nil {
		return err
	}
	release, err := lockData(b.config.Data, b.roles)
	if err != nil {
		return err
	}
	sup.start(closing("data folder", release))
	if b.city, err = loadCity(b.config); err != nil {
		return ConfigError{err}
	}
	return nil
}

// openRegistry opens the registry: in the embedded NATS server, which it starts, unless a cluster is configured.
func (b *base) openRegistry(ctx context.Context, sup *supervisor) (err error) {
	if b.nats, err = openNATS(ctx, b.config, b.log, sup); err != nil {
		return err
	}
	var nats registry.InProcess
	if b.nats != nil {
		nats = b.nats.InProcess()
	}
	if b.registry, err = openRegistry(ctx, b.config, b.city.boundary, nats, b.log); err != nil {
		return err
	}
	p := closing("registry", b.registry.Close)
	p.problems = func(_ context.Context, add addProblem) {
		add("registry", b.registry.Problem(), "known stations are taken meanwhile; look at NATS and at free disk space where the data folder lies")
	}
	sup.start(p)
	return nil
}

// printAdminToken makes the administrator's token if there is none yet. It is called when all parts have started, so
// that no start that fails prints a token which nobody sees.
func printAdminToken(ctx context.Context, r *registry.Registry, w io.Writer) error {
	made, err := r.EnsureAdmin(ctx, "") // one of several processes that start at once makes it
	if err != nil || made == "" {
		return err
	}
	if err := showAdminToken(w, made); err != nil {
		return errors.Join(err, r.RemoveAdmin(ctx))
	}
	return nil
}

func showAdminToken(w io.Writer, token string) error {
	if _, err := fmt.Fprintf(w, "The administrator's token, shown only now: %s\n", token); err != nil {
		return fmt.Errorf("print the administrator's token: %w", err)
	}
	return nil
}

// NewAdminToken prints a new token of the administrator and puts it in the place of the last one.
func NewAdminToken(ctx context.Context, r *registry.Registry, w io.Writer) error {
	token := registry.NewToken()
	if err := showAdminToken(w, token); err != nil {
		return err
	}
	_, err := r.EnsureAdmin(ctx, token)
	return err
}
