package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest"
	"stadtluft/ingest/store/sqlite"
)

const (
	benchedStations = 10_000
	benchedSeconds  = 5 // of load, for each figure
)

// benchedAnswers are what pages ask for, and the aim of their requests a second against nginx's.
var benchedAnswers = []struct{ what, route, aim string }{
	{"grid of 400 cells", "/api/v1/grid", "≥ 0.5"},
	{"10,000 stations", "/api/v1/stations", "≥ 0.5"},
	{"10,000 stations as the map asks for them", "/api/v1/stations?fields=name,state,official,last_seen,values&quantity=pm2_5", ""},
	{"the city", "/api/v1/city", ""},
}

// benchAnswers compares requests a second, and the processor time of one, with those of nginx that serves the same bytes as
// files, compressed beforehand. Each server has the first core, the client the second. wrk asks over eight connections.
func benchAnswers(b *benchRun) {
	data := b.TempDir()
	fillHour(b, data)
	ours := prepare(b, data, "GOMAXPROCS=1")
	ours.with = []string{"taskset", "-c", "0"}
	ours.start()
	eventually(b, "all stations to have values", func() bool {
		return strings.Count(string(ours.get("/api/v1/stations?fields=last_seen")), `"last_seen":null`) == 0
	})
	idle(b, ours)
	peer := startNginx(b)
	for _, a := range benchedAnswers {
		for _, encoding := range []string{"identity", "gzip"} {
			path, size := peer.take(b, ours.url+a.route, encoding)
			rate := benchRow{What: fmt.Sprintf("%s, %s, %d bytes", a.what, encoding, size), Unit: "requests/s", PeerName: "nginx", Aim: a.aim}
			cost := benchRow{What: rate.What, Unit: "µs CPU a request", PeerName: "nginx"}
			for range b.rounds {
				perSecond, each := askMany(b, ours.cmd.Process.Pid, ours.url+a.route, encoding)
				rate.Ours, cost.Ours = append(rate.Ours, perSecond), append(cost.Ours, each)
				perSecond, each = askMany(b, peer.worker(b), peer.url+path, encoding)
				rate.Peer, cost.Peer = append(rate.Peer, perSecond), append(cost.Peer, each)
			}
			b.add(rate)
			b.add(cost)
		}
	}
}

