// Package metrics shows an operator's figures to Prometheus. The packages below keep plain counters; this
// one reads them when it is asked. Labels come from closed lists only.
package metrics

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"stadtluft/firmware-protocol/wire"
	"stadtluft/ingest"
)

// askTime bounds how long a scrape waits for what has to be asked for.
const askTime = 3 * time.Second

// Journal is how the journal is doing.
type Journal struct {
	Entries, Bytes, Unwritten, Undecodable uint64
	Lag                                    time.Duration
	Appends                                uint64
	AppendTime                             time.Duration
}

// Source is where the figures come from. Each function may be called at any time; where Intake, Stations or
// Queues is nil, the process has no such figures.
type Source struct {
	Intake   func() ingest.Counts
	Journal  func(ctx context.Context) (Journal, error)
	Stations func() map[string]int    // by state
	Queues   func() map[string][2]int // held and capacity by queue
	Counters func() []Figure          // further counters
	Gauges   func() []Figure          // further gauges
	Ready    func(context.Context) bool
}

// Figure is a metric without labels.
type Figure struct {
	Name  string // after "stadtluft_"
	Help  string
	Value float64
}

// Metrics is the collector with what is measured here.
type Metrics struct {
	source Source

	stored   prometheus.Counter
	rejected atomic.Uint64 // values
	write    prometheus.Histogram
	reg      *prometheus.Registry
}

// New makes the metrics of a source.
func New(source Source) *Metrics {
	m := &Metrics{
		source: source,
		stored: prometheus.NewCounter(prometheus.CounterOpts{Name: "stadtluft_stored_total", Help: "Readings written to the store."}),
		write: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "stadtluft_store_write_seconds", Help: "Time of one write to the store.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		reg: prometheus.NewRegistry(),
	}
	m.reg.MustRegister(m.stored, m.write, m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Wrote notes a write to the store: readings of which something was stored, and values that the store rejected.
func (m *Metrics) Wrote(readings, rejected int, took time.Duration) {
	m.stored.Add(float64(readings))
	m.rejected.Add(uint64(rejected))
	m.write.Observe(took.Seconds())
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler { return promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{}) }

// Describe says that the descriptions come with the values.
func (m *Metrics) Describe(chan<- *prometheus.Desc) {}

// Collect reads every figure.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	c := collection{out}
	m.intake(c)
	m.refused(c, wire.Unstorable, m.rejected.Load())
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	m.journal(ctx, c)
	if m.source.Stations != nil {
		for state, n := range m.source.Stations() {
			c.gauge("stations", "Stations by state.", float64(n), "state", state)
		}
	}
	if m.source.Queues != nil {
		for queue, fill := range m.source.Queues() {
			c.gauge("queue_length", "Items in a queue.", float64(fill[0]), "queue", queue)
			c.gauge("queue_capacity", "Items a queue can hold.", float64(fill[1]), "queue", queue)
		}
	}
	for _, f := range m.source.Counters() {
		c.counter(f.Name, f.Help, f.Value)
	}
	for _, f := range m.source.Gauges() {
		c.gauge(f.Name, f.Help, f.Value)
	}
	ready := 0.0
	if m.source.Ready(ctx) {
		ready = 1
	}
	c.gauge("ready", "1 when /readyz says so.", ready)
}

func (m *Metrics) intake(c collection) {
	if m.source.Intake == nil {
		return
	}
	counts := m.source.Intake()
	c.counter("received_total", "Messages taken from brokers.", float64(counts.Received))
	c.counter("kept_total", "Values handed to the journal.", float64(counts.Kept))
	c.counter("readings_total", "Readings handed to the journal.", float64(counts.Readings))
	c.counter("repeated_total", "Values that were known already and equal.", float64(counts.Duplicates))
	for reason, n := range counts.Refused {
		if reason != wire.Unstorable { // the writer's, which may be another process
			m.refused(c, reason, n)
		}
	}
	for ignored, n := range counts.Ignored {
		c.counter("kit_left_total", "Members of other firmware's messages that were not taken, by name.", float64(n), "family", ignored.Family, "name", ignored.Name)
	}
	for flag, n := range counts.Flagged {
		c.counter("flagged_total", "Values by flag.", float64(n), "flag", flag.String())
	}
}

func (m *Metrics) refused(c collection, reason wire.Reason, n uint64) {
	c.counter("refused_total", "Refusals by reason.", float64(n), "reason", string(reason))
}

func (m *Metrics) journal(ctx context.Context, c collection) {
	j, err := m.source.Journal(ctx)
	if err != nil {
		return // absent from this scrape; ready says why
	}
	c.gauge("journal_entries", "Entries in the journal.", float64(j.Entries))
	c.gauge("journal_bytes", "Size of the journal.", float64(j.Bytes))
	c.gauge("journal_unwritten", "Entries that the store does not have yet.", float64(j.Unwritten))
	c.gauge("journal_lag_seconds", "Age of the oldest entry that the store does not have yet.", j.Lag.Seconds())
	c.counter("journal_undecodable_total", "Entries that could not be read and were put aside.", float64(j.Undecodable))
	c.counter("journal_appends_total", "Batches appended to the journal.", float64(j.Appends))
	c.counter("journal_append_seconds_total", "Time spent appending to the journal.", j.AppendTime.Seconds())
}

// collection sends metrics; labels are pairs of name and value.
type collection struct{ out chan<- prometheus.Metric }

func (c collection) send(kind prometheus.ValueType, name, help string, value float64, labels []string) {
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	c.out <- prometheus.MustNewConstMetric(prometheus.NewDesc("stadtluft_"+name, help, names, nil), kind, value, values...)
}

func (c collection) counter(name, help string, value float64, labels ...string) {
	c.send(prometheus.CounterValue, name, help, value, labels)
}

func (c collection) gauge(name, help string, value float64, labels ...string) {
	c.send(prometheus.GaugeValue, name, help, value, labels)
}
