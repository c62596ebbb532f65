package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
)

// faultyProxy is a TCP proxy between two parts that can cut and stall its connections.
type faultyProxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex // guards all below
	down  bool
	flow  chan struct{} // closed while bytes are forwarded
	conns map[net.Conn]struct{}
}

func newFaultyProxy(t *testing.T, target string) *faultyProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	flow := make(chan struct{})
	close(flow)
	n := &faultyProxy{listener: l, target: target, conns: map[net.Conn]struct{}{}, flow: flow}
	go n.run()
	t.Cleanup(func() { l.Close(); n.flowing(true); n.cut() })
	return n
}

func (n *faultyProxy) addr() string { return n.listener.Addr().String() }

func (n *faultyProxy) run() {
	for {
		near, err := n.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", n.target)
		if err != nil || !n.keep(near, far) {
			near.Close()
			continue
		}
		go n.pass(near, far)
		go n.pass(far, near)
	}
}

// keep adds a connection; false while the proxy is cut.
func (n *faultyProxy) keep(conns ...net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range conns {
		if n.down {
			c.Close()
		} else {
			n.conns[c] = struct{}{}
		}
	}
	return !n.down
}

func (n *faultyProxy) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 4096)
	for {
		size, err := from.Read(buf)
		n.mu.Lock()
		flow := n.flow
		n.mu.Unlock()
		<-flow
		if _, failed := to.Write(buf[:size]); err != nil || failed != nil {
			return
		}
	}
}

// cut ends every connection and accepts none until mend.
func (n *faultyProxy) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = true
	for c := range n.conns {
		c.Close()
	}
	clear(n.conns)
}

func (n *faultyProxy) mend() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = false
}

// flowing forwards bytes, or drops them without ending the connections.
func (n *faultyProxy) flowing(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.flow:
		if !on {
			n.flow = make(chan struct{})
		}
	default:
		if on {
			close(n.flow)
		}
	}
}

// ready returns the answer of /readyz; 0 without an answer.
func (p *process) ready() (status int, body string) { return p.ask("/readyz") }

// ask returns the answer of a route; 0 without an answer.
func (p *process) ask(route string) (status int, body string) {
	response, err := http.Get(p.url + route)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// runAsRoot runs the test again in a user namespace, where it is root and may mount, unless it is root already.
func runAsRoot(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() == 0 {
		return false
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "-test.run=^"+t.Name()+"$")
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("in a user namespace: %v: %s (where this host allows none, root can run the test)", err, out)
	}
	return true
}

// smallDisk mounts a file system of the given size at a folder, which needs root. Called again for a folder, it changes
// the size.
func smallDisk(t *testing.T, dir, size string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size="+size); err == nil {
		return
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatalf("mount a small disk: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := make([]byte, 1<<20); err == nil; {
		_, err = file.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
}
