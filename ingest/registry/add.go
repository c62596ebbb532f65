package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/paulmach/orb"

	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/streams"
)

const (
	maxName    = 80  // characters of a station's name
	maxKit     = 80  // characters of a kit's name
	maxSensors = 10  // sensors of a station
	maxHeight  = 300 // metres above ground
	maxReason  = 200 // characters of why a station is suspended
)

// Registration is an owner's description of a new station.
type Registration struct {
	Name           string
	Point          orb.Point // exact, lon and lat
	Kit            string
	Sensors        []string // derived from Kit when empty
	Height         *float64 // metres above ground; nil when not known
	Side           string   // of the house; one of Sides, or empty
	Exposure       ingest.Exposure
	Email          string          // optional
	Devices        []ingest.Device // optional: its names in its own firmware's world
	Demo           bool
	LicenceConsent bool
	Address        string // where the request came from; empty from a shell, which has no limit and needs no approval
}

// FieldError says which field of a registration or a change is refused, why, and what was probably meant.
type FieldError struct {
	Field   string
	Problem string     // reads on from the field's name
	German  string     // the same as a whole sentence; empty where no page leads
	Meant   *orb.Point // the place that was perhaps meant; nil for none
}

func (e *FieldError) Error() string {
	text := e.Field + ": " + e.Problem
	if e.Meant != nil {
		text += "; " + e.Suggestion()
	}
	return text
}

// Suggestion returns a question whether Meant was meant.
func (e *FieldError) Suggestion() string {
	return fmt.Sprintf("did you mean longitude %.5f, latitude %.5f?", e.Meant.Lon(), e.Meant.Lat())
}

// ErrClosed and ErrTooMany are the errors of refused registrations over HTTP.
var (
	ErrClosed  = errors.New("this city registers stations itself: ask its operator")
	ErrTooMany = fmt.Errorf("at most %d stations a day can be registered from one address: try again tomorrow", DefaultPerDay)
)

// Add registers a station. Only Add returns the tokens in the credentials.
func (r *Registry) Add(ctx context.Context, n Registration) (Credentials, *ingest.Station, error) {
	if n.Address != "" && r.options.Policy == PolicyClosed {
		return Credentials{}, nil, ErrClosed
	}
	if err := r.check(&n); err != nil {
		return Credentials{}, nil, err
	}
	if err := r.countAddress(ctx, n.Address); err != nil {
		return Credentials{}, nil, err
	}
	c := Credentials{Token: newToken(), ManageToken: newToken()}
	rec, by := r.newRecord(n, c), Owner
	if n.Address == "" {
		by = Shell
	}
	prefix := ""
	if n.Demo {
		prefix = demoPrefix
	}
	for {
		rec.ID = newID(prefix)
		err := r.insert(ctx, rec)
		if errors.Is(err, jetstream.ErrKeyExists) {
			continue // of some 887 million
		}
		if err != nil {
			if ctx.Err() == nil { // else whoever asked has gone, and the station may be there
				r.uncountAddress(ctx, n.Address)
			}
			return Credentials{}, nil, err
		}
		r.record(ctx, []Change{{At: rec.Created, Station: rec.ID, Who: by, What: "registered", After: rec.Name}})
		c.ID = rec.ID
		station, _ := r.Station(c.ID)
		return c, station, nil
	}
}

// newRecord returns the record of a station that is registered now, without its id.
func (r *Registry) newRecord(n Registration, c Credentials) *record {
	now := time.Now().UTC().Truncate(time.Second)
	rec := &record{
		Name: n.Name, Exposure: n.Exposure, Height: n.Height, Side: n.Side, Status: ingest.Active, Zone: r.options.Zone, Licence: r.options.Licence,
		Email: n.Email, Demo: n.Demo, Created: now, Token: hashed(c.Token), Manage: hashed(c.ManageToken),
	}
	if n.Address != "" && r.options.Policy == PolicyApprove {
		rec.Status = ingest.Pending
	}
	rec.place(now, n.Point)
	rec.install(ingest.Installation{From: now, Kit: n.Kit, Sensors: n.Sensors})
	state := deviceTaken // by the operator's word
	if n.Address != "" {
		state = deviceNamed
	}
	for _, d := range n.Devices {
		rec.addDevice(d, state)
	}
	return rec
}

// insert writes a new station, and claims its devices that the operator gave it unless it is a neighbour's. It is ErrKeyExists when there is one with its id.
func (r *Registry) insert(ctx context.Context, rec *record) (err error) {
	if rec.Source == "" {
		for i, d := range rec.Devices {
			if d.State == deviceNamed {
				continue // until its first message; the answer is the same whoever else names it
			}
			if err := r.claim(ctx, rec.ID, d.device()); err != nil {
				return errors.Join(err, r.releaseAll(ctx, rec.ID, rec.Devices[:i]))
			}
		}
	}
	data, err := rec.encode()
	if err != nil {
		return err
	}
	key, begin := stationKey+rec.ID, time.Now()
	revision, err := r.bucket.stations.Create(ctx, key, data)
	if err != nil {
		return errors.Join(r.bucket.nc.Asked("registry: add a station", begin, err), r.releaseAll(ctx, rec.ID, rec.Devices))
	}
	r.apply(message{key, revision, data})
	return nil
}

