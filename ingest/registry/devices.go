package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/firmware-protocol/kits"
	"stadtluft/ingest"
)

const (
	maxDeviceKey = 64 // bytes of a device's key
	// claimTime is how long a device is kept for a station that does not have it: one that is about to be written.
	claimTime = time.Minute
	// maxUses bounds the messages that wait to take a device. Those beyond are dropped: a later message of the device takes it.
	maxUses = 100
)

// deviceState is how far a device is a station's.
type deviceState string

const (
	deviceTaken deviceState = ""      // by a message with the station's log-in, by the operator, or in an earlier version
	deviceHeard deviceState = "heard" // by a message that nobody logged in for, when no other station named it
	deviceNamed deviceState = "named" // typed by whoever registered the station
)

// holder is what is kept under a device's key: the one station that has taken it.
type holder struct {
	station string
	state   deviceState
}

func (h holder) encode() []byte {
	if h.state == deviceTaken {
		return []byte(h.station)
	}
	return []byte(h.station + " " + string(h.state))
}

func decodeHolder(data []byte) holder {
	station, state, _ := strings.Cut(string(data), " ")
	return holder{station, deviceState(state)}
}

// errTaken is the error for a device that another station has taken.
var errTaken = errors.New("the device belongs to a station already")

// Device returns the station that a device belongs to when nobody has logged in: the one that has taken it, else the only one that names it.
// Where several name one that none has taken, it is nobody's, and all of them are returned in its place, by id: the word of whoever registered first proves nothing.
func (r *Registry) Device(d ingest.Device) (st *ingest.Station, contested []*ingest.Station) {
	var taken, waiting entry
	for _, e := range r.memory.device(d) {
		switch state := e.record.state(d); {
		case !speaks(e.station.Status):
		case state != deviceNamed:
			if taken.station == nil || state == deviceTaken {
				taken = e
			}
		case e.station.Status == ingest.Pending: // may be refused yet
			waiting = e
		default:
			contested = append(contested, e.station)
		}
	}
	switch {
	case taken.station != nil:
		return taken.station, nil
	case len(contested) == 1:
		return contested[0], nil
	case len(contested) == 0:
		return waiting.station, nil
	}
	slices.SortFunc(contested, func(a, b *ingest.Station) int { return strings.Compare(a.ID, b.ID) })
	return nil, contested
}

// state returns how far a device is the station's; one that it does not have is only named.
func (rec *record) state(d ingest.Device) deviceState {
	for _, one := range rec.Devices {
		if one.device().Folded() == d.Folded() {
			return one.State
		}
	}
	return deviceNamed
}

// use is a message of a device.
type use struct {
	station  string
	device   ingest.Device
	loggedIn bool
}

// Use takes a device for a station that names it and has sent as it. With a log-in it takes the device from one that had it
// without. It does not wait, and does nothing for a station that does not name the device.
func (r *Registry) Use(station string, d ingest.Device, loggedIn bool) {
	e, ok := r.memory.entry(station)
	if !ok || e.record.Source != "" || !slices.ContainsFunc(e.station.Devices, func(one ingest.Device) bool { return one.Folded() == d.Folded() }) {
		return
	}
	if state := e.record.state(d); state == deviceTaken || state == deviceHeard && !loggedIn {
		return
	}
	select {
	case r.uses <- use{station, d, loggedIn}:
	default:
	}
}

// takeDevices takes what is used until ctx ends.
func (r *Registry) takeDevices(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case u := <-r.uses:
			if err := r.take(ctx, u); err != nil && !errors.Is(err, errTaken) && ctx.Err() == nil {
				r.log.Warn("device was not taken, its next message tries again", "station", u.station, "err", err)
			}
		}
	}
}

// take makes a device a station's. The error is errTaken when another station has taken it.
func (r *Registry) take(ctx context.Context, u use) error {
	state := deviceHeard
	if u.loggedIn {
		state = deviceTaken
	}
	if err := r.hold(ctx, u.device, holder{u.station, state}); err != nil {
		return err
	}
	return r.setState(ctx, u.station, u.device, state)
}

func (r *Registry) setState(ctx context.Context, id string, d ingest.Device, state deviceState) error {
	err := r.change(ctx, id, "", func(e *edit) {
		for i, one := range e.record.Devices {
			if one.device().Folded() == d.Folded() {
				e.record.Devices[i].State = state
			}
		}
	})
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	return err
}

// hold writes under a device's key who has it. One that another station has taken is errTaken, unless that has ended, or took it without a
// log-in and now there is one.
func (r *Registry) hold(ctx context.Context, d ingest.Device, next holder) error {
	key := deviceKeyOf(d)
	_, err := r.bucket.stations.Create(ctx, key, next.encode())
	if !errors.Is(err, jetstream.ErrKeyExists) {
		return wrap("registry: take a device", err)
	}
	got, err := r.bucket.stations.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("registry: take a device: %w", err)
	}
	now := decodeHolder(got.Value())
	if now.station == next.station && (now.state == next.state || now.state == deviceTaken) {
		return nil
	}
	stronger := now.state == deviceHeard && next.state == deviceTaken
	if now.station != next.station && !stronger && r.has(ctx, now.station, d, got.Created()) {
		return errTaken
	}
	if _, err := r.bucket.stations.Update(ctx, key, next.encode(), got.Revision()); err != nil {
		return fmt.Errorf("registry: take a device: %w", err)
	}
	r.discard(ctx, nil, got.Revision())
	if now.station == next.station {
		return nil
	}
	return r.setState(ctx, now.station, d, deviceNamed)
}

