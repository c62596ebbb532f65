package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"stadtluft/export/metrics"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/notices"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/stations"
	"stadtluft/ingest/store"
)

// smtp returns the configured SMTP server.
func (c *Config) smtp() notices.SMTP {
	public := c.Access().HTTP
	name := public.Hostname()
	if net.ParseIP(name) != nil {
		name = "" // EHLO wants a name (RFC 5321, section 4.1.1.1)
	}
	return notices.SMTP{Name: name, Host: c.SMTPHost, Port: c.SMTPPort, User: c.SMTPUser, Password: c.SMTPPassword, From: c.SMTPFrom, TLS: notices.TLSMode(c.SMTPTLS)}
}

// hooks returns the configured webhooks.
func (c *Config) hooks() *notices.Hooks {
	return &notices.Hooks{Off: c.NoticesWebhooks == "off", Hosts: strings.Fields(c.NoticesHookHosts)}
}

// offeredNotices returns what owners can choose.
func (c *Config) offeredNotices() stations.Notices {
	offer := stations.Notices{Mail: c.smtp().Set()}
	if hooks := c.hooks(); !hooks.Off {
		offer.Hook = hooks.Check
	}
	return offer
}

// validateNotices checks the SMTP server and the limits of notices.
func (c *Config) validateNotices(m *mistakes) {
	m.check(c.NoticesPerDay > 0 && c.NoticesPerHour > 1, "notices.per_day and notices.per_hour: %d and %d are not at least 1 and 2", c.NoticesPerDay, c.NoticesPerHour)
	m.check(slices.Contains([]string{"on", "off"}, c.NoticesWebhooks), "notices.webhooks: %q is neither on nor off", c.NoticesWebhooks)
	for _, host := range strings.Fields(c.NoticesHookHosts) {
		m.check(!strings.ContainsAny(host, ":/@"), "notices.webhook_hosts: %q is not the name of a host such as ntfy.example.org", host)
	}
	if c.SMTPHost == "" {
		m.check(c.SMTPUser == "" && c.SMTPPassword == "" && c.SMTPFrom == "", "smtp.host: name the server that smtp.from and smtp.user are for")
		return
	}
	m.check(!strings.ContainsAny(c.SMTPHost, ":/@ "), "smtp.host: %q is not the name of a host such as mail.example.org", c.SMTPHost)
	m.check(c.SMTPPort > 0 && c.SMTPPort < 1<<16, "smtp.port: %d is not a port", c.SMTPPort)
	modes := []notices.TLSMode{notices.StartTLS, notices.ImplicitTLS, notices.NoTLS}
	m.check(slices.Contains(modes, notices.TLSMode(c.SMTPTLS)), "smtp.tls: %q is not one of %v", c.SMTPTLS, modes)
	m.check((c.SMTPUser == "") == (c.SMTPPassword == ""), "smtp.user and smtp.password: set both or neither")
	m.check(c.SMTPUser == "" || c.SMTPTLS != string(notices.NoTLS) || loopback(c.SMTPHost+":25"), "smtp.tls: none would send smtp.password in the clear")
	_, err := netmail.ParseAddress(c.SMTPFrom)
	m.check(err == nil, "smtp.from: %q is not an address such as Stadtluft <luft@example.org>", c.SMTPFrom)
	public, err := url.Parse(c.HTTPPublicURL)
	m.check(err == nil && public.Host != "", "http.public_url: mails need it for their links, such as https://luft.example.org")
}

// smtp tries the SMTP server, without sending anything.
func (c *inspection) smtp(ctx context.Context) {
	server := c.config.smtp()
	if !server.Set() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	way := map[notices.TLSMode]string{notices.StartTLS: "after STARTTLS", notices.ImplicitTLS: "over TLS", notices.NoTLS: "without TLS"}[server.TLS]
	if server.User != "" {
		way += ", with the log-in"
	}
	c.tried("smtp", server.Check(ctx), fmt.Sprintf("%s:%d takes us in %s; nothing was sent", server.Host, server.Port, way))
	if server.TLS == notices.NoTLS && !loopback(server.Host+":25") {
		c.say(Warning, "smtp", "addresses of stations' owners cross the network in the clear: set smtp.tls")
	}
	if public, err := url.Parse(c.config.HTTPPublicURL); err == nil && public.Scheme != "https" {
		c.say(Warning, "smtp", "mail programs unsubscribe with one click at https addresses alone (RFC 8058): set http.public_url to one")
	}
}

