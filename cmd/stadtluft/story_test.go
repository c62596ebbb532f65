package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/paulmach/orb"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

// These stories run the real binary as its own process, publish with real MQTT clients, and compare what was sent with
// what is stored afterwards.

const (
	storyStations = 200
	storyReadings = 100 // per station
	patience      = 90 * time.Second
)

// asProgram is the environment variable that makes the test binary run as stadtluft.
const asProgram = "STADTLUFT_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Unsetenv(asProgram)
		profiled()
		main()
	}
	if subscriber := os.Getenv(asSubscriber); subscriber != "" {
		runSubscriber(subscriber)
	}
	if node := os.Getenv(asNATS); node != "" {
		runNATS(node)
	}
	os.Exit(m.Run())
}

// storyStation is a station of a story with its credentials.
type storyStation struct {
	id, token string
	public    orb.Point
	cell      geo.Cell
}

// registerStations registers n stations all over the city in a data folder.
func registerStations(t testing.TB, data string, n int, env ...string) []storyStation {
	t.Helper()
	city := geo.CologneSketch()
	config, err := server.LoadConfig("", append([]string{"STADTLUFT_DATA=" + data}, env...))
	if err != nil {
		t.Fatal(err)
	}
	r, close, err := server.OpenRegistry(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := close(); err != nil {
			t.Fatal(err)
		}
	}()
	cells := city.Cells(1000)
	list := make([]storyStation, n)
	for i := range list {
		p := cells[i*7%len(cells)].Center()
		p[0] += float64(i%5) * 0.0011
		credentials, station, err := r.Add(t.Context(), registry.Registration{
			Name: fmt.Sprintf("Story %d", i), Point: p, Kit: "sds011-bme280", Height: new(3.0),
			Exposure: ingest.Outdoor, LicenceConsent: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		cell, err := geo.CellAt(p, 1000)
		if err != nil {
			t.Fatal(err)
		}
		list[i] = storyStation{credentials.ID, credentials.Token, station.Places[0].Public, cell}
	}
	return list
}

// measured is a planned reading.
type measured struct {
	time       time.Time
	pm10, pm25 float64
}

// plan returns the readings of station i: one every 144 s over four full hours that ended at least three hours ago, so
// that every hour is closed before the first message is sent.
func plan(i int, end time.Time) []measured {
	list := make([]measured, storyReadings)
	for k := range list {
		at := end.Add(-4 * time.Hour).Add(time.Duration(k*144+i%140) * time.Second)
		fine := float64((i*31+k*17)%400) / 10
		list[k] = measured{at, fine + float64(k%50)/10 + 0.1, fine}
	}
	for k := range list {
		list[k].pm10 = math.Round(list[k].pm10*10) / 10
	}
	return list
}

func (m measured) payload() string {
	return fmt.Sprintf(`{"t":%d,"pm2_5":%v,"pm10":%v}`, m.time.Unix(), m.pm25, m.pm10)
}

// process is a running stadtluft.
type process struct {
	t    testing.TB
	args []string
	env  []string
	with []string // the command that starts it, such as one in a network of its own; empty for none
	url  string
	mqtt string
	cmd  *exec.Cmd
	log  *syncBuffer
	done chan struct{}

	binary string // another version of the program; empty for this one
}

// launch starts stadtluft on a data folder with free ports and waits until it is ready.
func launch(t testing.TB, data string, env ...string) *process {
	t.Helper()
	p := prepare(t, data, env...)
	p.start()
	return p
}

// prepare returns a stadtluft that is not started yet. Ports in env take precedence.
func prepare(t testing.TB, data string, env ...string) *process {
	t.Helper()
	httpAddr, mqttAddr := freeAddr(t), freeAddr(t)
	p := &process{
		t: t, args: []string{"serve", "--data", data}, url: "http://" + httpAddr, mqtt: "tcp://" + mqttAddr, log: &syncBuffer{},
		env: append([]string{
			asProgram + "=1", // the first, for the test binary alone
			"PATH=" + os.Getenv("PATH"),
			"STADTLUFT_HTTP_LISTEN=" + httpAddr, "STADTLUFT_MQTT_LISTEN=" + mqttAddr,
		}, env...),
	}
	for _, v := range env {
		if addr, ok := strings.CutPrefix(v, "STADTLUFT_MQTT_LISTEN="); ok {
			p.mqtt = "tcp://" + addr
		}
	}
	t.Cleanup(func() {
		p.kill()
		if strings.Contains(p.log.String(), "WARNING: DATA RACE") {
			t.Error("stadtluft has a data race")
		}
		if t.Failed() {
			t.Logf("log of stadtluft %v:\n%s", env, p.log.String())
		}
	})
	return p
}

// begin starts the program.
func (p *process) begin() {
	p.t.Helper()
	program, env := p.binary, p.env[1:]
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			p.t.Fatal(err)
		}
		env = p.env
	}
	command := slices.Concat(p.with, []string{program}, p.args)
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) { cmd.Wait(); close(done) }(p.cmd, p.done)
}

