package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"stadtluft/ingest/store/influx/influxtest"
)

// soon is how soon a change of a station must be known at every door. The shortest of some tries is compared, because a
// machine that is busy with other tests may need longer for one.
const soon = 200 * time.Millisecond

// twoDoors are two intakes and a process with the other roles, each with a data folder of its own.
type twoDoors struct {
	*process
	doors []*process
}

func launchTwoDoors(t *testing.T, env ...string) twoDoors {
	t.Helper()
	db := influxtest.Start(t)
	env = append([]string{
		"STADTLUFT_NATS_URL=" + startNATS(t), "STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL=" + db.URL, "STADTLUFT_ADMIN_TOKEN=" + faultsAdmin,
	}, env...)
	d := twoDoors{process: launch(t, t.TempDir(), append(env, "STADTLUFT_ROLES=write,aggregate,web")...)}
	for range 2 {
		d.doors = append(d.doors, launch(t, t.TempDir(), append(env, "STADTLUFT_ROLES=ingest")...))
	}
	return d
}

// rawStation is a connection of a station that sends packets one by one.
type rawStation struct {
	t  *testing.T
	id string
	c  net.Conn
	in *bufio.Reader
}

// tryRaw connects to a door; nil when it does not let the station in.
func tryRaw(t *testing.T, door *process, r registered, clientID string) *rawStation {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(door.mqtt, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	s := &rawStation{t, r.ID, c, bufio.NewReader(c)}
	s.write(mqttPacket(0x10, mqttText("MQTT"), []byte{4, 0xC2, 0, 60}, mqttText(clientID), mqttText(r.ID), mqttText(r.Token)))
	answer := make([]byte, 4)
	if _, err := io.ReadFull(s.in, answer); err != nil || answer[3] != 0 {
		c.Close()
		return nil
	}
	return s
}

func (s *rawStation) write(packet []byte) {
	s.t.Helper()
	if _, err := s.c.Write(packet); err != nil {
		s.t.Fatal(err)
	}
}

// publish sends a reading and waits for its PUBACK. The first byte 0x3A says that it is delivered again.
func (s *rawStation) publish(first byte, payload string) {
	s.t.Helper()
	s.write(mqttPacket(first, mqttText("stadtluft/v1/"+s.id+"/reading"), []byte{0, 1}, []byte(payload)))
	if _, err := io.ReadFull(s.in, make([]byte, 4)); err != nil {
		s.t.Fatalf("no PUBACK: %v", err)
	}
}

// ended waits for the end of the connection and returns how long it took.
func (s *rawStation) ended() time.Duration {
	s.t.Helper()
	begin := time.Now()
	s.c.SetReadDeadline(begin.Add(patience))
	if _, err := s.in.ReadByte(); err != io.EOF {
		if timeout, ok := err.(net.Error); !ok || timeout.Timeout() {
			s.t.Fatalf("the connection goes on: %v", err)
		}
	}
	return time.Since(begin)
}

// TestTwoDoors has stations at two doors at the same time.
func TestTwoDoors(t *testing.T) {
	d := launchTwoDoors(t)
	t.Run("a change is known at both", func(t *testing.T) { d.knowChanges(t, soon) })
	t.Run("a session moves", d.moveSessions)
	t.Run("a reading is delivered again at the other", d.deliverAgain)
	t.Run("of two values the first stays", d.conflict)
	t.Run("averages are retained at both", func(t *testing.T) {
		for _, door := range d.doors {
			_, averages := client(t, door.mqtt, registered{}, "stadtluft/v1/city/pm10")
			if words := next(averages, patience); !strings.Contains(words, `"mean"`) {
				t.Errorf("the city's average at %s: %q", door.mqtt, words)
			}
		}
	})
}

// knowChanges registers and suspends three stations and measures how long both doors take to know it; the shortest must be within
// a limit.
func (d twoDoors) knowChanges(t *testing.T, limit time.Duration) {
	registers, suspends := time.Hour, time.Hour
	for range 3 {
		r := d.register(t, "")
		begin := time.Now()
		var sessions []*rawStation
		for _, door := range d.doors {
			eventually(t, "the door to let the station in", func() bool {
				s := tryRaw(t, door, r, "kit")
				if s != nil {
					sessions = append(sessions, s)
				}
				return s != nil
			})
			registers = min(registers, time.Since(begin)) // of one door; the other is told at the same time
		}
		second := tryRaw(t, d.doors[0], r, "kit-2") // the first of them was ended by the other door
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPatch, d.url+"/api/v1/stations/"+r.ID, strings.NewReader(`{"status":"suspended","reason":"for the test"}`))
		request.Header.Set("Authorization", "Bearer "+faultsAdmin)
		request.Header.Set("Content-Type", "application/json")
		begin = time.Now()
		if response, err := http.DefaultClient.Do(request); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("suspend: %v %v", response, err)
		}
		second.ended()
		sessions[1].ended()
		suspends = min(suspends, time.Since(begin))
	}
	t.Logf("a station may log in after %v, and is disconnected after %v", registers, suspends)
	if registers > limit || suspends > limit {
		t.Errorf("a station may log in after %v, and is disconnected after %v; want %v", registers, suspends, limit)
	}
}

