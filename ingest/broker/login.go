package broker

import (
	"slices"
	"strconv"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"stadtluft/firmware-protocol/wire"
)

const (
	userLength = 128 // bytes of a user name or password that are looked at

	// takeoverTime bounds how long a log-in waits for the end of the client's old connection and its last will.
	takeoverTime = 5 * time.Second

	// bridgeBit marks the protocol version of a Mosquitto bridge.
	bridgeBit = 0x80
)

// Answers to a CONNECT that mochi would not give.
var (
	unknownVersion3 = []byte{packets.Connack << 4, 2, 0, packets.Err3UnsupportedProtocolVersion.Code}
	unknownVersion5 = []byte{packets.Connack << 4, 3, 0, packets.ErrUnsupportedProtocolVersion.Code, 0}
	noClientID      = []byte{packets.Connack << 4, 2, 0, packets.Err3ClientIdentifierNotValid.Code}
)

// prepare looks at a CONNECT before mochi does; false when it has answered that there will be no connection. No session
// outlives its connection, so every one begins clean. The broker keeps the last will itself.
func prepare(c *conn, pk *packets.Packet) bool {
	pk.ProtocolVersion &^= bridgeBit
	connect := &pk.Connect
	switch name := string(connect.ProtocolName); {
	case name == "MQIsdp" && pk.ProtocolVersion == 3, name == "MQTT" && (pk.ProtocolVersion == 4 || pk.ProtocolVersion == 5):
	case pk.ProtocolVersion > 5:
		_, _ = c.Write(unknownVersion5) // the connection ends either way
		return false
	default:
		_, _ = c.Write(unknownVersion3)
		return false
	}
	if pk.ProtocolVersion < 5 && !connect.Clean && connect.ClientIdentifier == "" {
		_, _ = c.Write(noClientID) // MQTT 3.1.1, 3.1.3.1
		return false
	}
	connect.Clean = true
	if len(connect.Password) == 0 {
		connect.PasswordFlag = false // an empty one is allowed
	}
	if connect.WillFlag && connect.WillQos <= 2 {
		c.will = &received{topic: connect.WillTopic, payload: connect.WillPayload, retain: connect.WillRetain}
		connect.WillFlag, connect.WillRetain, connect.WillQos = false, false, 0
	}
	c.keepAlive = time.Duration(connect.Keepalive) * time.Second
	return true
}

// logIn checks who a client is, and gives it a session. It waits for the end of its old connection.
func (b *Broker) logIn(cl *mqtt.Client, c *conn, pk packets.Packet) packets.Code {
	user, password := string(pk.Connect.Username), string(pk.Connect.Password)
	switch {
	case !b.open.Load():
		return packets.ErrServerUnavailable
	case pk.Properties.AuthenticationMethod != "":
		return packets.ErrBadAuthenticationMethod
	case user != "" && !b.authenticate(user, password):
		c.sleep(b.limits.guessed(c.place.remote, user))
		return packets.ErrBadUsernameOrPassword
	case !c.place.logIn(user == ""):
		return packets.ErrServerBusy
	}
	c.client, c.station = cl, user
	c.id = b.sessionID(user, cl.ID)
	cl.ID, c.since = c.id, time.Now()
	if !b.takeOver(c) || !b.slowDown(c) { // a log-in counts as a message: it may bring a last will
		c.will = nil // of a client that was not let in
		return packets.ErrServerShuttingDown
	}
	if c.station != "" && b.options.LoggedIn != nil {
		b.options.LoggedIn(c.id, c.since)
	}
	return packets.CodeSuccess
}

// sessionID returns the id of a session. It belongs to user and client id together, so that nobody takes another's. An
// anonymous client has nothing to protect it by, so that each of its connections is a session of its own.
func (b *Broker) sessionID(user, clientID string) string {
	if user == "" {
		return "/" + strconv.FormatUint(b.anonymous.Add(1), 10)
	}
	return user + "/" + clientID
}

// authenticate checks a station's log-in.
func (b *Broker) authenticate(user, password string) bool {
	return len(user) <= userLength && len(password) <= userLength && wire.ValidStation(user) &&
		b.options.Authenticate != nil && b.options.Authenticate(user, password)
}

// takeOver lists a connection as that of its session, and ends the one which was; false when the broker is closing.
func (b *Broker) takeOver(c *conn) bool {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false
	}
	old := b.sessions[c.id]
	b.sessions[c.id] = c
	var surplus *conn
	if c.station != "" {
		if own := b.stations[c.station]; len(own) >= maxPerStation && own[0] != old {
			surplus = own[0]
		}
		b.stations[c.station] = append(b.stations[c.station], c)
	}
	b.mu.Unlock()
	if surplus != nil {
		b.end(surplus, packets.ErrQuotaExceeded)
	}
	if old == nil {
		return true
	}
	b.end(old, packets.ErrSessionTakenOver)
	late := time.NewTimer(takeoverTime)
	defer late.Stop()
	select {
	case <-old.ended:
	case <-late.C:
	case <-c.ctx.Done():
	}
	return true
}

// leave forgets a connection that has ended with err, which may be nil, and publishes its last will unless the client
// has taken leave.
func (b *Broker) leave(c *conn, err error) {
	defer close(c.ended)
	_ = c.Close()
	if c.client != nil {
		b.topics.leave(c)
		b.server.UnsubscribeClient(c.client)
	}
	b.mu.Lock()
	delete(b.conns, c)
	closed := b.closed
	if b.sessions[c.id] == c {
		delete(b.sessions, c.id)
	}
	if own := slices.DeleteFunc(b.stations[c.station], func(other *conn) bool { return other == c }); len(own) > 0 {
		b.stations[c.station] = own
	} else {
		delete(b.stations, c.station)
	}
	b.mu.Unlock()
	if closed || c.client == nil {
		return
	}
	b.report(c, err)
	if c.will != nil && c.station != "" && !c.moved.Load() {
		b.receiveWill(c)
	}
}
