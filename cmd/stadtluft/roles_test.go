package main

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	nats "github.com/nats-io/nats-server/v2/server"

	"stadtluft/ingest/store/influx/influxtest"
)

// startNATS runs a real NATS server with JetStream on a free port.
func startNATS(t testing.TB) (url string) {
	t.Helper()
	s, err := nats.NewServer(&nats.Options{
		Host: "127.0.0.1", Port: nats.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true, NoSigs: true, NoLog: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("NATS is not ready")
	}
	return s.ClientURL()
}

// The roles of a server.
const (
	intakeRole    = "ingest"
	writeRole     = "write"
	aggregateRole = "aggregate"
	webRole       = "web"
)

var everyRole = []string{intakeRole, writeRole, aggregateRole, webRole}

// roleProcesses are the four processes of one server, by role.
type roleProcesses map[string]*process

// launchApart starts all four at the same time and waits until each is ready. They share the address of the embedded
// broker, and the test's commands their NATS server.
func launchApart(t testing.TB, data string, env ...string) roleProcesses {
	t.Helper()
	url := startNATS(t)
	t.Setenv("STADTLUFT_NATS_URL", url)
	env = append([]string{"STADTLUFT_NATS_URL=" + url, "STADTLUFT_MQTT_LISTEN=" + freeAddr(t)}, env...)
	all := roleProcesses{}
	for _, r := range everyRole {
		all[r] = prepare(t, data, slices.Concat(env, []string{"STADTLUFT_ROLES=" + r})...)
		all[r].begin()
	}
	for _, p := range all {
		p.wait()
	}
	return all
}

// TestRolesApart sends 5,000 readings to one process, and for each kind of store to four with a role each, three of
// which are killed in the middle. It expects the same bytes.
func TestRolesApart(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: sends 15,000 readings")
	}
	const stations = 50
	whole := t.TempDir()
	senders := registerStations(t, whole, stations)
	_, end := span()
	p := launch(t, whole)
	publishAtOnce(t, p.mqtt, senders, end)
	want := checkStory(t, p, senders)
	p.kill()
	f := func(t *testing.T, env ...string) {
		parts := t.TempDir()
		copyRegistry(t, whole, parts)
		all := launchApart(t, parts, env...)
		sent, flow := make(chan struct{}), newFlow(stations)
		defer flow.allow(stations * storyReadings)
		go func() {
			defer close(sent)
			publish(t, t.Context(), all[intakeRole].mqtt, true, senders, end, flow.wait)
		}()
		const share = stations * storyReadings / 3
		for i, killed := range []string{writeRole, intakeRole, aggregateRole} {
			flow.allow(i*share + share/2)
			eventually(t, "the stations to have sent their share", flow.still)
			flow.allow((i + 1) * share)
			all[killed].kill()
			if killed == writeRole {
				eventually(t, "readings to wait in the journal", func() bool { return all[webRole].metric("stadtluft_journal_unwritten") > 10 })
			}
			all[killed].start()
		}
		flow.allow(stations * storyReadings)
		<-sent
		if got := checkStory(t, all[webRole], senders); got != want {
			t.Errorf("grid of processes apart differs: %s", firstDifference(got, want))
		}
	}
	t.Run("SQLite", func(t *testing.T) { f(t) })
	t.Run("InfluxDB", func(t *testing.T) {
		db := influxtest.Start(t)
		f(t, "STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL="+db.URL)
	})
}

