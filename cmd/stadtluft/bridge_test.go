package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// refusalReasons returns the reasons of a station's last refusals.
func (p *process) refusalReasons(t *testing.T, station string) []string {
	t.Helper()
	var health struct {
		Refusals []struct {
			Reason string `json:"reason"`
		} `json:"refusals"`
	}
	if err := json.Unmarshal([]byte(p.get("/api/v1/stations/"+station+"/health")), &health); err != nil {
		t.Fatal(err)
	}
	reasons := make([]string, len(health.Refusals))
	for i, r := range health.Refusals {
		reasons[i] = r.Reason
	}
	return reasons
}

// TestABridgeDeliversEverything lets a real Mosquitto pass a home's messages on to the embedded broker, with nothing set
// beyond what a bridge needs. Among them are topics that are nobody's, with spaces and without.
func TestABridgeDeliversEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: needs Mosquitto")
	}
	p := launch(t, t.TempDir())
	kit := p.register(t, "")
	address := strings.TrimPrefix(p.mqtt, "tcp://")
	home := startMosquitto(t, fmt.Sprintf(`listener PORT 127.0.0.1
allow_anonymous true
connection city
address %s
remote_username %s
remote_password %s
topic reading out 1 "" stadtluft/v1/%s/
topic home/# out 1
`, address, kit.ID, kit.Token, kit.ID))
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + home.addr).SetClientID("home"))
	if token := c.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer c.Disconnect(100)
	eventually(t, "the bridge", func() bool { return p.metric("stadtluft_broker_stations") == 1 })
	const n = 500
	begin := time.Now().Add(-time.Hour).Unix()
	for i := range n {
		if i%50 == 0 { // the home's broker drops what exceeds 1,000 messages in the bridge's queue
			eventually(t, "the bridge to keep up", func() bool { return p.metric("stadtluft_received_total") >= float64(3*(i-100)) })
		}
		for _, m := range [][2]string{
			{"home/living room/temperature", "21"}, {"home/kitchen", "x"}, {"reading", fmt.Sprintf(`{"t":%d,"pm10":%d}`, begin+int64(i), i)},
		} {
			if token := c.Publish(m[0], 1, false, m[1]); !token.WaitTimeout(patience) || token.Error() != nil {
				t.Fatalf("publish at home: %v", token.Error())
			}
		}
	}
	eventually(t, "all messages", func() bool { return p.metric("stadtluft_received_total") >= 3*n })
	if got := p.metric("stadtluft_readings_total"); got != n {
		t.Errorf("%v readings, want %d", got, n)
	}
	eventually(t, "refusals to be shown", func() bool { return len(p.refusalReasons(t, kit.ID)) > 0 })
	for _, reason := range p.refusalReasons(t, kit.ID) {
		if reason != "bad_topic" {
			t.Errorf("a refusal for %s, want bad_topic", reason)
		}
	}
}

// TestKitsBehindOurMosquitto lets a station's kit publish on its firmware's own topic at a Mosquitto with the
// configuration in deploy.
func TestKitsBehindOurMosquitto(t *testing.T) {
	data := t.TempDir()
	senders := registerStations(t, data, 1)
	m := startMosquitto(t, restartable(t, senders))
	p := launch(t, data, "STADTLUFT_MQTT_LISTEN=", "STADTLUFT_MQTT_BROKER=tcp://"+m.addr, "STADTLUFT_MQTT_USERNAME=stadtluft", "STADTLUFT_MQTT_PASSWORD=secret")
	kit := p.register(t, `,"device":{"family":"airgradient","key":"84fce612eabc"}`)
	s := &sender{options: mqtt.NewClientOptions().AddBroker("tcp://" + m.addr).SetClientID("kit").SetUsername(senders[0].id).SetPassword(senders[0].token)}
	defer s.hangUp()
	eventually(t, "the value of the kit", func() bool { // a message before our subscription is nobody's
		s.send(t.Context(), "airgradient/readings/84fce612eabc", `{"pm02":7}`)
		return p.latest(t, kit.ID)["pm2_5"] == 7
	})
}