// moveSessions connects with one client id at both.
func (d twoDoors) moveSessions(t *testing.T) {
	r := d.register(t, "")
	eventually(t, "both doors to know the station", func() bool {
		return tryRaw(t, d.doors[0], r, "look") != nil && tryRaw(t, d.doors[1], r, "look") != nil
	})
	first := tryRaw(t, d.doors[0], r, "kit")
	other := tryRaw(t, d.doors[0], r, "another")
	second := tryRaw(t, d.doors[1], r, "kit")
	first.ended()
	second.publish(0x32, `{"temperature":20}`)
	other.publish(0x32, `{"humidity":50}`)
}

// deliverAgain sends a reading without a time of its own to one door and again to the other, as a station does that got no
// acknowledgement.
func (d twoDoors) deliverAgain(t *testing.T) {
	r := d.register(t, "")
	var first, second *rawStation
	eventually(t, "both doors to know the station", func() bool {
		first, second = tryRaw(t, d.doors[0], r, "kit"), tryRaw(t, d.doors[1], r, "kit-2")
		return first != nil && second != nil
	})
	first.publish(0x32, `{"pm10":7}`)
	<-time.After(1100 * time.Millisecond) // another second, which would be another reading
	second.publish(0x3A, `{"pm10":7}`)
	second.publish(0x32, `{"pm10":8}`)
	eventually(t, "the last reading to be stored", func() bool { return strings.Contains(d.valuesOf(r.ID), ",8,") })
	if got := strings.Count(d.valuesOf(r.ID), "pm10"); got != 2 {
		t.Errorf("%d readings, want 2:\n%s", got, d.valuesOf(r.ID))
	}
}

func (d twoDoors) valuesOf(id string) string {
	return string(d.get("/api/v1/stations/" + id + "/readings?format=csv&resolution=raw"))
}

