package notices

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"code.dny.dev/ssrf"

	"stadtluft/ingest/registry"
)

const (
	hookTime   = 10 * time.Second
	hookAnswer = 16 << 10 // bytes of an answer that are read, so that the connection ends well
)

// Hooks sends notices to addresses that stations' owners have chosen. Such an address must be HTTPS on port 443, and every
// address that its name resolves to when the connection is made must be a public one: not of this host, of a private or a
// link-local network, or a cloud's metadata. No redirect is followed and no proxy asked.
type Hooks struct {
	Off   bool
	Hosts []string // names that may be anywhere and on any port, also without TLS

	once          sync.Once
	public, known *http.Client
}

// errHost is the error of an address that webhooks may not reach.
var errHost = errors.New("webhooks may not reach this host")

// Check returns why an address cannot be a webhook's; nil when it can as far as the address tells.
func (h *Hooks) Check(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("it is not a URL")
	case h.allowed(u):
		return nil
	case u.Scheme != "https":
		return errors.New("it does not begin with https://")
	case u.Port() != "" && u.Port() != "443":
		return errors.New("its port is not 443")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && ssrf.New().SafeAddr(ip.Unmap().WithZone("")) != nil {
		return errHost
	}
	return nil
}

func (h *Hooks) allowed(u *url.URL) bool {
	return slices.ContainsFunc(h.Hosts, func(name string) bool { return strings.EqualFold(name, u.Hostname()) })
}

// client returns the client for an address.
func (h *Hooks) client(u *url.URL) *http.Client {
	h.once.Do(func() {
		of := func(d *net.Dialer) *http.Client {
			return &http.Client{
				Timeout:       hookTime,
				Transport:     &http.Transport{DialContext: d.DialContext, TLSHandshakeTimeout: hookTime, DisableKeepAlives: true, MaxResponseHeaderBytes: hookAnswer},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}
		}
		h.public = of(&net.Dialer{Control: ssrf.New(ssrf.WithPorts(443)).Safe})
		h.known = of(&net.Dialer{})
	})
	if h.allowed(u) {
		return h.known
	}
	return h.public
}

// call is a notice for a webhook, as JSON.
type call struct {
	Station string `json:"station"`
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Since   string `json:"since,omitempty"`
	Title   string `json:"title"`
	Text    string `json:"text"`
	Link    string `json:"link"`
}

// send sends a call. The error has neither the address nor anything of the answer.
func (h *Hooks) send(ctx context.Context, address string, kind registry.Hook, c call) error {
	u, err := url.Parse(address)
	if err != nil || h.Off {
		return errors.New("call a webhook: it is switched off")
	}
	if err := h.Check(address); err != nil {
		return fmt.Errorf("call a webhook: %w", err)
	}
	body, header := []byte(c.Text), http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Title": {mime.BEncoding.Encode("utf-8", c.Title)}, "Click": {c.Link}}
	if kind == registry.JSONHook {
		if body, err = json.Marshal(c); err != nil {
			return err
		}
		header = http.Header{"Content-Type": {"application/json"}}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("call a webhook: its address cannot be read")
	}
	header.Set("User-Agent", "Stadtluft")
	r.Header = header
	answer, err := h.client(u).Do(r)
	if err != nil {
		return fmt.Errorf("call a webhook: %w", cause(err))
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, hookAnswer))
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("call a webhook: it answers %d", answer.StatusCode)
	}
	return nil
}

// cause returns why a request failed, without its address.
func cause(err error) error {
	var timeout net.Error
	var name *net.DNSError
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrProhibitedPort):
		return errHost
	case errors.As(err, &name):
		return errors.New("its name is not known")
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("it does not answer in time")
	}
	return errors.New("it cannot be reached")
}
