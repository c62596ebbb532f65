package broker

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/mochi-mqtt/server/v2/packets"

	"stadtluft/ingest"
)

// cityDoors are the brokers of two cities behind one door, with a plain address and one with TLS.
type cityDoors struct {
	koeln, bonn   *door
	plain, secure string
}

// openCities starts them: stations K… are of koeln and B… of bonn, with the token "token-" and the id. Station BOTH is of
// both, with the token "token-BOTH" in koeln and "other" in bonn.
func openCities(t *testing.T, connections int) cityDoors {
	t.Helper()
	front := NewDoor(connections, slog.New(slog.DiscardHandler))
	city := func(root, host, initial, bothToken string) *door {
		d := &door{messages: make(chan ingest.Message, 100)}
		knows := func(id string) bool { return strings.HasPrefix(id, initial) || id == "BOTH" }
		d.Broker = New(Options{
			Out: d.messages, Notify: d.notify, Log: slog.New(slog.DiscardHandler), Root: root, Door: front,
			Authenticate: func(id, token string) bool {
				return id == "BOTH" && token == bothToken || id != "BOTH" && knows(id) && token == "token-"+id
			},
		})
		d.Open()
		front.Add(d.Broker, host, knows)
		d.accept(t)
		return d
	}
	all := cityDoors{koeln: city("stadtluft-koeln", "koeln.example", "K", "token-BOTH"), bonn: city("stadtluft-bonn", "bonn.example", "BO", "other")}
	front.Anyone().Open()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	serve := func(config *tls.Config) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { ended <- front.Serve(ctx, l, config) }()
		return l.Addr().String()
	}
	all.plain, all.secure = serve(nil), serve(selfSigned(t))
	t.Cleanup(func() {
		cancel()
		front.Close()
		all.koeln.Close()
		all.bonn.Close()
		for range 2 {
			if err := <-ended; err != nil {
				t.Errorf("Serve() = %v, want nil", err)
			}
		}
	})
	return all
}

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"koeln.example", "bonn.example"}, NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
}

// login connects to a broker; host is the name that TLS tells, empty for a plain connection.
func (all cityDoors) login(t *testing.T, host, user, password string, heard chan paho.Message) (paho.Client, error) {
	t.Helper()
	o := paho.NewClientOptions().AddBroker("tcp://" + all.plain).SetClientID("x").SetUsername(user).SetPassword(password).
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(patience).SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { heard <- m })
	if host != "" {
		o.Servers = nil
		o.AddBroker("ssl://" + all.secure).SetTLSConfig(&tls.Config{ServerName: host, InsecureSkipVerify: true})
	}
	c := paho.NewClient(o)
	token := c.Connect()
	if !token.WaitTimeout(patience) {
		t.Fatalf("connect as %q: no answer", user)
	}
	t.Cleanup(func() { c.Disconnect(10) })
	return c, token.Error()
}

// TestWhoseStationItIs logs in as stations of both cities, over names of hosts and without.
func TestWhoseStationItIs(t *testing.T) {
	all := openCities(t, 0)
	f := func(host, user, password string, of *door) {
		t.Helper()
		before := [2]int{}
		before[0], _ = all.koeln.Connected()
		before[1], _ = all.bonn.Connected()
		c, err := all.login(t, host, user, password, nil)
		if (err == nil) != (of != nil) {
			t.Fatalf("log-in as %s with %s at %q: %v", user, password, host, err)
		}
		koeln, _ := all.koeln.Connected()
		bonn, _ := all.bonn.Connected()
		if got, want := koeln > before[0], of == all.koeln; got != want {
			t.Errorf("%s with %s at %q: is in koeln %v, want %v", user, password, host, got, want)
		}
		if got, want := bonn > before[1], of == all.bonn; got != want {
			t.Errorf("%s with %s at %q: is in bonn %v, want %v", user, password, host, got, want)
		}
		c.Disconnect(0)
		until(t, "it to be gone", func() bool {
			k, _ := all.koeln.Connected()
			b, _ := all.bonn.Connected()
			return k+b == 0
		})
	}
	f("", "K1", "token-K1", all.koeln)
	f("", "BO1", "token-BO1", all.bonn)
	f("", "K1", "token-BO1", nil)
	f("", "Z1", "token-Z1", nil)
	f("", "BOTH", "token-BOTH", all.koeln)
	f("", "BOTH", "other", all.bonn)
	f("", "BOTH", "wrong", nil)
	f("koeln.example", "K1", "token-K1", all.koeln)
	f("KOELN.example", "K1", "token-K1", all.koeln)
	f("bonn.example", "K1", "token-K1", nil) // at the other city's host
	f("luft.example", "K1", "token-K1", all.koeln)
}