// start starts the program and waits until it is ready.
func (p *process) start() {
	p.t.Helper()
	p.begin()
	p.wait()
}

// wait waits until a started program is ready.
func (p *process) wait() {
	p.t.Helper()
	p.t.Logf("stadtluft ready after %v", eventually(p.t, "stadtluft to be ready", func() bool {
		select {
		case <-p.done:
			p.t.Fatalf("stadtluft ended: %s", p.log.String())
		default:
		}
		response, err := http.Get(p.url + "/readyz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}))
}

// kill sends SIGKILL; it returns when the process has ended.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Kill()
	<-p.done
}

// get returns the body of a route that must answer 200.
func (p *process) get(route string) []byte {
	p.t.Helper()
	response, err := http.Get(p.url + route)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		p.t.Fatalf("GET %s: %s %v: %s", route, response.Status, err, body)
	}
	return body
}

// metric returns the value of a metric without labels, or the sum over its labels.
func (p *process) metric(name string) float64 {
	response, err := http.Get(p.url + "/metrics")
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	sum := 0.0
	for scanner := bufio.NewScanner(response.Body); scanner.Scan(); {
		series, value, _ := strings.Cut(scanner.Text(), " ")
		bare, _, _ := strings.Cut(series, "{")
		if bare == name {
			v, _ := strconv.ParseFloat(value, 64)
			sum += v
		}
	}
	return sum
}

// syncBuffer collects a process's output.
type syncBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// freeAddr returns an address of this machine that is free, each once.
func freeAddr(t testing.TB) string {
	t.Helper()
	return freeAddrAt(t, "127.0.0.1")
}

// givenPorts are the ports that freeAddrAt has returned. Programs take theirs seconds later: until then they are free for others.
var givenPorts sync.Map

// freeAddrAt returns a free address of an IP address. Its port is below those that the kernel gives to whoever asks for none.
func freeAddrAt(t testing.TB, ip string) string {
	t.Helper()
	const lowest, highest, tries = 10_000, 32_000, 1000
	for range tries {
		port := lowest + rand.IntN(highest-lowest)
		l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(port)))
		if err != nil {
			continue
		}
		l.Close()
		if _, given := givenPorts.LoadOrStore(port, true); !given {
			return l.Addr().String()
		}
	}
	t.Fatalf("no port of %s is free", ip)
	return ""
}

// eventually waits for a condition and returns the time it took.
func eventually(t testing.TB, what string, condition func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	if !within(patience, condition) {
		t.Fatalf("waited %v for %s", patience, what)
	}
	return time.Since(start)
}

// within waits for a condition and reports whether it came true in time.
func within(limit time.Duration, condition func() bool) bool {
	end := time.Now().Add(limit)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		if time.Now().After(end) {
			return false
		}
		<-ticker.C
	}
	return true
}

// publish sends each station's plan with QoS 1, waiting before message k of station i as wait does, and returns when every
// message has its PUBACK. A station sends a message again until it is acknowledged, over as many
// connections as that takes.
func publish(t testing.TB, ctx context.Context, broker string, login bool, senders []storyStation, end time.Time, wait func(i, k int)) {
	t.Helper()
	var wg sync.WaitGroup
	for i, r := range senders {
		wg.Go(func() {
			options := mqtt.NewClientOptions().AddBroker(broker).SetClientID("story-" + r.id).
				SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second)
			if login {
				options.SetUsername(r.id).SetPassword(r.token)
			}
			station := &sender{options: options}
			defer station.hangUp()
			for k, m := range plan(i, end) {
				wait(i, k)
				if !station.send(ctx, "stadtluft/v1/"+r.id+"/reading", m.payload()) {
					t.Errorf("station %s: not everything was acknowledged", r.id)
					return
				}
			}
		})
	}
	wg.Wait()
}

