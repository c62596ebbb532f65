package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// benchmark is a part of make bench: it starts what it compares, interleaves the rounds, and adds the rows of one table.
type benchmark struct {
	name, title string
	versions    []string // of peers, "Telegraf 1.37.2"
	run         func(b *benchRun)
}

// benchmarks returns the parts of make bench, in the order of BENCHMARKS.md.
func benchmarks() []benchmark {
	return []benchmark{
		pipelineBenchmark(),
		streamBenchmark(),
		{name: "start", title: "Start with 10,000 stations and two days of data", run: benchStart},
		{name: "stations", title: "New stations", run: benchStations},
		{name: "fleet", title: "All of Sensor.Community's stations, connected", run: benchFleet},
		doorsBenchmark(),
		{name: "answers", title: "Answers for the map", versions: []string{debian("nginx-light"), debian("wrk")}, run: benchAnswers},
		{name: "csv", title: "Live CSV", versions: []string{"InfluxDB 1.8.10"}, run: benchCSV},
	}
}

// benchRun is a part while it runs.
type benchRun struct {
	*testing.T
	rounds int // at least five by default; one in make test
	table  benchTable
}

// benchTable is what a part measured, as it is kept in bin/bench until all parts are there.
type benchTable struct {
	Title    string
	Measured time.Time
	Load     string // the machine's before the run: 1, 5 and 15 minutes (proc(5), loadavg)
	Rounds   int
	Versions []string
	Rows     []benchRow
}

// benchRow is a figure of a round each, with a peer's of the same round where there is one.
type benchRow struct {
	What, Unit string // "CPU a message, Mosquitto to InfluxDB", "µs"
	Ours       []float64
	Peer       []float64 // as many as Ours, or none
	PeerName   string
	Aim        string // "≤ 0.8"; of the ratio where there is a peer, else of the figure
}

// add adds a row. The aim is "≤ x" or "≥ x", of the median ratio of ours to the peer's in the same round, or of our median.
func (b *benchRun) add(r benchRow) {
	b.Helper()
	if len(r.Ours) == 0 || len(r.Peer) > 0 && len(r.Peer) != len(r.Ours) {
		b.Fatalf("%s: %d figures of ours, %d of %s", r.What, len(r.Ours), len(r.Peer), r.PeerName)
	}
	b.table.Rows = append(b.table.Rows, r)
	b.Logf("%s", r.line())
}

// ratio returns the median over the rounds of ours divided by the peer's; without a peer our median.
func (r benchRow) ratio() float64 {
	if len(r.Peer) == 0 {
		return median(r.Ours)
	}
	var all []float64
	for i := range r.Ours {
		all = append(all, r.Ours[i]/r.Peer[i])
	}
	return median(all)
}

// met tells whether the aim is reached.
func (r benchRow) met() bool {
	than, number, _ := strings.Cut(r.Aim, " ")
	limit, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return false
	}
	return than == "≤" && r.ratio() <= limit || than == "≥" && r.ratio() >= limit
}

// line returns a row of the table in Markdown.
func (r benchRow) line() string {
	peer, ratio := "–", "–"
	if len(r.Peer) > 0 {
		peer, ratio = fmt.Sprintf("%s %s", figure(median(r.Peer)), r.PeerName), fmt.Sprintf("%.2f", r.ratio())
	}
	reached := "no"
	if r.Aim == "" {
		reached = ""
	} else if r.met() {
		reached = "yes"
	}
	return fmt.Sprintf("| %s | %s | %s (%s to %s) | %s | %s | %s | %s |", r.What, r.Unit, figure(median(r.Ours)), figure(slices.Min(r.Ours)), figure(slices.Max(r.Ours)), peer, ratio, r.Aim, reached)
}

// figure returns a number with three significant digits, without an exponent.
func figure(x float64) string {
	if x >= 100 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// benchWords begins what people have written in BENCHMARKS.md, which stays when the tables are made again.
const benchWords = "\n## In words\n"

// TestBenchmarks measures what make bench says, in as many rounds as BENCH_ROUNDS says, writes each part's table to
// ../../bin/bench, and all tables there to BENCHMARKS.md. BENCH has the names of parts with commas; all by default. Without
// BENCH_ROUNDS it does nothing but look at the parts' names.
func TestBenchmarks(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("BENCH_ROUNDS"))
	names := map[string]bool{}
	for _, part := range benchmarks() {
		if names[part.name] || part.title == "" || part.run == nil {
			t.Errorf("part %q is there twice, or lacks its title or its function", part.name)
		}
		names[part.name] = true
	}
	for name := range strings.SplitSeq(os.Getenv("BENCH"), ",") {
		if name != "" && !names[name] {
			t.Errorf("BENCH names the part %q, which is not one of %v", name, names)
		}
	}
	if rounds == 0 || t.Failed() {
		return
	}
	folder := filepath.Join("..", "..", "bin", "bench")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, part := range benchmarks() {
		if only := os.Getenv("BENCH"); only != "" && !slices.Contains(strings.Split(only, ","), part.name) {
			continue
		}
		t.Run(part.name, func(t *testing.T) {
			load, err := os.ReadFile("/proc/loadavg")
			if err != nil {
				t.Fatal(err)
			}
			b := &benchRun{T: t, rounds: rounds, table: benchTable{Title: part.title, Measured: time.Now().UTC(), Load: strings.Join(strings.Fields(string(load))[:3], " "), Rounds: rounds, Versions: part.versions}}
			part.run(b)
			text, err := json.MarshalIndent(b.table, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, part.name+".json"), text, 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
	writeBenchmarks(t, folder, filepath.Join("..", "..", "BENCHMARKS.md"))
}

// writeBenchmarks writes the tables of a folder to a document, and keeps its words.
func writeBenchmarks(t *testing.T, folder, path string) {
	t.Helper()
	before, _ := os.ReadFile(path)
	_, words, _ := strings.Cut(string(before), benchWords)
	var out strings.Builder
	fmt.Fprintf(&out, "# Benchmarks\n\nMade by `make bench` on %s. Each figure is the median of the rounds, with the smallest and the largest; a ratio is the median of ours\ndivided by the peer's of the same round. Rounds are interleaved: ours, the peer's, ours again.\n", hardware(t))
	for _, part := range benchmarks() {
		text, err := os.ReadFile(filepath.Join(folder, part.name+".json"))
		if os.IsNotExist(err) {
			continue
		}
		var table benchTable
		if err := json.Unmarshal(text, &table); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "\n## %s\n\n`make bench BENCH=%s`, %d rounds, %s, load before it %s", table.Title, part.name, table.Rounds, table.Measured.Format(time.DateOnly), table.Load)
		if len(table.Versions) > 0 {
			fmt.Fprintf(&out, "; %s", strings.Join(table.Versions, ", "))
		}
		out.WriteString(".\n\n| what | unit | ours | peer | ratio | aim | reached |\n|---|---|---|---|---|---|---|\n")
		for _, row := range table.Rows {
			fmt.Fprintln(&out, row.line())
		}
	}
	out.WriteString(benchWords + words)
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// hardware returns what the figures were measured on.
func hardware(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	model := "a processor without a name"
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name\t: "); ok {
			model = strings.TrimSpace(name)
		}
	}
	kernel, err := exec.Command("uname", "-sr").Output()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d cores of an %s, %s, %s", runtime.NumCPU(), model, strings.TrimSpace(string(kernel)), runtime.Version())
}
