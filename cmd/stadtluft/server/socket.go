package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"stadtluft/ingest/registry"
)

const (
	natsFolder = "nats"      // of the embedded server, in the data folder
	natsLock   = "lock.nats" // held by the process whose embedded server uses that folder
	// socketFile is where commands reach the embedded server of a running process. Whoever can open it can read and write
	// everything, as with the data folder itself.
	socketFile = "nats.sock"

	lockTime  = 15 * time.Second // longest wait for another process that uses the embedded server's folder
	lockEvery = 50 * time.Millisecond
)

// errTaken reports that another process has the embedded server.
var errTaken = errors.New("another stadtluft uses it and does not answer")

// socket connects to the embedded server of another process.
type socket string

// InProcessConn opens a connection. The registry takes it for one within the process.
func (s socket) InProcessConn() (net.Conn, error) {
	path, release, err := shortened(string(s))
	if err != nil {
		return nil, err
	}
	defer release()
	return net.Dial("unix", path)
}

// shortened returns a path of a socket that the system takes, which are those up to 107 bytes (unix(7)): one through the
// open folder, where the path itself is longer.
func shortened(path string) (short string, release func(), err error) {
	const longest = 107
	if len(path) <= longest {
		return path, func() {}, nil
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(path)), func() { folder.Close() }, nil
}

// socketPart lets commands use the embedded server until it is stopped.
func socketPart(data string, nats registry.InProcess, log *slog.Logger) (part, error) {
	name := filepath.Join(data, socketFile)
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a process that was killed
		return part{}, fmt.Errorf("data folder: %w", err)
	}
	path, release, err := shortened(name)
	if err != nil {
		return part{}, fmt.Errorf("data folder: %w", err)
	}
	defer release()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		return part{}, fmt.Errorf("data folder: %w", err)
	}
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(name, 0o600); err != nil {
		return part{}, errors.Join(err, l.Close())
	}
	return part{name: "commands", run: func(ctx context.Context) error {
		defer os.Remove(name)
		return serveSocket(ctx, l, nats, log)
	}}, nil
}

func serveSocket(ctx context.Context, l net.Listener, nats registry.InProcess, log *slog.Logger) error {
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { l.Close() })
	for {
		outer, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept a command: %w", err)
		}
		inner, err := nats.InProcessConn()
		if err != nil {
			outer.Close()
			log.Warn("command cannot reach the embedded NATS server", "err", err)
			continue
		}
		all.Go(func() { join(ctx, inner, outer) })
	}
}

// join copies between two connections until one ends or ctx ends.
func join(ctx context.Context, a, b net.Conn) {
	ended := context.AfterFunc(ctx, func() {
		a.Close()
		b.Close()
	})
	defer ended()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			io.Copy(way[0], way[1]) // an end of one is the end of both
			a.Close()
			b.Close()
		})
	}
	both.Wait()
}

// lockNATS takes the folder of the embedded server. It is errTaken while another process has it.
func lockNATS(data string) (release func(), err error) {
	file, err := os.OpenFile(filepath.Join(data, natsLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("data folder %s: %w", data, errTaken)
	}
	return func() { file.Close() }, nil
}

// waitForLock takes the folder of the embedded server as soon as a command has left it. Meanwhile it calls otherwise,
// and ends when that returns true.
func waitForLock(ctx context.Context, data string, otherwise func() bool) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	tick := time.NewTicker(lockEvery)
	defer tick.Stop()
	for {
		release, err := lockNATS(data)
		if !errors.Is(err, errTaken) || otherwise() {
			return release, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-tick.C:
		}
	}
}

// reachNATS returns the way to the embedded NATS server of the process that runs on the data folder, or a server of its
// own, which close ends.
func reachNATS(ctx context.Context, c Config, log *slog.Logger) (nats registry.InProcess, close func(), err error) {
	data := c.ProcessData()
	there := socket(filepath.Join(data, socketFile))
	answers := func() bool {
		conn, err := there.InProcessConn()
		return err == nil && conn.Close() == nil
	}
	if err := makeDataFolder(data); err != nil {
		return nil, nil, err
	}
	release, err := waitForLock(ctx, data, answers)
	if errors.Is(err, errTaken) && answers() {
		return there, func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	s, err := startNATS(c, log)
	if err != nil {
		release()
		return nil, nil, err
	}
	return s.InProcess(), func() {
		s.Close()
		release()
	}, nil
}