// TestNothingCrossesTheDoor has stations and anonymous clients of two cities ask for everything.
func TestNothingCrossesTheDoor(t *testing.T) {
	all := openCities(t, 0)
	all.koeln.Publish("stadtluft/v1/city/pm10", true, []byte("of koeln"))
	all.bonn.Publish("stadtluft/v1/city/pm10", true, []byte("of bonn"))
	f := func(host, user string, granted map[string]string, denied ...string) {
		t.Helper()
		heard := make(chan paho.Message, 100)
		c, err := all.login(t, host, user, "token-"+user, heard)
		if err != nil {
			t.Fatal(err)
		}
		for _, filter := range denied {
			if code := subscribe(t, c, filter); code != 0x80 {
				t.Errorf("%q at %q may subscribe to %s", user, host, filter)
			}
		}
		for filter, want := range granted {
			if code := subscribe(t, c, filter); code != 1 {
				t.Fatalf("%q at %q: subscription to %s: code %#x", user, host, filter, code)
			}
			topic := strings.TrimSuffix(filter, "#") + "pm10"
			select {
			case m := <-heard:
				if string(m.Payload()) != want || m.Topic() != topic {
					t.Errorf("%q at %q: %s gives %q on %s, want %q on %s", user, host, filter, m.Payload(), m.Topic(), want, topic)
				}
			case <-time.After(patience):
				t.Fatalf("%q at %q: %s gives nothing", user, host, filter)
			}
		}
		select {
		case m := <-heard:
			t.Errorf("%q at %q also gets %q on %s", user, host, m.Payload(), m.Topic())
		default:
		}
		c.Disconnect(0)
	}
	const ofKoeln, ofBonn, ofBoth = "stadtluft-koeln/v1/city/#", "stadtluft-bonn/v1/city/#", "stadtluft/v1/city/#"
	never := []string{"#", "+/v1/city/#", "stadtluft-bonn/v1/+/reading", "stadtluft-bonn/v1/BO1/feedback", "stadtluft/v1/BO1/feedback", "stadtluft-bonn/v1/BO1/status"}
	f("", "", map[string]string{ofKoeln: "of koeln", ofBonn: "of bonn"}, append(never, ofBoth)...)
	f("koeln.example", "", map[string]string{ofKoeln: "of koeln", ofBoth: "of koeln"}, append(never, ofBonn)...)
	f("", "K1", map[string]string{ofKoeln: "of koeln", ofBoth: "of koeln"}, append(never, ofBonn)...)
	f("", "BO2", map[string]string{ofBonn: "of bonn"}, append(never, ofKoeln)...)
}

// TestAMessageKeepsItsCity publishes over a session of one city to topics of both.
func TestAMessageKeepsItsCity(t *testing.T) {
	all := openCities(t, 0)
	taken := make(chan ingest.Message, 10)
	all.koeln.options.Out = taken
	c, err := all.login(t, "", "K1", "token-K1", make(chan paho.Message, 10))
	if err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]string{
		"stadtluft-koeln/v1/K1/reading": "stadtluft/v1/K1/reading", "stadtluft/v1/K1/reading": "stadtluft/v1/K1/reading",
		"stadtluft-bonn/v1/BO1/reading": "stadtluft-bonn/v1/BO1/reading", // which is none of the protocol
	} {
		c.Publish(topic, 1, false, "x")
		select {
		case m := <-taken:
			if m.Topic != want || m.From != "K1" {
				t.Errorf("%s comes in as %s from %s, want %s from K1", topic, m.Topic, m.From, want)
			}
			m.Done(ingest.Outcome{})
		case <-time.After(patience):
			t.Fatalf("%s does not come in", topic)
		}
	}
}

// TestTheDoorHasOneLimit connects to both cities until there is no place.
func TestTheDoorHasOneLimit(t *testing.T) {
	all := openCities(t, 4)
	for i, user := range []string{"K1", "BO1", "K2", "BO2", "K3"} {
		if _, err := all.login(t, "", user, "token-"+user, nil); (err == nil) != (i < 4) {
			t.Errorf("connection %d of at most 4: %v", i+1, err)
		}
	}
}

// TestADoorTakesNoRubbish sends what is no CONNECT, and too long a one.
func TestADoorTakesNoRubbish(t *testing.T) {
	all := openCities(t, 0)
	for _, rubbish := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x10\xff\xff\xff\xff\xff", "\x10\xff\xff\xff\x7f", "\xc0\x00", "\x10\x04\x00\x04MQ"} {
		c, err := net.Dial("tcp", all.plain)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		if _, err := c.Write([]byte(rubbish)); err != nil {
			t.Fatal(err)
		}
		for answer := make([]byte, 100); err == nil; {
			_, err = c.Read(answer)
		}
		if e, ok := err.(net.Error); ok && e.Timeout() {
			t.Errorf("%q: the connection stays open", rubbish)
		}
		c.Close()
	}
	if _, err := all.login(t, "", "K1", "token-K1", nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestADoorThatIsClosed connects while a city cannot say which stations are its own. A station that is refused would give up.
func TestADoorThatIsClosed(t *testing.T) {
	front := NewDoor(0, slog.New(slog.DiscardHandler))
	for _, open := range []bool{false, true} {
		want := byte(packets.Err3ServerUnavailable.Code)
		if open {
			front.Anyone().Open()
			want = packets.Err3NotAuthorized.Code
		}
		ours, theirs := net.Pipe()
		go front.serve(theirs, "192.0.2.1")
		_ = ours.SetDeadline(time.Now().Add(patience))
		if _, err := ours.Write([]byte("\x10\x14\x00\x04MQTT\x04\xc2\x00\x3c\x00\x00\x00\x02K1\x00\x02pw")); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 4)
		if _, err := io.ReadFull(ours, answer); err != nil || answer[3] != want {
			t.Errorf("open %v: answer %x, %v, want code %d", open, answer, err, want)
		}
		ours.Close()
	}
}
