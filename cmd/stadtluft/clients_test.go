package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestClientsOfEveryVersion publishes with mosquitto_pub in MQTT 3.1, 3.1.1 and 5, and with MQTT.js over WebSocket in 3.1.1
// and 5, in each with QoS 0, 1 and 2; MQTT.js also reads an average. paho is what other tests use.
func TestClientsOfEveryVersion(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: needs mosquitto_pub and export/clients")
	}
	p := launch(t, t.TempDir())
	kit := p.register(t, "")
	_, port, _ := strings.Cut(strings.TrimPrefix(p.mqtt, "tcp://"), ":")
	first := time.Now().Add(-time.Minute).Unix()
	want := 0
	client := func(name string, args ...string) string {
		t.Helper()
		want += 3
		first += 3
		out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v: %s", name, args, err, out)
		}
		return string(out)
	}
	for _, version := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		for qos := range int64(3) {
			client("mosquitto_pub", "-p", port, "-V", version, "-u", kit.ID, "-P", kit.Token, "-q", strconv.FormatInt(qos, 10),
				"-t", "stadtluft/v1/"+kit.ID+"/reading", "-m", fmt.Sprintf(`{"t":%d,"pm10":7}`, first))
			want -= 2
		}
	}
	eventually(t, "the readings of mosquitto_pub", func() bool { return p.metric("stadtluft_readings_total") == float64(want) })
	eventually(t, "an average that is retained", func() bool {
		return exec.CommandContext(t.Context(), "mosquitto_sub", "-p", port, "-t", "stadtluft/v1/city/pm10", "--retained-only", "-C", "1", "-W", "2").Run() == nil
	})
	for _, version := range []string{"4", "5"} {
		out := client("node", "../../export/clients/mqtt.mjs", "ws"+strings.TrimPrefix(p.url, "http")+"/mqtt", version, kit.ID, kit.Token, strconv.FormatInt(first, 10))
		if !strings.HasPrefix(out, "stadtluft/v1/city/pm10 {") || !strings.HasSuffix(out, "} true\n") {
			t.Errorf("MQTT.js in version %s reads %q, want a retained average", version, out)
		}
	}
	eventually(t, "the readings of MQTT.js", func() bool { return p.metric("stadtluft_readings_total") == float64(want) })
}
