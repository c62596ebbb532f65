package registry

import (
	"errors"
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
		ports, routes = append(ports, port), append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	var clients []string
	for i, port := range ports {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
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
		if !s.ReadyForConnections(30 * time.Second) {
			t.Fatal("a server is not ready")
		}
		clients = append(clients, s.ClientURL())
	}
	return servers, strings.Join(clients, ",")
}

// TestAClusterLosesAServer stops the server that a process is connected to: stations can register and log in everywhere.
func TestAClusterLosesAServer(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: starts a cluster of three")
	}
	servers, urls := startCluster(t)
	var here *Registry
	persist(t, func() (err error) {
		here, err = Open(t.Context(), Options{URL: urls, Folder: t.TempDir()})
		return err
	})
	t.Cleanup(func() { here.Close() })
	there, err := Open(t.Context(), Options{URL: urls, Replicas: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { there.Close() })
	for _, config := range here.bucket.configs() {
		s, err := here.bucket.js.Stream(t.Context(), config.Name)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.CachedInfo().Config.Replicas; n != 3 {
			t.Errorf("%s has %d replicas, want %d: a start with one lowered them", config.Name, n, 3)
		}
	}
	n := balcony()
	n.Address = "192.0.2.1"
	known := func(id string) func() bool {
		return func() bool {
			_, a := here.Station(id)
			_, b := there.Station(id)
			return a && b
		}
	}
	var c Credentials
	persist(t, func() error {
		c, _, err = here.Add(t.Context(), n)
		return err
	})
	until(t, "both know the first", known(c.ID))
	connected := here.bucket.nc.ConnectedServerName() // asked once: the connection goes on to the next server
	for _, s := range servers {
		if s.Name() == connected {
			s.Shutdown()
			s.WaitForShutdown()
		}
	}
	persist(t, func() error {
		c, _, err = here.Add(t.Context(), n)
		return err
	})
	persist(t, func() error {
		if !known(c.ID)() {
			return errors.New("the second station is not known to both")
		}
		return nil
	})
	persist(t, func() error { return there.Erase(t.Context(), c.ID, Owner) })
	persist(t, func() error { // a watch that lost its server notices by the heartbeats that do not come
		if here.Authenticate(c.ID, c.Token) {
			return errors.New("an erased station can log in")
		}
		return nil
	})
}

// persist calls do until it succeeds.
func persist(t *testing.T, do func() error) {
	t.Helper()
	deadline, tick := time.After(2*time.Minute), time.NewTicker(50*time.Millisecond)
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
