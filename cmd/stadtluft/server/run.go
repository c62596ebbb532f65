// Package server runs Stadtluft: it holds the configuration, the parts of each role, and the supervisor that starts them
// from the bottom up and stops them from the top down. Function start has their order.
//
// It connects the other packages and computes nothing itself. The commands of package main use its configuration,
// registry and store on a data folder.
package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"time"

	"stadtluft/export/metrics"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// Options are the options of Run.
type Options struct {
	Config Config
	Out    io.Writer // gets an administrator's token that was made
	Log    *slog.Logger
	Demo   int    // stations of a simulated city
	Seed   uint64 // of that city
}

// Run runs the server until ctx ends or a part fails. A demo whose default addresses are in use takes free ones.
func Run(ctx context.Context, o Options) error {
	if o.Demo > 0 {
		if err := o.Config.avoidTaken(defaults(), o.Log); err != nil {
			return err
		}
	}
	sup := newSupervisor(o.Log)
	defer sup.stop()
	if err := start(ctx, o, sup); err != nil {
		return err
	}
	err := sup.wait(ctx)
	o.Log.Info("stopping")
	return err
}

// start makes the parts of the roles and starts each after those that it needs. After an error sup has the parts that
// were started.
func start(ctx context.Context, o Options, sup *supervisor) error {
	begin, writes := time.Now(), metrics.NewWrites()
	b, err := openBase(ctx, o, sup)
	if errors.Is(err, registry.ErrMissing) {
		return hold(o, sup, err)
	}
	if err != nil {
		return err
	}
	others, err := b.others(ctx) // before the replay, so that it misses nothing
	if err != nil {
		return err
	}
	checks, memory, err := replayed(ctx, b, sup)
	if err != nil {
		return err
	}
	if b.roles.has(writeRole) { // after the replay, which then need not tell apart what is stored meanwhile
		sup.start(newWriter(b, writes).parts()...)
	}
	if b.roles.has(readers...) {
		sup.start(memory.hours())
	}
	if b.roles.has(writeRole) {
		sup.start(archiving(b))
		if err := startBackups(b, sup); err != nil {
			return err
		}
	}
	if (b.shared() || b.config.archiveElsewhere()) && b.roles.has(writeRole, aggregateRole, webRole) {
		sup.start(archivePlace(b))
	}
	if b.roles.has(aggregateRole) {
		sup.start(newRecomputer(b, memory).part().working(aggregateRole, b.leases.aggregate))
	}
	var in *intake
	var services []service
	if b.roles.has(intakeRole) {
		if in, err = newIntake(b, checks, others); err != nil {
			return err
		}
		if err := in.start(ctx, b, sup); err != nil {
			return err
		}
		services = append(services, in)
	}
	if b.roles.has(readers...) {
		dashboards, err := openDashboards(b, in, sup)
		if err != nil {
			return err
		}
		sup.start(newLive(b, memory, dashboards))
	}
	if b.roles.has(aggregateRole) {
		sup.start(newNoticesPart(b, memory))
	}
	if b.roles.has(webRole) {
		sup.start(comparing(b, memory.comparer))
	}
	health := sup.health() // of all parts below the HTTP server
	if b.roles.has(writeRole) && !b.roles.has(webRole) {
		services = append(services, archiveSite{b})
	}
	if b.roles.has(webRole) {
		services = append(services, newPages(b, memory, shownSettings(o.Config), health))
	}
	site, err := openHTTP(b, health, writes, services)
	if err != nil {
		return err
	}
	sup.start(site)
	if o.Demo > 0 {
		demo, err := newDemo(ctx, b, o.Demo, o.Seed)
		if err != nil {
			return err
		}
		sup.start(demo)
	}
	if b.roles.has(webRole) {
		if err := printAdminToken(ctx, b.registry, o.Out); err != nil {
			return err
		}
	}
	o.Log.Info("stadtluft is up", "address", b.config.address(), "roles", b.roles, "version", Version(), "after", time.Since(begin).Round(time.Millisecond))
	return nil
}

// startBackups removes what a crash has left of a backup, and starts the schedule if there is one.
func startBackups(b *base, sup *supervisor) error {
	made := newBackups(b)
	if err := made.removeUnfinished(); err != nil {
		return err
	}
	if s := newSchedule(b.config, made, b.log); s != nil {
		sup.start(s.part())
	}
	return nil
}

// replayed returns the checks of single readings and the memory as they were before the start, as far as the roles need
// them: the others stay empty.
func replayed(ctx context.Context, b *base, sup *supervisor) (*checks, *memory, error) {
	checks, memory := newChecks(b), newMemory(b)
	var remember []func(...ingest.Reading)
	var followers []follower
	if b.roles.has(intakeRole) {
		b.registry.OnChange(checks.changed)
		remember = append(remember, checks.remember)
	}
	if b.roles.has(readers...) {
		followers = append(followers, memory)
	}
	if len(remember)+len(followers) == 0 {
		return checks, memory, nil
	}
	return checks, memory, newReplay(b, remember, followers).start(ctx, sup)
}

// address returns the address of the pages for people.
func (c *Config) address() string {
	if c.HTTPPublicURL != "" {
		return c.HTTPPublicURL
	}
	scheme := "http"
	if c.HTTPTLSCert != "" {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: c.HTTPListen, Path: "/"}).String()
}
