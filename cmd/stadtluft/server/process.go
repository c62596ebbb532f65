package server

import (
	"context"
	"errors"
	"net"
	"slices"

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
	held  bool               // the registry of a city is missing, see hold
}

// listenMQTT opens the address of the embedded broker, unless it is open for another city. With several cities it makes
// the door, through which nobody comes before openDoor.
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

// openDoor takes connections for the brokers of all cities, which have been started. While a city's registry is missing, those
// whom no city knows are told that the server is unavailable.
func (p *process) openDoor() error {
	if p.door == nil {
		return nil
	}
	if !p.held {
		p.door.Anyone().Open()
	}
	p.sup.start(brokerPart(p.door.Anyone(), func(ctx context.Context) error { return p.door.Serve(ctx, p.mqtt, nil) }))
	if p.Config.MQTTTLSListen == "" {
		return nil
	}
	return serveTLS(p.Config, p.Log, p.sup, p.door)
}

// start starts a city, and returns its site.
func (p *process) start(ctx context.Context, c Config) (*site, error) {
	sup := p.sup.of(c.ID)
	b := &base{config: c, roles: p.roles, log: sup.log}
	writes := metrics.NewWrites(c.labels()...)
	err := p.openBase(ctx, b, sup)
	if errors.Is(err, registry.ErrMissing) {
		p.held = true
		return hold(b, sup, writes, err), nil
	}
	if err != nil {
		return nil, err
	}
	services, err := startParts(ctx, b, writes, sup)
	if err != nil {
		return nil, err
	}
	return newSite(b, sup.health(), writes, services), nil
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
		p.sup.of(b.config.ID).start(demo)
	}
	if b.roles.has(webRole) {
		return b.printAdminToken(ctx, p.Out)
	}
	return nil
}