// conflict sends other values for the same 60 times through both doors at once. For each one must be taken and one
// refused, and the averages must be those of the stored ones.
func (d twoDoors) conflict(t *testing.T) {
	const times = 60
	r := d.register(t, "")
	from, _ := span()
	refused := func() (n float64) {
		for _, door := range d.doors {
			n += door.metric(`stadtluft_refused_total`)
		}
		return n
	}
	var sessions []mqtt.Client
	for i, door := range d.doors {
		sessions = append(sessions, mqtt.NewClient(mqtt.NewClientOptions().AddBroker(door.mqtt).SetClientID(fmt.Sprint("kit", i)).
			SetUsername(r.ID).SetPassword(r.Token).SetProtocolVersion(4)))
		eventually(t, "the station to log in", func() bool {
			token := sessions[i].Connect()
			return token.WaitTimeout(patience) && token.Error() == nil
		})
		defer sessions[i].Disconnect(0)
	}
	before := refused()
	for k := range times {
		var both sync.WaitGroup
		for i, s := range sessions {
			both.Go(func() {
				payload := fmt.Sprintf(`{"t":%d,"pm10":%d}`, from.Unix()+int64(k)*60, 20+i*10)
				if token := s.Publish("stadtluft/v1/"+r.ID+"/reading", 1, false, payload); !token.WaitTimeout(patience) || token.Error() != nil {
					t.Errorf("publish: %v", token.Error())
				}
			})
		}
		both.Wait()
	}
	eventually(t, "one of two values to be refused each time", func() bool { return refused()-before == times })
	var table []byte
	eventually(t, "the other to be stored", func() bool {
		table = d.get(fmt.Sprintf("/api/v1/readings?format=csv&from=%s&to=%s", from.Format(time.RFC3339), from.Add(time.Hour).Format(time.RFC3339)))
		return bytes.Count(table, []byte(r.ID)) == times
	})
	counts := []int{bytes.Count(table, []byte(",20,")), bytes.Count(table, []byte(",30,"))}
	t.Logf("%v values of each door were the first", counts)
	if counts[0]+counts[1] != times || slices.Contains(counts, 0) {
		t.Errorf("%v values of each door were the first, want %d together and some of each", counts, times)
	}
	want := wantGrid(t, table, "pm10")
	var got map[string]int64
	eventually(t, "the average to be that of what is stored", func() bool {
		got, _ = gotGrid(t, d.process, from, from.Add(time.Hour), "pm10")
		return len(want) == 1 && fmt.Sprint(got) == fmt.Sprint(want)
	})
}

// TestTwoIntakesAtOneBroker has two intakes share the messages of a Mosquitto, of which one is killed and comes back.
func TestTwoIntakesAtOneBroker(t *testing.T) {
	const stations = 10
	db, url := influxtest.Start(t), startNATS(t)
	shared := []string{"STADTLUFT_NATS_URL=" + url, "STADTLUFT_STORE_KIND=influxdb", "STADTLUFT_STORE_INFLUXDB_URL=" + db.URL}
	senders := registerStations(t, t.TempDir(), stations, shared...)
	broker := startMosquitto(t, restartable(t, senders))
	rest := launch(t, t.TempDir(), append(shared, "STADTLUFT_ROLES=write,aggregate,web")...)
	var intakes []*process
	for range 2 {
		intakes = append(intakes, launch(t, t.TempDir(), append(shared, "STADTLUFT_ROLES=ingest", "STADTLUFT_MQTT_LISTEN=", "STADTLUFT_MQTT_GROUP=city",
			"STADTLUFT_MQTT_BROKER=tcp://"+broker.addr, "STADTLUFT_MQTT_USERNAME=stadtluft", "STADTLUFT_MQTT_PASSWORD=secret")...))
	}
	_, end := span()
	f := newFlow(stations)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		publish(t, t.Context(), "tcp://"+broker.addr, true, senders, end, f.wait)
	}()
	t.Cleanup(func() { f.allow(storyReadings * stations); <-sent })
	f.allow(storyReadings * stations / 2)
	eventually(t, "the stations to have sent half", f.still)
	half := 0
	for _, n := range f.first() {
		half += n
	}
	received := func() (each []float64) {
		for _, p := range intakes {
			each = append(each, p.metric("stadtluft_received_total"))
		}
		return each
	}
	within(10*time.Second, func() bool { each := received(); return each[0]+each[1] >= float64(half) })
	if each := received(); each[0]+each[1] != float64(half) || slices.Min(each) < float64(half)/10 {
		t.Errorf("the intakes got %v messages of %d, want each a part and none twice", each, half)
	}
	intakes[0].kill()
	f.allow(storyReadings * stations)
	<-sent
	intakes[0].begin()
	checkStory(t, rest, senders)
	for _, p := range intakes {
		if n := p.metric("stadtluft_mqtt_connects_total"); n != 1 {
			t.Errorf("an intake connected %v times, want once", n)
		}
	}
}
