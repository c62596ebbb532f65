package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/cmd/stadtluft/simulation"
	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/registry"
)

const (
	scaleStations = 10_000
	scaleHours    = 48
	scaleEvery    = 247 * time.Second // so that 10,000 stations have 7 million readings in 48 hours
)

// scaled is a data folder with many stations of the simulated city.
type scaled struct {
	data     string
	city     *simulation.City
	models   []simulation.Station
	stations []storyStation
	every    time.Duration
}

// newScaled registers n stations of the simulated city in a new data folder.
func newScaled(t testing.TB, n int, every time.Duration) *scaled {
	t.Helper()
	s := &scaled{data: t.TempDir(), every: every}
	s.city, s.models = simulation.New(1, geo.CologneSketch(), n)
	config, err := server.LoadConfig("", []string{"STADTLUFT_DATA=" + s.data})
	if err != nil {
		t.Fatal(err)
	}
	r, close, err := server.OpenRegistry(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.models {
		m := &s.models[i]
		c, _, err := r.Add(t.Context(), registry.Registration{Name: m.Name, Point: m.Point, Kit: simulation.Kit, Height: &m.Height, Exposure: ingest.Outdoor, LicenceConsent: true})
		if err != nil {
			t.Fatal(err)
		}
		s.stations = append(s.stations, storyStation{id: c.ID, token: c.Token})
	}
	if err := close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// fill writes the readings of a period to the store, as its writer does. It returns how many they are.
func (s *scaled) fill(t testing.TB, from, to time.Time) (n int) {
	t.Helper()
	config, err := server.LoadConfig("", []string{"STADTLUFT_DATA=" + s.data})
	if err != nil {
		t.Fatal(err)
	}
	store, err := server.OpenStore(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	var batch []ingest.Reading
	write := func() {
		if rejected, err := store.WriteReadings(t.Context(), batch); err != nil || len(rejected) > 0 {
			t.Fatal(rejected, err)
		}
		n, batch = n+len(batch), batch[:0]
	}
	period := int64(s.every / time.Second)
	for second := from.Unix(); second < to.Unix(); second++ {
		// Of so many stations each second has its share: station i sends in the seconds whose remainder is i·period/stations.
		rest := second % period
		for i := int((rest*int64(len(s.models)) + period - 1) / period); i < len(s.models) && int64(i)*period/int64(len(s.models)) == rest; i++ {
			at := time.Unix(second, 0).UTC()
			r, ok := s.city.Reading(&s.models[i], at)
			if !ok {
				continue
			}
			reading := ingest.Reading{Station: s.stations[i].id, Time: at, Received: at.Add(700 * time.Millisecond)}
			for _, v := range r.Values {
				reading.Values = append(reading.Values, ingest.Value{Quantity: v.Quantity, Value: v.Value})
			}
			batch = append(batch, reading)
		}
		if len(batch) >= 20_000 {
			write()
		}
	}
	write()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// usage is what a process has used of the machine so far (proc(5)).
type usage struct {
	cpu          time.Duration // user and system
	peak, memory float64       // MB: VmHWM and VmRSS
	written      float64       // MB that went to the disk
}

// usage reads what the program has used.
func (p *process) usage(t testing.TB) (u usage) {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	u.cpu = cpuTime(t, p.cmd.Process.Pid)
	const kibi = 1024 / 1e6 // MB in the kernel's "kB"
	u.peak, u.memory = kibi*procField(t, folder+"status", "VmHWM:"), kibi*procField(t, folder+"status", "VmRSS:")
	u.written = procField(t, folder+"io", "write_bytes:") / 1e6
	return u
}

// procField returns the number after a name in a file of proc(5).
func procField(t testing.TB, path, name string) float64 {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s has no %s", path, name)
	return 0
}

// mapStations returns how many stations are in the live map of PM2.5; 0 while there is none.
func (p *process) mapStations() (n int) {
	response, err := http.Get(p.url + "/api/v1/grid?quantity=pm2_5&window=live&format=geojson")
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	var grid struct {
		Features []struct {
			Properties struct{ Stations int }
		}
	}
	if json.NewDecoder(bufio.NewReader(response.Body)).Decode(&grid) != nil {
		return 0
	}
	for _, f := range grid.Features {
		n += f.Properties.Stations
	}
	return n
}

// stop ends the program as systemd does, and waits for it.
func (p *process) stop() {
	p.cmd.Process.Signal(os.Interrupt)
	<-p.done
}

// complete waits until the program is ready and its map has at least so many stations.
func (p *process) complete(stations int) {
	p.t.Helper()
	limit := time.Now().Add(20 * time.Minute)
	for p.mapStations() < stations {
		select {
		case <-p.done:
			p.t.Fatalf("stadtluft ended: %s", p.log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(limit) {
			p.t.Fatalf("the map has %d stations, want %d", p.mapStations(), stations)
		}
	}
	if status, body := p.ready(); status != http.StatusOK {
		p.t.Errorf("not ready: %s", body)
	}
}

// benchStart measures restarts with two days of data, of 10,000 stations and of 1,000: the time until the map is complete, and
// what it takes. A first start, which checks all hours, is not measured.
func benchStart(b *benchRun) {
	n := cmp.Or(envNumber("BENCH_STATIONS"), scaleStations)
	many, few := newScaled(b.T, n, scaleEvery), newScaled(b.T, n/10, scaleEvery)
	for _, s := range []*scaled{many, few} {
		now := time.Now()
		readings := s.fill(b.T, now.Add(-scaleHours*time.Hour), now)
		b.Logf("%d readings stored after %v", readings, time.Since(now))
		s.settle(b)
	}
	took := benchRow{What: fmt.Sprintf("from the start of the program until the map is complete, %d stations", n), Unit: "s", Aim: "≤ 15"}
	peak := benchRow{What: "memory at its peak until then", Unit: "MB"}
	memory := benchRow{What: "memory a minute later", Unit: "MB", Aim: "≤ 250"}
	cpu := benchRow{What: "CPU of a start, ten times the stations", Unit: "s", PeerName: "with a tenth", Aim: "≤ 10.5"}
	more := benchRow{What: "memory, ten times the stations", Unit: "MB", PeerName: "with a tenth", Aim: "≤ 8"}
	for range b.rounds {
		seconds, first, later := many.restart(b)
		_, fewFirst, fewLater := few.restart(b)
		took.Ours, peak.Ours, memory.Ours = append(took.Ours, seconds), append(peak.Ours, first.peak), append(memory.Ours, later.memory)
		cpu.Ours, cpu.Peer = append(cpu.Ours, first.cpu.Seconds()), append(cpu.Peer, fewFirst.cpu.Seconds())
		more.Ours, more.Peer = append(more.Ours, later.memory), append(more.Peer, fewLater.memory)
	}
	for _, r := range []benchRow{took, peak, memory, cpu, more} {
		b.add(r)
	}
}

// settle has a first start check all hours and store their flags and averages.
func (s *scaled) settle(b *benchRun) {
	b.Helper()
	p := prepare(b, s.data)
	p.begin()
	p.complete(len(s.stations) * 9 / 10)
	limit := time.Now().Add(time.Hour)
	for quiet := 0; quiet < 3; {
		time.Sleep(10 * time.Second)
		if p.metric("stadtluft_journal_unwritten") == 0 && exists(filepath.Join(s.data, "checks.state")) {
			quiet++
		} else {
			quiet = 0
		}
		if time.Now().After(limit) {
			b.Fatalf("the first start has not checked all hours: %s", p.log.String())
		}
	}
	b.Logf("all is checked, %+v", p.usage(b))
	p.stop()
}

// restart returns the seconds until the map is complete, and what the program has used then and a minute later.
func (s *scaled) restart(b *benchRun) (seconds float64, first, later usage) {
	b.Helper()
	p := prepare(b, s.data)
	begin := time.Now()
	p.begin()
	p.complete(len(s.stations) * 9 / 10)
	seconds, first = time.Since(begin).Seconds(), p.usage(b)
	time.Sleep(time.Minute)
	later = p.usage(b)
	p.stop()
	b.Logf("%d stations: %.1f s, %+v, later %+v", len(s.stations), seconds, first, later)
	return seconds, first, later
}

// benchStations measures what new stations cost: the CPU of the server, and of the import's own process.
func benchStations(b *benchRun) {
	n := cmp.Or(envNumber("BENCH_STATIONS"), scaleStations)
	registered := benchRow{What: fmt.Sprintf("CPU of %d registrations over HTTP", n), Unit: "s", PeerName: "of a tenth", Aim: "≤ 20"}
	imported := benchRow{What: fmt.Sprintf("CPU of an import of %d stations, both processes", n), Unit: "s", PeerName: "of a tenth", Aim: "≤ 20"}
	linear := func(of benchRow, peer []float64) benchRow {
		return benchRow{What: of.What + ", ten times the stations", Unit: "s", Ours: of.Ours, Peer: peer, PeerName: "of a tenth", Aim: "≤ 10.5"}
	}
	var fewRegistered, fewImported []float64
	for range b.rounds {
		registered.Ours = append(registered.Ours, registerMany(b, n))
		fewRegistered = append(fewRegistered, registerMany(b, n/10))
		imported.Ours = append(imported.Ours, importMany(b, n))
		fewImported = append(fewImported, importMany(b, n/10))
	}
	for _, r := range []benchRow{registered, linear(registered, fewRegistered), imported, linear(imported, fewImported)} {
		if r.Peer == nil {
			r.PeerName = ""
		}
		b.add(r)
	}
}

// registerMany registers stations over HTTP, ten from an address each and four at once, and returns the server's CPU in seconds.
func registerMany(b *benchRun, n int) float64 {
	b.Helper()
	p := launch(b, b.TempDir())
	before := p.usage(b)
	_, models := simulation.New(1, geo.CologneSketch(), n)
	var all sync.WaitGroup
	for part := range 4 {
		all.Go(func() {
			for i := part; i < n; i += 4 {
				body := fmt.Sprintf(`{"name":"Kit %d","lon":%.6f,"lat":%.6f,"kit":"sds011-bme280","licence_consent":true}`, i, models[i].Point[0], models[i].Point[1])
				request, _ := http.NewRequest(http.MethodPost, p.url+"/api/v1/stations", strings.NewReader(body))
				request.Header.Set("Content-Type", "application/json")
				request.Header.Set("X-Forwarded-For", fmt.Sprintf("10.1.%d.%d", i/registry.DefaultPerDay/250, i/registry.DefaultPerDay%250))
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					b.Error(err)
					return
				}
				answer, _ := io.ReadAll(response.Body)
				response.Body.Close()
				if response.StatusCode != http.StatusCreated {
					b.Errorf("registration %d: %s %s", i, response.Status, answer)
					return
				}
			}
		})
	}
	all.Wait()
	used := (p.usage(b).cpu - before.cpu).Seconds()
	p.stop()
	return used
}

// importMany imports a row of each of n stations, and returns the CPU of the server and of the import in seconds.
func importMany(b *benchRun, n int) float64 {
	b.Helper()
	data := b.TempDir()
	p := launch(b, data)
	before := p.usage(b)
	_, models := simulation.New(1, geo.CologneSketch(), n)
	var file strings.Builder
	file.WriteString("sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2\n")
	at := time.Now().UTC().Add(-time.Hour)
	for i, m := range models {
		fmt.Fprintf(&file, "%d;SDS011;%d;%.3f;%.3f;%s;12.50;;;6.30;;\n", 10_000+i, 10_000+i, m.Point[1], m.Point[0], at.Format("2006-01-02T15:04:05"))
	}
	path := writeFile(b.T, "many.csv", file.String())
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	c := exec.Command(self, "import", "sensor-community", "--data", data, "--server", p.url, path)
	c.Env = p.env
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("%d are in the store", n)) {
		b.Fatalf("import: %v %s", err, out)
	}
	used := (p.usage(b).cpu - before.cpu) + c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	b.Logf("%d stations imported: server %v, import %v", n, p.usage(b).cpu-before.cpu, c.ProcessState.UserTime()+c.ProcessState.SystemTime())
	p.stop()
	return used.Seconds()
}

// envNumber returns a number from the environment, 0 without it.
func envNumber(name string) int {
	n, _ := strconv.Atoi(os.Getenv(name))
	return n
}