// newNoticesPart returns the part that tells stations' owners. It is in the process with the role aggregate; of several each
// sends what it is first to claim.
func newNoticesPart(b *base, m *memory) part {
	address := b.config.Access().HTTP
	if address.Host == "" {
		address = b.config.pages()
	}
	service := &notices.Service{
		Registry: b.registry, Source: noticesSource{m, b.storage}, SMTP: b.config.smtp(), Hooks: b.config.hooks(), City: b.config.CityName, Base: address.String(),
		PerDay: b.config.NoticesPerDay, PerHour: b.config.NoticesPerHour, Log: b.log,
	}
	return part{name: "notices", run: service.Run, problems: func(_ context.Context, add addProblem) {
		if err := service.Problem(); err != nil {
			add("notices", notice{err}, "notices to stations' owners wait up to three days; `stadtluft check` tries the SMTP server")
		}
	}, measure: func(_ context.Context, c metrics.Collection) {
		stats := service.Stats(time.Now())
		for _, kind := range registry.Kinds() {
			c.Counter("notices_sent_total", "Notices sent to stations' owners.", float64(stats.Sent[kind]), "kind", string(kind))
		}
		for reason, n := range stats.Failed {
			c.Counter("notices_failed_total", "Notices dropped: bounced (the recipient is refused for ever), expired (three days old).", float64(n), "reason", reason)
		}
		for channel, n := range stats.Queued {
			c.Gauge("notices_queued", "Notices that wait.", float64(n), "channel", string(channel))
		}
		c.Gauge("notices_oldest_seconds", "Age of the oldest notice that waits.", stats.Oldest.Seconds())
	}}
}

// noticesSource gives notices the stations' data.
type noticesSource struct {
	memory  *memory
	storage *storage
}

func (s noticesSource) Seen(id string, at time.Time) notices.Seen {
	stats := s.memory.live.DayStats(id, at)
	return notices.Seen{Last: s.memory.live.Station(id, at).LastSeen, Doubted: 2*stats.Good < stats.Values}
}

func (s noticesSource) Flags(id string, at time.Time) map[ingest.Flags]int {
	return s.memory.live.DayStats(id, at).Flags
}

// errTooMuch ends the reading of a week that has more than a station can measure.
var errTooMuch = errors.New("more readings than a station has in a week")

// mostReadings is the most of a week: one every second.
const mostReadings = 7 * 24 * 3600

func (s noticesSource) Week(ctx context.Context, id string, from, to time.Time) (notices.Summary, error) {
	w := notices.Summary{From: from, To: to}
	sums, counts := map[quantity.Quantity]*notices.Spread{}, map[quantity.Quantity]int{}
	var hour time.Time
	readings := 0
	query := store.ReadingQuery{From: from, To: to, Stations: []string{id}}
	err := s.storage.Readings(ctx, query, func(r ingest.Reading) error {
		if readings++; readings > mostReadings {
			return errTooMuch
		}
		if at := r.Time.Truncate(time.Hour); !at.Equal(hour) {
			hour = at
			w.Hours++
		}
		for _, v := range r.Values {
			w.Values++
			if !v.Flags.Good() {
				continue
			}
			w.Good++
			spread, n := sums[v.Quantity], counts[v.Quantity]
			if spread == nil {
				spread = &notices.Spread{Quantity: v.Quantity, Min: v.Value, Max: v.Value}
				sums[v.Quantity] = spread
			}
			counts[v.Quantity] = n + 1
			spread.Mean += (v.Value - spread.Mean) / float64(n+1)
			spread.Min, spread.Max = min(spread.Min, v.Value), max(spread.Max, v.Value)
		}
		return nil
	})
	st, _ := s.memory.registry.Station(id)
	for _, q := range quantity.All() {
		if sums[q] != nil && notices.Told(q) && !(ingest.IsSignal(q) && !st.Calibrated(q, to)) {
			w.Quantities = append(w.Quantities, *sums[q])
		}
	}
	return w, err
}