// fillHour registers benchedStations in a data folder and stores an hour of readings of each, every 145 s.
func fillHour(b *benchRun, data string) {
	b.Helper()
	senders := registerStations(b, data, benchedStations)
	s, err := sqlite.Open(b.Context(), filepath.Join(data, "readings.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	now := time.Now().UTC().Truncate(time.Second)
	for k := range 3600 / 145 {
		list := make([]ingest.Reading, len(senders))
		for i, r := range senders {
			at, noise := now.Add(-time.Duration(k*145+i%145)*time.Second), float64((i*17+k*31)%400)/10
			list[i] = ingest.Reading{Station: r.id, Time: at, Received: at, Values: []ingest.Value{
				{Quantity: quantity.PM2_5, Value: 5.1 + noise}, {Quantity: quantity.PM10, Value: 9.3 + noise}, {Quantity: quantity.Temperature, Value: 14.25},
				{Quantity: quantity.Humidity, Value: 41.5 + noise/2}, {Quantity: quantity.Pressure, Value: 1013.2},
			}}
		}
		if _, err := s.WriteReadings(b.Context(), list); err != nil {
			b.Fatal(err)
		}
	}
}

// askMany asks for an address as often as it can, and returns requests a second, and the microseconds of processor time that a process took for each.
func askMany(b *benchRun, pid int, address, encoding string) (perSecond, each float64) {
	b.Helper()
	begin := processTime(b, pid)
	out, err := exec.Command("taskset", "-c", "1", "wrk", "-t1", "-c8", fmt.Sprintf("-d%ds", benchedSeconds), "--timeout", "60s", "-H", "Accept-Encoding: "+encoding, address).CombinedOutput()
	used := processTime(b, pid) - begin
	found := wrkCounts.FindSubmatch(out)
	if err != nil || found == nil || strings.Contains(string(out), "Non-2xx") || strings.Contains(string(out), "Socket errors") {
		b.Fatalf("wrk %s: %v: %s", address, err, out)
	}
	requests, _ := strconv.ParseFloat(string(found[1]), 64)
	perSecond, _ = strconv.ParseFloat(string(found[2]), 64)
	return perSecond, float64(used.Microseconds()) / requests
}

var wrkCounts = regexp.MustCompile(`(?s)(\d+) requests in .*Requests/sec:\s+([\d.]+)`)

// processTime returns the processor time of a process (proc(5), schedstat of its threads, in nanoseconds).
func processTime(t testing.TB, pid int) (sum time.Duration) {
	t.Helper()
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if len(threads) == 0 {
		t.Fatalf("there is no process %d", pid)
	}
	for _, path := range threads {
		text, _ := os.ReadFile(path) // of a thread that has ended there is none
		fields := strings.Fields(string(text))
		if len(fields) > 0 {
			n, _ := strconv.ParseInt(fields[0], 10, 64)
			sum += time.Duration(n)
		}
	}
	return sum
}

// nginx serves the files of a folder, those with .gz beside them to who accepts that.
type nginx struct {
	url, folder string
	master      int
	files       int
}

// startNginx starts nginx with one worker on the first core, without a log of requests; it ends with the test.
func startNginx(b *benchRun) *nginx {
	b.Helper()
	addr, folder := freeAddr(b), b.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil {
		b.Fatal(err)
	}
	config := filepath.Join(folder, "nginx.conf")
	text := fmt.Sprintf(`daemon off; worker_processes 1; worker_cpu_affinity 01; pid %[1]s/pid; error_log stderr; user root;
events { worker_connections 1024; }
http {
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; types { application/geo+json geojson; }
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	open_file_cache max=100; gzip_static on; gzip_vary on;
	server { listen %[2]s; root %[1]s; }
}`, folder, addr)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	output := &syncBuffer{}
	cmd := exec.Command("/usr/sbin/nginx", "-c", config)
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Signal(os.Interrupt); cmd.Wait() })
	n := &nginx{url: "http://" + addr, folder: folder, master: cmd.Process.Pid}
	eventually(b, "nginx to answer", func() bool {
		response, err := http.Get(n.url + "/")
		if err != nil {
			return false
		}
		response.Body.Close()
		return true
	})
	return n
}

// worker returns the process that answers.
func (n *nginx) worker(b *benchRun) int {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", n.master))
	if err != nil {
		b.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		b.Fatalf("nginx has the workers %q", text)
	}
	return pid
}

// take keeps an answer as a file, as it came and unpacked. It returns the file's path and the length of what came.
func (n *nginx) take(b *benchRun, address, encoding string) (path string, size int) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", encoding)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if got := response.Header.Get("Content-Encoding"); err != nil || response.StatusCode != http.StatusOK || encoding == "gzip" && got != "gzip" {
		b.Fatalf("%s: %s, encoding %q, %v", address, response.Status, got, err)
	}
	n.files++
	path, size = fmt.Sprintf("/%d.geojson", n.files), len(body)
	if encoding == "gzip" {
		n.write(b, path+".gz", body)
		unpacked, err := gzip.NewReader(strings.NewReader(string(body)))
		if err != nil {
			b.Fatal(err)
		}
		if body, err = io.ReadAll(unpacked); err != nil {
			b.Fatal(err)
		}
	}
	n.write(b, path, body)
	return path, size
}

func (n *nginx) write(b *benchRun, path string, body []byte) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(n.folder, path), body, 0o644); err != nil {
		b.Fatal(err)
	}
}

// debian returns the version of an installed package, "nginx-light 1.22.1-9".
func debian(name string) string {
	version, _ := exec.Command("dpkg-query", "-W", "-f", "${Version}", name).Output() // none where it is not Debian
	return name + " " + string(version)
}
