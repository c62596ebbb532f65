// Package server runs Stadtluft: it holds the configuration, the parts of each role, and the supervisor that starts them
// from the bottom up and stops them from the top down. Function start has their order.
//
// It connects the other packages and computes nothing itself. The commands of package main use its configuration,
// registry and store on a data folder.
package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"stadtluft/export/metrics"
	"stadtluft/ingest"
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
		for i := range o.Config.Cities {
			o.Config.Cities[i].HTTPListen, o.Config.Cities[i].MQTTListen = o.Config.HTTPListen, o.Config.MQTTListen
		}
	}
	sup := newSupervisor(o.Log)
	defer sup.stop()
	if err := start(ctx, o, sup); err != nil {
		return err
	}
	sup.start(garbageCollector())
	err := sup.wait(ctx)
	o.Log.Info("stopping")
	return err
}

// start starts each city, then the addresses at which stations and people reach them. After an error sup has the parts that
// were started.
func start(ctx context.Context, o Options, sup *supervisor) error {
	begin := time.Now()
	roles, err := parseRoles(o.Config.Roles)
	if err != nil {
		return ConfigError{err}
	}
	p := &process{Options: o, roles: roles, sup: sup, up: make(chan struct{})}
	if o.Config.several() && len(o.Config.served()) > 0 && roles.has(intakeRole) && o.Config.MQTTListen != "" {
		if _, err := p.listenMQTT(); err != nil { // before any city, which may be started later than the others
			return err
		}
	}
	var sites []*site
	for _, c := range o.Config.served() {
		s, err := p.start(ctx, c)
		if err != nil {
			if c.ID != "" {
				err = fmt.Errorf("city %s: %w", c.ID, err)
			}
			return err
		}
		sites = append(sites, s)
	}
	if err := p.openDoor(); err != nil {
		return err
	}
	address, err := p.openHTTP(sites)
	if err != nil {
		return err
	}
	for _, s := range sites {
		if err := p.after(ctx, s); err != nil {
			return err
		}
	}
	close(p.up)
	if held := int(p.held.Load()); held == 0 || held < len(sites) {
		o.Log.Info("stadtluft is up", "address", address, "roles", p.roles, "version", Version(), "after", time.Since(begin).Round(time.Millisecond))
	}
	return nil
}

// startParts makes the parts of a city's roles and starts each after those that it needs. It returns what they add to the
// city's site.
func startParts(ctx context.Context, b *base, writes *metrics.Writes, sup *supervisor) (services []service, err error) {
	others, err := b.others(ctx) // before the replay, so that it misses nothing
	if err != nil {
		return nil, err
	}
	checks, memory, err := replayed(ctx, b, sup)
	if err != nil {
		return nil, err
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
			return nil, err
		}
	}
	if (b.shared() || b.config.archiveElsewhere()) && b.roles.has(writeRole, aggregateRole, webRole) {
		sup.start(archivePlace(b))
	}
	if b.roles.has(aggregateRole) {
		sup.start(newRecomputer(b, memory).part().working(aggregateRole, b.leases.aggregate))
	}
	var in *intake
	if b.roles.has(intakeRole) {
		if in, err = newIntake(b, checks, others); err != nil {
			return nil, err
		}
		if err := in.start(ctx, b, sup); err != nil {
			return nil, err
		}
		services = append(services, in)
	}
	if b.roles.has(readers...) {
		dashboards, err := openDashboards(b, in, sup)
		if err != nil {
			return nil, err
		}
		sup.start(newLive(b, memory, dashboards))
	}
	if b.roles.has(aggregateRole) {
		sup.start(newNoticesPart(b, memory))
	}
	if b.roles.has(webRole) {
		sup.start(comparing(b, memory.comparer))
	}
	if b.roles.has(writeRole) && !b.roles.has(webRole) {
		services = append(services, archiveSite{b})
	}
	if b.roles.has(webRole) {
		services = append(services, newPages(b, memory, shownSettings(b.config), sup.health()))
	}
	return services, nil
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
		followers = memory.followers()
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
