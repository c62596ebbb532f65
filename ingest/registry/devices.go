package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest"
)

const (
	maxDeviceKey = 64 // bytes of a device's key
	// claimTime is how long a device is kept for a station that does not have it: one that is about to be written.
	claimTime = time.Minute
)

// Device returns the station that a device belongs to.
func (r *Registry) Device(d ingest.Device) (*ingest.Station, bool) { return r.memory.device(d) }

// AddDevice adds a device, its name in its own firmware, to a station. Spelled differently it replaces the former spelling.
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
		e.record.addDevice(d)
		e.wrote("device", "", d.Family)
	})
}

// RemoveDevice removes a device from its station.
func (r *Registry) RemoveDevice(ctx context.Context, id string, by By, d ingest.Device) error {
	err := r.change(ctx, id, by, func(e *edit) {
		had := len(e.record.Devices)
		e.record.Devices = slices.DeleteFunc(e.record.Devices, func(one deviceRecord) bool { return ingest.Device(one).Folded() == d.Folded() })
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

// claim takes a device for a station. It refuses one that another station has: one device's messages cannot be two
// stations'.
func (r *Registry) claim(ctx context.Context, id string, d ingest.Device) error {
	key := deviceKeyOf(d)
	_, err := r.bucket.stations.Create(ctx, key, []byte(id))
	if !errors.Is(err, jetstream.ErrKeyExists) {
		return wrap("registry: add a device", err)
	}
	holder, err := r.bucket.stations.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("registry: add a device: %w", err)
	}
	if string(holder.Value()) == id {
		return nil
	}
	if time.Since(holder.Created()) > claimTime && !r.has(ctx, string(holder.Value()), d) { // left over by an interruption
		if _, err = r.bucket.stations.Update(ctx, key, []byte(id), holder.Revision()); err == nil {
			return nil
		}
	}
	return &FieldError{Field: "device", Problem: fmt.Sprintf("%s:%s belongs to a station already", d.Family, d.Key),
		German: fmt.Sprintf("%s:%s gehört schon zu einer Station.", d.Family, d.Key)}
}

// has reports whether a station has a device; also when that cannot be found out.
func (r *Registry) has(ctx context.Context, id string, d ingest.Device) bool {
	e, err := r.fetch(ctx, id)
	if err != nil {
		return !errors.Is(err, ErrUnknown)
	}
	return slices.ContainsFunc(e.station.Devices, func(one ingest.Device) bool { return one.Folded() == d.Folded() })
}

// release gives a device back and overwrites its key on disk.
func (r *Registry) release(ctx context.Context, id string, d ingest.Device) error {
	holder, err := r.bucket.stations.Get(ctx, deviceKeyOf(d))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil
	}
	if err == nil && string(holder.Value()) == id {
		err = erase(ctx, r.bucket.entries, holder.Revision())
	}
	return wrap("registry: remove a device", err)
}

func (r *Registry) releaseAll(ctx context.Context, id string, devices []deviceRecord) (err error) {
	for _, d := range devices {
		err = errors.Join(err, r.release(ctx, id, ingest.Device(d)))
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
	if d.Family == "" || len(d.Family) > maxDeviceKey || strings.Trim(d.Family, letters+"-") != "" || d.Family == SensorCommunity {
		return d, &FieldError{Field: "device", Problem: fmt.Sprintf("%q is no family such as airgradient", d.Family),
			German: fmt.Sprintf("%q ist keine Gerätefamilie wie airgradient.", d.Family)}
	}
	if d.Key == "" || len(d.Key) > maxDeviceKey || strings.Trim(strings.ToLower(d.Key), letters+"-_:") != "" {
		return d, &FieldError{Field: "device", Problem: fmt.Sprintf("%q is no device's name: letters, digits, \"-\", \"_\" and \":\", at most %d", d.Key, maxDeviceKey),
			German: fmt.Sprintf("%q ist keine Seriennummer: Buchstaben, Ziffern, „-“, „_“ und „:“, höchstens %d Zeichen.", d.Key, maxDeviceKey)}
	}
	return d, nil
}
