package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stadtluft/export/metrics"
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

// TestPartsOfACityStopWhereItStands has two cities between the parts that they share: the parts of each are stopped in its place, also
// those that were started after what is above.
func TestPartsOfACityStopWhereItStands(t *testing.T) {
	sup := newSupervisor(slog.New(slog.DiscardHandler))
	var ended []string
	koeln, bonn := sup.of("koeln"), sup.of("bonn")
	koeln.start(untilStopped("data of koeln", &ended), untilStopped("pipeline of koeln", &ended))
	sup.start(untilStopped("NATS", &ended))
	sup.startCity(untilStopped("koeln", &ended), koeln)
	sup.startCity(untilStopped("bonn", &ended), bonn)
	sup.start(untilStopped("pages", &ended))
	bonn.start(untilStopped("data of bonn", &ended))
	bonn.stop()
	bonn.start(untilStopped("data of bonn again", &ended))
	sup.stop()
	want := []string{"data of bonn", "pages", "bonn", "data of bonn again", "koeln", "pipeline of koeln", "data of koeln", "NATS"}
	if !slices.Equal(ended, want) {
		t.Errorf("stopped %q, want %q", ended, want)
	}
	sup = newSupervisor(slog.New(slog.DiscardHandler))
	city := sup.of("koeln")
	sup.startCity(untilStopped("koeln", &ended), city)
	city.start(part{name: "writer", run: func(context.Context) error { return errors.New("disk full") }})
	for range 2 { // who awaits it while a city starts does not take it from who waits
		if err := sup.await(t.Context(), nil); err == nil || err.Error() != "koeln: writer: disk full" {
			t.Errorf("a part of a city fails: %v", err)
		}
	}
	sup.stop()
}

// TestAProcessIsReadyWhileOneOfItsCitiesIs has a problem in what cities share, in one, and in all.
func TestAProcessIsReadyWhileOneOfItsCitiesIs(t *testing.T) {
	f := func(want bool, common string, cities ...string) {
		t.Helper()
		of := func(problem string) health {
			return health{{problems: func(_ context.Context, add addProblem) {
				switch problem {
				case "":
				case "notice":
					add("store", notice{errors.New(problem)}, "wait")
				default:
					add("store", errors.New(problem), "wait")
				}
			}}}
		}
		var sites []*site
		problems := 0
		for i, problem := range append(cities, common) {
			if problem != "" {
				problems++
			}
			if i < len(cities) {
				sites = append(sites, &site{base: &base{config: Config{ID: string(rune('a' + i))}}, report: report{own: of(problem).state}})
			}
		}
		got := stateOf(t.Context(), of(common), sites)
		if got.Ready != want || len(got.Problems) != problems || len(got.Cities) != len(cities) {
			t.Errorf("%q, %q: %+v, want ready: %t", common, cities, got, want)
		}
		for i, city := range got.Cities {
			if city.City != string(rune('a'+i)) || city.Ready != (cities[i] == "" || cities[i] == "notice") {
				t.Errorf("%q: %+v", cities, city)
			}
		}
		if n := len(got.Problems); n > 0 && common == "" && cities[len(cities)-1] != "" && got.Problems[n-1].Part != string(rune('a'+len(cities)-1))+": store" {
			t.Errorf("%q: the last problem is of %q", cities, got.Problems[n-1].Part)
		}
	}
	f(true, "")
	f(false, "away")
	f(true, "", "", "")
	f(true, "", "", "away")
	f(true, "", "away", "away", "notice")
	f(true, "notice", "away", "")
	f(false, "", "away", "away")
	f(false, "away", "", "")
}

// TestNoCityWaitsForAnother has a city that answers only while another one is asked, as one whose store hangs answers at the end.
func TestNoCityWaitsForAnother(t *testing.T) {
	asked := func() (first, second func(context.Context, addProblem)) {
		other := make(chan struct{})
		first = func(ctx context.Context, add addProblem) {
			select {
			case <-other:
			case <-ctx.Done():
				add("store", ctx.Err(), "wait")
			}
		}
		return first, func(context.Context, addProblem) { close(other) }
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var sites []*site
	first, second := asked()
	for i, problems := range []func(context.Context, addProblem){first, second} {
		sites = append(sites, &site{base: &base{config: Config{ID: string(rune('a' + i))}}, report: report{own: health{{problems: problems}}.state}})
	}
	if got := stateOf(ctx, nil, sites); len(got.Problems) > 0 {
		t.Errorf("/readyz: %+v", got)
	}

	first, second = asked()
	var sources []metrics.Source
	for i, problems := range []func(context.Context, addProblem){first, second} {
		labels := []string{"city", string(rune('a' + i))}
		sources = append(sources, metrics.Source{
			Labels: labels, Requests: metrics.NewRequests(labels...), Collect: func(context.Context, metrics.Collection) {},
			Ready: func(ctx context.Context) bool { return health{{problems: problems}}.state(ctx).Ready },
		})
	}
	answer := httptest.NewRecorder()
	metrics.Handler(sources...).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if body := answer.Body.String(); !strings.Contains(body, `stadtluft_ready{city="a"} 1`) || !strings.Contains(body, `stadtluft_ready{city="b"} 1`) {
		t.Errorf("/metrics: %s", body[strings.Index(body, "stadtluft_ready"):])
	}
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
	got := h.state(t.Context())
	want := []admin.Problem{{Part: "store", Problem: "away", Do: "look at store"}, {Part: "mqtt", Problem: "not connected", Do: "look at mqtt"}}
	if !slices.Equal(got.Problems, want) || got.Ready {
		t.Errorf("%+v, want problems %+v", got, want)
	}
	if h := (health{{}, problem("journal", nil)}); !h.state(t.Context()).Ready {
		t.Error("parts without a problem are not ready")
	}
}
