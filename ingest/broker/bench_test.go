package broker

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// BenchmarkConnections connects 9,000 stations that say nothing, with sockets that take no memory of Go's on their side,
// and reports what each costs the broker.
func BenchmarkConnections(b *testing.B) {
	const n = 9_000 // 20,000 descriptors are what a process often may have
	d := New(Options{Authenticate: func(string, string) bool { return true }, Log: slog.New(slog.DiscardHandler)})
	d.Open()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer d.Close()
	defer cancel()
	go d.Serve(ctx, l, nil)
	port := l.Addr().(*net.TCPAddr).Port
	for b.Loop() {
		before, goroutines := inUse(), runtime.NumGoroutine()
		sockets := make([]int, n)
		for i := range sockets {
			sockets[i] = dialSocket(b, port, fmt.Sprint("S", i))
		}
		for stations, _ := d.Connected(); stations < n; stations, _ = d.Connected() {
			time.Sleep(10 * time.Millisecond)
		}
		b.ReportMetric(float64(inUse()-before)/n, "B/connection")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/n, "goroutines/connection")
		for _, socket := range sockets {
			syscall.Close(socket)
		}
		for stations, _ := d.Connected(); stations > 0; stations, _ = d.Connected() {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// inUse returns the bytes of live objects and stacks, after the few collections in which stacks shrink that were needed
// for the log-in.
func inUse() int64 {
	for range 4 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func dialSocket(b *testing.B, port int, station string) int {
	b.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		b.Fatal(err)
	}
	if err := syscall.Connect(socket, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		b.Fatal(err)
	}
	if _, err := syscall.Write(socket, connect311("id", station, "token")); err != nil {
		b.Fatal(err)
	}
	if _, err := syscall.Read(socket, make([]byte, 4)); err != nil {
		b.Fatal(err)
	}
	return socket
}