// countTime is the longest wait for the number of an address's registrations.
const countTime = 2 * time.Second

// limitTime is how long the number of an address's registrations, and the salt that hides it, are kept.
const limitTime = 24 * time.Hour

// countAddress counts a registration from an address and refuses one too many. The counts are in NATS's memory alone,
// under a hash with a random salt of the day. While NATS does not answer for them, such as when a cluster chooses a leader,
// a registration is not counted.
func (r *Registry) countAddress(ctx context.Context, address string) error {
	if address == "" {
		return nil
	}
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	err := r.countToday(ctx, address, 1, DefaultPerDay, ErrTooMany)
	if errors.Is(err, ErrTooMany) {
		return err
	}
	if err = r.bucket.nc.Asked("registry: count registrations", begin, err); errors.Is(err, streams.ErrNoAnswer) {
		r.log.Warn("a registration of an address is not counted", "err", err)
		return nil
	}
	return err
}

// uncountAddress takes back the count of a registration that came to nothing, if NATS answers for it.
func (r *Registry) uncountAddress(ctx context.Context, address string) {
	if address == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countTime) // whoever asked may go
	defer cancel()
	if err := r.countToday(ctx, address, -1, DefaultPerDay, ErrTooMany); err != nil {
		r.log.Warn("a registration that failed counts for its address until tomorrow", "err", err)
	}
}

// countToday adds to the count of something of today under a name; beyond most it returns tooMany.
func (r *Registry) countToday(ctx context.Context, name string, more, most int, tooMany error) error {
	day := time.Now().UTC().Format(time.DateOnly)
	salt, err := r.count(ctx, "salt."+day, func(now string) (string, error) { return cmp.Or(now, newToken()), nil })
	if err != nil {
		return err
	}
	_, err = r.count(ctx, day+"."+hashed(salt+name), func(now string) (string, error) {
		n, _ := strconv.Atoi(now)
		if n+more > most {
			return "", tooMany
		}
		return strconv.Itoa(max(0, n+more)), nil
	})
	return err
}

// count replaces the text of a key by what next makes of it, and returns that; the text of a new key is empty.
func (r *Registry) count(ctx context.Context, key string, next func(now string) (string, error)) (string, error) {
	for {
		now, revision := "", uint64(0)
		got, err := r.bucket.limits.Get(ctx, key)
		if err == nil {
			now, revision = string(got.Value()), got.Revision()
		} else if !errors.Is(err, jetstream.ErrKeyNotFound) {
			return "", err
		}
		text, err := next(now)
		if err != nil || text == now {
			return text, err
		}
		_, err = r.bucket.limits.Update(ctx, key, []byte(text), revision)
		if !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
			return text, err
		}
	}
}

// check cleans a registration and says what is wrong with it.
func (r *Registry) check(n *Registration) (err error) {
	if n.Name, err = cleanName(n.Name); err != nil {
		return err
	}
	if n.Kit, n.Sensors, err = cleanInstallation(n.Kit, n.Sensors); err != nil {
		return err
	}
	n.Exposure = cmp.Or(n.Exposure, ingest.Outdoor)
	if err := checkExposure(n.Exposure); err != nil {
		return err
	}
	if err := checkHeight(n.Height); err != nil {
		return err
	}
	if err := checkSide(n.Side); err != nil {
		return err
	}
	if n.Email != "" {
		if err := checkEmail(n.Email); err != nil {
			return err
		}
	}
	for i := range n.Devices {
		if n.Devices[i], err = cleanDevice(n.Devices[i]); err != nil {
			return err
		}
	}
	if !n.LicenceConsent {
		return &FieldError{Field: "licence_consent", Problem: "readings are published under " + r.options.Licence + "; this needs your consent",
			German: "Messungen werden unter " + r.options.Licence + " veröffentlicht; das braucht dein Einverständnis."}
	}
	return r.CheckPlace(n.Point)
}

// Sides are the directions that a station's side of the house may face.
var Sides = []string{"n", "ne", "e", "se", "s", "sw", "w", "nw"}

func checkSide(side string) error {
	if side != "" && !slices.Contains(Sides, side) {
		return &FieldError{Field: "side", Problem: fmt.Sprintf("%q is none of %s", side, strings.Join(Sides, ", ")),
			German: fmt.Sprintf("Die Hausseite %q ist keine von %s.", side, strings.Join(Sides, ", "))}
	}
	return nil
}

