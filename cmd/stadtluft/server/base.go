package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

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

// openBase opens a city's data folder, NATS with the registry, the store, the journal and the ingress, and starts each.
func (p *process) openBase(ctx context.Context, b *base, sup *supervisor) (err error) {
	if err := b.openData(sup); err != nil {
		return err
	}
	if b.nats, err = p.openNATS(ctx); err != nil {
		return err
	}
	if err := b.openRegistry(ctx, sup); err != nil {
		return err
	}
	if b.roles.has(webRole) && b.config.AdminToken != "" {
		if _, err := b.registry.EnsureAdmin(ctx, b.config.AdminToken); err != nil {
			return err
		}
	}
	if err := b.openLeases(ctx, sup); err != nil {
		return err
	}
	if b.storage, err = openStorage(ctx, b.config, b.registry, b.log); err != nil {
		return err
	}
	sup.start(b.storage.part(), b.storage.watch())
	if b.journal, err = openJournal(ctx, b.config, b.registry.Deployment(), b.nats, b.storage, b.log); err != nil {
		return err
	}
	b.storage.flush = b.journal.Flush
	sup.start(journalPart(b.journal))
	if b.roles.has(intakeRole) {
		if b.ingress, b.config.MQTTListen, err = p.openIngress(b.config, b.registry, b.log, sup); err != nil {
			return err
		}
	}
	return nil
}

// openData locks the data folder and reads the city's files.
func (b *base) openData(sup *supervisor) (err error) {
	if err := makeDataFolder(b.config.Data); err != nil {
		return err
	}
	if err := checkOwner(b.config.Data); err != nil {
		return err
	}
	if shared := filepath.Join(b.config.ProcessData(), natsFolder); b.config.ID != "" && exists(shared) {
		if err := checkOwner(shared); err != nil {
			return err
		}
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

// openRegistry opens the registry: in the embedded NATS server unless a cluster is configured.
func (b *base) openRegistry(ctx context.Context, sup *supervisor) (err error) {
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
func (b *base) printAdminToken(ctx context.Context, w io.Writer) error {
	made, err := b.registry.EnsureAdmin(ctx, "") // one of several processes that start at once makes it
	if err != nil || made == "" {
		return err
	}
	if err := showAdminToken(w, b.config.ID, made); err != nil {
		return errors.Join(err, b.registry.RemoveAdmin(ctx))
	}
	return nil
}

func showAdminToken(w io.Writer, city, token string) error {
	of := ""
	if city != "" {
		of = " of " + city
	}
	if _, err := fmt.Fprintf(w, "The administrator's token%s, shown only now: %s\n", of, token); err != nil {
		return fmt.Errorf("print the administrator's token: %w", err)
	}
	return nil
}

// NewAdminToken prints a new token of the administrator and puts it in the place of the last one.
func NewAdminToken(ctx context.Context, c Config, r *registry.Registry, w io.Writer) error {
	token := registry.NewToken()
	if err := showAdminToken(w, c.ID, token); err != nil {
		return err
	}
	_, err := r.EnsureAdmin(ctx, token)
	return err
}
