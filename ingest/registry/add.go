package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"stadtluft/geo"
	"stadtluft/ingest"
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
	Height         float64  // metres above ground
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
	c := Credentials{Token: newToken(), ManageToken: newToken()}
	status := ingest.Active
	if n.Address != "" && r.options.Policy == PolicyApprove {
		status = ingest.Pending
	}
	if err := r.insert(ctx, &c, n, status); err != nil {
		return Credentials{}, nil, err
	}
	if err := r.reload(ctx); err != nil {
		return Credentials{}, nil, err
	}
	station, _ := r.Station(c.ID)
	return c, station, nil
}

func (r *Registry) insert(ctx context.Context, c *Credentials, n Registration, status ingest.Status) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("registry: add a station: %w", err)
	}
	defer tx.Rollback()
	now := time.Now().UTC()
	if err := countAddress(ctx, tx, n.Address, now); err != nil {
		return err
	}
	prefix := ""
	if n.Demo {
		prefix = demoPrefix
	}
	for c.ID = newID(prefix); ; c.ID = newID(prefix) {
		if taken, err := idTaken(ctx, tx, c.ID); err != nil {
			return err
		} else if !taken && c.ID != exampleID {
			break
		}
	}
	by := Owner
	if n.Address == "" {
		by = Shell
	}
	return r.insertStation(ctx, tx, by, &ingest.Station{
		ID: c.ID, Name: n.Name, Kit: n.Kit, Sensors: n.Sensors, Exposure: n.Exposure, Height: n.Height, Side: n.Side, Status: status, Licence: r.options.Licence,
		Email: n.Email, Demo: n.Demo, Devices: n.Devices, Places: []ingest.Place{{From: now, Exact: n.Point}},
	}, *c)
}

func idTaken(ctx context.Context, tx *sql.Tx, id string) (bool, error) {
	var taken int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM station WHERE id = ?", id).Scan(&taken); err != nil {
		return false, fmt.Errorf("registry: add a station: %w", err)
	}
	return taken > 0, nil
}

// insertStation writes a station with its first place and its devices, and commits.
func (r *Registry) insertStation(ctx context.Context, tx *sql.Tx, by By, st *ingest.Station, c Credentials) error {
	first := st.Places[0]
	_, err := tx.ExecContext(ctx, `INSERT INTO station (id, name, exposure, height, side, status, zone, licence, email, demo, source, created, token, manage)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		st.ID, st.Name, st.Exposure, st.Height, st.Side, st.Status, r.options.Zone, st.Licence, st.Email,
		st.Demo, st.Source, first.From.Unix(), hashed(c.Token), hashed(c.ManageToken))
	if err == nil {
		_, err = tx.ExecContext(ctx, "INSERT INTO place (station, since, lon, lat) VALUES (?, ?, ?, ?)", st.ID, first.From.Unix(), first.Exact.Lon(), first.Exact.Lat())
	}
	if err == nil {
		err = insertInstallation(ctx, tx, st.ID, ingest.Installation{From: first.From, Kit: st.Kit, Sensors: st.Sensors})
	}
	for _, d := range st.Devices {
		if err == nil {
			err = insertDevice(ctx, tx, st.ID, d)
		}
	}
	if err == nil && st.Source == "" {
		err = record(ctx, tx, Change{Station: st.ID, Who: by, What: "registered", After: st.Name})
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("registry: add a station: %w", err)
	}
	return nil
}

// countAddress counts a registration from an address and refuses one too many. Yesterday's counts go.
func countAddress(ctx context.Context, tx *sql.Tx, address string, now time.Time) error {
	if address == "" {
		return nil
	}
	day := now.Format(time.DateOnly)
	salt, err := saltOf(ctx, tx, day)
	if err != nil {
		return fmt.Errorf("registry: add a station: %w", err)
	}
	var count int
	err = tx.QueryRowContext(ctx, `INSERT INTO registration (day, address, count) VALUES (?, ?, 1)
		ON CONFLICT (day, address) DO UPDATE SET count = count + 1 RETURNING count`, day, hashed(salt+address)).Scan(&count)
	if err != nil {
		return fmt.Errorf("registry: add a station: %w", err)
	}
	if count > DefaultPerDay {
		return ErrTooMany
	}
	return nil
}

// saltOf is the day's random salt. A new day gets a new one, and what the old one hid is forgotten.
func saltOf(ctx context.Context, tx *sql.Tx, day string) (string, error) {
	var salt string
	err := tx.QueryRowContext(ctx, "SELECT value FROM setting WHERE name = ?", "salt "+day).Scan(&salt)
	if err != sql.ErrNoRows {
		return salt, err
	}
	salt = newToken()
	for _, statement := range []string{"DELETE FROM setting WHERE name LIKE 'salt %'", "DELETE FROM registration"} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return "", err
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO setting (name, value) VALUES (?, ?)", "salt "+day, salt)
	return salt, err
}

// check cleans a registration and says what is wrong with it.
func (r *Registry) check(n *Registration) (err error) {
	if n.Name, err = cleanName(n.Name); err != nil {
		return err
	}
	if n.Kit, n.Sensors, err = cleanInstallation(n.Kit, n.Sensors); err != nil {
		return err
	}
	switch {
	case n.Exposure == "":
		n.Exposure = ingest.Outdoor
	case n.Exposure != ingest.Outdoor && n.Exposure != ingest.Indoor:
		return &FieldError{Field: "exposure", Problem: fmt.Sprintf("%q is neither outdoor nor indoor", n.Exposure),
			German: fmt.Sprintf("%q ist weder outdoor noch indoor.", n.Exposure)}
	}
	if err := checkHeight(n.Height); err != nil {
		return err
	}
	if err := checkSide(n.Side); err != nil {
		return err
	}
	if n.Email != "" {
		if a, err := mail.ParseAddress(n.Email); err != nil || a.Address != n.Email || len(n.Email) > 254 {
			return &FieldError{Field: "email", Problem: fmt.Sprintf("%q is no address such as name@example.org", n.Email),
				German: fmt.Sprintf("„%s“ ist keine E-Mail-Adresse wie name@example.org.", n.Email)}
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

func checkHeight(metres float64) error {
	if !(metres >= -50 && metres <= maxHeight) {
		return &FieldError{Field: "height", Problem: fmt.Sprintf("%v is not metres above ground, -50 to %d", metres, maxHeight),
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
