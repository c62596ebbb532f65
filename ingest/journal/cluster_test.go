package journal

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// freePort returns a free port for a route, which the others must know before the server starts.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func startCluster(t *testing.T) (servers []*server.Server, urls string) {
	t.Helper()
	var ports []int
	var routes []*url.URL
	for range 3 {
		port := freePort(t)
		ports = append(ports, port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	var clients []string
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true, NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "city", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers = append(servers, s)
	}
	for _, s := range servers {
		if !s.ReadyForConnections(patience) {
			t.Fatal("a server is not ready")
		}
		clients = append(clients, s.ClientURL())
	}
	return servers, strings.Join(clients, ",")
}

// TestClusterLosesAServer stops the server that the journal is connected to. Each batch is appended until it
// succeeds, as the pipeline does; one may be there twice, none may be missing.
func TestClusterLosesAServer(t *testing.T) {
	servers, urls := startCluster(t)
	var j *Journal
	until(t, func() (err error) {
		j, err = Open(t.Context(), Options{URL: urls, Deployment: "A"})
		return err
	})
	t.Cleanup(j.Close)
	again, err := Open(t.Context(), Options{URL: urls, Replicas: 1})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if info, err := j.info(t.Context()); err != nil || info.Config.Replicas != 3 {
		t.Errorf("%d replicas, %v, want %d: a start with one lowered them", info.Config.Replicas, err, 3)
	}
	if _, err := Open(t.Context(), Options{URL: urls, Deployment: "B"}); err == nil || !strings.Contains(err.Error(), "deployment A, not to B") {
		t.Errorf("another deployment's journal: %v", err)
	}
	const n = 60
	for i := range n {
		if i == n/2 {
			stop(servers, j.nc.ConnectedServerName())
		}
		b := many(1)
		b.Readings[0].Time = time.Unix(int64(i), 0).UTC()
		until(t, func() error { return j.Append(t.Context(), b) })
	}
	seen := map[int64]bool{}
	info, err := j.info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, second := range written(t, j, int(info.State.Msgs)) {
		seen[second] = true
	}
	if len(seen) != n {
		t.Errorf("got %d different readings, want %d", len(seen), n)
	}
}

func stop(servers []*server.Server, name string) {
	for _, s := range servers {
		if s.Name() == name {
			s.Shutdown()
			s.WaitForShutdown()
		}
	}
}

// until calls do until it succeeds; each call waits for the server's own answer or refusal.
func until(t *testing.T, do func() error) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := do()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatal(err)
		case <-tick.C:
		}
	}
}
