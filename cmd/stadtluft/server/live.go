package server

import (
	"fmt"

	"stadtluft/export/live"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/mqtt"
)

// averagesClientID is the MQTT client id for averages from another process than the intake's.
const averagesClientID = "stadtluft-averages"

// openDashboards returns connections to the brokers of dashboards: none without the role aggregate, the intake's when it
// is in the same process, else new ones, which it starts.
func openDashboards(b *base, intake connections, sup *supervisor) (list connections, err error) {
	if !b.roles.has(aggregateRole) {
		return nil, nil
	}
	if b.roles.has(intakeRole) {
		return intake, nil
	}
	var to []mqtt.Options
	if b.config.MQTTListen != "" {
		to = append(to, mqtt.Options{Broker: "tcp://" + localAddress(b.config.MQTTListen), LogIn: func() (user, password string) {
			password, _ = readSecret(b.config.Data, brokerTokenFile) // without it the broker refuses the login, which is reported
			return broker.IntakeUser, password
		}})
	}
	if b.config.MQTTBroker != "" {
		to = append(to, b.config.externalBroker())
	}
	for _, o := range to {
		o.ClientID = averagesClientID
		c, err := connect(o, b.log)
		if err != nil {
			return nil, ConfigError{fmt.Errorf("mqtt: %w", err)}
		}
		sup.start(c.part())
		list = append(list, c)
	}
	return list, nil
}

// newLive returns the part that sends live averages to clients of the stream and to dashboards.
func newLive(b *base, m *memory, dashboards connections) part {
	city := apiCity(b)
	publisher := &live.Publisher{
		State: m.live, Aggregate: m.aggregate, Size: city.Resolution,
		City: city.Area(), Publish: dashboards.publish, Published: dashboards.published, Log: b.log,
	}
	return part{name: "live averages", run: publisher.Run}
}