func atOnce(int, int) {}

// publishAtOnce sends each station's plan in a single message.
func publishAtOnce(t testing.TB, broker string, senders []storyStation, end time.Time) {
	t.Helper()
	for i, r := range senders {
		var payloads []string
		for _, m := range plan(i, end) {
			payloads = append(payloads, m.payload())
		}
		station := &sender{options: mqtt.NewClientOptions().AddBroker(broker).SetClientID("story-" + r.id).SetProtocolVersion(4).
			SetAutoReconnect(false).SetUsername(r.id).SetPassword(r.token)}
		if !station.send(t.Context(), "stadtluft/v1/"+r.id+"/reading", "["+strings.Join(payloads, ",")+"]") {
			t.Fatalf("station %s: not acknowledged", r.id)
		}
		station.hangUp()
	}
}

// sender is a station with a simple firmware: it sends one message at a time, and again until it is acknowledged.
type sender struct {
	options *mqtt.ClientOptions
	client  mqtt.Client
}

func (s *sender) send(ctx context.Context, topic, payload string) bool {
	for ctx.Err() == nil {
		if s.client == nil || !s.client.IsConnectionOpen() {
			s.client = mqtt.NewClient(s.options)
			if token := s.client.Connect(); !token.WaitTimeout(5*time.Second) || token.Error() != nil {
				s.client.Disconnect(0)
				select {
				case <-time.After(50 * time.Millisecond):
				case <-ctx.Done():
				}
				continue
			}
		}
		if token := s.client.Publish(topic, 1, false, payload); token.WaitTimeout(5*time.Second) && token.Error() == nil {
			return true
		}
		s.hangUp()
	}
	return false
}

func (s *sender) hangUp() {
	if s.client != nil {
		s.client.Disconnect(0)
		s.client = nil
	}
}

// span returns the period of every story: full hours that closed long ago. It stays the same while the tests run.
var span = sync.OnceValues(func() (from, end time.Time) {
	end = time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)
	return end.Add(-4 * time.Hour), end
})

