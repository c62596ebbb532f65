package broker

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"stadtluft/firmware-protocol/wire"
)

const (
	// IntakeUser is the user name of the server's own subscriber, the intake.
	IntakeUser = "stadtluft-intake"
	// IntakeClientID is the MQTT client id of the intake. Ids that begin with "stadtluft-" are reserved for it:
	// another client that used one would take over the intake's session.
	IntakeClientID       = "stadtluft-intake"
	reservedClientPrefix = "stadtluft-"
)

// Access is what a user may do. The zero value may do nothing.
type Access struct {
	Denied  bool
	Station string   // may publish below stadtluft/v1/{Station}/ and read its feedback and the public averages
	Topics  []string // filters of its own firmware's topics, where it may publish as well
	Public  bool     // may read the public averages
	Intake  bool     // may do everything below stadtluft/
}

// Authenticator decides about log-ins over MQTT. Many goroutines call it at once. User and password are untrusted and
// at most 128 bytes each; both are empty for an anonymous client, which the broker lets read the public averages
// without calling it.
type Authenticator interface {
	Authenticate(user, password string) Access
}

// conn is a connection that has logged in.
type conn struct {
	user     string // as logged in; empty for an anonymous one
	station  string
	clientID string
}

// authenticator is Broker's side towards the server.
type authenticator struct{ b *Broker }

// Check is called once per connection, before it can do anything else.
func (a authenticator) Check(c server.ClientAuthentication) bool {
	if addr := c.RemoteAddress(); addr != nil && addr.Network() == "pipe" {
		c.RegisterUser(&server.User{}) // the journal, inside this process
		return true
	}
	opts := c.GetOpts()
	user, password := opts.Username, opts.Password
	access := a.b.access(user, password)
	if access.Station == "" && !access.Public && !access.Intake {
		access.Denied = true
	}
	if access.Denied {
		a.b.counts.refused.Add(1)
		return false
	}
	if !a.b.admit(c.GetID(), conn{user: user, station: access.Station, clientID: clientID(c)}, access) {
		return false
	}
	c.RegisterUser(&server.User{Username: user, Permissions: permissions(access, a.b.options.Topics)})
	return true
}

// access asks the authenticator about whoever is neither the intake nor anonymous.
func (b *Broker) access(user, password string) Access {
	switch {
	case len(user) > userLength || len(password) > userLength:
		return Access{Denied: true}
	case user == "":
		return Access{Public: true}
	case user == IntakeUser:
		ok := subtle.ConstantTimeCompare([]byte(password), []byte(b.intake.Password)) == 1
		return Access{Intake: ok, Denied: !ok}
	case b.options.Auth == nil:
		return Access{Denied: true}
	}
	access := b.options.Auth.Authenticate(user, password)
	if access.Station != "" && !wire.ValidStation(access.Station) {
		access.Denied = true
	}
	return access
}

// admit remembers a connection, or refuses it: a station while the gate is shut, and whoever would take
// over the session of another.
func (b *Broker) admit(id uint64, c conn, access Access) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if access.Station != "" && !b.passable() {
		b.counts.refused.Add(1)
		return false
	}
	if !access.Intake && strings.HasPrefix(c.clientID, reservedClientPrefix) {
		b.counts.refused.Add(1)
		return false
	}
	if other, ok := b.sessions[c.clientID]; ok && b.conns[other].user != c.user && b.server.GetClient(other) != nil {
		b.counts.refused.Add(1)
		return false
	}
	b.sessions[c.clientID] = id
	b.conns[id] = c
	return true
}

// permissions are what an access may do, and nothing else. foreign are the filters of other firmware's topics,
// which the intake reads.
func permissions(a Access, foreign []string) *server.Permissions {
	var publish, subscribe []string
	if a.Public || a.Station != "" {
		subscribe = slices.Concat(subjects(wire.CityFilter), subjects(wire.GridFilter))
	}
	if a.Station != "" {
		publish = []string{toSubject.Replace(wire.StationPrefix(a.Station) + "#")}
		for _, topic := range a.Topics {
			publish = append(publish, toSubject.Replace(topic))
		}
		subscribe = slices.Concat(subscribe, subjects(wire.FeedbackTopic(a.Station)), subjects(wire.StatusTopic(a.Station)))
	}
	if a.Intake {
		publish = subjects("stadtluft/#")
		subscribe = slices.Clone(publish)
		for _, filter := range foreign {
			subscribe = append(subscribe, subjects(filter)...)
		}
	}
	return &server.Permissions{Publish: allow(publish), Subscribe: allow(subscribe)}
}

// toSubject and toTopic translate between MQTT's and NATS's words, as far as our topics go.
var (
	toSubject = strings.NewReplacer("/", ".", "+", "*", "#", ">")
	toTopic   = strings.NewReplacer("//", ".", ".", "/", "*", "+", ">", "#")
)

// subjects are what NATS needs for an MQTT filter: "a/#" means "a" as well.
func subjects(filter string) []string {
	all := []string{toSubject.Replace(filter)}
	if above, ok := strings.CutSuffix(filter, "/#"); ok {
		all = append(all, toSubject.Replace(above))
	}
	return all
}

// allow permits subjects and nothing else. NATS takes an empty list for no limit at all.
func allow(subjects []string) *server.SubjectPermission {
	if len(subjects) == 0 {
		return &server.SubjectPermission{Deny: []string{">"}}
	}
	return &server.SubjectPermission{Allow: subjects}
}

// clientID reads the MQTT client id out of the connection's name, which ends in it, quoted: NATS shows
// it nowhere else.
func clientID(c server.ClientAuthentication) string {
	named, ok := c.(fmt.Stringer)
	if !ok {
		return ""
	}
	_, quoted, ok := strings.Cut(named.String(), ` - "`)
	if !ok {
		return ""
	}
	id, err := strconv.Unquote(`"` + quoted)
	if err != nil {
		return ""
	}
	return id
}
