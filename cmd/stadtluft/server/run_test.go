package server

import (
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
)

// natsURL runs a real NATS server with JetStream on a free port.
func natsURL(t *testing.T) (url string) {
	t.Helper()
	s, err := nats.NewServer(&nats.Options{Host: "127.0.0.1", Port: nats.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("NATS is not ready")
	}
	return s.ClientURL()
}

// TestRolesDecideWhichPartsThereAre starts servers and lists their parts, each after those that it needs.
func TestRolesDecideWhichPartsThereAre(t *testing.T) {
	f := func(roles, want string, change ...func(*Config)) {
		t.Helper()
		o := Options{Config: defaults(), Out: io.Discard, Log: slog.New(slog.DiscardHandler)}
		o.Config.Data, o.Config.Roles, o.Config.HTTPListen, o.Config.MQTTListen = t.TempDir(), roles, "127.0.0.1:0", "127.0.0.1:0"
		for _, c := range change {
			c(&o.Config)
		}
		sup := newSupervisor(o.Log)
		defer sup.stop()
		if err := start(t.Context(), o, sup); err != nil {
			t.Errorf("%s: %v", roles, err)
		}
		var got []string
		for _, name := range names(sup) {
			name, _, _ = strings.Cut(name, " to tcp:")
			got = append(got, name)
		}
		if want := strings.Split(want, ", "); !slices.Equal(got, want) {
			t.Errorf("%s has the parts\n%q, want\n%q", roles, got, want)
		}
	}
	const all = "ingest,write,aggregate,web"
	const own = "NATS server, NATS server watch, commands, data folder, registry, store, store watch, journal, "
	const leases = "data folder, registry, leases, "
	const work = "replay, journal trimming, writer, dead letters, hours, archive, recomputations, pipeline, "
	f(all, own+"broker, "+work+"feedback, live averages, notices, comparison, pages")
	f(all, own+work+"connection, feedback, live averages, notices, comparison, pages", func(c *Config) { c.MQTTListen, c.MQTTBroker = "", "tcp://127.0.0.1:1" })
	url := natsURL(t)
	cluster := func(c *Config) { c.NATSURL = url }
	f("ingest", leases+"store, store watch, journal, sessions, broker, sessions elsewhere, other intakes, pipeline, averages for the broker, feedback, pages", cluster)
	f("ingest", leases+"store, store watch, journal, other intakes, pipeline, connection, feedback, pages", cluster, func(c *Config) { c.MQTTListen, c.MQTTBroker = "", "tcp://127.0.0.1:1" })
	f("write", leases+"lease of the role write, store, store watch, journal, journal trimming, writer, dead letters, archive, archive's place, pages", cluster)
	f("aggregate", leases+"lease of the role aggregate, store, store watch, journal, replay, hours, archive's place, recomputations, live averages, notices, pages", cluster)
	f("web", leases+"store, store watch, journal, replay, hours, archive's place, live averages, comparison, pages", cluster)
}

// names returns the names of all parts, in the order in which they are stopped from its end.
func names(s *supervisor) (list []string) {
	for _, r := range s.running {
		switch {
		case r.city != nil:
			list = append(list, names(r.city)...)
		case s.city != "":
			list = append(list, s.city+": "+r.name)
		default:
			list = append(list, r.name)
		}
	}
	return list
}

// TestCitiesShareAProcess lists the parts of a process with two cities: those of each have its name.
func TestCitiesShareAProcess(t *testing.T) {
	c, err := loadCities(t, "http.listen: 127.0.0.1:0\nmqtt.listen: 127.0.0.1:0\ndata: "+t.TempDir()+"\n"+strings.TrimPrefix(twoCities, "\nhttp:\n  public_url: https://luft.example.org"))
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	sup := newSupervisor(slog.New(slog.DiscardHandler))
	defer sup.stop()
	if err := start(t.Context(), Options{Config: c, Out: &log, Log: sup.log}, sup); err != nil {
		t.Fatal(err)
	}
	of := func(city, names string) string {
		return city + ": " + strings.ReplaceAll(names, ", ", ", "+city+": ")
	}
	const parts = "data folder, registry, store, store watch, journal, broker, replay, journal trimming, writer, dead letters, hours, archive, recomputations, pipeline, feedback, live averages, notices, comparison"
	want := "NATS server, NATS server watch, commands, " + of("bonn-beuel", parts) + ", " + of("koeln", parts) + ", broker, portal, pages"
	if got := strings.Join(names(sup), ", "); got != want {
		t.Errorf("the parts are\n%s, want\n%s", got, want)
	}
	for _, city := range []string{"bonn-beuel", "koeln"} {
		if !strings.Contains(log.String(), "The administrator's token of "+city+", shown only now: ") {
			t.Errorf("no token of %s: %s", city, log.String())
		}
	}
}

// TestThePortalAloneOpensNoBroker serves the page of all cities on a host whose broker's address another process has.
func TestThePortalAloneOpensNoBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := loadCities(t, "serve: none\nhttp.listen: 127.0.0.1:0\nmqtt.listen: "+l.Addr().String()+"\ndata: "+t.TempDir()+"\n"+strings.TrimPrefix(twoCities, "\nhttp:\n  public_url: https://luft.example.org"))
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	sup := newSupervisor(slog.New(slog.NewTextHandler(&log, nil)))
	defer sup.stop()
	if err := start(t.Context(), Options{Config: c, Out: io.Discard, Log: sup.log}, sup); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(sup), ", "); got != "portal, pages" {
		t.Errorf("the parts are %s", got)
	}
	sup.stop() // so that nothing is logged any more
	if !strings.Contains(log.String(), "stadtluft is up") {
		t.Errorf("the log does not say that it is up: %s", log.String())
	}
}