// wantReadings returns the CSV expected from the plans, made without the program.
func wantReadings(senders []storyStation, end time.Time) string {
	var lines []string
	for i, r := range senders {
		for _, m := range plan(i, end) {
			for _, v := range []struct {
				quantity string
				value    float64
			}{{"pm2_5", m.pm25}, {"pm10", m.pm10}} {
				lines = append(lines, fmt.Sprintf("%s,%s,%.6f,%.6f,%s,%v,µg/m³,", m.time.Format(time.RFC3339), r.id,
					r.public.Lon(), r.public.Lat(), v.quantity, v.value))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// sortedLines returns a CSV of readings without its header, and without what was checked, which differs while hours are
// checked; sorted.
func sortedLines(t *testing.T, table []byte) string {
	t.Helper()
	header, rest, _ := strings.Cut(string(table), "\n")
	if want := "time,station,lon,lat,quantity,value,unit,flags,checks"; strings.TrimSpace(header) != want {
		t.Fatalf("CSV header = %q, want %q", header, want)
	}
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(rest, "\r", "")), "\n")
	for i, line := range lines {
		lines[i] = line[:max(strings.LastIndexByte(line, ','), 0)]
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// wantGrid returns the mean of each cell and hour of one quantity in thousandths, computed independently from the
// readings' CSV: station means, then the mean of those, each rounded half away from zero.
func wantGrid(t *testing.T, table []byte, quantity string) map[string]int64 {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	type key struct{ hour, cell, station string }
	sums, counts, covered, last := map[key]int64{}, map[key]int64{}, map[key]time.Duration{}, map[string]time.Time{}
	for _, row := range rows[1:] {
		if row[4] != quantity {
			continue
		}
		at, _ := time.Parse(time.RFC3339, row[0])
		lon, _ := strconv.ParseFloat(row[2], 64)
		lat, _ := strconv.ParseFloat(row[3], 64)
		value, _ := strconv.ParseFloat(row[5], 64)
		cell, err := geo.CellAt(orb.Point{lon, lat}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		k := key{at.Truncate(time.Hour).Format(time.RFC3339), cell.String(), row[1]}
		sums[k] += int64(math.Round(value * 1000))
		counts[k]++
		covered[k] += min(at.Sub(last[k.station]), 144*time.Second) // as planned; the rows are in the order of time
		last[k.station] = at
	}
	cellSums, cellCounts := map[string]int64{}, map[string]int64{}
	for k, sum := range sums {
		if covered[k] < 45*time.Minute {
			continue
		}
		name := k.hour + " " + k.cell
		cellSums[name] += (2*sum + counts[k]) / (2 * counts[k]) // all are positive
		cellCounts[name]++
	}
	for name, n := range cellCounts {
		cellSums[name] = (2*cellSums[name] + n) / (2 * n)
	}
	return cellSums
}

// gotGrid returns the same from the program's own answers, and their bytes.
func gotGrid(t *testing.T, p *process, from, end time.Time, quantity string) (map[string]int64, string) {
	t.Helper()
	got, all := map[string]int64{}, ""
	for hour := from; hour.Before(end); hour = hour.Add(time.Hour) {
		table := p.get(fmt.Sprintf("/api/v1/grid?format=csv&window=1h&quantity=%s&time=%s", quantity, hour.Format(time.RFC3339)))
		all += string(table)
		rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			mean, err := strconv.ParseFloat(row[5], 64)
			if err != nil {
				t.Fatal(err)
			}
			got[row[1]+" "+row[0]] = int64(math.Round(mean * 1000))
		}
	}
	return got, all
}

// checkStory waits until the program's data equals the plan's and that of an independent computation, and returns the
// grid's bytes. It waits for both: an hour checked while only a part of its readings had come may have had an outlier
// for a while.
func checkStory(t *testing.T, p *process, senders []storyStation) string {
	t.Helper()
	from, end := span()
	want := wantReadings(senders, end)
	var grid, difference string
	defer func() {
		if t.Failed() {
			t.Logf("%s; received %v, kept %v, unwritten %v, stored %v", difference, p.metric("stadtluft_received_total"),
				p.metric("stadtluft_kept_total"), p.metric("stadtluft_journal_unwritten"), p.metric("stadtluft_stored_total"))
		}
	}()
	eventually(t, "readings and averages to be what was sent", func() bool {
		grid, difference = compareStory(t, p, from, end, want)
		return difference == ""
	})
	return grid
}

// compareStory returns the grid's bytes, and the first difference of readings and averages from the expected ones.
func compareStory(t *testing.T, p *process, from, end time.Time, want string) (grid, difference string) {
	t.Helper()
	table := p.get(fmt.Sprintf("/api/v1/readings?format=csv&from=%s&to=%s", from.Format(time.RFC3339), end.Format(time.RFC3339)))
	if got := sortedLines(t, table); got != want {
		return "", "readings: " + firstDifference(got, want)
	}
	for _, quantity := range []string{"pm2_5", "pm10"} {
		want := wantGrid(t, table, quantity)
		if len(want) == 0 {
			t.Fatal("the second computation has no cell")
		}
		got, all := gotGrid(t, p, from, end, quantity)
		if len(got) != len(want) {
			return "", fmt.Sprintf("%s: %d cells and hours, want %d", quantity, len(got), len(want))
		}
		for name, mean := range want {
			if got[name] != mean {
				return "", fmt.Sprintf("%s: %s: mean %d, want %d thousandths", quantity, name, got[name], mean)
			}
		}
		grid += all
	}
	return grid, ""
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("%d lines, want %d; line %d is %q, want %q", len(g), len(w), i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// copyRegistry gives a second server the same stations.
func copyRegistry(t testing.TB, from, to string) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(from, registry.SnapshotFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, registry.SnapshotFile), body, 0o600); err != nil {
		t.Fatal(err)
	}
}
