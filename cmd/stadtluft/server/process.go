package server

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync/atomic"

	"stadtluft/export/metrics"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/natsserver"
	"stadtluft/ingest/registry"
)

// process is what the cities of a process share.
type process struct {
	Options
	roles roles
	sup   *supervisor
	nats  *natsserver.Server // the embedded one; nil before the first city, and when nats.url names a cluster
	mqtt  net.Listener       // of the embedded broker; nil before the first city
	door  *broker.Door       // to the cities' brokers; nil where there is only one
	up    chan struct{}      // closed when all has started
	held  atomic.Int32       // cities whose stations nobody knows: the registry is missing, see hold, or the store is away, see waiting
}

// counts are what a city counts, also of one that is started again.
type counts struct {
	writes   *metrics.Writes
	requests *metrics.Requests
}

func countsOf(c Config) counts {
	return counts{metrics.NewWrites(c.labels()...), metrics.NewRequests(c.labels()...)}
}

// listenMQTT opens the address of the embedded broker, unless it is open. With several cities it makes the door, through which
// nobody comes before openDoor.
func (p *process) listenMQTT() (l net.Listener, err error) {
	if p.mqtt != nil {
		return p.mqtt, nil
	}
	if p.Config.several() {
		p.door = broker.NewDoor(p.Config.connections(p.Log), p.Log)
	}
	p.mqtt, err = listenMQTT("mqtt.listen", p.Config.MQTTListen)
	return p.mqtt, err
}

// openDoor takes connections for the brokers of all cities. While the stations of a city are not known, those whom no city knows are
// told that the server is unavailable.
func (p *process) openDoor() error {
	if p.door == nil {
		return nil
	}
	if p.held.Load() == 0 {
		p.door.Anyone().Open()
	}
	p.sup.start(brokerPart(p.door.Anyone(), func(ctx context.Context) error { return p.door.Serve(ctx, p.mqtt, nil) }))
	if p.Config.MQTTTLSListen == "" {
		return nil
	}
	return serveTLS(p.Config, p.Log, p.sup, p.door)
}

// start starts a city, and returns its site. A city that waits for its store is started later.
func (p *process) start(ctx context.Context, c Config) (*site, error) {
	sup, counts, own := p.sup.of(c.ID), countsOf(c), part{name: "city", run: untilDone}
	s, err := p.open(ctx, c, sup, counts)
	if err != nil {
		sup.stop()
		if !c.waits(err) {
			return nil, err
		}
		s, own = p.wait(c, sup, counts, err)
	}
	if s.base.held {
		p.held.Add(1)
	}
	p.sup.startCity(own, sup)
	return s, nil
}

// entered counts a city whose stations are known now, after the others.
func (p *process) entered() {
	if p.held.Add(-1) == 0 && p.door != nil {
		p.door.Anyone().Open()
	}
}

// open starts the parts of a city, and returns its site. After an error sup has the parts that were started.
func (p *process) open(ctx context.Context, c Config, sup *supervisor, counts counts) (*site, error) {
	b := &base{config: c, roles: p.roles, log: sup.log}
	err := p.openBase(ctx, b, sup)
	if errors.Is(err, registry.ErrMissing) {
		return hold(b, sup, counts, err), nil
	}
	if err != nil {
		return nil, err
	}
	services, err := startParts(ctx, b, counts.writes, sup)
	if err != nil {
		return nil, err
	}
	return newCity(b, sup, counts, services), nil
}

// after does what waits until a city can be reached: it starts the stations of a demo, and prints a new administrator's token.
func (p *process) after(ctx context.Context, s *site) error {
	b := s.base
	if b.held {
		return nil
	}
	if p.Demo > 0 {
		demo, err := newDemo(ctx, b, p.Demo, p.Seed+uint64(slices.Index(p.Config.ids(), b.config.ID)+1))
		if err != nil {
			return err
		}
		s.sup.start(demo)
	}
	if b.roles.has(webRole) {
		return b.printAdminToken(ctx, p.Out)
	}
	return nil
}
