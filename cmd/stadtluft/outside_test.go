package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"stadtluft/ingest/store/influx/influxtest"
)

// These stories run the program with servers that a city may have already: a real Mosquitto and a real InfluxDB.

// mosquitto is a broker process on a free port.
type mosquitto struct {
	t    *testing.T
	args []string
	addr string
	cmd  *exec.Cmd
}

// startMosquitto starts the broker with its own default settings, or with a configuration in which
// PORT stands for the port.
func startMosquitto(t *testing.T, config string) *mosquitto {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: needs Mosquitto")
	}
	addr := freeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	m := &mosquitto{t: t, addr: addr, args: []string{"-p", port}}
	if config != "" {
		path := filepath.Join(t.TempDir(), "mosquitto.conf")
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(config, "PORT", port)), 0o600); err != nil {
			t.Fatal(err)
		}
		m.args = []string{"-c", path}
	}
	m.start()
	t.Cleanup(m.stop)
	return m
}

func (m *mosquitto) start() {
	m.t.Helper()
	binary, err := exec.LookPath("mosquitto")
	if err != nil {
		binary = "/usr/sbin/mosquitto"
	}
	m.cmd = exec.Command(binary, m.args...)
	output := &syncBuffer{}
	m.cmd.Stdout, m.cmd.Stderr = output, output
	if err := m.cmd.Start(); err != nil {
		m.t.Fatalf("start mosquitto: %v (apt-get install mosquitto)", err)
	}
	ended := make(chan struct{})
	go func(cmd *exec.Cmd) { cmd.Wait(); close(ended) }(m.cmd)
	eventually(m.t, "mosquitto to listen", func() bool {
		select {
		case <-ended:
			m.t.Fatalf("mosquitto ended: %s", output.String())
		default:
		}
		c, err := net.Dial("tcp", m.addr)
		if err != nil {
			return false
		}
		c.Close()
		return true
	})
}

// stop ends the broker as an operator would; it saves its state first.
func (m *mosquitto) stop() {
	m.cmd.Process.Signal(os.Interrupt)
	m.cmd.Process.Wait()
}

// behind returns a function that lets n stations send their next message when all but three rounds are received: with
// its default settings Mosquitto acknowledges and drops messages beyond 1,000 in a queue, when they are sent faster than
// they are read.
func (p *process) behind(n int) func(i, k int) {
	var mu sync.Mutex // guards received
	received := 0.0
	enough := func(want float64) bool {
		mu.Lock()
		defer mu.Unlock()
		if received < want {
			<-time.After(20 * time.Millisecond)
			received = p.metric("stadtluft_received_total")
		}
		return received >= want
	}
	return func(_, k int) {
		for end := time.Now().Add(patience); !enough(float64((k-3)*n)) && time.Now().Before(end); {
		}
	}
}

// TestMosquittoAndInfluxDB sends 20,000 readings from 200 stations through a Mosquitto with default settings into an
// InfluxDB 1.8, which is stopped for a while in the middle.
func TestMosquittoAndInfluxDB(t *testing.T) {
	data := t.TempDir()
	senders := registerStations(t, data, storyStations)
	_, end := span()
	m := startMosquitto(t, "")
	db := influxtest.Start(t)
	p := launch(t, data,
		"STADTLUFT_MQTT_LISTEN=", "STADTLUFT_MQTT_BROKER=tcp://"+m.addr,
		"STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL="+db.URL,
	)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		publish(t, t.Context(), "tcp://"+m.addr, false, senders, end, p.behind(len(senders)))
	}()
	eventually(t, "some thousand messages", func() bool { return p.metric("stadtluft_received_total") > 4000 })
	db.Stop()
	eventually(t, "readings to wait in the journal", func() bool { return p.metric("stadtluft_journal_unwritten") > 10 })
	db.Restart()
	<-sent
	checkStory(t, p, senders)
}

// restartable returns our Mosquitto configuration with its files in a folder of the test.
func restartable(t *testing.T, senders []storyStation) string {
	t.Helper()
	config, err := os.ReadFile("../../deploy/mosquitto/stadtluft.conf")
	if err != nil {
		t.Fatal(err)
	}
	acl, err := filepath.Abs("../../deploy/mosquitto/stadtluft.acl")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var clear strings.Builder
	clear.WriteString("stadtluft:secret\n")
	for _, r := range senders {
		clear.WriteString(r.id + ":" + r.token + "\n")
	}
	passwords := filepath.Join(folder, "passwd")
	if err := os.WriteFile(passwords, []byte(clear.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mosquitto_passwd", "-U", passwords).CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_passwd: %v: %s", err, out)
	}
	text := strings.NewReplacer(
		"listener 1883", "listener PORT 127.0.0.1\nuser root",
		"/etc/mosquitto/stadtluft.passwd", passwords,
		"/etc/mosquitto/stadtluft.acl", acl,
		"/var/lib/mosquitto/", folder+"/",
	).Replace(string(config))
	return text
}

// TestOurMosquittoConfiguration starts a broker with the configuration in deploy: a restart of the broker and one of our
// server lose nothing, and a station cannot publish below another's prefix.
func TestOurMosquittoConfiguration(t *testing.T) {
	data := t.TempDir()
	senders := registerStations(t, data, 20)
	_, end := span()
	m := startMosquitto(t, restartable(t, senders))
	p := launch(t, data,
		"STADTLUFT_MQTT_LISTEN=", "STADTLUFT_MQTT_BROKER=tcp://"+m.addr,
		"STADTLUFT_MQTT_USERNAME=stadtluft", "STADTLUFT_MQTT_PASSWORD=secret",
	)
	intruder := mqtt.NewClientOptions().AddBroker("tcp://" + m.addr).SetClientID("intruder").
		SetUsername(senders[0].id).SetPassword(senders[0].token)
	s := &sender{options: intruder}
	s.send(t.Context(), "stadtluft/v1/"+senders[1].id+"/reading", `{"pm10":1}`)
	s.hangUp()

	p.kill() // the broker queues while our server is stopped
	half, cancel := context.WithCancel(t.Context())
	defer cancel()
	publish(t, half, "tcp://"+m.addr, true, senders, end, atOnce)
	m.stop()
	m.start()
	p.start()
	checkStory(t, p, senders)
	if got := p.metric("stadtluft_readings_total"); got > 20*storyReadings {
		t.Errorf("%v readings, want at most %d: the intruder's must not be there", got, 20*storyReadings)
	}
}
