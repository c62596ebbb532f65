// Package metrics exports metrics to Prometheus. The packages below keep plain counters, which are read at each scrape;
// only writes to the store are measured here. Labels have values from closed lists only.
package metrics

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// askTime bounds how long a scrape waits for other servers.
const askTime = 3 * time.Second

// Journal is the state of the journal.
type Journal struct {
	Entries, Bytes, Unwritten, Undecodable uint64
	Lag                                    time.Duration
	Appends                                uint64
	AppendTime                             time.Duration
}

// Writes counts and times writes to the store.
type Writes struct {
	stored   prometheus.Counter
	rejected atomic.Uint64 // values
	duration prometheus.Histogram
}

// NewWrites returns Writes without any write. labels are pairs of name and value, for all of its metrics.
func NewWrites(labels ...string) *Writes {
	return &Writes{
		stored: prometheus.NewCounter(prometheus.CounterOpts{Name: "stadtluft_stored_total", Help: "Readings written to the store.", ConstLabels: constant(labels)}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stadtluft_store_write_seconds", Help: "Time of one write to the store.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14), ConstLabels: constant(labels),
		}),
	}
}

// Add counts a write to the store: readings of which something was stored, and values that the store rejected.
func (w *Writes) Add(readings, rejected int, took time.Duration) {
	w.stored.Add(float64(readings))
	w.rejected.Add(uint64(rejected))
	w.duration.Observe(took.Seconds())
}

// Requests counts and times answers over HTTP.
type Requests struct{ duration *prometheus.HistogramVec }

// NewRequests returns Requests without any request. labels are pairs of name and value, for all of its metrics.
func NewRequests(labels ...string) *Requests {
	return &Requests{prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "stadtluft_http_request_seconds", Help: "Time of one answer over HTTP, by status; live streams last as long as their clients stay.",
		Buckets: []float64{0.005, 0.02, 0.1, 0.5, 2, 10}, ConstLabels: constant(labels),
	}, []string{"code"})}
}

// Of returns a handler that answers as another one does, and counts it.
func (r *Requests) Of(handler http.Handler) http.Handler {
	return promhttp.InstrumentHandlerDuration(r.duration, handler)
}

// constant returns pairs of name and value as labels of the client library.
func constant(pairs []string) prometheus.Labels {
	labels := prometheus.Labels{}
	for i := 0; i+1 < len(pairs); i += 2 {
		labels[pairs[i]] = pairs[i+1]
	}
	return labels
}

// Source is a process, or one city of it. Its functions may be called concurrently, and their context ends after three
// seconds.
type Source struct {
	Labels   []string // of what Collect adds: pairs of name and value
	Writes   *Writes  // nil for none
	Requests *Requests
	Ready    func(context.Context) bool // returns the state that /readyz reports
	Collect  func(context.Context, Collection)
}

// Handler answers scrapes with what the sources have, and the Go runtime's metrics.
func Handler(sources ...Source) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, s := range sources {
		if s.Writes != nil {
			reg.MustRegister(s.Writes.stored, s.Writes.duration)
		}
		reg.MustRegister(s.Requests.duration)
	}
	reg.MustRegister(collector(sources))
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}

// collector collects all metrics that the client library does not keep itself.
type collector []Source

// Describe sends nothing: the descriptions come with the values.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends every metric. It asks the sources at once: one whose store does not answer takes all the time that there is.
func (m collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	var asked sync.WaitGroup
	for _, s := range m {
		asked.Go(func() { s.collect(ctx, out) })
	}
	asked.Wait()
}

func (s *Source) collect(ctx context.Context, out chan<- prometheus.Metric) {
	c := Collection{out, s.Labels}
	if s.Writes != nil {
		c.refused(wire.Unstorable, s.Writes.rejected.Load())
	}
	s.Collect(ctx, c)
	ready := 0.0
	if s.Ready(ctx) {
		ready = 1
	}
	c.Gauge("ready", "1 when /readyz says so.", ready)
}

// Collection receives the metrics of one scrape. Labels are pairs of name and value.
type Collection struct {
	out    chan<- prometheus.Metric
	labels []string // of all
}

// Counter adds a counter; name comes after "stadtluft_".
func (c Collection) Counter(name, help string, value float64, labels ...string) {
	c.send(prometheus.CounterValue, name, help, value, labels)
}

// Gauge adds a gauge; name comes after "stadtluft_".
func (c Collection) Gauge(name, help string, value float64, labels ...string) {
	c.send(prometheus.GaugeValue, name, help, value, labels)
}

func (c Collection) send(kind prometheus.ValueType, name, help string, value float64, labels []string) {
	labels = append(slices.Clip(c.labels), labels...)
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	c.out <- prometheus.MustNewConstMetric(prometheus.NewDesc("stadtluft_"+name, help, names, nil), kind, value, values...)
}

func (c Collection) refused(reason wire.Reason, n uint64) {
	c.Counter("refused_total", "Refusals by reason.", float64(n), "reason", string(reason))
}

// Intake adds the counts of the intake.
func (c Collection) Intake(counts ingest.Counts) {
	c.Counter("received_total", "Messages taken from brokers.", float64(counts.Received))
	c.Counter("kept_total", "Values handed to the journal.", float64(counts.Kept))
	c.Counter("readings_total", "Readings handed to the journal.", float64(counts.Readings))
	c.Counter("repeated_total", "Values that were known already and equal.", float64(counts.Duplicates))
	for reason, n := range counts.Refused {
		if reason != wire.Unstorable { // counted by the writer, which may be another process
			c.refused(reason, n)
		}
	}
	for ignored, n := range counts.Ignored {
		c.Counter("kit_left_total", "Members of other firmware's messages that were not taken, by name.", float64(n), "family", ignored.Family, "name", ignored.Name)
	}
	for flag, n := range counts.Flagged {
		c.Counter("flagged_total", "Values by flag.", float64(n), "flag", flag.String())
	}
}

// Queue adds the length and capacity of a queue.
func (c Collection) Queue(name string, held, capacity int) {
	c.Gauge("queue_length", "Items in a queue.", float64(held), "queue", name)
	c.Gauge("queue_capacity", "Items a queue can hold.", float64(capacity), "queue", name)
}

// Journal adds the state of the journal.
func (c Collection) Journal(j Journal) {
	c.Gauge("journal_entries", "Entries in the journal.", float64(j.Entries))
	c.Gauge("journal_bytes", "Size of the journal.", float64(j.Bytes))
	c.Gauge("journal_unwritten", "Entries that the store does not have yet.", float64(j.Unwritten))
	c.Gauge("journal_lag_seconds", "Age of the oldest entry that the store does not have yet.", j.Lag.Seconds())
	c.Counter("journal_undecodable_total", "Entries that could not be read and were put aside.", float64(j.Undecodable))
	c.Counter("journal_appends_total", "Batches appended to the journal.", float64(j.Appends))
	c.Counter("journal_append_seconds_total", "Time spent appending to the journal.", j.AppendTime.Seconds())
}