// TestAnAddressInUseStopsTheStart has another server use the HTTP address: the parts that were started are stopped
// again.
func TestAnAddressInUseStopsTheStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := Options{Config: defaults(), Out: io.Discard, Log: slog.New(slog.DiscardHandler)}
	o.Config.Data, o.Config.HTTPListen, o.Config.MQTTListen = t.TempDir(), l.Addr().String(), "127.0.0.1:0"
	for range 2 { // the second start finds the data folder unlocked
		if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "is in use: set http.listen") {
			t.Errorf("%v, want an address in use", err)
		}
	}
}

// TestADemoAvoidsTakenAddresses has another program on the default addresses, and on one that somebody chose.
func TestADemoAvoidsTakenAddresses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	free, err := freeAddress("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := func(what string, c, standard Config, wantHTTP, wantMQTT bool) {
		t.Helper()
		before := c
		if err := c.avoidTaken(standard, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		if (c.HTTPListen != before.HTTPListen) != wantHTTP || (c.MQTTListen != before.MQTTListen) != wantMQTT {
			t.Errorf("%s: %s and %s of %s and %s", what, c.HTTPListen, c.MQTTListen, before.HTTPListen, before.MQTTListen)
		}
		if host, port, err := net.SplitHostPort(c.HTTPListen); wantHTTP && (err != nil || host != "127.0.0.1" || port == "0") {
			t.Errorf("%s: %q is not an address to print", what, c.HTTPListen)
		}
	}
	all := Config{HTTPListen: taken, MQTTListen: taken}
	f("both defaults are taken", all, all, true, true)
	f("a chosen address is taken", all, Config{HTTPListen: free, MQTTListen: taken}, false, true)
	f("nothing is taken", Config{HTTPListen: free, MQTTListen: free}, Config{HTTPListen: free, MQTTListen: free}, false, false)
	f("no broker", Config{HTTPListen: taken}, Config{HTTPListen: taken, MQTTListen: taken}, true, false)
}

// TestAFirstStartThatFails leaves no administrator's token that nobody has seen: the first start that works prints one, and
// only that one.
func TestAFirstStartThatFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := defaults()
	c.Data, c.MQTTListen = t.TempDir(), "127.0.0.1:0"
	begin := func(http string, out io.Writer) error {
		c.HTTPListen = http
		sup := newSupervisor(slog.New(slog.DiscardHandler))
		defer sup.stop()
		return start(t.Context(), Options{Config: c, Out: out, Log: slog.New(slog.DiscardHandler)}, sup)
	}
	f := func(http string, fails bool, tokens int) {
		t.Helper()
		var out strings.Builder
		if err := begin(http, &out); (err != nil) != fails || strings.Count(out.String(), "token") != tokens {
			t.Errorf("at %s: %v, %q; want %d tokens", http, err, out.String(), tokens)
		}
	}
	f(taken.Addr().String(), true, 0)
	if err := begin("127.0.0.1:0", brokenPipe{}); err == nil {
		t.Error("a token that could not be printed is kept")
	}
	f("127.0.0.1:0", false, 1)
	f("127.0.0.1:0", false, 0)
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
