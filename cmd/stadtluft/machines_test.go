package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"

	"stadtluft/ingest/store/influx/influxtest"
)

// asNATS is the environment variable that makes the test binary run as a NATS server, with a natsNode in JSON.
const asNATS = "STADTLUFT_TEST_AS_NATS"

// natsNode is a server of a cluster, in a process of its own.
type natsNode struct {
	Name, Host, Dir string
	Port, Route     int
	Routes          []string
	with            []string // the command that starts it
	cmd             *exec.Cmd
}

// runNATS runs until it is killed.
func runNATS(text string) {
	var n natsNode
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var routes []*url.URL
	for _, r := range n.Routes {
		routes = append(routes, &url.URL{Scheme: "nats", Host: r})
	}
	s, err := nats.NewServer(&nats.Options{
		ServerName: n.Name, Host: n.Host, Port: n.Port, JetStream: true, StoreDir: n.Dir, SyncAlways: true, NoLog: true,
		Cluster: nats.ClusterOpts{Name: "city", Host: n.Host, Port: n.Route}, Routes: routes,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	s.Start()
	s.WaitForShutdown()
	os.Exit(0)
}

func (n *natsNode) start(t testing.TB) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	command := append(slices.Clone(n.with), self)
	n.cmd = exec.Command(command[0], command[1:]...)
	n.cmd.Env, n.cmd.Stderr = append(os.Environ(), asNATS+"="+string(text)), os.Stderr
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func (n *natsNode) kill() {
	if n.cmd != nil {
		n.cmd.Process.Kill()
		n.cmd.Wait()
		n.cmd = nil
	}
}

func (n *natsNode) address() string {
	return "nats://" + net.JoinHostPort(n.Host, strconv.Itoa(n.Port))
}

// natsCluster prepares a cluster of three, one on each machine.
func natsCluster(t testing.TB, on [3]machine) (nodes []*natsNode, urls string) {
	t.Helper()
	port := func(host string) int {
		if host != here.host {
			return 4222
		}
		_, text, _ := net.SplitHostPort(freeAddr(t))
		n, _ := strconv.Atoi(text)
		return n
	}
	var routes, clients []string
	for i, where := range on {
		host := where.host
		n := &natsNode{Name: fmt.Sprintf("n%d", i), Host: host, Dir: t.TempDir(), Port: port(host), Route: port(host) + 1, with: where.with}
		nodes, routes, clients = append(nodes, n), append(routes, net.JoinHostPort(host, strconv.Itoa(n.Route))), append(clients, n.address())
	}
	for _, n := range nodes {
		n.Routes = routes
		t.Cleanup(n.kill)
	}
	return nodes, strings.Join(clients, ",")
}

// balancer passes each connection to one of several addresses, in turn, and to the next when one does not answer.
type balancer struct {
	listener net.Listener
	targets  []string
	turn     atomic.Uint64
	open     sync.WaitGroup
}

func newBalancer(t testing.TB, listen string, targets ...string) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{listener: l, targets: targets}
	b.open.Go(b.run)
	t.Cleanup(func() { l.Close() })
	return b
}

func (b *balancer) run() {
	for {
		near, err := b.listener.Accept()
		if err != nil {
			return
		}
		go b.pass(near)
	}
}

func (b *balancer) pass(near net.Conn) {
	defer near.Close()
	first := b.turn.Add(1)
	for i := range b.targets {
		far, err := net.DialTimeout("tcp", b.targets[(first+uint64(i))%uint64(len(b.targets))], time.Second)
		if err != nil {
			continue
		}
		go func() {
			io.Copy(far, near)
			far.Close()
		}()
		io.Copy(near, far)
		far.Close()
		return
	}
}

// machine is where processes run: this one, or a network namespace with an address of its own.
type machine struct {
	host string
	with []string // the command that starts a program there
}

// here is this machine.
var here = machine{host: "127.0.0.1"}

// machines are the processes of one city, each with a data folder of its own.
type machines struct {
	t        testing.TB
	nats     []*natsNode
	db       *influxtest.Server
	all      map[string][]*process // by role, two of each
	balancer *balancer
	env      []string // what all have in common
}

// launchMachines starts a NATS cluster of three, one on each machine, and two processes for each of the roles, on the first
// two machines. The balancer and InfluxDB are at the address gate.
func launchMachines(t testing.TB, on [3]machine, gate string, roles ...string) *machines {
	t.Helper()
	m := &machines{t: t, db: influxtest.Start(t), all: map[string][]*process{}}
	var url string
	m.nats, url = natsCluster(t, on)
	for _, n := range m.nats {
		n.start(t)
	}
	influx := newBalancer(t, gate+":0", strings.TrimPrefix(m.db.URL, "http://"))
	m.env = []string{
		"STADTLUFT_NATS_URL=" + url, "STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL=http://" + influx.listener.Addr().String(),
		"STADTLUFT_ARCHIVE=" + filepath.Join(t.TempDir(), "archive"), "STADTLUFT_ADMIN_TOKEN=" + faultsAdmin,
		"STADTLUFT_HTTP_TRUSTED_PROXIES=" + gate, // the tests, which register stations of several people
	}
	m.clusterReady()
	var doors []string
	for i, role := range roles {
		for _, where := range on[:2] {
			p := m.prepare(where, role, i)
			m.all[role] = append(m.all[role], p)
			if strings.Contains(role, intakeRole) {
				doors = append(doors, strings.TrimPrefix(p.mqtt, "tcp://"))
			}
			p.begin()
		}
	}
	for _, p := range m.processes() {
		p.wait()
	}
	m.balancer = newBalancer(t, gate+":0", doors...)
	return m
}

// prepare returns a process with roles on a machine, which is the number-th there.
func (m *machines) prepare(on machine, roles string, number int) *process {
	m.t.Helper()
	env := append(slices.Clone(m.env), "STADTLUFT_ROLES="+roles)
	if on.with == nil {
		return prepare(m.t, m.t.TempDir(), env...)
	}
	http, mqtt := fmt.Sprintf("%s:%d", on.host, 8080+number), on.host+":1883"
	p := prepare(m.t, m.t.TempDir(), append(env, "STADTLUFT_HTTP_LISTEN="+http, "STADTLUFT_MQTT_LISTEN="+mqtt)...)
	p.url, p.with = "http://"+http, on.with
	return p
}

// processes returns all processes.
func (m *machines) processes() (list []*process) {
	for _, two := range m.all {
		list = append(list, two...)
	}
	return list
}

// clusterReady waits until the cluster keeps the registry.
func (m *machines) clusterReady() {
	m.t.Helper()
	data := m.t.TempDir()
	eventually(m.t, "the NATS cluster", func() bool {
		status, _, _ := runCommand(m.t, append([]string{"PATH=" + os.Getenv("PATH")}, m.env...), "station", "list", "--data", data)
		return status == 0
	})
}

// runCommand runs the program with an environment.
func runCommand(t testing.TB, env []string, args ...string) (status int, out, messages string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	var stdout, stderr strings.Builder
	c.Env, c.Stdout, c.Stderr = append(env, asProgram+"=1"), &stdout, &stderr
	c.Run()
	return c.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// leader returns the process that does the work of a role of two, waiting until one does.
func leader(t testing.TB, two []*process) (first, other *process) {
	t.Helper()
	eventually(t, "one of two processes to hold the lease", func() bool {
		for i, p := range two {
			if p.metric("stadtluft_lease_held") == 1 {
				first, other = p, two[1-i]
				return true
			}
		}
		return false
	})
	return first, other
}
