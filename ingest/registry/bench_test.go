package registry

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/paulmach/orb"

	"stadtluft/geo"
)

// cpu returns the CPU time that the process has taken.
func cpu(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// BenchmarkAdopt registers neighbours' stations in an empty registry, each on disk before the next, with NATS's work and a
// second process that follows; and opens it again. It reports the CPU time of each.
func BenchmarkAdopt(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				adopt(b, n)
			}
		})
	}
}

func adopt(b *testing.B, n int) {
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, JetStream: true, SyncAlways: true, StoreDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(10 * time.Second) {
		b.Fatal("NATS is not ready")
	}
	o := Options{Boundary: geo.CologneSketch(), Zone: "Europe/Berlin", InProcess: s, Folder: b.TempDir()}
	opened := func() *Registry {
		r, err := Open(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		return r
	}
	r, other := opened(), opened()
	defer other.Close()
	begin, wall := cpu(b), time.Now()
	f := neighbour
	for i := range n {
		f.Key, f.Name, f.Point = fmt.Sprint(i), fmt.Sprint("Sensor.Community ", i), orb.Point{6.9 + float64(i%100)/1000, 50.9 + float64(i/100)/1000}
		if _, err := r.Adopt(b.Context(), f); err != nil {
			b.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric((cpu(b) - begin).Seconds(), "CPU-s/adopted")
	b.ReportMetric(time.Since(wall).Seconds(), "s/adopted")
	begin = cpu(b)
	again := opened()
	defer again.Close()
	if got := len(again.Stations()); got != n {
		b.Fatalf("%d stations, want %d", got, n)
	}
	b.ReportMetric((cpu(b) - begin).Seconds(), "CPU-s/opened")
}