// BenchmarkRoles sends 20,000 messages of 200 stations through the embedded broker, each on disk before it is acknowledged, to
// one process and to four, until the last reading is in the store (SQLite).
func BenchmarkRoles(b *testing.B) {
	f := func(b *testing.B, launch func(data string) (intake, writer *process)) {
		for b.Loop() {
			b.StopTimer()
			data := b.TempDir()
			senders := registerStations(b, data, storyStations)
			_, end := span()
			intake, writer := launch(data)
			b.StartTimer()
			publish(b, b.Context(), intake.mqtt, true, senders, end, atOnce)
			eventually(b, "the last reading to be stored", func() bool { return writer.metric("stadtluft_stored_total") == storyStations*storyReadings })
		}
		b.ReportMetric(float64(b.N*storyStations*storyReadings)/b.Elapsed().Seconds(), "messages/s")
	}
	b.Run("whole", func(b *testing.B) {
		f(b, func(data string) (intake, writer *process) {
			p := launch(b, data)
			return p, p
		})
	})
	b.Run("whole with NATS", func(b *testing.B) {
		f(b, func(data string) (intake, writer *process) {
			p := launch(b, data, "STADTLUFT_NATS_URL="+startNATS(b))
			return p, p
		})
	})
	b.Run("apart", func(b *testing.B) {
		f(b, func(data string) (intake, writer *process) {
			all := launchApart(b, data)
			return all[intakeRole], all[writeRole]
		})
	})
}

// TestRolesAreTakenOnce starts each role a second time, and the whole server beside its parts, and a part beside the
// whole.
func TestRolesAreTakenOnce(t *testing.T) {
	data := t.TempDir()
	all := launchApart(t, data)
	refused := func(words string, env ...string) {
		t.Helper()
		p := prepare(t, data, env...)
		p.begin()
		<-p.done
		if log := p.log.String(); p.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(log, words) {
			t.Errorf("%v: status %d, %q, want 1 and %q", env, p.cmd.ProcessState.ExitCode(), log, words)
		}
	}
	nats := "STADTLUFT_NATS_URL=nats://127.0.0.1:1"
	for _, r := range everyRole {
		refused("another stadtluft has the role "+r+" there", nats, "STADTLUFT_ROLES="+r)
	}
	refused("another stadtluft serves from it")
	for _, p := range all {
		p.kill()
	}
	launch(t, data, "STADTLUFT_NATS_URL="+os.Getenv("STADTLUFT_NATS_URL"))
	refused("another stadtluft serves from it, with every role", nats, "STADTLUFT_ROLES=web")
}

