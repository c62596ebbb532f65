package server

import (
	"net"
	"net/url"
	"os"
	"strconv"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/ingest/broker"
	"stadtluft/ingest/mqtt"
)

// externalBroker is how we reach the city's own broker.
func (c *Config) externalBroker() mqtt.Options {
	return mqtt.Options{
		Broker: c.MQTTBroker, Username: c.MQTTUsername, Password: c.MQTTPassword, CAFile: c.MQTTCA, ClientID: broker.IntakeClientID,
	}
}

// Access is how stations reach this city by the configuration: the external broker where there is one, else
// the embedded one at the address of the pages. Hosts that the configuration does not tell are left empty.
func (c *Config) Access() kits.Access {
	a := kits.Access{MQTTPort: 1883}
	if public, err := url.Parse(c.HTTPPublicURL); err == nil && public.Host != "" {
		a.HTTP = url.URL{Scheme: public.Scheme, Host: public.Host}
		a.MQTTHost = public.Hostname()
	}
	if _, port, err := net.SplitHostPort(c.MQTTListen); err == nil {
		a.MQTTPort, _ = strconv.Atoi(port) // one that is none does not start
	}
	if _, port, err := net.SplitHostPort(c.MQTTTLSListen); err == nil {
		a.MQTTPort, _ = strconv.Atoi(port)
		a.MQTTTLS = true
	}
	if external, err := url.Parse(c.MQTTBroker); err == nil && external.Host != "" {
		a.MQTTHost, a.MQTTPort = external.Hostname(), 1883
		if a.MQTTTLS = external.Scheme == "ssl" || external.Scheme == "mqtts"; a.MQTTTLS {
			a.MQTTPort = 8883
		}
		if port, err := strconv.Atoi(external.Port()); err == nil {
			a.MQTTPort = port
		}
	}
	return a
}

// Local fills in this host where the configuration tells none.
func (c *Config) Local(a kits.Access) kits.Access {
	if a.HTTP.Host == "" {
		a.HTTP = c.pages()
		if everywhere(c.HTTPListen) {
			if name, err := os.Hostname(); err == nil {
				a.HTTP.Host = net.JoinHostPort(name, a.HTTP.Port())
			}
		}
	}
	if a.MQTTHost == "" {
		a.MQTTHost = a.HTTP.Hostname()
	}
	return a
}

// everywhere reports whether a listener has each of this host's addresses.
func everywhere(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// localAddress is where this host reaches a listener.
func localAddress(listen string) string {
	if _, port, err := net.SplitHostPort(listen); err == nil && everywhere(listen) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

// pages is the address of this server's own pages as a command on this host reaches them.
func (c *Config) pages() url.URL {
	a := url.URL{Scheme: "http", Host: localAddress(c.HTTPListen)}
	if c.HTTPTLSCert != "" {
		a.Scheme = "https"
	}
	return a
}

// ServerURL is the address at which a command reaches the server: with TLS it is the public one, whose name the
// certificate has.
func (c *Config) ServerURL() string {
	a := c.pages()
	if public := c.Access().HTTP; c.HTTPTLSCert != "" && public.Host != "" {
		a = public
	}
	return a.String()
}