func checkExposure(x ingest.Exposure) error {
	if x != ingest.Outdoor && x != ingest.Indoor {
		return &FieldError{Field: "exposure", Problem: fmt.Sprintf("%q is neither outdoor nor indoor", x), German: fmt.Sprintf("%q ist weder outdoor noch indoor.", x)}
	}
	return nil
}

func checkHeight(metres *float64) error {
	if metres != nil && !(*metres >= -50 && *metres <= maxHeight) {
		return &FieldError{Field: "height", Problem: fmt.Sprintf("%v is not metres above ground, -50 to %d", *metres, maxHeight),
			German: fmt.Sprintf("Die Höhe liegt zwischen -50 und %d Metern über dem Boden.", maxHeight)}
	}
	return nil
}

// cleanInstallation cleans a kit and its sensors, which the kit's name tells where none are given.
func cleanInstallation(kit string, sensors []string) (string, []string, error) {
	kit, err := cleanText("kit", kit, maxKit)
	if err != nil {
		return "", nil, err
	}
	if len(sensors) == 0 {
		return kit, sensorsOf(kit), nil
	}
	if len(sensors) > maxSensors {
		return "", nil, &FieldError{Field: "sensors", Problem: fmt.Sprintf("more than %d", maxSensors), German: fmt.Sprintf("Das sind mehr als %d Sensoren.", maxSensors)}
	}
	clean := make([]string, len(sensors))
	for i, s := range sensors {
		clean[i] = strings.ToLower(strings.TrimSpace(s))
		if !plainSensor(clean[i]) {
			return "", nil, &FieldError{Field: "sensors", Problem: fmt.Sprintf("%q is no sensor's name such as bme280", s),
				German: fmt.Sprintf("%q ist kein Name eines Sensors wie bme280.", s)}
		}
	}
	return kit, clean, nil
}

// CheckPlace returns a FieldError for a place where a station of this city cannot stand.
func (r *Registry) CheckPlace(p orb.Point) error {
	var problem, german string
	_, err := geo.CellAt(p, geo.BaseSize)
	switch {
	case p == orb.Point{}:
		problem = "0, 0 lies in the Atlantic and means that no place was set"
		german = "0, 0 liegt im Atlantik: Es wurde kein Ort gesetzt."
	case r.options.Boundary != nil && (err != nil || r.options.Boundary.Distance(p) > DefaultMargin):
		problem = fmt.Sprintf("longitude %v, latitude %v is more than %d km outside the city", p.Lon(), p.Lat(), DefaultMargin/1000)
		german = fmt.Sprintf("Breite %v, Länge %v liegt mehr als %d km außerhalb der Stadt.", p.Lat(), p.Lon(), DefaultMargin/1000)
	case err != nil:
		problem = err.Error()
		german = fmt.Sprintf("Breite %v, Länge %v liegt außerhalb des Rasters für Europa.", p.Lat(), p.Lon())
	default:
		return nil
	}
	e := &FieldError{Field: "lon, lat", Problem: problem, German: german}
	if r.options.Boundary != nil {
		if q, ok := r.options.Boundary.Suggest(p, DefaultMargin); ok {
			e.Meant = &q
		}
	}
	return e
}

func cleanName(name string) (string, error) { return cleanText("name", name, maxName) }

// texts are what cleanText calls its fields in German.
var texts = map[string]string{"name": "Der Name", "kit": "Der Bausatz", "reason": "Der Grund", "reference": "Das Vergleichsgerät"}

// cleanText trims and bounds text that is published.
func cleanText(field, text string, most int) (string, error) {
	text, german := strings.Join(strings.Fields(text), " "), texts[field]
	switch {
	case text == "":
		return "", &FieldError{Field: field, Problem: "is empty", German: german + " ist leer."}
	case len([]rune(text)) > most:
		return "", &FieldError{Field: field, Problem: fmt.Sprintf("is longer than %d characters", most), German: fmt.Sprintf("%s ist länger als %d Zeichen.", german, most)}
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", &FieldError{Field: field, Problem: "holds characters that cannot be printed", German: german + " enthält Zeichen, die sich nicht drucken lassen."}
	}
	return text, nil
}

// knownSensors are the sensors whose names are recognised in a kit's name.
var knownSensors = []string{"sds011", "pms5003", "pms7003", "sps30", "sen54", "sen55", "bme280", "bmp280", "dht22", "ds18b20", "scd30", "scd41", "dnms"}

func sensorsOf(kit string) []string {
	var found []string
	for _, part := range strings.FieldsFunc(strings.ToLower(kit), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if slices.Contains(knownSensors, part) && !slices.Contains(found, part) {
			found = append(found, part)
		}
	}
	return found
}

func plainSensor(s string) bool {
	return s != "" && len(s) <= 24 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