// TestWhatCrossesRoles expects each role to do the work for which it needs the others.
func TestWhatCrossesRoles(t *testing.T) {
	data := t.TempDir()
	all := launchApart(t, data, "STADTLUFT_ADMIN_TOKEN=7k2m9qx4vbt8w3hn5c0rz6jdpg")
	web, intake := all[webRole], all[intakeRole]
	r := web.register(t, "")
	topic := "stadtluft/v1/" + r.ID + "/"
	station, told := client(t, intake.mqtt, r, topic+"feedback")
	eventually(t, "feedback", func() bool { // the intake may be about to disconnect a station that it has just noticed
		return says(station, topic+"reading", `{"pm2_5":"a lot"}`) && strings.Contains(next(told, time.Second), "not_a_number")
	})
	eventually(t, "a reading to be taken", func() bool { return says(station, topic+"reading", `{"pm2_5":12.5,"pm10":20}`) })
	web.arrives(t, "the reading", r.ID, map[string]float64{"pm2_5": 12.5, "pm10": 20})
	_, averages := client(t, intake.mqtt, registered{}, "stadtluft/v1/city/pm2_5")
	if words := next(averages, patience); !strings.Contains(words, "12.5") {
		t.Errorf("the city's average %q, want 12.5", words)
	}

	if status, body := deliver(t, intake.url+"/api/v1/push/native", r.ID, r.Token, []byte(`{"temperature":21}`)); status != http.StatusAccepted {
		t.Errorf("push to the intake: %d %s", status, body)
	}
	if status, body := deliver(t, web.url+"/write", r.ID, r.Token, nil); status != http.StatusServiceUnavailable || !strings.Contains(body, "the role ingest") {
		t.Errorf("push to the pages: %d %s", status, body)
	}
	if status, body := deliver(t, all[writeRole].url+"/api/v1/push/native", r.ID, r.Token, nil); status != http.StatusNotFound || !strings.Contains(body, "the role web") {
		t.Errorf("push to the writer: %d %s", status, body)
	}
	deliver(t, intake.url+"/api/v1/push/native", r.ID, "wrong", nil)
	eventually(t, "both refusals on the station's page", func() bool {
		health := string(web.get("/api/v1/stations/" + r.ID + "/health"))
		return strings.Contains(health, `"wrong_token"`) && strings.Contains(health, `"not_a_number"`)
	})
	useless := web.register(t, "")
	eventually(t, "the intake to know the next station", func() bool {
		status, _ := deliver(t, intake.url+"/api/v1/push/airgradient", useless.ID, useless.Token, []byte(`{"temp":20}`))
		return status == http.StatusUnprocessableEntity
	})
	eventually(t, "what the intake heard on the station's page", func() bool {
		return strings.Contains(string(web.get("/api/v1/stations/"+useless.ID+"/health")), `"taken":false,"en":"nothing usable: unknown names \"temp\", did you mean \"temperature\"?"`)
	})
	if len(web.backup("7k2m9qx4vbt8w3hn5c0rz6jdpg")) == 0 {
		t.Error("the backup is empty")
	}
	for p, want := range map[*process]string{intake: "received_total", all[writeRole]: "archive_revisions_total", all[aggregateRole]: "aggregate_values", web: "stations"} {
		if text := string(p.get("/metrics")); !strings.Contains(text, "\nstadtluft_"+want) || p != intake && strings.Contains(text, "\nstadtluft_received_total") {
			t.Errorf("%s: figures without stadtluft_%s, or with the intake's", p.env, want)
		}
	}

	request, _ := http.NewRequestWithContext(t.Context(), http.MethodDelete, web.url+"/api/v1/stations/"+r.ID+"?readings=erase", nil)
	request.Header.Set("Authorization", "Bearer 7k2m9qx4vbt8w3hn5c0rz6jdpg")
	if response, err := http.DefaultClient.Do(request); err != nil || response.StatusCode != http.StatusNoContent {
		t.Fatalf("erase: %v %v", response, err)
	}
	eventually(t, "the station to be thrown out", func() bool { return !station.IsConnectionOpen() })
	eventually(t, "the station to go", func() bool { return !strings.Contains(shell(t, "station", "list", "--data", data), r.ID) })
	if left := string(web.get("/api/v1/readings?format=csv")); strings.Contains(left, r.ID) {
		t.Errorf("readings of an erased station are left:\n%s", left)
	}
}

// client returns a connection to a broker that reconnects, as a station if there is one, and the messages on a topic.
func client(t *testing.T, broker string, r registered, topic string) (mqtt.Client, <-chan string) {
	t.Helper()
	heard, subscribed := make(chan string, 100), make(chan struct{}, 100)
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker).SetClientID("crossing-" + r.ID).SetUsername(r.ID).SetPassword(r.Token).
		SetProtocolVersion(4).SetConnectRetry(true).SetConnectRetryInterval(50 * time.Millisecond).SetMaxReconnectInterval(50 * time.Millisecond).
		SetOnConnectHandler(func(c mqtt.Client) {
			c.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) { heard <- string(m.Payload()) }).Wait()
			subscribed <- struct{}{}
		}))
	if token := c.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatalf("connect to the broker: %v", token.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	select {
	case <-subscribed: // before anything is published
	case <-time.After(patience):
		t.Fatal("subscribe: no answer")
	}
	return c, heard
}

func says(c mqtt.Client, topic, payload string) bool {
	token := c.Publish(topic, 1, false, payload)
	return token.WaitTimeout(patience) && token.Error() == nil
}

// next returns the next message; empty when none comes in time.
func next(heard <-chan string, wait time.Duration) string {
	select {
	case words := <-heard:
		return words
	case <-time.After(wait):
		return ""
	}
}