// AddDevice adds a device, its name in its own firmware, to a station, by the operator's word. Spelled differently it replaces the former spelling.
func (r *Registry) AddDevice(ctx context.Context, id string, by By, d ingest.Device) error {
	d, err := cleanDevice(d)
	if err != nil {
		return err
	}
	if _, err := r.fetch(ctx, id); err != nil {
		return err
	}
	if err := r.claim(ctx, id, d); err != nil {
		return err
	}
	return r.change(ctx, id, by, func(e *edit) {
		e.record.addDevice(d, deviceTaken)
		e.wrote("device", "", d.Family)
	})
}

// RemoveDevice removes a device from its station.
func (r *Registry) RemoveDevice(ctx context.Context, id string, by By, d ingest.Device) error {
	err := r.change(ctx, id, by, func(e *edit) {
		had := len(e.record.Devices)
		e.record.Devices = slices.DeleteFunc(e.record.Devices, func(one deviceRecord) bool { return one.device().Folded() == d.Folded() })
		if len(e.record.Devices) == had {
			e.check(fmt.Errorf("station %q has no device %s:%s: %w", id, d.Family, d.Key, ErrUnknown))
		}
		e.wrote("device", d.Family, "")
	})
	if err != nil {
		return err
	}
	return r.release(ctx, id, d)
}

// deviceKeyOf returns the key under which a device's station is kept. A colon cannot be in a key, an equals sign not in a device.
func deviceKeyOf(d ingest.Device) string {
	d = d.Folded()
	return deviceKey + d.Family + "." + strings.ReplaceAll(d.Key, ":", "=")
}

// claim takes a device for a station by the operator's word. It refuses one that another station has taken with its log-in, or so.
func (r *Registry) claim(ctx context.Context, id string, d ingest.Device) error {
	err := r.hold(ctx, d, holder{id, deviceTaken})
	if errors.Is(err, errTaken) {
		return &FieldError{Field: "device", Problem: fmt.Sprintf("%s:%s belongs to a station already", d.Family, d.Key),
			German: fmt.Sprintf("%s:%s gehört schon zu einer Station.", d.Family, d.Key)}
	}
	return err
}

// has reports whether a station that has not ended has taken a device, or may be about to since it was written under the device's key; also when
// that cannot be found out.
func (r *Registry) has(ctx context.Context, id string, d ingest.Device, since time.Time) bool {
	e, err := r.fetch(ctx, id)
	switch {
	case err == nil && !speaks(e.station.Status):
		return false
	case err == nil && e.record.state(d) != deviceNamed:
		return true
	case err == nil || errors.Is(err, ErrUnknown):
		return time.Since(since) <= claimTime
	}
	return true
}

// release gives a device back and overwrites its key on disk.
func (r *Registry) release(ctx context.Context, id string, d ingest.Device) error {
	now, err := r.bucket.stations.Get(ctx, deviceKeyOf(d))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil
	}
	if err == nil && decodeHolder(now.Value()).station == id {
		err = erase(ctx, r.bucket.entries, now.Revision())
	}
	return wrap("registry: remove a device", err)
}

func (r *Registry) releaseAll(ctx context.Context, id string, devices []deviceRecord) (err error) {
	for _, d := range devices {
		err = errors.Join(err, r.release(ctx, id, d.device()))
	}
	return err
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// cleanDevice checks a device. Its key stays as it is spelled: topics make a difference between letters.
func cleanDevice(d ingest.Device) (ingest.Device, error) {
	d.Family, d.Key = strings.ToLower(strings.TrimSpace(d.Family)), strings.TrimSpace(d.Key)
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	if known := kits.Families(); !slices.Contains(known, d.Family) {
		return d, &FieldError{Field: "device", Problem: fmt.Sprintf("%.40q is no family of firmware: one of %s", d.Family, strings.Join(known, ", ")),
			German: fmt.Sprintf("%.40q ist keine Gerätefamilie, sondern eine von %s.", d.Family, strings.Join(known, ", "))}
	}
	if d.Key == "" || len(d.Key) > maxDeviceKey || strings.Trim(strings.ToLower(d.Key), letters+"-_:") != "" {
		return d, &FieldError{Field: "device", Problem: fmt.Sprintf("%q is no device's name: letters, digits, \"-\", \"_\" and \":\", at most %d", d.Key, maxDeviceKey),
			German: fmt.Sprintf("%q ist keine Seriennummer: Buchstaben, Ziffern, „-“, „_“ und „:“, höchstens %d Zeichen.", d.Key, maxDeviceKey)}
	}
	return d, nil
}
