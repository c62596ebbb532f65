package server

import (
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/ingest/mqtt"
)

// externalBroker returns the connection settings of the city's own broker.
func (c *Config) externalBroker(clientID string) mqtt.Options {
	return mqtt.Options{
		Broker: c.MQTTBroker, Username: c.MQTTUsername, Password: c.MQTTPassword, CAFile: c.MQTTCA, ClientID: clientID, Root: c.MQTTPrefix,
	}
}

// Access returns how stations reach this city by the configuration: at the external broker when there is one, else at
// the embedded one at the address of the pages. Hosts that are not configured are empty.
func (c *Config) Access() kits.Access {
	a := kits.Access{MQTTPort: 1883, Root: c.MQTTPrefix}
	if public, err := url.Parse(c.HTTPPublicURL); err == nil && public.Host != "" {
		a.HTTP = url.URL{Scheme: public.Scheme, Host: public.Host}
		a.MQTTHost = public.Hostname()
	}
	if _, port, err := net.SplitHostPort(c.MQTTListen); err == nil {
		a.MQTTPort, _ = strconv.Atoi(port) // with a port that is not a number the server does not start
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

// Local replaces empty hosts with this host.
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

// everywhere reports whether a listener listens on all of this host's addresses.
func everywhere(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// reachable returns the address at which this host reaches a listener.
func reachable(listen string) string {
	if _, port, err := net.SplitHostPort(listen); err == nil && everywhere(listen) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

// pages returns the address of this server's pages for commands on this host.
func (c *Config) pages() url.URL {
	a := url.URL{Scheme: "http", Host: reachable(c.HTTPListen)}
	if c.HTTPTLSCert != "" {
		a.Scheme = "https"
	}
	return a
}

// Host returns the host name by which a process that serves several cities knows this one's requests; empty where it is that of
// the address.
func (c *Config) Host() string {
	if c.ID == "" {
		return ""
	}
	return c.Access().HTTP.Host
}

// Transport returns the transport of a command that reaches the server at ServerURL through another one.
func (c *Config) Transport(through http.RoundTripper) http.RoundTripper {
	if c.ID == "" {
		return through
	}
	return hosted{c.Host(), through}
}

// hosted sends requests to the address of their URL, for a host name.
type hosted struct {
	host    string
	through http.RoundTripper
}

func (h hosted) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host = h.host
	return h.through.RoundTrip(r)
}

// ListenURL returns the address at which this process listens, for commands on this host that do not look at its certificate.
func (c *Config) ListenURL() string {
	a := c.pages()
	return a.String()
}

// ServerURL returns the address at which a command reaches the server: with TLS the public one, because the certificate
// is for its name.
func (c *Config) ServerURL() string {
	a := c.pages()
	if public := c.Access().HTTP; c.HTTPTLSCert != "" && public.Host != "" {
		a = public
	}
	return a.String()
}
