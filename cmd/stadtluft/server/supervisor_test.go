package server

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"stadtluft/ingest/admin"
)

// untilStopped returns a part that adds its name to a list when it has ended.
func untilStopped(name string, ended *[]string) part {
	return closing(name, func() error { *ended = append(*ended, name); return nil })
}

// TestPartsStopFromTheTop has three parts and one that does not stop: those below it are stopped anyway.
func TestPartsStopFromTheTop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sup := newSupervisor(slog.New(slog.DiscardHandler))
		var ended []string
		stuck := make(chan struct{})
		sup.start(untilStopped("data", &ended), untilStopped("journal", &ended))
		sup.start(part{name: "stuck", run: func(context.Context) error { <-stuck; return nil }})
		sup.start(untilStopped("pages", &ended))
		begin := time.Now()
		sup.stop()
		if want := []string{"pages", "journal", "data"}; !slices.Equal(ended, want) || time.Since(begin) != stopTime {
			t.Errorf("stopped %v after %v, want %v after %v", ended, time.Since(begin), want, stopTime)
		}
		close(stuck)
	})
}

// TestAPartThatEndsStopsTheServer has parts fail and end by themselves, while the server waits and while it starts.
func TestAPartThatEndsStopsTheServer(t *testing.T) {
	f := func(run func(context.Context) error, want string) {
		t.Helper()
		for _, wait := range []func(*supervisor) error{
			func(sup *supervisor) error { return sup.wait(t.Context()) },
			func(sup *supervisor) error { return sup.await(t.Context(), make(chan struct{})) },
		} {
			sup := newSupervisor(slog.New(slog.DiscardHandler))
			sup.start(part{name: "writer", run: run})
			if err := wait(sup); err == nil || err.Error() != want {
				t.Errorf("%v, want %q", err, want)
			}
			sup.stop()
		}
	}
	f(func(context.Context) error { return errors.New("disk full") }, "writer: disk full")
	f(func(context.Context) error { return nil }, "writer ended by itself")
}

// TestHealthAsksEachPart has parts with a problem, without one, and with nothing to report.
func TestHealthAsksEachPart(t *testing.T) {
	problem := func(name string, err error) part {
		return part{problems: func(_ context.Context, add addProblem) { add(name, err, "look at "+name) }}
	}
	h := health{{}, problem("store", errors.New("away")), problem("journal", nil), problem("mqtt", errors.New("not connected"))}
	got := h.problems(t.Context())
	want := []admin.Problem{{Part: "store", Problem: "away", Do: "look at store"}, {Part: "mqtt", Problem: "not connected", Do: "look at mqtt"}}
	if !slices.Equal(got, want) || h.ready(t.Context()) {
		t.Errorf("problems %+v, want %+v", got, want)
	}
	if h := (health{{}, problem("journal", nil)}); !h.ready(t.Context()) {
		t.Error("parts without a problem are not ready")
	}
}
